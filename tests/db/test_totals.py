"""How a member's totals are found among those of a city."""

from __future__ import annotations

import pytest
from sqlmodel import Session

from db import city, ledger
from db.prepared import driver_of
from tests.cast import ALICE, LIANGFENG, NOON

pytestmark = pytest.mark.parametrize(
    "database_url", ["sqlite"], indirect=True
)  # it knows no figures of its tables


@pytest.mark.parametrize(
    "ask",
    [
        lambda session: ledger.totals(session, ALICE, NOON.year),
        lambda session: list(city.totals(session, NOON.year, ["PB1"], NOON.date(), only=LIANGFENG)),
    ],
    ids=["of one member", "of one branch"],
)
def test_who_asks_for_few_members_reads_no_others(engine, ask):
    asked = []
    with Session(engine) as session:
        driver, _ = driver_of(session)
        driver.set_trace_callback(asked.append)
        ask(session)
        driver.set_trace_callback(None)
        statement = next(one for one in asked if "FROM total" in one)
        plan = driver.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
        assert any("ix_total_member_id" in row[3] for row in plan)
