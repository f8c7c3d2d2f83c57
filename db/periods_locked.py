"""Which periods are locked: after that nothing is handed in, decided or changed in them.

A period is written as its values have it: `2026-03`, `2026Q1`, `2026H1`, `2026`. Only claw-backs and corrections
by the district are recorded in a locked one, and each of them is a new line of the log.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col


class PeriodLock(SQLModel, table=True):
    """One period. Its row is there before it is locked, so that a late deed and the lock wait for each other."""

    __tablename__ = "period_lock"
    period: str = Field(primary_key=True)
    locked_at: datetime | None = None  # None: still open


def is_locked(session: Session, period: str) -> bool:
    """Whether the period is locked. For showing; whoever writes asks `hold_open`."""
    return locked_at(session, period) is not None


def locked_at(session: Session, period: str) -> datetime | None:
    """When the period was locked; None while it is open."""
    return session.execute(select(col(PeriodLock.locked_at)).where(col(PeriodLock.period) == period)).scalar()


def locked(session: Session, periods: Collection[str]) -> frozenset[str]:
    """Which of these periods are locked."""
    statement = select(col(PeriodLock.period)).where(
        col(PeriodLock.period).in_(periods), col(PeriodLock.locked_at).is_not(None)
    )
    return frozenset(session.execute(statement).scalars())


def hold_open(session: Session, period: str) -> bool:
    """Keep the period open until this transaction ends; False when it is locked.

    Whoever is about to write into a period asks here first: the lock then waits for them, or they see it.
    """
    _begin(session, period)
    found = select(col(PeriodLock.locked_at)).where(col(PeriodLock.period) == period).with_for_update(read=True)
    return session.execute(found).scalar() is None


def lock(session: Session, period: str, now: datetime) -> bool:
    """Lock the period, after everybody who holds it open; False when it is locked already."""
    _begin(session, period)
    done = session.execute(
        update(PeriodLock)
        .where(col(PeriodLock.period) == period, col(PeriodLock.locked_at).is_(None))
        .values(locked_at=now),
        execution_options={"synchronize_session": False},
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]


def last_locked(session: Session) -> str | None:
    """The latest month that is locked, `2026-03`; None when none is."""
    month = col(PeriodLock.period)
    statement = select(month).where(month.contains("-"), col(PeriodLock.locked_at).is_not(None))
    return session.execute(statement.order_by(month.desc()).limit(1)).scalar()


def _begin(session: Session, period: str) -> None:
    """Let the row be there; without a word when another one has just written it."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(insert(PeriodLock).values(period=period).on_conflict_do_nothing(index_elements=["period"]))
