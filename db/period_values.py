"""All values of an organisation in one period, side by side: what the city refresh reads.

The same facts as `IndicatorValue`, kept in the same transaction. There are fifteen times fewer of these rows, and
reading rows is most of what a refresh costs. `verify` proves that both say the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import JSON, Column, Index, bindparam, func
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col

from db.prepared import Prepared


class PeriodValues(SQLModel, table=True):
    """The values of one organisation in one period."""

    __tablename__ = "period_values"
    __table_args__ = (Index("ix_period_values_period", "period"),)
    organization_id: int = Field(foreign_key="organization.id", primary_key=True)
    period: str = Field(primary_key=True)
    entries: dict[str, str] = Field(
        default_factory=dict,
        sa_column=Column(JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
    )  # indicator or item -> value, as in `IndicatorValue`


def put(session: Session, rows: Iterable[tuple[int, str, str, str]]) -> None:
    """Let these values count: (organisation, indicator, period, value). One atomic step for each pair."""
    periods: dict[tuple[int, str], dict[str, str]] = {}
    for organization_id, indicator_id, period, value in rows:
        periods.setdefault((organization_id, period), {})[indicator_id] = value
    for (organization_id, period), entries in sorted(periods.items()):
        _PUT.count(session, organization_id=organization_id, period=period, entries=entries)


def _putting(dialect: str) -> Any:
    """What is named replaces what stands there; the rest stays."""
    names = ("organization_id", "period", "entries")
    made = {name: bindparam(name, type_=PeriodValues.__table__.c[name].type) for name in names}  # type: ignore[attr-defined]
    if dialect == "postgresql":
        adding: Any = postgresql.insert(PeriodValues).values(made)
        merged: Any = col(PeriodValues.entries).op("||")(adding.excluded.entries)
    else:
        adding = sqlite.insert(PeriodValues).values(made)
        merged = func.json_patch(col(PeriodValues.entries), adding.excluded.entries)
    return adding.on_conflict_do_update(index_elements=["organization_id", "period"], set_={"entries": merged})


_PUT = Prepared(_putting)
