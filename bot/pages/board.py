"""The page `/board`: the best of each field under both indices of organisations, for everybody, without a login.

Plain HTML: it works without a script and on old phones, and has live charts on others. It names organisations
only, and only published months.
"""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlmodel import Session

from bot.drawing import DrawingError
from bot.pages import live
from bot.pages.board_html import SCRIPT, STYLE, Shown, page
from db import power_board
from db.organizations import FIELDS
from notices.boards import Board, fortress_board, power_board_of
from notices.channel import Picture
from notices.wording import LANGUAGES, Wording, wording

log = logging.getLogger(__name__)
MONTHS_MAX = 12
KEPT_S = 300  # the nightly refresh may change what is shown
KINDS = ("power", "fortress")

Run = Callable[[Callable[[Session], Any]], Awaitable[Any]]
Draw = Callable[[Picture], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for, after everything in it that does not exist was replaced."""

    say: Wording
    field: str
    month: str | None  # None: none is published yet
    months: tuple[str, ...]


def router(read: Run, draw: Draw, *, clock: Callable[[], datetime], zone: ZoneInfo, title: str) -> APIRouter:
    """The page and its pictures. read: runs a work that only reads. title: the name of the city."""
    routes = APIRouter()

    def today() -> date:
        return clock().astimezone(zone).date()

    @routes.get("/board")
    async def board(field: str = "", month: str = "", lang: str = "") -> Response:
        """The boards of one field."""
        shown = await read(lambda session: _shown(session, today(), field, month, lang, title))
        return HTMLResponse(page(shown), headers=_headers())

    @routes.get("/board/{kind}.png")
    async def picture(
        kind: str, field: str = "", month: str = "", lang: str = "", narrow: bool = False
    ) -> Response:
        """One board as a picture, the same as in the chat; narrow: for a phone."""
        found = await read(lambda session: _chart(session, today(), kind, (field, month, lang), narrow=narrow))
        if found is None:
            return Response(status_code=404)
        try:
            content = await draw(found)
        except DrawingError as error:
            log.warning("a board could not be drawn: %s", error)
            return Response(status_code=503)
        headers = {"Cache-Control": f"public, max-age={KEPT_S}", "X-Content-Type-Options": "nosniff"}
        return Response(content, media_type="image/png", headers=headers)

    return routes


def _asked(session: Session, today: date, field: str, month: str, lang: str) -> Asked:
    months = tuple(power_board.published(session, today.isoformat()[:7], MONTHS_MAX))
    chosen = month if month in months else months[0] if months else None
    say = wording(lang if lang in LANGUAGES else "zh")  # an unknown one would be kept for ever
    return Asked(say, field if field in FIELDS else FIELDS[0], chosen, months)


def _boards(session: Session, today: date, asked: Asked) -> list[Board]:
    """Those that have anybody on them."""
    found = [power_board_of(session, asked.say, asked.field, asked.month)] if asked.month else []
    found.append(fortress_board(session, asked.field, today.year))
    return [one for one in found if one.places]


def _shown(session: Session, today: date, field: str, month: str, lang: str, title: str) -> Shown:
    asked = _asked(session, today, field, month, lang)
    return Shown(asked.say, title, asked.field, asked.month, asked.months, tuple(_boards(session, today, asked)))


def _chart(
    session: Session, today: date, kind: str, words: tuple[str, str, str], *, narrow: bool
) -> Picture | None:
    """The picture of one board; None for one that does not exist. There are few: nobody can keep us busy."""
    asked = _asked(session, today, *words)
    for one in _boards(session, today, asked) if kind in KINDS else ():
        if one.kind == kind:
            chart = one.chart(asked.say, narrow=narrow)
            return Picture("chart", chart.data(), chart.alt)
    return None


def _headers() -> dict[str, str]:
    def hashed(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    policy = (
        f"default-src 'none'; img-src 'self'; style-src {hashed(STYLE)}; "
        f"script-src {hashed(SCRIPT)} '{live.INTEGRITY}'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return {
        "Cache-Control": f"public, max-age={KEPT_S}",
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
    }
