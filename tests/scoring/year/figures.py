"""Figures of branches in the year: values from every source, cases of the negative list, appraisals, refreshes."""

from __future__ import annotations

from typing import Any

from db import appraisals, negatives, organizations, periods_locked, values
from db import declarations as stored
from db.declarations import DeclarationDraft
from db.spot_checks import settle
from notices.declaration_outcomes import approve
from scoring.catalogue import shipped
from scoring.items import CommonItem, Indicator
from scoring.observing import record_observed
from scoring.periods import CalendarPeriod, periods_of
from scoring.update import prepare, store
from tests.cast import OLGA, RUI, SUN
from tests.conftest import ZONE
from tests.scoring.year.town import KINDS, YEAR, Town

WORTH = {"value_true": ("true", "false", ""), "value_months": ("3", "1.5", "12")}


def monthly_round(town: Town) -> int:
    """After a month's end: what the service saw by itself, and a department's sheet of what was handed in."""
    count = 0
    if town.today.day in (2, 9, 14):
        ids = [one for one in town.branches if town.fields[one] != "closed"]
        count += record_observed(town.session, ids, town.today, town.now, ZONE)
    if town.today.day == 6:
        count += sum(hand_in(town, one) for one in closed_periods(town) if (town.today - one.last).days == 6)
    if town.today.day == 15:
        for one in closed_periods(town):
            periods_locked.lock(town.session, one.text, town.now)
    return count


def closed_periods(town: Town) -> list[CalendarPeriod]:
    """The periods of the record that are over: the last ones of the year before, and this year's."""
    spans = [(kind, one) for kind in KINDS for year in (YEAR - 1, YEAR) for one in periods_of(kind, year)]
    return [one for _, one in spans if one.last < town.today and (one.first.year == YEAR or one.last.month == 12)]


def rows_of(field: str, period: CalendarPeriod) -> list[Indicator | CommonItem]:
    """What branches of the field have a value of in this period."""
    kind = next(name for name in KINDS if period in periods_of(name, period.last.year))
    found: list[Indicator | CommonItem] = [
        one for one in shipped().indicators_on(field, period.last) if one.period == kind
    ]
    if kind == "monthly":
        found += [one for one in shipped().common_on(period.last) if one.collected]
    return found


def worth(town: Town, row: Indicator | CommonItem, good: float) -> str:
    """A value: what meets the threshold, with this chance; or one that does not, an empty one included."""
    if isinstance(row, CommonItem):
        told = WORTH.get(row.formula, ("1.00", "0.8499", "0.85"))
    else:
        told = (row.met, row.unmet, "")
    return told[0] if town.chance.random() < good else town.chance.choice(told)


def hand_in(town: Town, period: CalendarPeriod) -> int:
    """A sheet for everybody: bad months of some branches are bad all over, so that there is a bottom."""
    rows: list[dict[str, Any]] = []
    cause = f"chance:{town.number()}"
    for branch in town.branches:
        good = 0.5 if branch % 11 == 0 else 0.97
        for row in rows_of(town.fields[branch], period) if town.fields[branch] != "closed" else ():
            if town.chance.random() < 0.95:
                key = {"organization_id": branch, "indicator_id": row.id, "period": period.text, "cause": cause}
                rows.append(key | {"value": worth(town, row, good), "collect": "dept", "recorded_at": town.now})
    values.record_many(town.session, rows)
    return len(rows)


def correct(town: Town) -> int:
    """One value: handed in late, corrected, or taken back; also in a period that was locked long ago."""
    periods, branch = closed_periods(town), town.chance.choice(town.branches)
    if not periods or town.fields[branch] == "closed":
        return 0
    period = town.chance.choice(periods)
    rows = rows_of(town.fields[branch], period)
    if not rows:
        return 0
    row = town.chance.choice(rows)
    taken_back = town.chance.random() < 0.3
    return int(
        values.record(
            town.session,
            organization_id=branch,
            indicator_id=row.id,
            period=period.text,
            value="" if taken_back else worth(town, row, 0.5),
            collect="declare",
            cause=f"{'clawback' if taken_back else 'correction'}:chance:{town.number()}",
            recorded_at=town.now,
            recorded_by=OLGA,
        )
    )


def declare(town: Town) -> int:
    """A branch declares, its committee approves; some fail the second look and are clawed back."""
    periods = [one for one in closed_periods(town) if (town.today - one.last).days < 14]
    branch = town.chance.choice(town.branches)
    if not periods or town.fields[branch] == "closed":
        return 0
    period = town.chance.choice(periods)
    rows = rows_of(town.fields[branch], period)
    if not rows:
        return 0
    row = town.chance.choice(rows)
    said = {"organization_id": branch, "indicator_id": row.id, "period": period.text}
    value = (row.met if isinstance(row, Indicator) else WORTH.get(row.formula, ("1.00",))[0]) or "1"
    draft = DeclarationDraft(member_id=SUN, value=value, changed_at=town.now, **said)
    stored.new_draft(town.session, draft)
    made = stored.declare(town.session, draft, closing=f"{period.last:%Y-%m}", now=town.now)
    if isinstance(made, str) or made.id is None:
        return 0
    if not approve(town.session, made, made.version, RUI, town.now):
        return 1
    found = stored.by_id(town.session, made.id)
    if town.chance.random() < 0.3 and found is not None:
        return 2 + _claw_back(town, found)
    return 2


def _claw_back(town: Town, one: stored.Declaration) -> int:
    assert one.id is not None
    one.recheck = "late"  # as if the lot had fallen on it
    town.session.flush()
    if not settle(town.session, one.id, OLGA, town.now, passed=False, reason="x"):
        return 0
    key = {"indicator_id": one.indicator_id, "period": one.period, "value": "", "collect": "declare"}
    cause = f"clawback:declaration:{one.id}"
    branch = organizations.get(town.session, one.organization_id)
    return int(
        values.record(
            town.session, organization_id=branch.id or 0, **key, cause=cause, recorded_at=town.now, reason="x"
        )
    )


def post(town: Town) -> int:
    """Cases of the negative list are posted, or an earlier posting is taken back on its day."""
    if town.posted and town.chance.random() < 0.4:
        return int(negatives.take_back(town.session, **town.chance.choice(town.posted), recorded_at=town.now))
    branch = town.chance.choice(town.branches)
    items = [one for one in shipped().negatives if one.field in ("all", town.fields[branch])]
    key = {
        "organization_id": branch,
        "item_id": town.chance.choice(items).id,
        "cause": f"chance:{town.number()}",
    }
    town.posted.append(key)
    count, day = town.chance.choice((1, 1, 2, 7)), town.past_day(70)
    return int(negatives.post(town.session, **key, day=day, count=count, recorded_at=town.now))


def appraise(town: Town) -> int:
    """A voice on a branch is counted, or counted anew."""
    return int(
        appraisals.record(
            town.session,
            organization_id=town.chance.choice(town.branches),
            year=town.chance.choice((YEAR, YEAR, YEAR, YEAR - 1)),
            voice=town.chance.choice(appraisals.VOICES),
            hundredths=town.chance.choice((None, *(town.chance.randint(0, 10_000) for _ in range(9)))),
            cause=f"chance:{town.number()}",
            recorded_at=town.now,
        )
    )


def refresh(town: Town) -> int:
    """The service's own refresh: only what has changed is written."""
    store(town.session, prepare(town.session, town.today, zone=ZONE))
    return 1
