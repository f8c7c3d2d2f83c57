"""A branch's resolutions on how the pioneer index counts for a member: normal, by rate, or not at all.

`Member.mode` is what counts now, and `db.member_modes` keeps since when; this is where it comes from. A resolution
holds from the day on which it was confirmed, for the whole year, until another one ends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, or_, select, text, update
from sqlmodel import Field, Session, SQLModel, col

from db import member_modes
from db.organizations import Organization
from db.wishes import changed


class Resolution(SQLModel, table=True):
    """One resolution about one member. At most one of a member waits."""

    __table_args__ = (
        CheckConstraint("state IN ('draft', 'proposed', 'confirmed', 'refused')", name="state"),
        CheckConstraint("mode IN ('normal', 'rate', 'exempt')", name="mode"),
        Index(
            "uq_resolution_waiting",
            "member_id",
            unique=True,
            sqlite_where=text("state = 'proposed'"),
            postgresql_where=text("state = 'proposed'"),
        ),
        Index("ix_resolution_member_id", "member_id", "decided_at"),
        Index("ix_resolution_state", "state", "organization_id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    member_id: int = Field(foreign_key="member.id")
    organization_id: int = Field(foreign_key="organization.id")  # the branch that resolved it
    mode: str = "normal"  # one of db.members.MODES; normal ends an earlier one
    cause: str = ""  # aged, ill, mobile; empty when it ends an earlier one
    activity_id: int | None = Field(default=None, foreign_key="activity.id")  # the meeting
    resolved_on: date | None = None
    picture_id: int | None = Field(default=None, foreign_key="picture.id")  # of the minutes
    state: str = "draft"
    proposed_by: int = Field(foreign_key="member.id")
    proposed_at: datetime
    decided_by: int | None = Field(default=None, foreign_key="member.id")
    decided_at: datetime | None = None
    note: str = ""  # why it was refused


def draft_of(session: Session, member_id: int) -> Resolution | None:
    """What this secretary is writing."""
    statement = select(Resolution).where(
        col(Resolution.proposed_by) == member_id, col(Resolution.state) == "draft"
    )
    return session.execute(statement.order_by(col(Resolution.id).desc()).limit(1)).scalars().first()


def begin(session: Session, *, member_id: int, organization_id: int, by: int, now: datetime) -> Resolution:
    """A draft about this member; what the secretary had begun before is written over."""
    draft = draft_of(session, by) or Resolution(
        member_id=member_id, organization_id=organization_id, proposed_by=by, proposed_at=now
    )
    draft.member_id, draft.organization_id, draft.mode, draft.cause = member_id, organization_id, "normal", ""
    draft.activity_id, draft.resolved_on, draft.picture_id = None, None, None
    session.add(draft)
    session.flush()
    return draft


def by_id(session: Session, resolution_id: int | None) -> Resolution | None:
    """The resolution as it is now; a draft is nobody's business."""
    statement = (
        select(Resolution)
        .where(col(Resolution.id) == resolution_id, col(Resolution.state) != "draft")
        .execution_options(populate_existing=True)
    )
    return session.execute(statement).scalar_one_or_none()


def propose(session: Session, draft: Resolution, now: datetime) -> bool:
    """Hand the draft in; False when one about the same member waits already, or it was handed in before."""
    waiting = (
        select(col(Resolution.id))
        .where(col(Resolution.member_id) == draft.member_id, col(Resolution.state) == "proposed")
        .exists()
    )
    statement = (
        update(Resolution)
        .where(col(Resolution.id) == draft.id, col(Resolution.state) == "draft", ~waiting)
        .values(state="proposed", proposed_at=now)
    )
    return changed(session, statement)


def confirm(session: Session, one: Resolution, *, by: int, now: datetime) -> bool:
    """Confirm it: the member's mode changes at once. False: decided meanwhile, one's own, or about oneself."""
    if not _decide(session, one, by, state="confirmed", decided_by=by, decided_at=now):
        return False
    member_modes.change(session, one.member_id, one.mode, now)
    return True


def refuse(session: Session, one: Resolution, *, by: int, now: datetime, why: str) -> bool:
    """Refuse it. False: decided meanwhile, one's own, or about oneself."""
    return _decide(session, one, by, state="refused", decided_by=by, decided_at=now, note=why)


def _decide(session: Session, one: Resolution, by: int, **values: object) -> bool:
    statement = update(Resolution).where(
        col(Resolution.id) == one.id,
        col(Resolution.state) == "proposed",
        col(Resolution.proposed_by) != by,
        col(Resolution.member_id) != by,
    )
    return changed(session, statement.values(**values))


def to_confirm(session: Session, paths: Sequence[str], by: int, *, most: int) -> Sequence[Resolution]:
    """What waits in these subtrees for somebody other than `by`, the oldest first."""
    if not paths:
        return ()
    under = or_(*(col(Organization.path).startswith(path, autoescape=True) for path in paths))
    statement = (
        select(Resolution)
        .join(Organization, col(Organization.id) == col(Resolution.organization_id))
        .where(
            col(Resolution.state) == "proposed",
            col(Resolution.proposed_by) != by,
            col(Resolution.member_id) != by,
            under,
        )
        .order_by(col(Resolution.id))
        .limit(most)
    )
    return session.execute(statement).scalars().all()


def history(session: Session, member_id: int, *, most: int = 10) -> Sequence[Resolution]:
    """The member's confirmed resolutions, the newest first."""
    statement = (
        select(Resolution)
        .where(col(Resolution.member_id) == member_id, col(Resolution.state) == "confirmed")
        .order_by(col(Resolution.decided_at).desc(), col(Resolution.id).desc())
        .limit(most)
    )
    return session.execute(statement).scalars().all()
