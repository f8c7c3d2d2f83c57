"""What a branch has to declare and how it stands; reminders on the 1st and 4th; decisions, told at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import declarations, members, occurrences, organizations, values
from db.declarations import Declaration
from db.duties import CITY
from db.organizations import Organization
from notices import outbox
from notices.channel import Button, Message
from notices.declared_words import said_day, said_period, said_title, said_value
from notices.digest import later
from notices.voices import voices
from notices.wording import Wording
from scoring.declaring import Due, closing_month, deadlines, due_at, due_one, month_of, read_period, running

TASK = "declarations_due"
BATCH = 50  # branches of one transaction
SHOWN_MAX = 5
OWNER = "secretary"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to declare, and what was declared of it (None: nothing yet).

    recorded: it has a value from elsewhere, such as a correction.
    """

    due: Due
    row: Declaration | None
    recorded: bool = False

    @property
    def state(self) -> str:
        """`due`, or the state of what was declared."""
        return self.row.state if self.row else "due"


def until(one: Due, row: Declaration | None) -> date:
    """The last day on which it can be declared: five days longer when the committee has returned it."""
    days = deadlines(one.closing.last)
    returned = row is not None and row.returned_at is not None
    return days.committee_until(one.closing.last) if returned else days.declare_until(one.closing.last)


def may_declare(one: Due, row: Declaration | None, today: date) -> bool:
    """Whether it can be declared, or declared anew, today."""
    return (row is None or row.state in declarations.OPEN) and today <= until(one, row)


def month_before(today: date) -> date:
    """A day of the month that closed last."""
    return today.replace(day=1) - timedelta(days=1)


def lines(session: Session, branch: Organization, today: date) -> list[Line]:
    """What is due for the month that closed last, and what falls due later; what is to be done comes first."""
    assert branch.id is not None
    assert branch.field is not None, "only a branch of a field declares"
    closed = due_at(branch.field, month_of(month_before(today)), branch.founded_on)
    every = (*closed, *running(branch.field, today, branch.founded_on))
    rows = declarations.of_branches(session, [branch.id], {one.closing.text for one in every})
    found = []
    for one in every:
        row = rows.get((branch.id, one.what.id, one.period.text))
        seen = row is None and bool(values.latest(session, branch.id, one.what.id, one.period.text))
        found.append(Line(one, row, recorded=seen))
    return sorted(found, key=lambda line: _urgency(line, today))


def _urgency(line: Line, today: date) -> tuple[int, date]:
    closed = line.due.closing.last < today
    todo = line.state in ("due", "returned") and may_declare(line.due, line.row, today)
    rank = 0 if line.state == "returned" and todo else 1 if closed and todo else 2 if todo else 3
    return rank, line.due.period.last


def missing(session: Session, branches: Sequence[Organization], today: date) -> dict[int, list[Line]]:
    """Per branch what can still be declared, and is not, for the month that closed last."""
    month = month_of(month_before(today))
    rows = declarations.of_branches(session, [one.id for one in branches if one.id], [month.text])
    found: dict[int, list[Line]] = {}
    for branch in branches:
        if branch.id is None or branch.field is None:
            continue
        every = due_at(branch.field, month, branch.founded_on)
        listed = [Line(one, rows.get((branch.id, one.what.id, one.period.text))) for one in every]
        found[branch.id] = [
            one for one in listed if one.state in ("due", "returned") and may_declare(one.due, one.row, today)
        ]
    return found


def undeclared(session: Session, branches: Sequence[Organization], today: date) -> dict[str, int]:
    """Path of a branch -> how much of the month that closed last it has not declared; nothing of the others."""
    month = month_of(month_before(today))
    rows = declarations.of_branches(session, [one.id for one in branches if one.id], [month.text])
    counts: dict[str, int] = {}
    for branch in branches:
        if branch.id is None or branch.field is None or (branch.closed_on and branch.closed_on <= today):
            continue
        due = due_at(branch.field, month, branch.founded_on)
        count = sum((branch.id, one.what.id, one.period.text) not in rows for one in due)
        if count:
            counts[branch.path] = count
    return counts


def remind_next(session: Session, now: datetime, zone: ZoneInfo = CITY) -> int:
    """Remind the secretaries of the next BATCH branches; how many branches. 0: nothing is under way."""
    part = occurrences.next_branches(session, TASK, BATCH)
    if part is None:
        return 0
    _, ids = part
    today = now.astimezone(zone).date()
    branches = [organizations.get(session, one) for one in ids]
    standing = [one for one in branches if one.closed_on is None or one.closed_on > today]
    todo = missing(session, standing, today)
    for branch in standing:
        if branch.id is not None and todo.get(branch.id):
            _remind(session, branch, todo[branch.id], now, zone)
    return len(ids)


def _remind(session: Session, branch: Organization, todo: Sequence[Line], now: datetime, zone: ZoneInfo) -> None:
    today = now.astimezone(zone).date()
    month = todo[0].due.closing
    last = deadlines(month.last).declare_until(month.last)
    name = "remind" if today <= month.last + timedelta(days=3) else "remind_again"
    for member_id, say in _listeners(session, branch, today):
        titles = [said_title(say, one.due.what) for one in todo[:SHOWN_MAX]]
        if len(todo) > SHOWN_MAX:
            titles.append(say("declarations.and_more", count=len(todo) - SHOWN_MAX))
        head = say(
            f"declarations.{name}", period=said_period(say, month), count=len(todo), day=said_day(say, last)
        )
        message = Message("\n".join((head, *titles)), (Button(say("menu.declare"), f"declare:of:{branch.id}"),))
        key = f"declarations:{name}:{branch.id}:{month.text}"
        ends = now + timedelta(days=7)
        later(session, member_id=member_id, key=key, message=message, now=now, zone=zone, expires_at=ends)


def _listeners(session: Session, branch: Organization, today: date) -> Iterable[tuple[int, Wording]]:
    """The branch's own secretaries, each with the own language."""
    found = members.holders(session, branch, OWNER, today)
    return voices(session, [one.id for one in found if one.id is not None]).items()


def thing(branch: Organization, row: Declaration) -> Due | None:
    """What the declaration is about; None when today's rules do not know it any more."""
    return due_one(branch.field or "", row.indicator_id, row.period, None)


def said_thing(say: Wording, branch: Organization, row: Declaration) -> str:
    """`支部委员会会议每月至少一次（2026 年 3 月）：2`."""
    one = thing(branch, row)
    if one is None:
        return f"{row.indicator_id} {row.period} {row.value}"
    value = said_value(say, one.what.form, row.value)
    title = one.what.rule.title_in(say.language)
    return say("declarations.thing", title=title, period=said_period(say, one.period), value=value)


def tell_decided(session: Session, listed: Sequence[Declaration], now: datetime, today: date) -> None:
    """Tell the secretaries what became of these declarations of one branch, all decided alike: one message."""
    first = listed[0]
    branch = organizations.get(session, first.organization_id)
    key = f"declaration:{first.id}:{first.version}:{first.state}:{len(listed)}"
    for member_id, say in _listeners(session, branch, today):
        shown = [said_thing(say, branch, one) for one in listed[:SHOWN_MAX]]
        if len(listed) > SHOWN_MAX:
            shown.append(say("declarations.and_more", count=len(listed) - SHOWN_MAX))
        last = _again_until(first)
        late = first.state == "returned" and today > last
        text = say(
            f"declarations.told_{first.state}" + ("_late" if late else ""),
            things="\n".join(shown),
            why=first.recheck_reason or first.reason,
            day=said_day(say, last),
            count=len(listed),
        )
        step = Button(say("menu.declare"), f"declare:of:{branch.id}")
        outbox.tell(session, member_id=member_id, key=key, message=Message(text, (step,)), now=now)


def _again_until(row: Declaration) -> date:
    month = closing_month(read_period(row.period))
    return deadlines(month.last).committee_until(month.last)
