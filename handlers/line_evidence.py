"""What stands behind a line of the ledger: the activity, the record, the month, and who booked it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlmodel import col

from db import activities, appeals, attendance, dues, members, proposals, wishes
from db.grade_lists import GradeList, MemberGrade
from db.ledger import Entry
from handlers.conversation import Context
from handlers.dates import said_time
from handlers.spoken_hours import said_hours


class Evidence(NamedTuple):
    """words: what it rests on. booked_by: the person who booked or confirmed it; None: the service by itself."""

    words: str
    picture_id: int | None = None
    booked_by: int | None = None
    booked_as: str = ""


def evidence(ctx: Context, line: Entry) -> Evidence:
    """What stands behind the line; only its reason where nothing else is known."""
    kind, _, rest = line.cause.partition(":")
    read = _READ.get(kind)
    found = read(ctx, line, rest) if read else None
    return found or Evidence(ctx.say("line.rests_on_nothing"))


def _number(rest: str) -> int | None:
    word = rest.split(":")[0]
    return int(word) if word.isascii() and word.isdigit() and len(word) < 10 else None


def _activity(ctx: Context, line: Entry, rest: str) -> Evidence | None:
    activity_id = _number(rest)
    activity = activities.get(ctx.session, activity_id) if activity_id is not None else None
    if activity is None or activity.id is None:
        return None
    was = attendance.found(ctx.session, activity.id, line.member_id)
    words = ctx.say(
        "line.activity",
        title=activity.title,
        place=activity.place,
        when=said_time(ctx, activity.starts_at),
        noted=said_time(ctx, was[2]) if was else "-",
    )
    if line.rule_id == "PB3":
        words += ctx.say("line.hours", hours=said_hours(abs(line.hundredths)))
    return Evidence(words)


def _proposal(ctx: Context, line: Entry, rest: str) -> Evidence | None:
    one = proposals.by_id(ctx.session, _number(rest))
    if one is None:
        return None
    words = ctx.say(
        "line.proposal",
        words=one.words,
        proposer=_name(ctx, one.proposed_by),
        confirmer=_name(ctx, one.decided_by),
        when=said_time(ctx, one.decided_at),
    )
    if line.rule_id in ("PB3", "PP2"):
        words += ctx.say("line.hours", hours=said_hours(abs(line.hundredths)))
    return Evidence(words, one.picture_id, one.decided_by, one.decided_as)


def _dues(ctx: Context, line: Entry, rest: str) -> Evidence | None:
    payment = ctx.session.get(dues.DuesPayment, (line.member_id, rest.split(":")[0]))
    if payment is None:
        return None
    words = ctx.say(
        "line.dues",
        month=int(payment.month[5:]),
        name=_name(ctx, payment.ticked_by),
        when=said_time(ctx, payment.ticked_at),
    )
    return Evidence(words, booked_by=payment.ticked_by, booked_as="secretary")


def _reminder(ctx: Context, line: Entry, rest: str) -> Evidence | None:
    return Evidence(ctx.say("line.reminder", day=line.day.isoformat(), months=line.reason))


def _review(ctx: Context, line: Entry, rest: str) -> Evidence | None:
    statement = (
        select(GradeList)
        .join(MemberGrade, col(MemberGrade.list_id) == col(GradeList.id))
        .where(
            col(MemberGrade.member_id) == line.member_id,
            col(GradeList.year) == (_number(rest) or 0),
            col(GradeList.state) == "confirmed",
        )
    )
    one = ctx.session.execute(statement).scalars().first()
    if one is None:
        return None
    words = ctx.say(
        "line.review",
        grade=line.reason,
        proposer=_name(ctx, one.entered_by),
        confirmer=_name(ctx, one.decided_by),
        when=said_time(ctx, one.decided_at),
    )
    return Evidence(words, booked_by=one.decided_by, booked_as=one.decided_as)


def _wish(ctx: Context, line: Entry, rest: str) -> Evidence | None:
    wish = wishes.by_id(ctx.session, _number(rest))
    return Evidence(ctx.say("line.wish", title=wish.title)) if wish is not None else None


def _quiz(ctx: Context, line: Entry, rest: str) -> Evidence | None:
    return Evidence(ctx.say("line.quiz", name=line.reason))


def _undo(ctx: Context, line: Entry, rest: str) -> Evidence | None:
    return Evidence(ctx.say("line.undo", why=line.reason))


def _appeal(ctx: Context, line: Entry, rest: str) -> Evidence | None:
    one = appeals.by_id(ctx.session, _number(rest))
    if one is None:
        return None
    words = ctx.say("line.appeal", words=one.words, answer=one.answer)
    return Evidence(words, one.picture_id, one.decided_by, one.goes_to)


def _name(ctx: Context, member_id: int | None) -> str:
    return ctx.called(members.get(ctx.session, member_id).name) if member_id is not None else "-"


def booked(ctx: Context, at: datetime) -> str:
    """When a line was booked, as people say it."""
    return said_time(ctx, at)


_READ: dict[str, Callable[[Context, Entry, str], Evidence | None]] = {
    "activity": _activity,
    "study": _activity,
    "proposal": _proposal,
    "dues": _dues,
    "dues_reminder": _reminder,
    "review": _review,
    "wish": _wish,
    "quiz": _quiz,
    "undo": _undo,
    "appeal": _appeal,
}
