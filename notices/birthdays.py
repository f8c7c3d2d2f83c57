"""Political birthdays: a greeting on the day on which a member was admitted, once a year."""

from __future__ import annotations

from calendar import isleap
from datetime import date, datetime, timedelta

from sqlmodel import Session

from db import members
from notices import outbox
from notices.channel import Button, Message
from notices.voices import voices

LEAP_DAY_KEPT_ON = (2, 28)
"""Whoever was admitted on 29 February is greeted on this day in other years: still in the month of the day itself,
as a birthday is kept, and never a year without one."""

KEPT_FOR = timedelta(days=3)  # a greeting that could not go out in time is dropped after this
_LEAP_DAY = (2, 29)


def kept_on(admitted_on: date, year: int) -> date:
    """The day of `year` on which the political birthday is kept."""
    month_day = (admitted_on.month, admitted_on.day)
    if month_day == _LEAP_DAY and not isleap(year):
        month_day = LEAP_DAY_KEPT_ON
    return date(year, *month_day)


def days_kept(day: date) -> tuple[int, ...]:
    """Days of the month of admission whose birthdays are kept on `day`."""
    if (day.month, day.day) == LEAP_DAY_KEPT_ON and not isleap(day.year):
        return (day.day, _LEAP_DAY[1])
    return (day.day,)


def greet(session: Session, day: date, now: datetime) -> int:
    """Greet everybody whose political birthday is kept on `day`; how many were not greeted before."""
    found = members.admitted_on_days(session, day.month, days_kept(day), date(day.year, 1, 1))
    speaking = voices(session, [member.id for member in found if member.id is not None])
    count = 0
    for member in found:
        assert member.id is not None
        assert member.admitted_on is not None
        say = speaking[member.id]
        branch = members.branch_of(session, member.id, day)
        text = say(
            "birthdays.card" if branch else "birthdays.card_without_branch",
            years=day.year - member.admitted_on.year,
            month=member.admitted_on.month,
            day=member.admitted_on.day,
            branch=branch.name if branch else "",
        )
        buttons = (Button(say("birthdays.index"), "index"), Button(say("birthdays.wishes"), "wishes"))
        count += outbox.tell(
            session,
            member_id=member.id,
            key=f"birthday:{day.year}",
            message=Message(f"{text}\n{say('birthdays.oath')}", buttons),
            now=now,
            lane=1,
            expires_at=now + KEPT_FOR,
        )
    return count
