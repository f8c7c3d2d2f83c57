"""Results of the city refresh: the three indices and the colours, each row with the rules behind it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import JSON, Column, Index, func, select
from sqlmodel import Field, Session, SQLModel, col

from db.negatives import Negative
from db.organizations import Organization
from db.vetoes import event_of

__all__ = ["Appraisal", "FortressIndex", "Negative", "OrgPowerIndex", "PioneerIndex", "PoolColour"]


class PioneerIndex(SQLModel, table=True):
    """A member's pioneer index of one year. Scores in hundredths of a point."""

    __tablename__ = "pioneer_index"
    member_id: int = Field(foreign_key="member.id", primary_key=True)
    year: int = Field(primary_key=True)
    base: int
    positive: int
    conduct: int
    score: int
    stars: int
    as_of: date  # the day since which these figures stand
    rules: str  # id of the scheme


class FortressIndex(SQLModel, table=True):
    """A branch's fortress index of one year. Scores in hundredths of a point; rank within the field."""

    __tablename__ = "fortress_index"
    __table_args__ = (Index("ix_fortress_index_board", "year", "field", "rank"),)
    organization_id: int = Field(foreign_key="organization.id", primary_key=True)
    year: int = Field(primary_key=True)
    field: str
    common: int
    specific: int
    deductions: int
    base: int
    appraisal: int | None = None
    score: int
    activities: int
    veto: bool = False
    stars: int
    rank: int
    parts: dict[str, int] = Field(
        default_factory=dict, sa_column=Column(JSON, nullable=False)
    )  # aspect -> hundredths
    rank_before: int | None = None  # at the end of the last month
    as_of: date
    rules: str


class OrgPowerIndex(SQLModel, table=True):
    """An organisation's organisational power index of one complete month. Scores in hundredths of a point."""

    __tablename__ = "org_power_index"
    __table_args__ = (Index("ix_org_power_index_board", "month", "field", "rank", "organization_id"),)
    organization_id: int = Field(foreign_key="organization.id", primary_key=True)
    month: str = Field(primary_key=True)  # 2026-03
    field: str
    political_leadership: int
    org_coverage: int
    mass_cohesion: int
    development_service: int
    basic_support: int
    deduction: int
    score: int
    rank: int  # within the field and month: 1, 2, 2, 4
    field_size: int
    unmet: str = ""  # indicators that stand unmet, in the order of the catalogue: "C02;SE03"
    negatives: str = ""  # items of the negative list with cases in the month: "N03;N04"
    as_of: date  # the day since which these figures stand
    rules: str  # id of the scheme


class PoolColour(SQLModel, table=True):
    """A colour that an organisation has in one month: the result, not what became of it."""

    __tablename__ = "pool_colour"
    __table_args__ = (Index("ix_pool_colour_month", "month", "colour"),)
    organization_id: int = Field(foreign_key="organization.id", primary_key=True)
    month: str = Field(primary_key=True)
    colour: str = Field(primary_key=True)  # blue, yellow, red
    owner: str  # party_work_committee, lead_department, district_org_department
    reason: str  # causes joined by ";": indicators, negative items, then bottom_10 or bottom_5
    proof: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    # months, rank and n of each, for the sentence that people read


class Appraisal(SQLModel, table=True):
    """A branch's appraisal of one year, each 0..100 in hundredths; None: not held."""

    organization_id: int = Field(foreign_key="organization.id", primary_key=True)
    year: int = Field(primary_key=True)
    self_score: int | None = None
    members_masses: int | None = None
    superior: int | None = None


def fortress_of(session: Session, organization_id: int, year: int) -> FortressIndex | None:
    """The branch's stored index; None before the first refresh of the year."""
    return session.get(FortressIndex, (organization_id, year))


def top(session: Session, year: int, field: str, most: int = 10) -> Sequence[tuple[int, str, int, int]]:
    """(rank, name, score in hundredths, id) of the best branches of the field that are not vetoed."""
    statement = (
        select(col(FortressIndex.rank), col(Organization.name), col(FortressIndex.score), col(Organization.id))
        .join(Organization, col(Organization.id) == col(FortressIndex.organization_id))
        .where(
            col(FortressIndex.year) == year,
            col(FortressIndex.field) == field,
            col(FortressIndex.veto).is_(False),
            ~event_of(col(FortressIndex.organization_id), year),  # its score stays, but it stands on no board
        )
        .order_by(col(FortressIndex.rank), col(Organization.id))
        .limit(most)
    )
    return [(row[0], row[1], row[2], row[3]) for row in session.execute(statement)]


def field_size(session: Session, year: int, field: str) -> int:
    """How many branches of the field have an index."""
    statement = select(func.count()).where(col(FortressIndex.year) == year, col(FortressIndex.field) == field)
    return int(session.execute(statement).scalar_one())


def field_parts(session: Session, year: int, field: str) -> list[dict[str, int]]:
    """The parts of every branch of the field, in hundredths."""
    statement = select(col(FortressIndex.parts)).where(
        col(FortressIndex.year) == year, col(FortressIndex.field) == field
    )
    return list(session.execute(statement).scalars())


def last_power(session: Session, organization_id: int, month: str) -> OrgPowerIndex | None:
    """The organisation's result of the last month up to `month` (2026-03) that has one."""
    statement = (
        select(OrgPowerIndex)
        .where(col(OrgPowerIndex.organization_id) == organization_id, col(OrgPowerIndex.month) <= month)
        .order_by(col(OrgPowerIndex.month).desc())
        .limit(1)
    )
    return session.execute(statement).scalars().first()
