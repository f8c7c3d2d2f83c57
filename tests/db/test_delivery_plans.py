"""How one row of the outbox is found among those of a city."""

from __future__ import annotations

import pytest
from sqlmodel import Session

from db import deliveries, letter_deadlines, letter_stopping, receipts
from db.letters import Letter
from db.prepared import driver_of
from tests.cast import ALICE, DAY, LIANGFENG, NOON
from tests.notices.sending import queued

pytestmark = pytest.mark.parametrize(
    "database_url", ["sqlite"], indirect=True
)  # it knows no figures of its tables

BY_MEMBER, BY_ID = "ix_delivery_member_id", "INTEGER PRIMARY KEY"


def not_yet(session: Session, letter_id: int) -> object:
    letter = session.get(Letter, letter_id)
    assert letter is not None
    days = {"sent_on": DAY, "today": DAY}
    return letter_deadlines.people(session, letter, [LIANGFENG], most=5, offset=0, **days)


@pytest.mark.parametrize(
    ("ask", "wanted"),
    [
        (lambda session, letter: deliveries.of_letter(session, letter, ALICE), BY_MEMBER),
        (not_yet, BY_MEMBER),
        (lambda session, letter: receipts.missed(session, letter, DAY, most=5), BY_MEMBER),
        (lambda session, letter: letter_stopping.cancel(session, letter, now=NOON, most=5), BY_ID),
    ],
    ids=["an answer", "who has not answered", "who did not get it", "a stop"],
)
def test_who_asks_for_single_rows_does_not_read_all_of_a_letter(engine, ask, wanted):
    asked: list[str] = []
    with Session(engine) as session:
        letter_id = queued(session)
        driver, _ = driver_of(session)
        driver.set_trace_callback(asked.append)
        ask(session, letter_id)
        driver.set_trace_callback(None)
        statement = next(one for one in reversed(asked) if "delivery" in one)
        plan = driver.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
        session.rollback()
    found = [row[3] for row in plan if "delivery" in row[3]]
    assert any(wanted in one for one in found), found
    assert not any(one.startswith("SCAN delivery") for one in found), found
