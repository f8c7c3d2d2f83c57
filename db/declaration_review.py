"""The committee's look at declarations: what waits, who has seen which version, approved or returned once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Update, func, or_, select, update
from sqlmodel import Field, Session, SQLModel, col

from db import periods_locked, spot_checks
from db.declarations import Declaration, by_id, changed
from db.organizations import Organization


class DeclarationSeen(SQLModel, table=True):
    """The version that a reviewer has had on the screen; only what was seen can be approved together."""

    __tablename__ = "declaration_seen"
    declaration_id: int = Field(foreign_key="declaration.id", primary_key=True)
    member_id: int = Field(foreign_key="member.id", primary_key=True)
    version: int


class WaitingBranch(NamedTuple):
    """A branch with declarations that this reviewer may decide."""

    id: int
    name: str
    waiting: int


def waiting_branches(
    session: Session, paths: Sequence[str], reviewer_id: int, *, skip: int, most: int
) -> Sequence[WaitingBranch]:
    """Branches under `paths` with something to review, those that wait longest first."""
    if not paths:
        return ()
    statement = (
        select(col(Organization.id), col(Organization.name), func.count())
        .join(Declaration, col(Declaration.organization_id) == col(Organization.id))
        .where(
            col(Declaration.state) == "submitted",
            col(Declaration.declared_by) != reviewer_id,
            or_(*(col(Organization.path).startswith(path, autoescape=True) for path in paths)),
        )
        .group_by(col(Organization.id), col(Organization.name))
        .order_by(func.min(col(Declaration.closing)), col(Organization.id))
        .offset(skip)
        .limit(most)
    )
    return [WaitingBranch(*row) for row in session.execute(statement)]


def waiting(session: Session, organization_id: int, *, skip: int = 0, most: int = 1000) -> Sequence[Declaration]:
    """What the branch handed in and nobody has decided, in the order in which it came."""
    statement = (
        select(Declaration)
        .where(col(Declaration.organization_id) == organization_id, col(Declaration.state) == "submitted")
        .order_by(col(Declaration.id))
        .offset(skip)
        .limit(most)
        .execution_options(populate_existing=True)
    )
    return session.execute(statement).scalars().all()


def seen(session: Session, declaration: Declaration, member_id: int) -> None:
    """Note that the reviewer has this version on the screen."""
    assert declaration.id is not None
    row = session.get(DeclarationSeen, (declaration.id, member_id))
    if row is None:
        session.add(
            DeclarationSeen(declaration_id=declaration.id, member_id=member_id, version=declaration.version)
        )
    else:
        row.version = declaration.version
    session.flush()


def seen_waiting(session: Session, organization_id: int, member_id: int) -> Sequence[Declaration]:
    """What waits of the branch, in the version that this reviewer has seen, but nothing of the reviewer's own."""
    statement = (
        select(Declaration)
        .join(DeclarationSeen, col(DeclarationSeen.declaration_id) == col(Declaration.id))
        .where(
            col(Declaration.organization_id) == organization_id,
            col(Declaration.state) == "submitted",
            col(Declaration.declared_by) != member_id,
            col(DeclarationSeen.member_id) == member_id,
            col(DeclarationSeen.version) == col(Declaration.version),
        )
        .order_by(col(Declaration.id))
        .execution_options(populate_existing=True)
    )
    return session.execute(statement).scalars().all()


def approve(session: Session, declaration_id: int, version: int, reviewer_id: int, now: datetime) -> bool:
    """Approve this version; False when it is decided, changed, the reviewer's own, or its period is locked.

    After the draw of its month it is marked `late`: waiting for the lot to pass spares nobody the second look.
    """
    found = by_id(session, declaration_id)
    if found is None or not periods_locked.hold_open(session, found.period):
        return False
    late = spot_checks.hold_drawn(session, found.closing)
    done = _waiting(declaration_id, version, reviewer_id).values(
        state="approved", decided_by=reviewer_id, decided_at=now, reason="", recheck="late" if late else ""
    )
    return changed(session, done)


def give_back(
    session: Session, declaration_id: int, version: int, reviewer_id: int, now: datetime, reason: str
) -> bool:
    """Return this version with the reason; False as in `approve`."""
    found = by_id(session, declaration_id)
    if found is None or not periods_locked.hold_open(session, found.period):
        return False
    done = _waiting(declaration_id, version, reviewer_id).values(
        state="returned", decided_by=reviewer_id, decided_at=now, returned_at=now, reason=reason
    )
    return changed(session, done)


def _waiting(declaration_id: int, version: int, reviewer_id: int) -> Update:
    return update(Declaration).where(
        col(Declaration.id) == declaration_id,
        col(Declaration.version) == version,
        col(Declaration.state) == "submitted",
        col(Declaration.declared_by) != reviewer_id,
    )
