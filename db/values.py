"""Values of indicators and value items: an append-only log of what was recorded, and the latest of each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col

from db import period_values


class IndicatorValue(SQLModel, table=True):
    """The value that counts for one period (2026-03, 2026Q1, 2026H1, 2026). Always the last line of the log."""

    __tablename__ = "indicator_value"
    __table_args__ = (Index("ix_indicator_value_indicator_id", "indicator_id", "period"),)
    organization_id: int = Field(foreign_key="organization.id", primary_key=True)
    indicator_id: str = Field(primary_key=True)
    period: str = Field(primary_key=True)
    value: str  # a decimal number or true/false, as it was recorded; empty: nobody has one, or it was taken back
    recorded_at: datetime


class ValueRecord(SQLModel, table=True):
    """One line of the log: who said what, when and why. Lines are never changed or deleted."""

    __tablename__ = "value_record"
    __table_args__ = (
        # One cause records one value once, however often it is repeated.
        UniqueConstraint("organization_id", "indicator_id", "period", "cause"),
    )
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    indicator_id: str
    period: str
    value: str
    collect: str  # auto, declare, dept, inspect: where it came from
    cause: str  # "declaration:17", "clawback:declaration:17", "sheet:3", "inspection:5", "auto:2026-04-01"
    reason: str = ""  # for the person who asks why
    recorded_by: int | None = Field(default=None, foreign_key="member.id")  # None: the service itself
    recorded_at: datetime


def record(
    session: Session,
    *,
    organization_id: int,
    indicator_id: str,
    period: str,
    value: str,
    collect: str,
    cause: str,
    recorded_at: datetime,
    recorded_by: int | None = None,
    reason: str = "",
) -> bool:
    """Add a line to the log and let its value count; False when this cause has recorded it before."""
    key: dict[str, Any] = {"organization_id": organization_id, "indicator_id": indicator_id, "period": period}
    known = session.execute(select(col(ValueRecord.id)).filter_by(**key, cause=cause)).first()
    if known is not None:
        return False
    session.add(
        ValueRecord(
            **key,
            value=value,
            collect=collect,
            cause=cause,
            reason=reason,
            recorded_by=recorded_by,
            recorded_at=recorded_at,
        )
    )
    latest = session.get(IndicatorValue, (organization_id, indicator_id, period))
    if latest is None:
        session.add(IndicatorValue(**key, value=value, recorded_at=recorded_at))
    else:
        latest.value, latest.recorded_at = value, recorded_at
    session.flush()
    period_values.put(session, [(organization_id, indicator_id, period, value)])
    return True


def record_many(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Record many values at once, each as `record` does; a row has its arguments by name.

    The caller knows that no cause in them has recorded its value before: a second time fails the transaction.
    """
    if not rows:
        return
    session.flush()
    lines = [{"reason": "", "recorded_by": None, **row} for row in rows]
    session.execute(insert(ValueRecord), lines)
    dialect: Any = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    adding = dialect.insert(IndicatorValue)
    names = ("organization_id", "indicator_id", "period", "value", "recorded_at")
    session.execute(
        adding.on_conflict_do_update(
            index_elements=["organization_id", "indicator_id", "period"],
            set_={"value": adding.excluded.value, "recorded_at": adding.excluded.recorded_at},
        ),
        [{name: row[name] for name in names} for row in lines],
    )
    period_values.put(
        session, [(row["organization_id"], row["indicator_id"], row["period"], row["value"]) for row in lines]
    )
    session.expire_all()  # what the session holds of these values is no longer so


def last_lines(
    session: Session, organization_ids: Collection[int], periods: Collection[str], indicator_ids: Collection[str]
) -> dict[tuple[int, str, str], tuple[str, str]]:
    """(value, where it came from) of each value that counts, by organisation, indicator and period."""
    statement = (
        select(
            col(ValueRecord.organization_id),
            col(ValueRecord.indicator_id),
            col(ValueRecord.period),
            col(ValueRecord.value),
            col(ValueRecord.collect),
        )
        .where(
            col(ValueRecord.organization_id).in_(organization_ids),
            col(ValueRecord.period).in_(periods),
            col(ValueRecord.indicator_id).in_(indicator_ids),
        )
        .order_by(col(ValueRecord.id))
    )
    return {(row[0], row[1], row[2]): (row[3], row[4]) for row in session.execute(statement)}


def latest(session: Session, organization_id: int, indicator_id: str, period: str) -> str | None:
    """The value that counts; None when none was ever recorded."""
    found = session.get(IndicatorValue, (organization_id, indicator_id, period))
    return found.value if found else None


def history(session: Session, organization_id: int, indicator_id: str, period: str) -> Sequence[ValueRecord]:
    """Every line of the log about this value, the oldest first."""
    statement = (
        select(ValueRecord)
        .where(
            col(ValueRecord.organization_id) == organization_id,
            col(ValueRecord.indicator_id) == indicator_id,
            col(ValueRecord.period) == period,
        )
        .order_by(col(ValueRecord.id))
    )
    return session.execute(statement).scalars().all()
