"""The chat page at `/`: phone width first, large type, drawn from the stored lines.

What a person writes leaves the page with a key of its own and stays in the page until the answer is there, so a
restart in between loses nothing and repeats nothing. Who speaks is decided here, never by what the page sends.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI, Request
from nicegui import app as pages
from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement
from sqlmodel import Session
from ulid import ULID

from bot.channels.web.chat import WebChat
from bot.channels.web.lines import speaker
from bot.channels.web.people import People, Sample, UnknownMember, address_of, samples
from bot.channels.web.plain import plain
from bot.pages import live
from bot.pages.conversation import Conversation, whose
from bot.pages.elements import box, text
from bot.pages.strip import strip
from db.accounts import Speaker
from notices.wording import Wording, wording

STATIC = Path(__file__).parent / "static"
COOKIE_S = 400 * 24 * 3600  # the longest that browsers keep one: a bound phone stays bound
# The keyboard of a phone makes the page smaller instead of hiding its lower half.
VIEWPORT = "width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content"
SIZES = (18, 24, 30)  # pixels
DEMO_ROLE = "member"  # who the demo page is at first
NAME_MAX = 64
ACCEPTED = "image/*,.xlsx,.xls,.csv"  # pictures, and tables of departments


@dataclass(frozen=True, slots=True)
class Site:
    """What the page needs to know. title: the name above the chat. people: the sample people by role."""

    chat: WebChat
    people: People
    demo: bool
    title: str


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whose page this is. as_: what a demo page was asked for."""

    who: Speaker
    samples: list[Sample]
    as_: str


def attach(
    app: FastAPI,
    chat: WebChat,
    people: People,
    *,
    secret: str,
    demo: bool = False,
    title: str = "红信",
    https_only: bool = False,
) -> None:
    """Put the chat page at `/` of `app`. Call it last: it takes every address that `app` has no route for.

    secret: signs the cookie that tells one device from another (not used for anything else); keep it over
    restarts, or every device becomes a stranger.
    """
    site = Site(chat, people, demo, title)
    style = (STATIC / "chat.css").read_text(encoding="utf-8")
    scripts = (live.SCRIPT, *((STATIC / name).read_text(encoding="utf-8") for name in ("dialog.js", "chat.js")))
    script = "".join(scripts)

    @ui.page("/", title=title, viewport=VIEWPORT, language="zh-CN", response_timeout=20.0)
    async def chat_page(request: Request) -> None:
        # In the page itself: nothing to fetch, nothing that an old cache could hold back.
        ui.add_head_html(f"<style>{style}</style><script>{script}</script>")
        await _build(site, request)

    ui.run_with(
        app,
        title=title,
        favicon=STATIC / "icon.svg",
        language="zh-CN",
        tailwind=False,
        reconnect_timeout=10.0,
        binding_refresh_interval=None,
        show_welcome_message=False,
        storage_secret=secret,
        session_middleware_kwargs={"max_age": COOKIE_S, "same_site": "lax", "https_only": https_only},
    )


async def _build(site: Site, request: Request) -> None:
    as_ = plain(request.query_params.get("as", "")).strip()[:NAME_MAX] or DEMO_ROLE
    device = _device() if not site.demo else None
    visitor = await site.chat.write(lambda session: _visitor(session, site, as_, device))
    say = wording(visitor.who.language)
    ui.query("body").classes("hx-page")
    if site.demo:
        strip(visitor.samples, visitor.as_, visitor.who.address, say)
    with box("div", "hx-app", lang="zh-CN" if say.language == "zh" else say.language):
        shown = _head(site.title, whose(visitor.who, say), say)
        conversation = Conversation(site.chat, visitor.who, say, whose=shown, limited=not site.demo)
        _composer(say)
    await conversation.begin(greet="start" not in request.query_params)


def _device() -> str:
    """This browser's address, from the signed cookie; a new browser gets one."""
    known = pages.storage.browser.get("device")
    if known is None:
        known = str(ULID())
        pages.storage.browser["device"] = known
    return f"device:{known}"


def _visitor(session: Session, site: Site, as_: str, device: str | None) -> Visitor:
    now = site.chat.now
    try:
        address = device or address_of(session, as_, site.people, now)
    except UnknownMember:
        address = f"guest:{as_}"
    who = speaker(session, address, now.astimezone(site.chat.zone).date())
    return Visitor(who, samples(session, site.people) if site.demo else [], as_)


def _head(title: str, whose_page: str, say: Wording) -> TextElement:
    """The top of the page; what comes back says whose page it is."""
    with box("header", "hx-head"):
        with box("div", "hx-title"):
            text("h1", title)
            shown = text("p", whose_page, "hx-whose")
        with box("div", "hx-sizes", role="group", aria_label=say("web.size_group")):
            for size in SIZES:
                attributes = {"data_size": str(size), "aria_label": say(f"web.size_{size}")}
                with box("button", f"hx-size hx-size-{size}", type="button", **attributes):
                    text("span", say("web.size_letter"), aria_hidden="true")
    return shown


def _composer(say: Wording) -> None:
    with box("form", "hx-composer", aria_label=say("web.composer")):
        with box("label", "hx-attach"):
            box("input", "hx-unseen hx-file", type="file", accept=ACCEPTED, aria_label=say("web.attach"))
            text("span", say("web.attach"), aria_hidden="true")
        box(
            "textarea",
            "hx-input",
            rows="1",
            maxlength="10000",
            placeholder=say("web.placeholder"),
            aria_label=say("web.composer"),
            autocomplete="off",
            enterkeyhint="send",
        )
        text("button", say("web.send"), "hx-send", type="submit")
