"""Instants as people say them: today and tomorrow by name, another day with its date and weekday."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from notices.wording import Wording


def clock(at: datetime, zone: ZoneInfo) -> str:
    """`19:00`, on the city's wall."""
    return at.astimezone(zone).strftime("%H:%M")


def said(say: Wording, at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """`今天 19:00`, `明天 19:00`, or `6 月 20 日（周六）19:00`."""
    local = at.astimezone(zone)
    away = (local.date() - now.astimezone(zone).date()).days
    name = {0: "today", 1: "tomorrow"}.get(away, "day")
    return say(
        f"reminders.{name}",
        time=local.strftime("%H:%M"),
        month=local.month,
        day=local.day,
        weekday=say(f"reminders.weekday_{local.weekday()}"),
    )
