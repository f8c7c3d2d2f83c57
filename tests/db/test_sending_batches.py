"""The steps of many deliveries at once: who is found by what, and what is no longer ours."""

from __future__ import annotations

import pytest
from sqlmodel import Session, select

from db import accounts, sending, sending_batches
from db.deliveries import Attempt, Delivery
from db.prepared import driver_of
from db.sending_batches import Intent
from tests.cast import ALICE, BOB, NOON
from tests.notices.sending import note

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def held(session, *members):
    """One claimed delivery for each of the members."""
    for member_id in members:
        note(session, member_id)
    session.flush()
    return sending.claim(session, now=NOON, lease_until=NOON, most=64, alone=True)


def steps(session):
    """Everything that is done for many at once."""
    rows = held(session, ALICE, BOB)
    intents = [Intent(row.id, row.fence, "web", f"member:{row.member_id}", 0) for row in rows]
    assert sending_batches.intend_all(session, intents, NOON) == [True, True]
    assert sending_batches.sent(session, [(row.id, row.fence, "1") for row in rows], NOON) == 2
    accounts.offer(session, [("web", f"member:{row.member_id}") for row in rows], {"1": "home"})


@on_sqlite
def test_deliveries_are_found_by_their_ids_however_many_wait(engine):
    asked = []
    with Session(engine) as session:
        driver, _ = driver_of(session)
        driver.set_trace_callback(asked.append)
        steps(session)
        driver.set_trace_callback(None)
        batches = [one for one in asked if "json_each" in one]
        plans = [[row[3] for row in driver.execute(f"EXPLAIN QUERY PLAN {one}")] for one in batches]
    assert len(plans) == 6
    for plan in plans:  # the given rows first, and by them whatever is changed
        assert plan[0].startswith("SCAN")
        assert "VIRTUAL TABLE" in plan[0]
        assert all("rowid=?" in step or "INDEX" in step for step in plan[1:])
        assert not any("ix_delivery_due" in step for step in plan)


async def test_of_many_only_those_change_whose_claim_stands(look):
    def act(session):
        first, second = held(session, ALICE, BOB)
        late = Intent(first.id, first.fence - 1, "web", "a", 0)
        good = Intent(second.id, second.fence, "web", "b", 0)
        ours = sending_batches.intend_all(session, [late, good], NOON)
        counted = sending_batches.sent(
            session, [(first.id, first.fence, "7"), (second.id, second.fence, "8")], NOON
        )
        return ours, counted

    assert await look(act) == ([False, True], 1)
    rows = await look(lambda s: s.exec(select(Delivery).order_by(Delivery.id)).all())
    assert [(row.state, row.address, row.platform_id) for row in rows] == [
        ("claimed", None, ""),
        ("sent", "b", "8"),
    ]
    tries = await look(lambda s: s.exec(select(Attempt)).all())
    assert [(one.delivery_id, one.address, one.outcome, one.started_at) for one in tries] == [
        (rows[1].id, "b", "sent", NOON)
    ]
