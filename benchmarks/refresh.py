"""Refresh of all three indices, ranks, stars and colours of a whole city: from totals, and from its raw lines.

Each phase runs in a process of its own, so that its memory is its own. Beside them, on the same data: DuckDB
adding up the same lines, and a plain loop over SQLModel objects for a sample of the members. CPU seconds stand
beside those of the clock, which a busy machine stretches.

    python -m benchmarks.refresh [--branches 11465] [--database URL of a city that `benchmarks.big_city` made]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from sqlalchemy import text
from sqlmodel import Session, col, select

from benchmarks.big_city import AS_OF, build
from benchmarks.memory import memory_mb
from bot.memory import give_back_large
from db import ledger, period_values
from db.columns import parted
from db.duties import CITY
from db.engine import report_engine, write_engine
from db.indices import FortressIndex, fortress_of, top
from db.ledger import Total, total_in
from db.members import Member, Membership
from scoring.catalogue import shipped
from scoring.pioneer import Span, pioneer
from scoring.pioneer import Total as Sum
from scoring.update import prepare, store

T = TypeVar("T")
ROUNDS = 3
SAMPLE = 2_000  # members of the plain loop
EVENTS = 4_000  # bookings that are timed
QUERIES = 300
NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)


def timed(work: Callable[[], T]) -> tuple[T, dict[str, float]]:
    """The result, and how long it took by the clock and in CPU time of this process."""
    begun, busy = time.perf_counter(), time.process_time()
    result = work()
    return result, {
        "s": round(time.perf_counter() - begun, 2),
        "cpu_s": round(time.process_time() - busy, 2),
    }


def first(url: str) -> dict[str, Any]:
    """Every figure for the first time: everything has to be written."""
    return _refresh(url)


def totals(url: str) -> dict[str, Any]:
    """What a running service does every hour: nothing has changed, then a few thousand members and some values."""
    shipped()
    rounds = [_refresh(url) for _ in range(ROUNDS)]
    found = sorted(rounds, key=lambda one: one["prepare"]["s"])[ROUNDS // 2] | {"memory_mb": memory_mb()}
    _change(url, 2, "0")
    found["after_changes"] = _refresh(url)
    _change(url, -2, "1")  # as the lines say
    _refresh(url)
    return found


def _refresh(url: str, *, lines: bool = False) -> dict[str, Any]:
    reading, writing = report_engine(url), write_engine(url)
    with Session(reading) as session:
        ready, prepared = timed(lambda: prepare(session, AS_OF, zone=CITY, lines=lines, beside=not lines))
    with Session(writing) as session:

        def write() -> None:
            store(session, ready)
            session.commit()

        _, stored = timed(write)
    reading.dispose()
    writing.dispose()
    return {"prepare": prepared, "store": stored, "rows": ready.rows, "memory_mb": memory_mb()}


def _change(url: str, points: int, value: str) -> None:
    """Some thousand totals, and a value of those branches that have it."""
    some = "rule_id = 'PP3' AND member_id % 100 = 3"
    with Session(write_engine(url)) as session:
        session.execute(text(f"UPDATE total SET points = points + {points} WHERE {some}"))
        query = "SELECT organization_id FROM indicator_value WHERE indicator_id = 'C02' AND period = '2026-10'"
        ids = session.execute(text(f"{query} AND value = '1' ORDER BY 1 LIMIT 50")).scalars().all()
        period_values.put(session, [(one, "C02", "2026-10", value) for one in ids])
        session.commit()


def raw_lines(url: str) -> dict[str, Any]:
    """Everything from the raw lines; it must find every stored figure right."""
    found = _refresh(url, lines=True)
    return found | {"equal": found["rows"] == 0}


def duck(url: str) -> dict[str, Any]:
    """DuckDB: the lines out of the database into its own columns, then one sum per member and rule."""
    import duckdb  # here, so that no other phase carries it

    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    connection.execute("CREATE TABLE line (member INTEGER, rule TINYINT, points INTEGER, hundredths INTEGER)")

    def load() -> None:
        names = " ".join(f"WHEN '{rule.id}' THEN {n}" for n, rule in enumerate(shipped().pioneer.rule))
        expressions = ["member_id", f"CASE rule_id {names} END", "points", "hundredths"]
        with Session(report_engine(url)) as session:
            for part in parted(session, "entry", expressions, f"in_index AND day <= '{AS_OF}'"):
                columns = {"m": part[:, 0], "r": part[:, 1], "p": part[:, 2], "h": part[:, 3]}
                columns = {name: np.ascontiguousarray(column) for name, column in columns.items()}
                connection.register("part", columns)
                connection.execute("INSERT INTO line SELECT m, r, p, h FROM part")

    _, loading = timed(load)
    query = "SELECT member, rule, sum(points) p, sum(hundredths) h FROM line GROUP BY member, rule"
    (count, points, hundredths), adding = timed(
        lambda: connection.execute(f"SELECT count(*), sum(p), sum(h) FROM ({query})").fetchone()
    )
    with Session(report_engine(url)) as session:
        stored = session.execute(text("SELECT count(*), sum(points), sum(hundredths) FROM total")).one()
    return {
        "load": loading,
        "add_up": adding,
        "equal": tuple(map(int, (count, points, hundredths))) == tuple(map(int, stored)),
        "memory_mb": memory_mb(),
    }


def plain(url: str) -> dict[str, Any]:
    """One object after the other: the pioneer score of some members, as a first version would compute it."""
    with Session(report_engine(url)) as session:
        count = session.execute(text("SELECT count(*) FROM member")).scalar_one()
        scores, took = timed(lambda: _plain_loop(session))
        stored = dict(session.execute(text("SELECT member_id, score FROM pioneer_index")).all())
    wrong = [one for one, score in scores.items() if stored.get(one) != score]
    seconds = {name: round(value / SAMPLE * count, 1) for name, value in took.items()}
    return {"pioneer_only_whole_city": seconds, "equal": not wrong}


def _plain_loop(session: Session) -> dict[int, int]:
    scores: dict[int, int] = {}
    people = select(Member).where(Member.mode == "normal").order_by(col(Member.id)).limit(SAMPLE)
    for member in session.exec(people):
        assert member.id is not None
        spans = session.exec(select(Membership).where(Membership.member_id == member.id)).all()
        own = session.exec(select(Total).where(Total.member_id == member.id, total_in(AS_OF.year))).all()
        result = pioneer(
            shipped(),
            as_of=AS_OF,
            memberships=[Span(one.from_day, one.to_day) for one in spans],
            totals={one.rule_id: Sum(one.points, Fraction(one.hundredths, 100)) for one in own},
        )
        if result is not None:
            scores[member.id] = result.score
    return scores


def queries(url: str) -> dict[str, Any]:
    """Own rank and the ten best, in milliseconds (median), through the same functions as the conversations."""
    with Session(report_engine(url)) as session:
        ids = list(session.execute(select(FortressIndex.organization_id).limit(QUERIES)).scalars())

        def median_ms(one: Callable[[int], object]) -> float:
            took = []
            for number in ids:
                session.expire_all()
                begun = time.perf_counter()
                one(number)
                took.append((time.perf_counter() - begun) * 1000)
            return round(statistics.median(took), 3)

        power = text(
            "SELECT organization_id, rank FROM org_power_index WHERE month = '2026-10' AND field = 'soe' "
            "ORDER BY rank, organization_id LIMIT 10"
        )
        own = text(
            "SELECT rank, field_size FROM org_power_index WHERE organization_id = :id AND month = '2026-10'"
        )
        return {
            "own_rank_ms": median_ms(lambda one: fortress_of(session, one, AS_OF.year)),
            "top10_ms": median_ms(lambda one: top(session, AS_OF.year, "soe")),
            "power_own_rank_ms": median_ms(lambda one: session.execute(own, {"id": one}).all()),
            "power_top10_ms": median_ms(lambda one: session.execute(power).all()),
        }


def booking(url: str) -> dict[str, Any]:
    """What keeping totals costs per booking, and keeping `PeriodValues` per value, in microseconds of CPU."""
    engine = write_engine(url)
    with Session(engine) as session:
        fixed: dict[str, Any] = {"rule_id": "PP4", "points": 1, "day": AS_OF, "booked_at": NOW}

        def book(cause: str, in_index: bool) -> None:
            for n in range(1, EVENTS + 1):
                ledger.book(session, member_id=n, cause=cause, in_index=in_index, in_wallet=False, **fixed)

        book("warm", True)
        _, bare = timed(lambda: book("without", False))
        _, kept = timed(lambda: book("with", True))
        values = [(2 + n % 100, "C02", "2026-09", "1") for n in range(EVENTS)]
        _, periods = timed(lambda: [period_values.put(session, [one]) for one in values])
        session.rollback()
    each = 1e6 / EVENTS
    return {
        "line_us": round(bare["cpu_s"] * each),
        "with_totals_us": round(kept["cpu_s"] * each),
        "period_values_us": round(periods["cpu_s"] * each),
    }


PHASES: dict[str, Callable[[str], dict[str, Any]]] = {
    "first": first,
    "totals": totals,
    "duckdb": duck,
    "plain_loop": plain,
    "queries": queries,
    "booking": booking,
    "raw_lines": raw_lines,
}


def main() -> None:
    """Build the city unless it is there, run every phase, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--branches", type=int, default=11_465)
    parser.add_argument("--database")
    parser.add_argument("--phase", choices=PHASES)
    given = parser.parse_args()
    if given.phase:
        give_back_large()  # as the service does
        print(json.dumps(PHASES[given.phase](given.database)))
        return
    with tempfile.TemporaryDirectory() as folder:
        url = given.database or f"sqlite:///{Path(folder) / 'city.db'}"
        figures: dict[str, Any] = {"benchmark": "refresh"}
        if not given.database:
            engine = write_engine(url)
            figures |= build(engine, given.branches)
            engine.dispose()
        for phase in PHASES:
            command = [sys.executable, "-m", "benchmarks.refresh", "--phase", phase, "--database", url]
            figures[phase] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
            print(phase, json.dumps(figures[phase]), file=sys.stderr)
        refresh, rebuild = figures["totals"]["prepare"]["cpu_s"], figures["raw_lines"]["prepare"]["cpu_s"]
        figures["ratios"] = {
            "plain_loop_to_refresh": round(figures["plain_loop"]["pioneer_only_whole_city"]["cpu_s"] / refresh, 1),
            "duckdb_with_load_to_rebuild": round(
                (figures["duckdb"]["load"]["cpu_s"] + figures["duckdb"]["add_up"]["cpu_s"]) / rebuild, 2
            ),
            "rebuild_to_refresh": round(rebuild / refresh, 1),
        }
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
