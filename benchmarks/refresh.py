"""City refresh of pioneer and fortress indices from totals, with ranks and stars, at 316,714 members.

Beside a plain loop over SQLModel objects that computes the same pioneer indices for a sample of the members.

    python -m benchmarks.refresh [--branches 11465] [--sample 2000]
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

from sqlalchemy import insert
from sqlmodel import Session, col, select

from db import schema
from db.activities import Activity
from db.engine import write_engine
from db.ledger import Total
from db.members import Member, Membership
from db.organizations import FIELDS, Organization
from db.values import IndicatorValue
from scoring.catalogue import shipped
from scoring.pioneer import Span, pioneer
from scoring.pioneer import Total as Sum
from scoring.update import prepare, store

MEMBERS_PER_BRANCH = 316_714 / 11_465
AS_OF = date(2026, 11, 20)
RULES = ("PB1", "PB2", "PB3", "PB4", "PP1", "PP2", "PP3", "PN1")
BATCH = 50_000


def main() -> None:
    """Build the city, refresh it, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--branches", type=int, default=11_465)
    parser.add_argument("--sample", type=int, default=2_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        engine = write_engine(f"sqlite:///{Path(folder) / 'city.db'}")
        schema.create(engine)
        begun = time.perf_counter()
        with Session(engine) as session:
            members = build(session, given.branches, random.Random(1))
            session.commit()
        figures: dict[str, Any] = {
            "benchmark": "refresh",
            "members": members,
            "branches": given.branches,
            "build_s": round(time.perf_counter() - begun, 1),
        }
        before_mb = _memory_mb()
        with Session(engine) as session:
            begun, busy = time.perf_counter(), time.process_time()
            refresh = prepare(session, AS_OF)
            computed = time.perf_counter()
            store(session, refresh)
            session.commit()
            figures |= {
                "prepare_s": round(computed - begun, 2),
                "store_s": round(time.perf_counter() - computed, 2),
                "cpu_s": round(time.process_time() - busy, 2),
                "memory_mb": round(_memory_mb() - before_mb),
            }
            scores = {row["member_id"]: row["score"] for row in refresh.pioneer}
            begun = time.perf_counter()
            again = prepare(session, AS_OF)
            assert not again.pioneer, "nothing has changed"
            figures["again_s"] = round(time.perf_counter() - begun, 2)
            begun = time.perf_counter()
            plain = plain_loop(session, given.sample)
            per_member_s = (time.perf_counter() - begun) / max(1, len(plain))
            assert plain.items() <= scores.items(), "the two ways differ"
        figures["plain_loop_s"] = round(per_member_s * members, 1)
        engine.dispose()
    print(json.dumps(figures))


def plain_loop(session: Session, most: int) -> dict[int, int]:
    """The pioneer score of the first members, one object at a time."""
    scores: dict[int, int] = {}
    for member in session.exec(select(Member).order_by(col(Member.id)).limit(most)):
        assert member.id is not None
        spans = session.exec(select(Membership).where(Membership.member_id == member.id)).all()
        totals = session.exec(select(Total).where(Total.member_id == member.id, Total.year == AS_OF.year)).all()
        result = pioneer(
            shipped(),
            as_of=AS_OF,
            memberships=[Span(one.from_day, one.to_day) for one in spans],
            totals={one.rule_id: Sum(one.points, Fraction(one.hundredths, 100)) for one in totals},
        )
        assert result is not None
        scores[member.id] = result.score
    return scores


def build(session: Session, branches: int, chance: random.Random) -> int:
    """Write a city of that size; how many members it has."""
    session.add(Organization(id=1, code="C", name="C", level="city", path="/1/"))
    session.flush()
    count = round(branches * MEMBERS_PER_BRANCH)
    ids = range(2, branches + 2)
    _write(session, Organization, (_branch(number) for number in ids))
    _write(session, Member, ({"id": n, "code": f"M{n}", "name": "某某"} for n in range(1, count + 1)))
    belongs = ({"member_id": n, "organization_id": 2 + n % branches} for n in range(1, count + 1))
    _write(session, Membership, (one | {"from_day": date(2020, 1, 1)} for one in belongs))
    _write(session, Total, (one for n in range(1, count + 1) for one in _totals(n, chance)))
    _write(session, Activity, (one for number in ids for one in _activities(number, chance)))
    _write(session, IndicatorValue, (one for number in ids for one in _values(number)))
    return count


def _branch(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "code": f"B{number}",
        "name": f"第{number}支部",
        "level": "branch",
        "field": FIELDS[number % len(FIELDS)],
        "parent_id": 1,
        "path": f"/1/{number}/",
    }


def _totals(member_id: int, chance: random.Random) -> list[dict[str, Any]]:
    made = []
    for rule_id in RULES:
        count = chance.randint(0, 12)
        points = -count if rule_id == "PN1" else 2 * count
        made.append(
            {
                "member_id": member_id,
                "year": AS_OF.year,
                "rule_id": rule_id,
                "points": points,
                "hundredths": 100 * count,
            }
        )
    return made


def _activities(branch: int, chance: random.Random) -> list[dict[str, Any]]:
    made = []
    for number in range(20):
        starts = datetime(2026, 1, 5, 11, tzinfo=UTC) + timedelta(days=16 * number)
        made.append(
            {
                "code": f"{branch}-{number}",
                "organization_id": branch,
                "scope": "branch",
                "kinds": "theme_party_day" if number % 2 else "member_assembly;party_lecture",
                "title": "x",
                "place": "x",
                "starts_at": starts,
                "ends_at": starts + timedelta(hours=2),
                "check_in_opens_at": starts,
                "check_in_closes_at": starts,
                "should_attend": 28,
                "attended": chance.randint(10, 28),
            }
        )
    return made


def _values(branch: int) -> list[dict[str, Any]]:
    fixed = {"organization_id": branch, "recorded_at": datetime(2026, 11, 1, tzinfo=UTC)}
    return [
        {"indicator_id": item, "period": f"2026-{month:02d}", "value": "true" if item != "F14" else str(month)}
        | fixed
        for item in ("F01", "F07", "F14", "F15")
        for month in (3, 6, 10)
    ]


def _write(session: Session, table: Any, rows: Any) -> None:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            session.execute(insert(table), batch)
            batch = []
    if batch:
        session.execute(insert(table), batch)


def _memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
