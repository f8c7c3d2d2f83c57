"""Quiet hours: when nobody is disturbed. They hold a message until their end; they never drop one."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

FROM_MINUTE, TO_MINUTE = 21 * 60 + 30, 7 * 60 + 30  # the city's, in minutes after local midnight


def until(
    now: datetime, zone: ZoneInfo, from_minute: int | None = None, to_minute: int | None = None
) -> datetime | None:
    """The end of the quiet hours that `now` lies in, in UTC; None when it lies in none.

    zone: where the member lives. The minutes are the member's own hours, None for the city's; the same minute
    twice means no quiet hours at all. The first minute is quiet, the last is not: 21:30:00 holds, 07:30:00 goes.
    """
    begins = FROM_MINUTE if from_minute is None else from_minute
    ends = TO_MINUTE if to_minute is None else to_minute
    if begins == ends:
        return None
    here = now.astimezone(zone)
    minute = here.hour * 60 + here.minute
    over_midnight = begins > ends
    quiet = minute >= begins or minute < ends if over_midnight else begins <= minute < ends
    if not quiet:
        return None
    day = here.date() + timedelta(days=1) if over_midnight and minute >= begins else here.date()
    return datetime.combine(day, clock(ends), zone).astimezone(now.tzinfo)


def clock(minute: int) -> time:
    """The time of day that lies `minute` minutes after midnight."""
    return time(minute // 60 % 24, minute % 60)


def shown(minute: int) -> str:
    """`minute` minutes after midnight as people write it: 21:30."""
    return f"{minute // 60 % 24:02d}:{minute % 60:02d}"
