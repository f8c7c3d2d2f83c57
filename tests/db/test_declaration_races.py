"""Declarations, the draw and the lock at the same instant: each thread with an engine of its own, like a process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import date

import pytest
from sqlalchemy.engine import Engine
from sqlmodel import Session, func, select

from db import declarations, periods_locked, spot_checks
from db.declarations import Declaration, DeclarationDraft
from db.engine import write_engine
from db.values import ValueRecord
from notices import declaration_outcomes as outcomes
from notices import spot_checks as draws
from notices.declaration_days import keep_the_days
from tests.at_once import at_once
from tests.cast import LIANGFENG, QIAN, RUI, SHAZHOU, SUN
from tests.conftest import ZONE
from tests.handlers.declaring import at

PERIOD, LAST = "2026-05", date(2026, 5, 31)
THINGS = ("C02", "C04")
WAIT_S = 0.3  # how long one who must wait is watched


@pytest.fixture
def another(database_url: str) -> Iterator[Engine]:
    """A write engine for a thread that waits."""
    made = write_engine(database_url)
    yield made
    made.dispose()


def draft(branch: int, thing: str, by: int) -> DeclarationDraft:
    return DeclarationDraft(
        member_id=by, organization_id=branch, indicator_id=thing, period=PERIOD, value="2", changed_at=at(6, 3)
    )


@pytest.fixture
def ids(engine: Engine) -> list[int]:
    """Four declarations that wait."""
    with Session(engine) as session:
        draws.fix(session, PERIOD, at(6, 1))
        for branch, by in ((LIANGFENG, SUN), (SHAZHOU, QIAN)):
            for thing in THINGS:
                one = draft(branch, thing, by)
                declarations.new_draft(session, one)
                declarations.declare(session, one, closing=PERIOD, now=at(6, 3))
        session.commit()
        return list(session.execute(select(Declaration.id).order_by(Declaration.id)).scalars())


def approve_each(ids: list[int]) -> Callable[[Session], object]:
    def act(session: Session) -> int:
        rows = [declarations.by_id(session, one) for one in ids]
        return len(outcomes.approve_all(session, [one for one in rows if one], RUI, at(6, 14)))

    return act


def test_two_reviewers_the_draw_and_the_lock_at_one_instant_lose_and_double_nothing(database_url, engine, ids):
    def lock(session: Session) -> object:
        while keep_the_days(session, at(6, 15, 0, 1), ZONE):
            session.commit()
        return None

    def draw(session: Session) -> bool:
        return draws.draw(session, PERIOD, LAST, at(6, 11))

    first, second, _, _ = at_once(database_url, approve_each(ids), approve_each(ids[::-1]), draw, lock)
    with Session(engine) as session:
        while keep_the_days(session, at(6, 15, 0, 2), ZONE):
            session.commit()
        rows = session.execute(select(Declaration)).scalars().all()
        approved = [row for row in rows if row.state == "approved"]
        assert isinstance(first, int)
        assert isinstance(second, int)
        assert first + second == len(approved)
        assert {row.state for row in rows} <= {"approved", "lapsed"}
        assert session.execute(select(func.count()).select_from(ValueRecord)).scalar_one() == len(approved)
        assert all(row.candidate or row.recheck == "late" for row in approved)
        assert spot_checks.of_month(session, PERIOD).candidates == sum(row.candidate for row in rows)


@pytest.mark.parametrize("act", ["draw", "lock"])
def test_what_is_being_approved_is_waited_for(engine, another, ids, act):
    """The lot is drawn, or the period locked, only after an approval that began before: it is seen, or it is late."""
    began = threading.Event()

    def other() -> None:
        with Session(another) as session:
            began.set()
            if act == "draw":
                draws.draw(session, PERIOD, LAST, at(6, 11))
            else:
                periods_locked.lock(session, PERIOD, at(6, 15))
            session.commit()

    thread = threading.Thread(target=other)
    with Session(engine) as session:
        row = declarations.by_id(session, ids[0])
        assert row is not None
        assert outcomes.approve(session, row, 1, RUI, at(6, 10))
        thread.start()
        began.wait(5)
        thread.join(WAIT_S)
        assert thread.is_alive(), "it waits for the approval"
        session.commit()
    thread.join(30)
    with Session(engine) as session:
        row = declarations.by_id(session, ids[0])
        assert row is not None
        assert (row.state, row.recheck) == ("approved", "drawn" if act == "draw" else "")
        late = declarations.by_id(session, ids[1])
        assert late is not None
        done = outcomes.approve(session, late, 1, RUI, at(6, 14))
        session.commit()
        late = declarations.by_id(session, ids[1])
        assert late is not None
        assert (done, late.recheck) == ((True, "late") if act == "draw" else (False, ""))


def test_declaring_and_locking_at_once_leaves_nothing_behind_the_lock(database_url, engine, ids):
    def change(session: Session) -> object:
        one = draft(LIANGFENG, "C02", SUN)
        declarations.new_draft(session, one)
        return declarations.declare(session, one, closing=PERIOD, now=at(6, 5)) != "locked"

    def lock(session: Session) -> bool:
        return periods_locked.lock(session, PERIOD, at(6, 15))

    gave = at_once(database_url, change, lock, lock)
    assert sorted([bool(gave[1]), bool(gave[2])]) == [False, True]
    with Session(engine) as session:
        row = declarations.by_id(session, ids[0])
        assert row is not None
        assert row.version == (2 if gave[0] else 1)
        assert periods_locked.hold_open(session, PERIOD) is False


def test_two_secretaries_who_declare_the_same_for_the_first_time_make_one_row(database_url, engine, ids):
    def declare(by: int) -> Callable[[Session], object]:
        def act(session: Session) -> object:
            one = draft(LIANGFENG, "F01", by)
            declarations.new_draft(session, one)
            return isinstance(declarations.declare(session, one, closing=PERIOD, now=at(6, 3)), Declaration)

        return act

    assert at_once(database_url, declare(SUN), declare(QIAN)) == [True, True]
    with Session(engine) as session:
        row = declarations.of(session, LIANGFENG, "F01", PERIOD)
        assert row is not None
        assert row.id is not None
        assert (row.version, len(declarations.versions(session, row.id))) == (2, 2)
