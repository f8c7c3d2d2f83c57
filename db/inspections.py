"""Inspections of branches: the draft in the chat, what was found, the appeal against it, and its posting."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, and_, delete, or_, select, update
from sqlmodel import Field, Session, SQLModel, col

from db.organizations import Organization

STATES = (
    "noticed",  # a finding; the branch may appeal until `appeal_until`, then it may be posted
    "appealed",
    "upheld",  # the appeal was rejected
    "clear",  # nothing was found: there is nothing to appeal against
    "posted",
    "dropped",  # by the appeal, or by the reviewer who was to post it
    "corrected",  # was posted by mistake, and taken back
)

NEAR_DEGREES = 0.05  # about five kilometres
NEAR_ROWS = 500


class InspectionDraft(SQLModel, table=True):
    """What one inspector is writing down, step by step."""

    __tablename__ = "inspection_draft"
    member_id: int = Field(foreign_key="member.id", primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    item_id: str = ""
    value: str = ""
    finding: bool = False
    picture_id: int | None = Field(default=None, foreign_key="picture.id")
    place: str = ""
    latitude: float | None = None
    longitude: float | None = None
    note: str = ""
    visit: str = ""
    changed_at: datetime


class Inspection(SQLModel, table=True):
    """One thing that an inspector looked at in one branch on one day."""

    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="state"),
        CheckConstraint("visit IN ('open', 'covert')", name="visit"),
        Index("ix_inspection_state", "state", "appeal_until"),
        Index("ix_inspection_organization_id", "organization_id", "day"),
        Index("ix_inspection_inspector_id", "inspector_id", "id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    inspector_id: int = Field(foreign_key="member.id")
    item_id: str  # an indicator or an item of the negative list
    value: str  # an indicator's value as text; the number of cases of a negative item
    finding: bool  # something is not in order
    visit: str  # open: the branch knows who came; covert: it does not
    picture_id: int | None = Field(default=None, foreign_key="picture.id")
    place: str
    latitude: float | None = None
    longitude: float | None = None
    note: str = ""
    day: date  # on the city's calendar
    made_at: datetime
    state: str
    appeal_until: datetime | None = None  # the first instant at which it is too late; None: nothing to appeal
    ready_told: bool = False  # whoever posts has been told that it can be posted
    posted_by: int | None = Field(default=None, foreign_key="member.id")
    posted_at: datetime | None = None
    posted_to: str = ""  # the period of the value, or the day of the negative line
    ended_by: int | None = Field(default=None, foreign_key="member.id")  # who dropped or corrected it
    ended_at: datetime | None = None
    ended_reason: str = ""


class InspectionAppeal(SQLModel, table=True):
    """The branch's one appeal against a finding."""

    __tablename__ = "inspection_appeal"
    inspection_id: int = Field(foreign_key="inspection.id", primary_key=True)
    member_id: int = Field(foreign_key="member.id")
    reason: str
    picture_id: int | None = Field(default=None, foreign_key="picture.id")
    made_at: datetime
    decided_by: int | None = Field(default=None, foreign_key="member.id")
    decided_at: datetime | None = None
    upheld: bool | None = None  # whether the finding stays; None: not decided
    decision: str = ""  # the reason


def changed(session: Session, statement: Any) -> bool:
    """Whether a conditional update found its row; the session forgets what it had read of it."""
    return bool(session.execute(statement.execution_options(synchronize_session="fetch")).rowcount)  # type: ignore[attr-defined]


# The draft


def draft_of(session: Session, member_id: int) -> InspectionDraft | None:
    """What this inspector is writing down."""
    return session.get(InspectionDraft, member_id)


def begin(session: Session, *, member_id: int, organization_id: int, now: datetime) -> None:
    """A fresh draft about the branch; an older one is dropped."""
    drop_draft(session, member_id)
    session.add(InspectionDraft(member_id=member_id, organization_id=organization_id, changed_at=now))
    session.flush()


def change(session: Session, draft: InspectionDraft, now: datetime, **values: Any) -> None:
    """Fill in what was said."""
    for name, value in {**values, "changed_at": now}.items():
        setattr(draft, name, value)
    session.add(draft)
    session.flush()


def drop_draft(session: Session, member_id: int) -> bool:
    """Forget what this inspector was writing down; False when there was nothing: then another one has taken it."""
    return changed(session, delete(InspectionDraft).where(col(InspectionDraft.member_id) == member_id))


# What was found


def add(session: Session, inspection: Inspection) -> int:
    """Store a new inspection; its id."""
    session.add(inspection)
    session.flush()
    assert inspection.id is not None
    return inspection.id


def by_id(session: Session, inspection_id: int | None) -> Inspection | None:
    """The inspection as it is now."""
    statement = select(Inspection).where(col(Inspection.id) == inspection_id)
    return session.execute(statement.execution_options(populate_existing=True)).scalar_one_or_none()


def of_inspector(session: Session, inspector_id: int, most: int) -> Sequence[Inspection]:
    """The inspector's own inspections, the newest first."""
    statement = select(Inspection).where(col(Inspection.inspector_id) == inspector_id)
    return session.execute(statement.order_by(col(Inspection.id).desc()).limit(most)).scalars().all()


def near(
    session: Session, paths: Sequence[str], day: date, point: tuple[float, float], most: int
) -> Sequence[Organization]:
    """Branches of these subtrees, alive on `day`, that were inspected within some kilometres of the point before.

    The nearest first. A branch that was never inspected with a location is not known to be anywhere.
    """
    if not paths:
        return ()
    latitude, longitude = point
    statement = (
        select(Organization, col(Inspection.latitude), col(Inspection.longitude))
        .join(Inspection, col(Inspection.organization_id) == col(Organization.id))
        .where(
            or_(*(col(Organization.path).startswith(path, autoescape=True) for path in paths)),
            or_(col(Organization.closed_on).is_(None), col(Organization.closed_on) > day),
            col(Inspection.latitude).between(latitude - NEAR_DEGREES, latitude + NEAR_DEGREES),
            col(Inspection.longitude).between(longitude - NEAR_DEGREES, longitude + NEAR_DEGREES),
        )
        .order_by(col(Inspection.id).desc())
        .limit(NEAR_ROWS)
    )
    rows = sorted(
        session.execute(statement).all(), key=lambda row: (row[1] - latitude) ** 2 + (row[2] - longitude) ** 2
    )
    return list({branch.id: branch for branch, _, _ in rows}.values())[:most]


def appeal_of(session: Session, inspection_id: int) -> InspectionAppeal | None:
    """The appeal against the finding; None when there is none."""
    statement = select(InspectionAppeal).where(col(InspectionAppeal.inspection_id) == inspection_id)
    return session.execute(statement.execution_options(populate_existing=True)).scalar_one_or_none()


def appeal(
    session: Session, inspection_id: int, *, member_id: int, reason: str, picture_id: int | None, now: datetime
) -> bool:
    """Appeal within the window; False when it is over, or there was an appeal, a posting or a drop before."""
    open_window = update(Inspection).where(
        col(Inspection.id) == inspection_id,
        col(Inspection.state) == "noticed",
        col(Inspection.appeal_until) > now,
    )
    if not changed(session, open_window.values(state="appealed")):
        return False
    session.add(
        InspectionAppeal(
            inspection_id=inspection_id, member_id=member_id, reason=reason, picture_id=picture_id, made_at=now
        )
    )
    session.flush()
    return True


def decide(
    session: Session, inspection_id: int, *, upheld: bool, member_id: int, decision: str, now: datetime
) -> bool:
    """Decide an appeal: the finding stays (upheld) or is dropped; False when somebody has decided before."""
    waiting = update(Inspection).where(col(Inspection.id) == inspection_id, col(Inspection.state) == "appealed")
    values: dict[str, Any] = {"state": "upheld"}
    if not upheld:
        values = {"state": "dropped", "ended_by": member_id, "ended_at": now, "ended_reason": decision}
    if not changed(session, waiting.values(**values)):
        return False
    deciding = update(InspectionAppeal).where(col(InspectionAppeal.inspection_id) == inspection_id)
    return changed(
        session, deciding.values(decided_by=member_id, decided_at=now, upheld=upheld, decision=decision)
    )


# Posting


def _ready(now: datetime) -> Any:
    """Nothing can be said against it any more, or nobody could."""
    return or_(
        col(Inspection.state).in_(("upheld", "clear")),
        and_(col(Inspection.state) == "noticed", col(Inspection.appeal_until) <= now),
    )


def is_ready(inspection: Inspection, now: datetime) -> bool:
    """Whether it may be posted at `now`."""
    over = inspection.appeal_until is not None and inspection.appeal_until <= now
    return inspection.state in ("upheld", "clear") or (inspection.state == "noticed" and over)


def mark_posted(session: Session, inspection_id: int, *, member_id: int, now: datetime, posted_to: str) -> bool:
    """Take the inspection for posting; False when it is not ready, or somebody was first."""
    ready = update(Inspection).where(
        col(Inspection.id) == inspection_id, _ready(now), col(Inspection.inspector_id) != member_id
    )
    return changed(session, ready.values(state="posted", posted_by=member_id, posted_at=now, posted_to=posted_to))


def refuse(session: Session, inspection_id: int, *, member_id: int, now: datetime, reason: str) -> bool:
    """Drop what was ready to be posted; False when it is not ready any more."""
    ready = update(Inspection).where(
        col(Inspection.id) == inspection_id, _ready(now), col(Inspection.inspector_id) != member_id
    )
    return changed(session, ready.values(state="dropped", ended_by=member_id, ended_at=now, ended_reason=reason))


def mark_corrected(session: Session, inspection_id: int, *, member_id: int, now: datetime, reason: str) -> bool:
    """Note that a posting was taken back; False when it is not posted (any more)."""
    posted = update(Inspection).where(col(Inspection.id) == inspection_id, col(Inspection.state) == "posted")
    return changed(
        session, posted.values(state="corrected", ended_by=member_id, ended_at=now, ended_reason=reason)
    )


def tell_once(session: Session, inspection_id: int) -> bool:
    """Note that it is told now that this can be posted; False when it was told before."""
    untold = update(Inspection).where(col(Inspection.id) == inspection_id, col(Inspection.ready_told).is_(False))
    return changed(session, untold.values(ready_told=True))


def untold(session: Session, now: datetime, most: int) -> Sequence[Inspection]:
    """Inspections that can be posted and of which nobody was told, the oldest first."""
    statement = select(Inspection).where(_ready(now), col(Inspection.ready_told).is_(False))
    return session.execute(statement.order_by(col(Inspection.id)).limit(most)).scalars().all()


# Lists of those who decide

Row = tuple[Inspection, Organization]


def listed(session: Session, paths: Sequence[str], kind: str, now: datetime, most: int) -> Sequence[Row]:
    """Inspections of these subtrees with their branches, the oldest first.

    kind: `appealed` (to be decided), `ready` (to be posted) or `posted` (the latest first).
    """
    if not paths:
        return ()
    condition = _ready(now) if kind == "ready" else col(Inspection.state) == kind
    order = col(Inspection.posted_at).desc() if kind == "posted" else col(Inspection.id)
    statement = (
        select(Inspection, Organization)
        .join(Organization, col(Organization.id) == col(Inspection.organization_id))
        .where(condition, or_(*(col(Organization.path).startswith(path, autoescape=True) for path in paths)))
        .order_by(order, col(Inspection.id).desc())
        .limit(most)
    )
    return [(row[0], row[1]) for row in session.execute(statement)]
