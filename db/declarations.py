"""Declarations: what a branch says of itself with a proof, and what became of it. One row per thing and period.

    submitted -> approved -> (drawn for a second look) passed | failed
        ^  |
        |  '--> returned -> submitted ...
        '------ lapsed: undecided when the period was locked

Every change before the decision is a new version, kept beside the row. A decision names the version that it is
about, so nobody approves what they have not seen.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col

from db import periods_locked
from db.organizations import Organization

STATES = ("submitted", "returned", "approved", "failed", "lapsed")
OPEN = ("submitted", "returned")
"""States in which nothing is decided for good."""

Refusal = Literal["locked", "decided"]


class Declaration(SQLModel, table=True):
    """One thing that one branch declared for one period, in its latest version."""

    __table_args__ = (
        CheckConstraint("state IN ('submitted','returned','approved','failed','lapsed')", name="state"),
        UniqueConstraint("organization_id", "indicator_id", "period"),
        Index("ix_declaration_closing", "closing", "state", "organization_id"),
        Index("ix_declaration_state", "state", "organization_id"),
        Index("ix_declaration_recheck", "recheck", "closing"),
    )
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    indicator_id: str
    period: str
    closing: str  # the month with which the period ends: 2026-03
    version: int = 1
    value: str
    picture_id: int | None = Field(default=None, foreign_key="picture.id")
    note: str = ""
    state: str = "submitted"  # one of STATES
    declared_by: int = Field(foreign_key="member.id")
    declared_at: datetime
    decided_by: int | None = Field(default=None, foreign_key="member.id")
    decided_at: datetime | None = None
    returned_at: datetime | None = None  # the last time, also when it was handed in again since
    reason: str = ""  # why it was returned
    candidate: bool = False  # stood in the draw of its month
    drawn: bool = False  # and was drawn
    recheck: str = ""  # drawn, late (approved after the draw: always looked at), passed, failed
    rechecked_by: int | None = Field(default=None, foreign_key="member.id")
    rechecked_at: datetime | None = None
    recheck_reason: str = ""


class DeclarationVersion(SQLModel, table=True):
    """What one version said; never changed."""

    __tablename__ = "declaration_version"
    declaration_id: int = Field(foreign_key="declaration.id", primary_key=True)
    version: int = Field(primary_key=True)
    value: str
    picture_id: int | None = Field(default=None, foreign_key="picture.id")
    note: str = ""
    declared_by: int = Field(foreign_key="member.id")
    declared_at: datetime


class DeclarationDraft(SQLModel, table=True):
    """What a secretary is about to declare, one at a time; a new one has a new id, so old buttons are void."""

    __tablename__ = "declaration_draft"
    id: int | None = Field(default=None, primary_key=True)
    member_id: int = Field(foreign_key="member.id", unique=True)
    organization_id: int = Field(foreign_key="organization.id")
    indicator_id: str
    period: str
    value: str
    picture_id: int | None = Field(default=None, foreign_key="picture.id")
    note: str = ""
    changed_at: datetime


def changed(session: Session, statement: Any) -> bool:
    """Whether a conditional update found its row; the session forgets what it had read of it."""
    return bool(session.execute(statement.execution_options(synchronize_session="fetch")).rowcount)  # type: ignore[attr-defined]


def by_id(session: Session, declaration_id: int | None) -> Declaration | None:
    """The declaration as it is now."""
    statement = select(Declaration).where(col(Declaration.id) == declaration_id)
    return session.execute(statement.execution_options(populate_existing=True)).scalar_one_or_none()


def of(session: Session, organization_id: int, indicator_id: str, period: str) -> Declaration | None:
    """What the branch declared about one thing for one period, as it is now."""
    statement = select(Declaration).where(
        col(Declaration.organization_id) == organization_id,
        col(Declaration.indicator_id) == indicator_id,
        col(Declaration.period) == period,
    )
    return session.execute(statement.execution_options(populate_existing=True)).scalar_one_or_none()


def of_branches(
    session: Session, organization_ids: Collection[int], closings: Collection[str]
) -> dict[tuple[int, str, str], Declaration]:
    """What these branches declared for the periods that end with these months, by branch, indicator and period."""
    statement = select(Declaration).where(
        col(Declaration.organization_id).in_(organization_ids), col(Declaration.closing).in_(closings)
    )
    rows = session.execute(statement.execution_options(populate_existing=True)).scalars()
    return {(row.organization_id, row.indicator_id, row.period): row for row in rows}


def new_draft(session: Session, draft: DeclarationDraft) -> int:
    """Begin a draft in the place of the member's former one; its id."""
    session.execute(delete(DeclarationDraft).where(col(DeclarationDraft.member_id) == draft.member_id))
    session.add(draft)
    session.flush()
    assert draft.id is not None
    return draft.id


def draft_of(session: Session, member_id: int, draft_id: int | None) -> DeclarationDraft | None:
    """The member's draft with this id; None when it was handed in, given up or is somebody else's."""
    statement = select(DeclarationDraft).where(
        col(DeclarationDraft.id) == draft_id, col(DeclarationDraft.member_id) == member_id
    )
    return session.execute(statement.execution_options(populate_existing=True)).scalar_one_or_none()


def fill_draft(session: Session, draft: DeclarationDraft, now: datetime, **filled: Any) -> None:
    """Put a picture or a note into the draft."""
    for name, value in filled.items():
        setattr(draft, name, value)
    draft.changed_at = now
    session.add(draft)
    session.flush()


def drop_draft(session: Session, member_id: int, draft_id: int) -> bool:
    """Forget the draft; False when it is gone already."""
    gone = delete(DeclarationDraft).where(
        col(DeclarationDraft.id) == draft_id, col(DeclarationDraft.member_id) == member_id
    )
    return changed(session, gone)


def declare(session: Session, draft: DeclarationDraft, *, closing: str, now: datetime) -> Declaration | Refusal:
    """Hand the draft in, as a first or a new version. Refused when the period is locked or it is decided."""
    if not periods_locked.hold_open(session, draft.period):
        return "locked"
    if not _write(session, draft, closing, now):
        return "decided"
    found = of(session, draft.organization_id, draft.indicator_id, draft.period)
    assert found is not None, "written above"
    assert found.id is not None, "read from the database"
    version = DeclarationVersion(
        declaration_id=found.id,
        version=found.version,
        value=draft.value,
        picture_id=draft.picture_id,
        note=draft.note,
        declared_by=draft.member_id,
        declared_at=now,
    )
    session.add(version)
    session.flush()
    return found


def _write(session: Session, draft: DeclarationDraft, closing: str, now: datetime) -> bool:
    """Write the row, or the next version into it; False when it is decided."""
    key = {
        "organization_id": draft.organization_id,
        "indicator_id": draft.indicator_id,
        "period": draft.period,
    }
    said: dict[str, Any] = {
        "value": draft.value,
        "picture_id": draft.picture_id,
        "note": draft.note,
        "state": "submitted",
    }
    said |= {"declared_by": draft.member_id, "declared_at": now}
    new: dict[str, Any] = {"closing": closing, "version": 1, "reason": "", "candidate": False, "drawn": False}
    new |= {"recheck": "", "recheck_reason": ""}
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    made = session.execute(
        insert(Declaration)
        .values(**key, **new, **said)
        .on_conflict_do_nothing(index_elements=list(key))
        .returning(col(Declaration.id))
    )
    if made.scalar() is not None:
        return True
    again = update(Declaration).filter_by(**key).where(col(Declaration.state).in_(OPEN))
    return changed(session, again.values(version=col(Declaration.version) + 1, **said))


def versions(session: Session, declaration_id: int) -> Sequence[DeclarationVersion]:
    """Every version, the first one first."""
    statement = select(DeclarationVersion).where(col(DeclarationVersion.declaration_id) == declaration_id)
    return session.execute(statement.order_by(col(DeclarationVersion.version))).scalars().all()


def undecided_branches(session: Session, closing: str, most: int) -> Sequence[int]:
    """Branches with something undecided in periods that end with `closing`, at most `most`."""
    statement = (
        select(col(Declaration.organization_id))
        .where(col(Declaration.closing) == closing, col(Declaration.state).in_(OPEN))
        .group_by(col(Declaration.organization_id))
        .order_by(col(Declaration.organization_id))
        .limit(most)
    )
    return session.execute(statement).scalars().all()


def lapse(session: Session, closing: str, organization_id: int) -> Sequence[int]:
    """What the branch has undecided in periods that end with `closing` counts no more; its ids."""
    statement = (
        update(Declaration)
        .where(
            col(Declaration.closing) == closing,
            col(Declaration.organization_id) == organization_id,
            col(Declaration.state).in_(OPEN),
        )
        .values(state="lapsed")
        .returning(col(Declaration.id))
        .execution_options(synchronize_session="fetch")
    )
    return sorted(row for row in session.execute(statement).scalars() if row is not None)


def count_by_branch(
    session: Session, closing: str, states: Collection[str], path: str
) -> dict[int, tuple[str, int]]:
    """Branches under `path` with declarations in these states: id -> (path, how many)."""
    statement = (
        select(col(Organization.id), col(Organization.path), func.count())
        .join(Declaration, col(Declaration.organization_id) == col(Organization.id))
        .where(
            col(Declaration.closing) == closing,
            col(Declaration.state).in_(states),
            col(Organization.path).startswith(path, autoescape=True),
        )
        .group_by(col(Organization.id), col(Organization.path))
        .order_by(col(Organization.id))
    )
    return {row[0]: (row[1], row[2]) for row in session.execute(statement)}
