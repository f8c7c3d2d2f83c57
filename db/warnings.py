"""Warnings: raised with a proof, owned by a role, acknowledged, cleared and told."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, and_, case, func, or_, select, update
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
    kind: str  # pool_blue, pool_yellow, pool_red, veto_forecast, overdue_assembly, overdue_theme_day, ...
    period: str  # 2026, 2026-03, 2026Q1
    owner_role: str  # who has to act, on the organisation or above it
    # open, acknowledged, cleared (the trouble is gone), ended (its period is over), corrected (taken back)
    state: str = "open"
    proof: str  # the figures as data, JSON: shown in words by the conversation
    raised_at: datetime
    reminded_at: datetime | None = None
    escalated_at: datetime | None = None  # when the role above was told, too
    acknowledged_by: int | None = Field(default=None, foreign_key="member.id")
    acknowledged_at: datetime | None = None
    cleared_at: datetime | None = None


LIVE = ("open", "acknowledged")
POOL = ("pool_red", "pool_yellow", "pool_blue")
"""Kinds of the three-colour pool, the most severe first."""
OTHER = "other"
"""Word for every kind that is no colour, where warnings are chosen by kind."""


def get(session: Session, warning_id: int) -> BranchWarning | None:
    """The warning with this id."""
    return session.get(BranchWarning, warning_id)


def live(
    session: Session, organization_ids: Collection[int] | None = None, *, kind: str | None = None
) -> Sequence[BranchWarning]:
    """Warnings that are open or acknowledged: red, yellow, blue, then the others, each the oldest first.

    organization_ids None: of every organisation. kind: one kind, OTHER for all that are no colour, None for all.
    """
    statement = select(BranchWarning).where(col(BranchWarning.state).in_(LIVE), *_of_kind(kind))
    if organization_ids is not None:
        statement = statement.where(col(BranchWarning.organization_id).in_(organization_ids))
    ordered = statement.order_by(_severity(), col(BranchWarning.raised_at), col(BranchWarning.id))
    return session.execute(ordered).scalars().all()


def _severity() -> Any:
    """0 for red, 1 for yellow, 2 for blue, 3 for every other kind."""
    return case(*((col(BranchWarning.kind) == kind, place) for place, kind in enumerate(POOL)), else_=len(POOL))


def _of_kind(kind: str | None) -> list[Any]:
    if kind is None:
        return []
    return [col(BranchWarning.kind).not_in(POOL) if kind == OTHER else col(BranchWarning.kind) == kind]


def _inside(path: str) -> Any:
    return col(Organization.path).startswith(path, autoescape=True)


def under(
    session: Session, path: str, most: int, *, kind: str | None = None, skip: int = 0, first: Collection[str] = ()
) -> Sequence[tuple[BranchWarning, Organization]]:
    """Live warnings in the subtree with their branches: unacknowledged first, then the most severe, the oldest.

    first: roles whose open warnings come before all others.
    """
    waiting = and_(col(BranchWarning.state) == "open", col(BranchWarning.owner_role).in_(first))
    statement = (
        select(BranchWarning, Organization)
        .join(Organization, col(Organization.id) == col(BranchWarning.organization_id))
        .where(_inside(path), col(BranchWarning.state).in_(LIVE), *_of_kind(kind))
        .order_by(
            case((waiting, 0), else_=1),
            col(BranchWarning.state).desc(),
            _severity(),
            col(BranchWarning.raised_at),
            col(BranchWarning.id),
        )  # "open" comes after "acknowledged" in the alphabet
        .offset(skip)
        .limit(most)
    )
    return [(row[0], row[1]) for row in session.execute(statement)]


def past_under(
    session: Session, path: str, most: int, skip: int = 0
) -> Sequence[tuple[BranchWarning, Organization]]:
    """Warnings of the subtree that are over, the latest first."""
    ended = func.coalesce(col(BranchWarning.cleared_at), col(BranchWarning.raised_at))
    statement = (
        select(BranchWarning, Organization)
        .join(Organization, col(Organization.id) == col(BranchWarning.organization_id))
        .where(_inside(path), col(BranchWarning.state).not_in(LIVE))
        .order_by(ended.desc(), col(BranchWarning.id).desc())
        .offset(skip)
        .limit(most)
    )
    return [(row[0], row[1]) for row in session.execute(statement)]


def counts_under(session: Session, path: str, *, states: Collection[str] = LIVE) -> dict[str, int]:
    """How many warnings of each kind the subtree has; those that are no colour together as OTHER."""
    kind = case((col(BranchWarning.kind).in_(POOL), col(BranchWarning.kind)), else_=OTHER).label("kind")
    statement = (
        select(kind, func.count())
        .select_from(BranchWarning)
        .join(Organization, col(Organization.id) == col(BranchWarning.organization_id))
        .where(_inside(path), col(BranchWarning.state).in_(states))
        .group_by(kind)
    )
    return {row[0]: row[1] for row in session.execute(statement)}


def count_open(session: Session, path: str, owner_role: str, kind: str | None = None) -> int:
    """How many open pool warnings a role has to acknowledge in the subtree."""
    statement = (
        select(func.count())
        .select_from(BranchWarning)
        .join(Organization, col(Organization.id) == col(BranchWarning.organization_id))
        .where(
            _inside(path),
            col(BranchWarning.state) == "open",
            col(BranchWarning.owner_role) == owner_role,
            col(BranchWarning.kind).in_(POOL),
            *_of_kind(kind),
        )
    )
    return int(session.execute(statement).scalar_one())


def of_pool(
    session: Session, organization_ids: Collection[int], periods: Collection[str]
) -> Sequence[BranchWarning]:
    """Colours of these organisations in these months, whatever their state, and those that are live in any."""
    statement = select(BranchWarning).where(
        col(BranchWarning.organization_id).in_(organization_ids),
        col(BranchWarning.kind).in_(POOL),
        or_(col(BranchWarning.period).in_(periods), col(BranchWarning.state).in_(LIVE)),
    )
    return session.execute(statement.order_by(col(BranchWarning.id))).scalars().all()


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
