"""The addresses of sheets: verdicts to download, and the empty form. Whoever holds the token may fetch."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from fastapi.responses import Response
from sqlmodel import Session

from bot.sheets.form import FormRow, drawn, form_rows, negatives_of
from db import members, organizations, sheets
from db.sheets import SheetForm
from handlers.sheets import FORM_ADDRESS, ROLE
from notices.sheets import ADDRESS

_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Run = Callable[[Callable[[Session], Any]], Awaitable[Any]]


def router(read: Run, *, clock: Callable[[], datetime], zone: ZoneInfo) -> APIRouter:
    """The two addresses. read: runs a work that only reads."""
    routes = APIRouter()

    @routes.get(f"{ADDRESS}{{token}}")
    async def verdicts(token: str) -> Response:
        """Every row of a sheet with its verdict, as a csv."""
        found = await read(lambda session: sheets.verdicts_of(session, token)) if _TOKEN.fullmatch(token) else None
        if found is None:
            return Response(status_code=404)
        name, content = found
        return _download(content, f"{name.rpartition('.')[0] or name}-核对.csv", "text/csv; charset=utf-8")

    @routes.get(f"{FORM_ADDRESS}{{token}}")
    async def form(token: str) -> Response:
        """The empty form of the department that asked for it."""
        today = clock().astimezone(zone).date()
        found = await read(lambda session: _form(session, token, today)) if _TOKEN.fullmatch(token) else None
        if found is None:
            return Response(status_code=404)
        return _download(await asyncio.to_thread(drawn, *found), "报数据.xlsx", XLSX)

    return routes


def _form(session: Session, token: str, today: Any) -> tuple[list[FormRow], Any] | None:
    """The rows behind a form's address; None when there are none, or its holder is no department any more."""
    asked = session.get(SheetForm, token)
    if asked is None:
        return None
    node = organizations.get(session, asked.organization_id)
    if not members.has_role(session, asked.member_id, ROLE, node, today):
        return None
    rows = form_rows(session, member_id=asked.member_id, node=node, today=today)
    return rows, negatives_of(sheets.remit_of(session, asked.member_id), today)


def _download(content: bytes, name: str, kind: str) -> Response:
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type=kind, headers=headers)
