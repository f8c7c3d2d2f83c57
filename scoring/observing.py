"""Recording what the service saw by itself: the values of closed periods, and two items of the negative list.

It runs every night from a period's end to its lock, for late check-ins and approvals count; only what changed is
written. A value that a person handed in stands: the machine's word comes second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import negatives, observed, occurrences, periods_locked, values
from db.duties import CITY
from db.organizations import Organization
from scoring.catalogue import shipped
from scoring.items import Period
from scoring.observed import Seen, missed_meetings, overdue_terms, value_of
from scoring.observed_scheme import Observed, shipped_observed
from scoring.periods import CalendarPeriod, periods_of
from scoring.seeing import held_days, month_before, see, standing

TASK = "observed"  # name of the nightly task whose branches are looked at in parts
BATCH = 40  # branches of one transaction
KINDS: tuple[Period, ...] = ("monthly", "quarterly", "half_yearly", "yearly")


@dataclass(frozen=True, slots=True)
class Due:
    """One value that has to be recorded: how, and for which period. field: whose branches have it, or "all"."""

    value_id: str
    block: Observed
    period: CalendarPeriod
    field: str


def due_values(month: CalendarPeriod) -> list[Due]:
    """What the service records when `month` has closed; of quarters and halves that end with it, too."""
    rules, catalogue, ending = shipped_observed(), shipped(), _ending(month)
    found = {}
    for row in catalogue.indicators:
        block, span = rules.of(row.id), ending.get(row.period)
        if block is not None and span is not None and row.starts <= month.last:
            found[row.id] = Due(row.id, block, span, row.field)
    for item in catalogue.common_on(month.last):
        block = rules.of(item.id)
        if block is not None:
            found[item.id] = Due(item.id, block, month, "all")
    return list(found.values())


def _ending(month: CalendarPeriod) -> dict[Period, CalendarPeriod]:
    """The periods of every kind that end with the month."""
    return {kind: one for kind in KINDS for one in periods_of(kind, month.last.year) if one.last == month.last}


def _texts(month: CalendarPeriod) -> set[str]:
    return {one.text for one in _ending(month).values()}


def record_next(session: Session, now: datetime, zone: ZoneInfo = CITY) -> int:
    """Record the next BATCH branches of the night's run that is under way; how many. 0: none is, or no more."""
    part = occurrences.next_branches(session, TASK, BATCH)
    if part is None:
        return 0
    night, ids = part
    record_observed(session, ids, night.scheduled_for.astimezone(zone).date(), now, zone)
    return len(ids)


def record_observed(session: Session, ids: Sequence[int], day: date, now: datetime, zone: ZoneInfo = CITY) -> int:
    """Record what was seen of these branches in the month before `day`; how many lines were written.

    It may run on any day from the month's end to its lock, and any number of times; in a locked period nothing is
    recorded. On the last day before the lock missed meetings are posted; until then they may be made up. Postings
    whose reason vanished are taken back for a month more, for records may be late.
    """
    month = month_before(day)
    branches = observed.branches(session, ids, month.last)
    locked = {text for text in sorted(_texts(month)) if not periods_locked.hold_open(session, text)}
    due = [one for one in due_values(month) if one.period.text not in locked]
    seen = see(session, branches, month, zone, {one.block.formula for one in due})
    written = _record(session, branches, seen, due, now)
    locks_on = shipped().org_power.terms_on(month.last).deadlines.locked_from(month.last)
    judged = day >= locks_on - timedelta(days=1)
    written += _post(session, branches, seen, month, now, zone, meetings=judged, only_back=month.text in locked)
    before = month_before(month.first)
    posted = observed.own_postings(session, ids, before.first, before.last)
    if not posted:
        return written
    branches = observed.branches(session, sorted(posted), before.last)
    seen = standing(session, branches, before.last)
    return written + _post(session, branches, seen, before, now, zone, meetings=True, only_back=True)


def _record(
    session: Session,
    branches: Sequence[Organization],
    seen: Mapping[int, Seen],
    due: Sequence[Due],
    now: datetime,
) -> int:
    periods, value_ids = {one.period.text for one in due}, {one.value_id for one in due}
    known = values.last_lines(session, list(seen), periods, value_ids)
    rows: list[dict[str, Any]] = []
    for branch in branches:
        assert branch.id is not None
        for one in due:
            if one.field not in ("all", branch.field) or one.period.first < (branch.founded_on or date.min):
                continue
            value = value_of(one.block, seen[branch.id], one.period.last)
            stands = known.get((branch.id, one.value_id, one.period.text))
            if value is None or (stands is not None and (stands[1] != "auto" or stands[0] == value)):
                continue
            key = {"organization_id": branch.id, "indicator_id": one.value_id, "period": one.period.text}
            rows.append({**key, "value": value, "collect": "auto", "cause": f"auto:{now:%Y-%m-%dT%H:%M:%S}"})
    values.record_many(session, [{**row, "recorded_at": now} for row in rows])
    return len(rows)


def _post(
    session: Session,
    branches: Sequence[Organization],
    seen: Mapping[int, Seen],
    month: CalendarPeriod,
    now: datetime,
    zone: ZoneInfo,
    *,
    meetings: bool,
    only_back: bool,
) -> int:
    """Bring both items in line with what was seen. meetings: are they judged yet? only_back: nothing is added."""
    rules = shipped_observed().posted
    first = date(month.last.year - 1, 1, 1)
    held = held_days(session, list(seen), first, _until(month), zone) if meetings else {}
    lines = observed.own_postings(session, list(seen), month.first, month.last)
    written = 0
    for branch in branches:
        assert branch.id is not None
        facts = seen[branch.id]
        wanted: dict[tuple[str, str], str] = {}
        if overdue_terms(facts, month.last):
            wanted[(rules.term_item, f"auto:{month.text}:term")] = str(facts.term_ends_on)
        if meetings:
            for one in missed_meetings(rules, held.get(branch.id, {}), facts, month.last, branch.founded_on):
                wanted[(rules.meeting_item, f"auto:{month.text}:{one.kind}")] = f"{one.kind} {month.text}"
        stands = lines.get(branch.id, {})
        keys = set(stands) | (set() if only_back else set(wanted))
        for item_id, cause in sorted(keys):
            if not meetings and item_id == rules.meeting_item:
                continue
            posted = stands.get((item_id, cause), ())
            if ((item_id, cause) in wanted) == (sum(count for _, count in posted) > 0):
                continue
            written += _line(session, branch.id, item_id, cause, posted, month, now, wanted.get((item_id, cause)))
    return written


def _line(
    session: Session,
    organization_id: int,
    item_id: str,
    cause: str,
    posted: Sequence[tuple[str, int]],
    month: CalendarPeriod,
    now: datetime,
    note: str | None,
) -> bool:
    """Post the case (note: what it is), or take back the posting that stands (note None)."""
    key: dict[str, Any] = {"organization_id": organization_id, "item_id": item_id, "recorded_at": now}
    if note is None:
        last = next(one for one, count in reversed(posted) if count > 0)
        return negatives.take_back(session, cause=last, note=cause, **key)
    again = f"{cause}:{len(posted)}" if posted else cause  # after it was taken back once
    return negatives.post(session, day=month.last, count=1, cause=again, note=note, **key)


def _until(month: CalendarPeriod) -> date:
    """The last day on which a meeting of the month may be made up."""
    return date.fromordinal(month.last.toordinal() + shipped_observed().posted.make_up_days)
