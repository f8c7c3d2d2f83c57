"""Instants as people say them: on the city's calendar, a time of today without its date."""

from __future__ import annotations

from datetime import datetime

from handlers.conversation import Context


def said_day(ctx: Context, at: datetime | None) -> str:
    """`6 月 30 日`; an empty text for None."""
    if at is None:
        return ""
    local = at.astimezone(ctx.zone)
    return ctx.say("rewards.day", month=local.month, day=local.day)


def said_time(ctx: Context, at: datetime | None) -> str:
    """`今天 12:00`, or `6 月 30 日 12:00`; an empty text for None."""
    if at is None:
        return ""
    local = at.astimezone(ctx.zone)
    if local.date() == ctx.today:
        return ctx.say("rewards.today_at", time=local.strftime("%H:%M"))
    return ctx.say("rewards.day_at", month=local.month, day=local.day, time=local.strftime("%H:%M"))
