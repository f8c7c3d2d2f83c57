"""The calendar of declarations: seed on the 1st, draw on the 11th, lock on the 15th, and what reviewers are told.

Everything follows from rows and the day, so an outage delays a step and loses none.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import audit, declarations, occurrences, organizations, periods_locked, reviewers, spot_checks
from db.duties import CITY
from db.reviewers import Holder
from notices import spot_checks as draws
from notices.channel import Button, Message
from notices.declaration_outcomes import DISTRICT, REVIEWER, tell
from notices.declarations import month_before, undeclared
from notices.declared_words import said_day, said_period
from notices.digest import in_a_line, later
from notices.voices import voices
from notices.wording import Wording
from scoring.declaring import closing_periods, deadlines, month_of, read_period
from scoring.periods import CalendarPeriod

TASK = "declarations_waiting"
LAPSED_BATCH = 20  # branches of one transaction
TOLD_BATCH = 20  # reviewers of one transaction


def keep_the_days(session: Session, now: datetime, zone: ZoneInfo = CITY) -> int:
    """Do the next step that is due; how much was done. 0: nothing is due."""
    today = now.astimezone(zone).date()
    closed = month_of(month_before(today))
    done = _lapse_next(session, now, zone)
    if done:
        return done
    if draws.fix(session, closed.text, now):
        return 1
    for month in _open_months(session, closed):
        days = deadlines(month.last)
        if today > days.committee_until(month.last) and not draws.is_drawn(session, month.text):
            # Whoever drew, this transaction ends here: it may hold the draw's row, and a reviewer one of a period.
            draws.draw(session, month.text, month.last, now)
            return 1
        if today >= days.locked_from(month.last):
            _lock(session, month, now)
            return 1
    return 0


def _open_months(session: Session, closed: CalendarPeriod) -> list[CalendarPeriod]:
    """The closed months after the last locked one. A service that starts begins with the last of them."""
    last = periods_locked.last_locked(session)
    if last is None:
        return [closed]
    found: list[CalendarPeriod] = []
    month = read_period(last)
    while month.last < closed.last:
        month = month_of(month.last + timedelta(days=1))
        found.append(month)
    return found


def _lock(session: Session, month: CalendarPeriod, now: datetime) -> None:
    """Lock every period that ends with the month."""
    texts = sorted(one.text for one in closing_periods(month))
    locked = [one for one in texts if periods_locked.lock(session, one, now)]
    for one in locked:  # only now: whoever holds a period open may be waiting to write into the audit log
        audit.record(session, at=now, actor_id=None, action="period.locked", subject=f"period:{one}")


def _lapse_next(session: Session, now: datetime, zone: ZoneInfo) -> int:
    """What is undecided in the month that was locked last counts no more; of how many branches."""
    month = periods_locked.last_locked(session)
    if month is None:
        return 0
    ids = declarations.undecided_branches(session, month, LAPSED_BATCH)
    for organization_id in ids:
        lapsed = declarations.lapse(session, month, organization_id)
        if lapsed:
            tell(session, lapsed, now, zone)
    return len(ids)


def tell_reviewers_next(session: Session, now: datetime, zone: ZoneInfo = CITY) -> int:
    """Tell the next reviewers and officers of the district how the month stands; how many. 0: nothing to do."""
    run = occurrences.unfinished(session, TASK)
    if run is None:
        return 0
    today = now.astimezone(zone).date()
    holders = reviewers.after(session, (REVIEWER, DISTRICT), today, int(run.note or 0), TOLD_BATCH)
    if not occurrences.advance(session, run, str(holders[-1].role_id) if holders else occurrences.DONE):
        return 0  # another process has them
    month = month_of(month_before(today))
    paths = reviewers.paths(session, REVIEWER, today)
    planned = run.scheduled_for.astimezone(zone).date()
    for one in holders:
        _tell(session, one, month, planned, paths, now, zone)
    return len(holders)


def _tell(
    session: Session,
    one: Holder,
    month: CalendarPeriod,
    planned: date,
    paths: frozenset[str],
    now: datetime,
    zone: ZoneInfo,
) -> None:
    """One message about the whole subtree; none where there is nothing to say."""
    days = deadlines(month.last)
    say = voices(session, [one.member_id])[one.member_id]
    step = "spot_check" if one.role == DISTRICT else "declaration_review"
    lines: list[str] = []
    if planned == days.declare_until(month.last) + timedelta(days=1):
        _tell_undeclared(session, one, month, paths, now, zone)
        return
    draw_day = days.committee_until(month.last) + timedelta(days=1)
    if planned in (days.declare_until(month.last), draw_day):
        lines += _of_the_draw(session, say, month)
    states = ("lapsed",) if planned >= days.locked_from(month.last) else ("submitted",)
    counts = declarations.count_by_branch(session, month.text, states, one.path)
    mine = [n for path, n in counts.values() if one.role == DISTRICT or _nearest(path, paths) == one.path]
    if mine:
        name = "digest_lapsed" if states == ("lapsed",) else "digest_waiting"
        figures = {"count": sum(mine), "branches": len(mine)}
        lasts = {
            "day": said_day(say, days.committee_until(month.last)),
            "lock": said_day(say, days.locked_from(month.last)),
        }
        lines.append(say(f"declarations.{name}", **figures, **lasts, period=said_period(say, month)))
    if lines:
        key = f"declarations:{one.role}:{one.path}:{month.text}:{planned}"
        message = Message("\n".join(lines), (Button(say(f"menu.{step}"), step),))
        ends = now + timedelta(days=7)
        later(session, member_id=one.member_id, key=key, message=message, now=now, zone=zone, expires_at=ends)


def _tell_undeclared(
    session: Session, one: Holder, month: CalendarPeriod, paths: frozenset[str], now: datetime, zone: ZoneInfo
) -> None:
    """The day after the last one for declaring: a committee's reviewer hears which branches are behind."""
    if one.role != REVIEWER:
        return
    under = organizations.branches_under(session, one.path)
    mine = [branch for branch in under if _nearest(branch.path, paths) == one.path]
    found = undeclared(session, mine, now.astimezone(zone).date())
    if not found:
        return
    names = [branch.name for branch in mine if branch.path in found]
    say = voices(session, [one.member_id])[one.member_id]
    text = say(
        "declarations.digest_undeclared",
        count=sum(found.values()),
        branches=len(names),
        names=in_a_line(names),
        period=said_period(say, month),
    )
    key = f"declarations:undeclared:{one.path}:{month.text}"
    ends = now + timedelta(days=7)
    later(session, member_id=one.member_id, key=key, message=Message(text), now=now, zone=zone, expires_at=ends)


def _of_the_draw(session: Session, say: Wording, month: CalendarPeriod) -> list[str]:
    """The hash before the draw; hash, seed and how many after it."""
    row = spot_checks.of_month(session, month.text)
    if row is None:
        return []
    said: Mapping[str, object] = {"period": said_period(say, month), "hash": row.commitment}
    if row.drawn_at is None:
        return [say("spot_checks.fixed", **said)]
    return [say("spot_checks.told", **said, seed=row.seed, candidates=row.candidates, drawn=row.drawn)]


def _nearest(path: str, paths: frozenset[str]) -> str:
    """The longest of `paths` that is above `path`: who reviews it."""
    return max((one for one in paths if path.startswith(one)), key=len, default="")
