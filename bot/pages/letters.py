"""The page `/letters/ID`: how a letter does, for its author and those above.

The address is no secret: what opens the page is the web chat of somebody who may watch, in this browser. The right
is asked for anew with every look.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import Response
from nicegui import app as pages
from nicegui import ui
from sqlmodel import Session

from bot import letter_tables
from bot.channels.web.chat import WebChat
from bot.channels.web.lines import speaker
from bot.channels.web.people import People
from bot.channels.web.plain import plain
from bot.pages.letter_view import NAMES_SHOWN, Seen, denied, draw
from db import letter_rights
from db.letters import Letter
from notices.letter_reports import branch_lines, report
from notices.wording import Wording, wording

STATIC = Path(__file__).parent / "static"
VIEWPORT = "width=device-width, initial-scale=1, viewport-fit=cover"
LOOK_S = 3.0  # between two looks of an open page
BRANCHES_SHOWN = 30
ID_DIGITS = 9
NAME_MAX = 64  # of whom a demo page was asked for
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Read = Callable[[Callable[[Session], Any]], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for which letter. as_: whom a demo page was asked for, empty in earnest."""

    letter_id: int
    device: str | None
    as_: str


def attach(app: FastAPI, chat: WebChat, people: People, *, read: Read, demo: bool = False) -> None:
    """Put the page and its tables into `app`, before the chat page. read: runs a work that only reads."""
    style = (STATIC / "report.css").read_text(encoding="utf-8")
    script = (STATIC / "size.js").read_text(encoding="utf-8")

    @app.get("/letters/{letter_id}/{kind}")
    async def table(request: Request, letter_id: str, kind: str) -> Response:
        """The report as a table: `table.csv` or `table.xlsx`."""
        asking = _asking(request, letter_id, demo=demo)
        if kind not in ("table.csv", "table.xlsx") or asking is None:
            return Response(status_code=404)
        found = await read(lambda session: _tables(session, chat, people, asking))
        if found is None:
            return Response(status_code=404)
        make = letter_tables.as_csv if kind.endswith("csv") else letter_tables.as_xlsx
        content = await asyncio.to_thread(make, found[1])
        media = "text/csv; charset=utf-8" if kind.endswith("csv") else XLSX
        name = quote(f"{found[0]}.{kind.rpartition('.')[2]}")
        headers = {
            "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
        return Response(content, media_type=media, headers=headers)

    @ui.page("/letters/{letter_id}", title="红信", viewport=VIEWPORT, language="zh-CN", response_timeout=20.0)
    async def letter_page(request: Request, letter_id: str) -> None:
        ui.add_head_html(f"<style>{style}</style><script>{script}</script>")
        ui.query("body").classes("hx-letters")
        asking = _asking(request, letter_id, demo=demo)
        seen = await read(lambda session: _seen(session, chat, people, asking)) if asking is not None else None
        if asking is None or seen is None:
            denied(wording("zh"))
            return
        await _live(chat, people, read, asking, seen)


async def _live(chat: WebChat, people: People, read: Read, asking: Asking, first: Seen) -> None:
    """Draw it, and again whenever something has changed; nothing is left when the right has ended."""
    place = ui.element("div").classes("hx-report")
    shown: list[Seen | None] = [None]

    def show(seen: Seen | None) -> None:
        if seen == shown[0] and seen is not None:
            return
        shown[0] = seen
        place.clear()
        with place:
            if seen is None:
                denied(wording("zh"))
                timer.deactivate()
            else:
                draw(seen, asking.letter_id, f"?as={quote(asking.as_)}" if asking.as_ else "", chat.zone)

    async def look() -> None:
        show(await read(lambda session: _seen(session, chat, people, asking)))

    timer = ui.timer(LOOK_S, look, immediate=False)
    show(first)


def _asking(request: Request, letter_id: str, *, demo: bool) -> Asking | None:
    if not (letter_id.isascii() and letter_id.isdigit() and len(letter_id) <= ID_DIGITS):
        return None
    if demo:
        as_ = plain(request.query_params.get("as", "")).strip()[:NAME_MAX]
        return Asking(int(letter_id), None, as_) if as_ else None
    device = pages.storage.browser.get("device")
    return Asking(int(letter_id), f"device:{device}", "") if device else None


def _watched(
    session: Session, chat: WebChat, people: People, asking: Asking
) -> tuple[Letter, int, Wording] | None:
    """The letter, the member who looks, and their words; None when there is no such letter, or not for them."""
    now = chat.now
    day = now.astimezone(chat.zone).date()
    who = speaker(session, asking.device or f"member:{people.get(asking.as_, asking.as_)}", day)
    letter = session.get(Letter, asking.letter_id, populate_existing=True)
    if who.member_id is None or letter is None or letter.sent_at is None:
        return None
    if not letter_rights.may_watch(session, letter, who.member_id, day):
        return None
    return letter, who.member_id, wording(who.language)


def _seen(session: Session, chat: WebChat, people: People, asking: Asking) -> Seen | None:
    found = _watched(session, chat, people, asking)
    if found is None:
        return None
    letter, member_id, say = found
    day = chat.now.astimezone(chat.zone).date()
    names = letter_rights.may_name(session, letter, member_id, day)
    lines = branch_lines(session, asking.letter_id, most=BRANCHES_SHOWN)
    missed = letter_tables.missed_rows(session, asking.letter_id, say, day, most=NAMES_SHOWN) if names else ()
    unread = letter_tables.unread_rows(session, asking.letter_id, say, most=NAMES_SHOWN) if names else ()
    return Seen(
        say, report(session, letter, say), tuple(lines), tuple(map(tuple, missed)), tuple(map(tuple, unread))
    )


def _tables(
    session: Session, chat: WebChat, people: People, asking: Asking
) -> tuple[str, dict[str, letter_tables.Rows]] | None:
    """The name of the file and its sheets; None for whoever may not watch."""
    found = _watched(session, chat, people, asking)
    if found is None:
        return None
    letter, member_id, say = found
    day = chat.now.astimezone(chat.zone).date()
    named_on = day if letter_rights.may_name(session, letter, member_id, day) else None
    shown = report(session, letter, say)
    return f"{say('letter_report.page_title')}-{letter.id}", letter_tables.sheets(
        session, letter, shown, say, named_on=named_on
    )
