"""The refresh reads for a while and writes later: what happens in between is put right by the next one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime

import pytest
from sqlalchemy import Engine, select, update
from sqlmodel import Session, col

from db import ledger, member_modes, negatives, values
from db.engine import report_engine
from db.indices import OrgPowerIndex, PioneerIndex
from db.members import Membership
from db.organizations import Organization
from scoring.update import Refresh, prepare, store
from tests.cast import CITY
from tests.conftest import ZONE
from tests.scoring.year.opinions import every_column
from tests.scoring.year.town import Town, local

DAY = date(2026, 4, 20)
NOW = local(DAY)
PERSON, BRANCH, OTHER = 5_000, 500, 501
C02 = "C02"  # monthly, of every field


@pytest.fixture
def town(engine: Engine) -> Iterator[Town]:
    """A small city with three months of one indicator, and figures of the day."""
    made = Town(engine, 1, 60)
    made.today, made.now = DAY, NOW
    for branch in made.branches:
        for month in ("2026-01", "2026-02", "2026-03"):
            say(made.session, branch, month, "1", "first")
    refresh(made.session)
    made.session.commit()
    yield made
    made.session.close()


@pytest.fixture
def aside(database_url: str) -> Iterator[Callable[[], Refresh]]:
    """What the service does: it reads on a connection of its own, which cannot write."""
    engine = report_engine(database_url)

    def ready() -> Refresh:
        with Session(engine) as session:
            return prepare(session, DAY, zone=ZONE)

    yield ready
    engine.dispose()


def refresh(session: Session) -> int:
    ready = prepare(session, DAY, zone=ZONE)
    store(session, ready)
    return ready.rows


def say(session: Session, branch: int, month: str, value: str, cause: str, at: datetime = NOW) -> None:
    key = {"organization_id": branch, "indicator_id": C02, "period": month, "collect": "declare"}
    assert values.record(session, **key, value=value, cause=cause, recorded_at=at)


def book(session: Session, cause: str) -> None:
    assert ledger.book(session, member_id=PERSON, rule_id="PB1", cause=cause, points=2, day=DAY, booked_at=NOW)


def _post(session: Session) -> None:
    key = {"organization_id": BRANCH, "item_id": "N03", "cause": "x"}
    assert negatives.post(session, **key, day=date(2026, 2, 2), count=1, recorded_at=NOW)


def _leave(session: Session) -> None:
    mine = session.execute(select(Membership).where(col(Membership.member_id) == PERSON)).scalar_one()
    mine.to_day, mine.ended_at = date(2026, 1, 1), NOW  # noted late: no member in this year at all


def _dissolve(session: Session) -> None:
    session.execute(update(Organization).where(col(Organization.id) == BRANCH).values(closed_on=DAY))


def _found(session: Session) -> None:
    fixed = {"level": "branch", "field": "soe", "parent_id": CITY, "path": f"/{CITY}/999/"}
    session.add(Organization(id=999, code="Y999", name="新", **fixed))


WRITES: dict[str, Callable[[Session], object]] = {
    "a line": lambda session: book(session, "later"),
    "a value": lambda session: say(session, BRANCH, "2026-02", "0", "later"),
    "a case": _post,
    "a membership that ends": _leave,
    "a mode": lambda session: member_modes.change(session, PERSON, "exempt", NOW),
    "an end": _dissolve,
    "a beginning": _found,
}


@pytest.mark.parametrize("what", WRITES)
def test_what_is_written_while_a_refresh_reads_is_in_the_next_one(
    town: Town, aside: Callable[[], Refresh], what: str
) -> None:
    session = town.session
    book(session, "before")
    say(session, OTHER, "2026-03", "0", "before")
    session.commit()
    late = aside()
    WRITES[what](session)
    session.commit()
    store(session, late)
    session.commit()
    assert refresh(session) > 0
    assert prepare(session, DAY, zone=ZONE, lines=True).rows == 0


def test_a_refresh_that_overtakes_another_loses_nothing(town: Town, aside: Callable[[], Refresh]) -> None:
    """The slow one writes last, and then its facts come back: its marks must not say that all its rows stand."""
    session, months = town.session, ("2026-01", "2026-02", "2026-03")
    before = every_column(session)
    book(session, "one")
    for month in months:
        say(session, BRANCH, month, "0", "one")
    session.commit()
    slow = aside()
    for month in months:
        say(session, OTHER, month, "0", "two")
    session.commit()
    fast = aside()
    store(session, fast)
    session.commit()
    store(session, slow)
    for month in months:
        say(session, OTHER, month, "1", "three")
    session.commit()
    refresh(session)
    assert prepare(session, DAY, zone=ZONE, lines=True).rows == 0
    assert session.get_one(OrgPowerIndex, (OTHER, "2026-02")).unmet.split(";").count(C02) == 0
    assert session.get_one(PioneerIndex, (PERSON, 2026)).base > 0
    assert every_column(session) != before


def test_storing_twice_and_a_refresh_that_nobody_stored_change_nothing(
    town: Town, aside: Callable[[], Refresh]
) -> None:
    session = town.session
    book(session, "one")
    say(session, BRANCH, "2026-02", "0", "one")
    session.commit()
    aside()
    ready = aside()
    store(session, ready)
    once = every_column(session)
    store(session, ready)
    assert every_column(session) == once
    assert refresh(session) == 0
    assert prepare(session, DAY, zone=ZONE, lines=True).rows == 0
