"""Instants as people say them in a reply; an instant that is not there is an empty text."""

from __future__ import annotations

from datetime import datetime

from handlers.conversation import Context
from notices.said_time import said


def said_day(ctx: Context, at: datetime | None) -> str:
    """`6 月 30 日`."""
    if at is None:
        return ""
    local = at.astimezone(ctx.zone)
    return ctx.say("rewards.day", month=local.month, day=local.day)


def said_time(ctx: Context, at: datetime | None) -> str:
    """`今天 12:00`, or `6 月 30 日（周二）12:00`."""
    return said(ctx.say, at, ctx.now, ctx.zone) if at is not None else ""
