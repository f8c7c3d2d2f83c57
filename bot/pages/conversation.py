"""The conversation on one open page: draws lines as they come, takes what its person does."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import logging
import secrets
from typing import Any

from nicegui import Client, background_tasks, ui
from nicegui.elements.mixins.text_element import TextElement
from nicegui.events import GenericEventArguments

from bot.channels.web.chat import KEY_MAX, TEXT_MAX, BadPicture, WebChat
from bot.channels.web.lines import Said
from bot.channels.web.plain import plain
from bot.pages.bubbles import Bubble, pressed
from bot.pages.elements import box, text
from bot.pages.live import lives
from db.accounts import Speaker
from notices.channel import HOME
from notices.wording import Wording

log = logging.getLogger(__name__)
START_MAX = 64  # characters of a deep link's code
CODE_DIGITS = 6  # a text with as many digits may be a try at a bind code
SPOKEN = (
    "lost",
    "offline",
    "slow",
    "restored",
    "kept",
    "picture_bad",
    "picture_large",
    "file_large",
    "file_failed",
    "location_denied",
    "location_busy",
    "too_long",
)


LIVE_WORDS = ("live_close", "live_save", "live_failed", "live_legend")
LINE_DIGITS = 18  # more than any line's id has, and no more than the database takes


class Refusal(Exception):
    """What the page sent is not taken. `why` names the words in `web.toml` that it shows."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Conversation:
    """One open page. whose: where the page says whose it is. limited: are codes from unbound browsers counted?"""

    def __init__(self, chat: WebChat, who: Speaker, say: Wording, *, whose: TextElement, limited: bool) -> None:
        self._chat = chat
        self._who = who
        self._address = who.address
        self._say = say
        self._whose = whose
        self._limited = limited
        self._client: Client = ui.context.client
        self._bubbles: dict[int, Bubble] = {}
        self._turn = asyncio.Lock()
        self._greets = False
        self._ticket = chat.ticket(who.address)
        with box("main", "hx-log", tabindex="0", aria_label=say("web.log")):
            self._more = text("button", say("web.earlier"), "hx-earlier", type="button")
            self._more.on("click", self._show_earlier)
            self._earlier = box("div", "hx-lines")
            self._lines = box("div", "hx-lines", role="log", aria_live="polite", aria_relevant="additions")
            text("p", say("web.typing"), "hx-typing", aria_hidden="true")
        box("div", "hx-notice", role="status")
        self._more.set_visibility(False)

    async def begin(self, *, greet: bool) -> None:
        """Draw the history, then wait for what comes. greet: say hello in a chat that has no line yet."""
        await self.refresh()
        self._greets = greet and not self._bubbles
        unwatch = self._chat.watch(self._address, self._woken)
        self._client.on_delete(unwatch)
        self._client.on_delete(lambda: self._chat.end_ticket(self._ticket))
        self._client.on_connect(self._connected)
        ui.on("hongxin_did", self._did)
        ui.on("hongxin_live", self._live)

    async def refresh(self) -> None:
        """Draw the stored lines that are not on the page yet."""
        async with self._turn:
            who = await self._chat.who(self._address)
            lines = await self._chat.history(self._address)
            if self._client.is_deleted or self._another(who):
                return
            if not self._bubbles and lines:
                self._more.set_visibility(len(await self._chat.history(self._address, before_id=lines[0].id)) > 0)
            with self._lines:
                for line in lines:
                    if line.id not in self._bubbles and line.id > min(self._bubbles, default=0):
                        self._add(Bubble(line, self._say, self._chat.now, self._chat.zone), line.id)

    def _another(self, who: Speaker) -> bool:
        """Note who it is now. Another member must not see what is here, another language needs other words:
        then the page is drawn anew.
        """
        was, self._who = self._who, who
        if who.language != was.language or was.member_id not in (None, who.member_id):
            self._client.run_javascript("location.reload()")
            return True
        self._whose.text = whose(who, self._say)
        return False

    def _add(self, bubble: Bubble, line_id: int) -> None:
        if bubble.offers:
            for older in self._bubbles.values():
                older.fade(bubble.speaker)
        self._bubbles[line_id] = bubble

    async def _show_earlier(self) -> None:
        async with self._turn:
            oldest = min(self._bubbles, default=0)
            lines = await self._chat.history(self._address, before_id=oldest)
            more = await self._chat.history(self._address, before_id=lines[0].id, count=1) if lines else []
            self._more.set_visibility(bool(more))
            with self._earlier:
                for place, line in enumerate(lines):
                    bubble = Bubble(line, self._say, self._chat.now, self._chat.zone)
                    bubble.element.move(self._earlier, place)
                    bubble.fade("service")
                    self._bubbles[line.id] = bubble

    def _woken(self) -> None:
        background_tasks.create(self.refresh(), name="a chat page draws its new lines")

    async def _connected(self) -> None:
        """The page is there, or there again after a pause in which lines may have come."""
        if self._greets:  # not before: a crawler or a preview of the link is nobody to be greeted
            self._greets = False
            hello = Said(key=f"hello-{secrets.token_hex(8)}", kind="button", text=HOME, label="")
            await self._chat.say(self._address, hello)
        await self.refresh()
        words = {name: self._say(f"web.{name}") for name in SPOKEN}
        self._run("ready", {"words": words, "ticket": self._ticket})

    async def _did(self, event: GenericEventArguments) -> None:
        """What the person did arrives here; everything in it may be forged."""
        sent = event.args if isinstance(event.args, dict) else {}
        key = plain(str(sent.get("key", "")))[:KEY_MAX]
        if not key:
            return
        try:
            await self._chat.say(self._address, await self._said(key, sent))
        except (Refusal, BadPicture) as error:
            self._run("refused", {"key": key, "why": self._say(f"web.{error.why}")})
            return
        await self.refresh()
        self._run("done", {"key": key})

    async def _said(self, key: str, sent: dict[str, Any]) -> Said:
        """Raises Refusal."""
        kind, words = sent.get("kind"), plain(str(sent.get("text", "")))
        if kind == "button":
            return await self._press(key, words)
        if kind == "location":
            return Said(key=key, kind="location", point=_point(sent.get("point")))
        if kind == "image":
            return Said(key=key, kind="image", image=_image(sent.get("image")))
        if kind == "scan":
            await self._count_codes()
            return Said(key=key, kind="scan", text=words[:START_MAX])
        if len(words) > TEXT_MAX:
            raise Refusal("too_long")
        if sum(character.isdigit() for character in words) >= CODE_DIGITS:
            await self._count_codes()
        return Said(key=key, text=words)

    async def _live(self, event: GenericEventArguments) -> None:
        """Show the chart of a line alive, to whoever was sent that line: a branch's figures are not public."""
        asked = str(event.args.get("line", "")) if isinstance(event.args, dict) else ""
        line = await self._chat.line(self._address, int(asked[:LINE_DIGITS])) if _is_number(asked) else None
        if line is None or line.message.picture is None or not lives(line.message.picture):
            return
        picture, words = line.message.picture, {name: self._say(f"web.{name}") for name in LIVE_WORDS}
        told = {"data": picture.data, "alt": picture.alt, "text": line.message.text, "url": line.picture_url}
        self._run("live", {**told, "words": words})

    async def _press(self, key: str, place: str) -> Said:
        line_id, _, number = place.partition(":")
        if not (_is_number(line_id) and _is_number(number)):
            raise Refusal("slow")
        line = await self._chat.line(self._address, int(line_id[:LINE_DIGITS]))
        found = pressed(line.message, int(number[:4])) if line else None
        if found is None:
            return Said(key=key, kind="button", text="", label="?")  # dispatch says that the button is old
        return Said(key=key, kind="button", text=found[0], label=found[1])

    async def _count_codes(self) -> None:
        """Raises Refusal when too many codes were tried from this network address by unbound browsers."""
        if not self._limited:
            return
        who = await self._chat.who(self._address)
        if who.member_id is None and not self._chat.strangers.may_try(self._client.ip, self._chat.now):
            raise Refusal("too_many_codes")

    def _run(self, name: str, values: dict[str, Any]) -> None:
        self._client.run_javascript(f"hongxin.{name}({json.dumps(values)})")


def whose(who: Speaker, say: Wording) -> str:
    """The member and the branch, or that nobody is bound yet."""
    return " · ".join(part for part in (who.name, who.branch_name) if part) or say("web.stranger")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _point(point: object) -> tuple[float, float]:
    match point:
        case [int() | float() as lat, int() | float() as lon] if abs(lat) <= 90 and abs(lon) <= 180:
            return float(lat), float(lon)
    raise Refusal("location_denied")


def _image(image: object) -> bytes:
    try:
        return base64.b64decode(str(image), validate=True)
    except (binascii.Error, ValueError):
        raise Refusal("picture_bad") from None
