"""A made-up city of any size with a year of ledger lines, written straight through the driver.

python -m benchmarks.big_city URL [--branches 11465]
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy.engine import Engine
from sqlmodel import Session

from db import schema
from db.activities import Activity
from db.engine import write_engine
from db.ledger import Entry, Total
from db.members import Member, Membership
from db.negatives import Negative
from db.organizations import FIELDS, Organization
from db.period_values import PeriodValues
from db.values import IndicatorValue, ValueRecord
from scoring.catalogue import shipped
from scoring.periods import periods_of

MEMBERS_PER_BRANCH = 316_714 / 11_465
AS_OF = date(2026, 11, 20)
YEAR_BEGAN = date(2026, 1, 1)
BATCH = 100_000

# (rule, points, hundredths, most of them in the year): together about fifty lines of a member.
HABITS = (
    ("PB1", 2, 100, 26),
    ("PB2", 1, 100, 20),
    ("PB3", 0, 150, 26),
    ("PB4", 2, 100, 6),
    ("PP1", 3, 100, 8),
    ("PP2", 1, 100, 6),
    ("PP3", 1, 100, 5),
    ("PN1", -1, 100, 3),
)
_DAYS = [(YEAR_BEGAN + timedelta(days=number)).isoformat() for number in range((AS_OF - YEAR_BEGAN).days + 1)]


def build(engine: Engine, branches: int, seed: int = 1) -> dict[str, int]:
    """Write the city into an empty database; how many of what."""
    schema.create(engine)
    chance = random.Random(seed)
    members = round(branches * MEMBERS_PER_BRANCH)
    ids = range(2, branches + 2)
    root = (1, "C", "C", "city", None, None, "/1/", None, "")
    write_rows(engine, Organization, "id code name level field parent_id path founded_on place", [root])
    write_rows(
        engine,
        Organization,
        "id code name level field parent_id path founded_on place",
        ((n, f"B{n}", f"第{n}支部", "branch", FIELDS[n % 5], 1, f"/1/{n}/", _founded(n), "") for n in ids),
    )
    modes = ("exempt", "rate", *("normal",) * 98)
    write_rows(
        engine,
        Member,
        "id code name status mobile city mode probationary share_name",
        ((n, f"M{n}", "某某", "active", 0, "", modes[n % 100], 0, 0) for n in range(1, members + 1)),
    )
    write_rows(
        engine, Membership, "member_id organization_id from_day to_day", _memberships(members, branches, chance)
    )
    write_rows(engine, Activity, _ACTIVITY, (row for n in ids for row in _activities(n, chance)))
    values = list(_values(ids, chance))
    write_rows(
        engine,
        IndicatorValue,
        "organization_id indicator_id period value recorded_at",
        ((*v, _at(v)) for v in values),
    )
    write_rows(
        engine,
        ValueRecord,
        "organization_id indicator_id period value collect cause reason recorded_at",
        ((*v, "declare", "made", "", _at(v)) for v in values),
    )
    write_rows(engine, PeriodValues, "organization_id period entries", _by_period(values))
    hits = [
        (chance.choice(ids), f"N{chance.randint(1, 14):02d}", chance.choice(_DAYS), 1, "", f"made:{n}", _LATE)
        for n in range(branches // 4)
    ]
    write_rows(engine, Negative, "organization_id item_id day count note cause recorded_at", hits)
    lines = _ledger(engine, members, branches, chance)
    with Session(engine) as session:
        schema.count_on(session)
        session.commit()
    return {"branches": branches, "members": members, "lines": lines, "values": len(values)}


_LATE = "2026-11-10 02:00:00.000000"
_ENTRY = (
    "member_id organization_id rule_id terms_from cause points hundredths day in_index in_wallet reason booked_at"
)
_ACTIVITY = (
    "code organization_id scope kinds title place starts_at ends_at check_in_opens_at check_in_closes_at "
    "remote_allowed state approved should_attend attended minutes"
)


def _founded(number: int) -> str | None:
    return "2026-03-10" if number % 50 == 0 else None


def _memberships(members: int, branches: int, chance: random.Random) -> Iterator[Sequence[Any]]:
    for n in range(1, members + 1):
        branch = 2 + n % branches
        if n % 33:
            yield n, branch, "2020-01-01", None
            continue
        moved = chance.choice(_DAYS)
        if n % 66:
            yield n, 2 + (n + 7) % branches, "2020-01-01", moved
        yield n, branch, moved, None


def _activities(branch: int, chance: random.Random) -> Iterator[Sequence[Any]]:
    for number in range(20):
        starts = datetime(2026, 1, 5, 11, tzinfo=UTC) + timedelta(days=15 * number + branch % 5)
        begins, ends = (f"{at:%Y-%m-%d %H:%M:%S}.000000" for at in (starts, starts + timedelta(hours=2)))
        scope = "region" if number % 7 == 0 else "branch"
        kinds = ("theme_party_day", "member_assembly;party_lecture", "branch_committee_meeting", "volunteering")
        came = chance.randint(10, 28)
        state = "held" if came >= 14 else "not_held"
        yield (
            f"{branch}-{number}", branch, scope, kinds[number % 4], "x", "x", begins, ends, begins, ends,
            0, state, 1, 28, came, "",
        )  # fmt: skip


def _values(ids: Iterable[int], chance: random.Random) -> Iterator[tuple[int, str, str, str]]:
    rules = shipped()
    items = [item for item in rules.common_on(AS_OF) if item.collected]
    months = [one.text for one in periods_of("monthly", 2026) if one.last <= AS_OF]
    by_field = {}
    for name in FIELDS:
        indicators = rules.indicators_on(name, AS_OF)
        by_field[name] = [
            (one, period.text)
            for one in indicators
            for year in ((2025, 2026) if one.period == "yearly" else (2026,))
            for period in periods_of(one.period, year)
            if period.last <= AS_OF
        ]
    for branch in ids:
        quality = 0.96 + 0.04 * chance.random()
        for place, month in enumerate(months, start=1):
            for item in items:
                if item.formula == "value_months":
                    yield branch, item.id, month, str(max(0, place - (chance.random() > quality)))
                elif item.statement:
                    yield branch, item.id, month, "true" if chance.random() < quality else "false"
                else:
                    yield (
                        branch,
                        item.id,
                        month,
                        "1.00" if chance.random() < quality else f"0.{chance.randint(50, 99)}",
                    )
        for one, text in by_field[FIELDS[branch % 5]]:
            met = chance.random() < quality
            value = one.met if met else one.unmet
            if not one.statement and one.threshold.startswith("0.") and one.op == ">=":
                low = 9500 if met else 5000
                value = f"{chance.randint(low, 10000) / 10000:.4f}"  # rates differ from branch to branch
            yield branch, one.id, text, value


def _at(value: tuple[int, str, str, str]) -> str:
    return _LATE


def _by_period(values: Iterable[tuple[int, str, str, str]]) -> Iterator[Sequence[Any]]:
    periods: dict[tuple[int, str], dict[str, str]] = {}
    for organization_id, indicator_id, period, value in values:
        periods.setdefault((organization_id, period), {})[indicator_id] = value
    for (organization_id, period), entries in periods.items():
        yield organization_id, period, orjson.dumps(entries).decode()


def _ledger(engine: Engine, members: int, branches: int, chance: random.Random) -> int:
    """Lines in the order of the months, so that one member's lie far apart, as they do in life."""
    counts: list[list[int]] = [[0] * len(HABITS) for _ in range(members + 1)]
    written = 0

    def rows() -> Iterator[Sequence[Any]]:
        nonlocal written
        for month in range(11):
            first = month * 29
            for member in range(1, members + 1):
                branch = 2 + member % branches
                own = counts[member]
                for place, (rule, points, hundredths, most) in enumerate(HABITS):
                    times = int(chance.random() * most / 11 + chance.random())
                    for again in range(times):
                        number = own[place] = own[place] + 1
                        day = _DAYS[first + (member + 7 * again) % 29]
                        written += 1
                        yield (
                            member, branch, rule, "2000-01-01", f"{rule}:{number}", points, hundredths, day,
                            1, 1, "", f"{day} 11:20:00.000000",
                        )  # fmt: skip

    write_rows(engine, Entry, _ENTRY, rows())
    write_rows(
        engine,
        Total,
        "member_id year rule_id points hundredths",
        (
            (member, 2026, rule, points * counts[member][place], hundredths * counts[member][place])
            for member in range(1, members + 1)
            for place, (rule, points, hundredths, _) in enumerate(HABITS)
            if counts[member][place]
        ),
    )
    return written


def write_rows(engine: Engine, model: Any, columns: str, rows: Iterable[Sequence[Any]]) -> None:
    """Rows in the database's own words; on PostgreSQL through COPY."""
    names = columns.split()
    with engine.begin() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        if engine.dialect.name == "sqlite":
            places = ",".join("?" * len(names))
            driver.executemany(f"INSERT INTO {model.__tablename__} ({','.join(names)}) VALUES ({places})", rows)
            return
        into = f"COPY {model.__tablename__} ({','.join(names)}) FROM STDIN"
        with driver.cursor() as cursor, cursor.copy(into) as copy:
            for row in rows:
                copy.write_row(row)


def main() -> None:
    """Build the city at a URL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--branches", type=int, default=11_465)
    given = parser.parse_args()
    begun = time.perf_counter()
    engine = write_engine(given.url)
    print(build(engine, given.branches), round(time.perf_counter() - begun), "s")
    engine.dispose()


if __name__ == "__main__":
    main()
