"""Warnings: raised with a proof, owned by a role, acknowledged, cleared and told."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlalchemy import Index, UniqueConstraint, func, or_, select, update
from sqlmodel import Field, Session, SQLModel, col

from db.members import Member, Membership
from db.organizations import Organization


class BranchWarning(SQLModel, table=True):
    """One warning about one organisation. The same trouble in the same period is one row."""

    __tablename__ = "warning"
    __table_args__ = (
        UniqueConstraint("organization_id", "kind", "period"),
        Index("ix_warning_state", "state", "kind"),
    )
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    kind: str  # veto_forecast, overdue_assembly, overdue_theme_day, ...
    period: str  # 2026, 2026-03, 2026Q1
    owner_role: str  # who has to act, on the organisation or above it
    state: str = "open"  # open, acknowledged, cleared (the trouble is gone), ended (its period is over)
    proof: str  # the figures as data, JSON: shown in words by the conversation
    raised_at: datetime
    reminded_at: datetime | None = None
    escalated_at: datetime | None = None  # when the committee's reviewer was told, too
    acknowledged_by: int | None = Field(default=None, foreign_key="member.id")
    acknowledged_at: datetime | None = None
    cleared_at: datetime | None = None


LIVE = ("open", "acknowledged")


def get(session: Session, warning_id: int) -> BranchWarning | None:
    """The warning with this id."""
    return session.get(BranchWarning, warning_id)


def live(session: Session, organization_ids: Collection[int] | None = None) -> Sequence[BranchWarning]:
    """Warnings that are open or acknowledged, the oldest first. None: of every organisation."""
    statement = select(BranchWarning).where(col(BranchWarning.state).in_(LIVE))
    if organization_ids is not None:
        statement = statement.where(col(BranchWarning.organization_id).in_(organization_ids))
    ordered = statement.order_by(col(BranchWarning.raised_at), col(BranchWarning.id))
    return session.execute(ordered).scalars().all()


def under(session: Session, path: str, most: int) -> Sequence[tuple[BranchWarning, Organization]]:
    """Live warnings in the subtree at `path` with their branches: unacknowledged first, then the oldest."""
    statement = (
        select(BranchWarning, Organization)
        .join(Organization, col(Organization.id) == col(BranchWarning.organization_id))
        .where(col(Organization.path).startswith(path, autoescape=True), col(BranchWarning.state).in_(LIVE))
        .order_by(
            col(BranchWarning.state).desc(), col(BranchWarning.raised_at), col(BranchWarning.id)
        )  # "open" comes after "acknowledged" in the alphabet
        .limit(most)
    )
    return [(row[0], row[1]) for row in session.execute(statement)]


def count_under(session: Session, path: str) -> int:
    """How many live warnings there are in the subtree at `path`."""
    statement = (
        select(func.count())
        .select_from(BranchWarning)
        .join(Organization, col(Organization.id) == col(BranchWarning.organization_id))
        .where(col(Organization.path).startswith(path, autoescape=True), col(BranchWarning.state).in_(LIVE))
    )
    return int(session.execute(statement).scalar_one())


def found(session: Session, organization_id: int, kind: str, period: str) -> BranchWarning | None:
    """The one warning about this trouble in this period, whatever its state."""
    statement = select(BranchWarning).where(
        col(BranchWarning.organization_id) == organization_id,
        col(BranchWarning.kind) == kind,
        col(BranchWarning.period) == period,
    )
    return session.execute(statement).scalar_one_or_none()


def acknowledge(session: Session, warning_id: int, member_id: int, at: datetime) -> bool:
    """Note who has seen an open warning; False when it is not open any more."""
    changed = session.execute(
        update(BranchWarning)
        .where(col(BranchWarning.id) == warning_id, col(BranchWarning.state) == "open")
        .values(state="acknowledged", acknowledged_by=member_id, acknowledged_at=at),
        execution_options={"synchronize_session": "fetch"},
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def full_members(session: Session, day: date, organization_ids: Collection[int] | None = None) -> dict[int, int]:
    """How many active members with a vote each branch has on `day`; branches without any are missing."""
    statement = (
        select(col(Membership.organization_id), func.count())
        .join(Member, col(Member.id) == col(Membership.member_id))
        .where(
            col(Membership.from_day) <= day,
            or_(col(Membership.to_day).is_(None), col(Membership.to_day) > day),
            col(Member.status) == "active",
            col(Member.probationary).is_(False),
        )
        .group_by(col(Membership.organization_id))
    )
    if organization_ids is not None:
        statement = statement.where(col(Membership.organization_id).in_(organization_ids))
    return {row[0]: row[1] for row in session.execute(statement)}
