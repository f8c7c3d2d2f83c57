"""Activities: who holds them, when one can check in, how one joins from afar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, and_, bindparam, false, or_, select, update
from sqlmodel import Field, Session, SQLModel, col

from db.members import Member, Membership
from db.organizations import Organization, RegionOrganization
from db.prepared import Prepared

KINDS = (
    "member_assembly",
    "branch_committee_meeting",
    "party_group_meeting",
    "party_lecture",
    "theme_party_day",
    "org_life_meeting",
    "democratic_review",
    "heart_talk",
    "volunteering",
    "term_election",
)
ONSITE_ONLY = frozenset({"term_election"})
"""Kinds that nobody attends from afar: votes for people are cast by hand, in the room."""
SCOPES = ("branch", "region")


class Activity(SQLModel, table=True):
    """One activity. `scope` is fixed when it is made: it pays own-branch or regional points, never both."""

    __table_args__ = (
        CheckConstraint("scope IN ('branch', 'region')", name="scope"),
        CheckConstraint("ends_at > starts_at", name="window"),
        Index("ix_activity_organization_id", "organization_id", "starts_at"),
        Index("ix_activity_opens", "check_in_opens_at", "check_in_closes_at"),
    )
    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(unique=True)  # what people type or scan, four to six digits
    organization_id: int = Field(foreign_key="organization.id")  # the branch that holds it
    region_id: int | None = Field(default=None, foreign_key="region.id")  # for scope region: who may come
    scope: str  # one of SCOPES
    kinds: str  # identifiers of KINDS joined by semicolons
    title: str
    place: str
    starts_at: datetime
    ends_at: datetime
    check_in_opens_at: datetime
    check_in_closes_at: datetime
    remote_allowed: bool = False
    state: str = "planned"  # planned, held, not_held (too few came), cancelled
    approved: bool = True  # only approved activities count for the indices
    should_attend: int | None = None  # people; None until it is closed
    attended: int | None = None
    minutes: str = ""
    created_by: int | None = Field(default=None, foreign_key="member.id")
    created_at: datetime | None = None


class ActivityDraft(SQLModel, table=True):
    """The activity that a secretary is making in chat, one at a time; gone once it is confirmed or given up."""

    __tablename__ = "activity_draft"
    member_id: int = Field(foreign_key="member.id", primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    kind: str  # one of KINDS
    title: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    place: str = ""
    remote_allowed: bool = False
    scope: str = "branch"
    changed_at: datetime


class RemoteSeat(SQLModel, table=True):
    """A mobile member's personal way into an activity from afar."""

    __tablename__ = "remote_seat"
    __table_args__ = (UniqueConstraint("activity_id", "member_id"),)
    id: int | None = Field(default=None, primary_key=True)
    activity_id: int = Field(foreign_key="activity.id")
    member_id: int = Field(foreign_key="member.id", index=True)
    token: str = Field(unique=True)  # in the personal link
    created_at: datetime
    joined_at: datetime | None = None


class PresencePrompt(SQLModel, table=True):
    """One "are you still here?" at a random moment of a remote activity."""

    __tablename__ = "presence_prompt"
    __table_args__ = (UniqueConstraint("seat_id", "number"), Index("ix_presence_prompt_ask_at", "ask_at"))
    id: int | None = Field(default=None, primary_key=True)
    seat_id: int = Field(foreign_key="remote_seat.id")
    number: int  # 1, 2, ...
    ask_at: datetime
    asked_at: datetime | None = None
    answer_until: datetime
    answered_at: datetime | None = None


class CheckIn(NamedTuple):
    """What a check-in needs to know of an activity."""

    id: int
    code: str
    organization_id: int
    region_id: int | None
    scope: str
    title: str
    place: str
    starts_at: datetime
    check_in_opens_at: datetime
    check_in_closes_at: datetime
    remote_allowed: bool
    state: str


_COLUMNS = [col(getattr(Activity, name)) for name in CheckIn._fields]
_BY_CODE = Prepared(select(*_COLUMNS).where(col(Activity.code) == bindparam("code")))
_BY_ID = Prepared(select(*_COLUMNS).where(col(Activity.id) == bindparam("id")))


def by_code(session: Session, code: str) -> CheckIn | None:
    """The activity with this code."""
    row = _BY_CODE.row(session, code=code)
    return CheckIn(*row) if row else None


def by_id(session: Session, activity_id: int) -> CheckIn | None:
    """The activity with this id."""
    row = _BY_ID.row(session, id=activity_id)
    return CheckIn(*row) if row else None


def invited(session: Session, activity: CheckIn, branch_path: str) -> bool:
    """Whether a member of the branch at `branch_path` may come: own branch, or inside the region."""
    ids = [int(part) for part in branch_path.strip("/").split("/") if part]
    if activity.scope == "branch":
        return activity.organization_id in ids
    statement = select(col(RegionOrganization.region_id)).where(
        col(RegionOrganization.region_id) == activity.region_id, col(RegionOrganization.organization_id).in_(ids)
    )
    return session.execute(statement).first() is not None


def _for_branch(branch_path: str) -> list[int]:
    return [int(part) for part in branch_path.strip("/").split("/") if part]


def open_for(session: Session, branch_path: str, now: datetime) -> Sequence[CheckIn]:
    """Activities that a member of this branch can check in to now, own branch first, then by start."""
    return _listed(
        session,
        branch_path,
        and_(col(Activity.check_in_opens_at) <= now, col(Activity.check_in_closes_at) >= now),
    )


def coming_for(session: Session, branch_path: str, now: datetime, until: datetime) -> Sequence[CheckIn]:
    """Activities for a member of this branch that have not ended and begin before `until`."""
    return _listed(session, branch_path, and_(col(Activity.ends_at) > now, col(Activity.starts_at) < until))


def _listed(session: Session, branch_path: str, when: object) -> Sequence[CheckIn]:
    ids = _for_branch(branch_path)
    regions = select(col(RegionOrganization.region_id)).where(col(RegionOrganization.organization_id).in_(ids))
    statement = (
        select(*_COLUMNS)
        .where(
            when,  # type: ignore[arg-type]
            col(Activity.state) != "cancelled",
            or_(
                and_(col(Activity.scope) == "branch", col(Activity.organization_id).in_(ids)),
                and_(col(Activity.scope) == "region", col(Activity.region_id).in_(regions)),
            ),
        )
        .order_by(col(Activity.scope), col(Activity.starts_at), col(Activity.id))
    )
    return [CheckIn(*row) for row in session.execute(statement)]


def get(session: Session, activity_id: int) -> Activity | None:
    """The whole activity with this id."""
    return session.get(Activity, activity_id)


def holder(session: Session, activity: CheckIn) -> Organization:
    """The organisation that holds the activity."""
    found = session.get(Organization, activity.organization_id)
    assert found is not None
    return found


def to_close(session: Session, now: datetime, most: int = 100) -> Sequence[Activity]:
    """Activities that are over for everybody and not closed yet, the oldest first."""
    statement = (
        select(Activity)
        .where(
            col(Activity.state) == "planned",
            col(Activity.should_attend).is_(None),
            col(Activity.ends_at) < now,
            col(Activity.check_in_closes_at) < now,
        )
        .order_by(col(Activity.ends_at), col(Activity.id))
        .limit(most)
    )
    return session.execute(statement).scalars().all()


def close(session: Session, activity_id: int, *, state: str, should_attend: int, attended: int) -> bool:
    """Note how an activity went; the figures may be noted again. False for one that was cancelled."""
    changed = session.execute(
        update(Activity)
        .where(col(Activity.id) == activity_id, col(Activity.state) != "cancelled")
        .values(state=state, should_attend=should_attend, attended=attended),
        execution_options={"synchronize_session": "fetch"},
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def cancel(session: Session, activity_id: int) -> bool:
    """Call an activity off; False when it is closed or was called off before."""
    changed = session.execute(
        update(Activity)
        .where(col(Activity.id) == activity_id, col(Activity.state) == "planned")
        .values(state="cancelled"),
        execution_options={"synchronize_session": "fetch"},
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def invited_members(session: Session, activity: Activity, day: date) -> Sequence[Member]:
    """Active members who may come, in the order of their ids."""
    if activity.scope == "region":
        ids = select(col(RegionOrganization.organization_id)).where(
            col(RegionOrganization.region_id) == activity.region_id
        )
        inside = select(col(Organization.path)).where(col(Organization.id).in_(ids))
    else:
        inside = select(col(Organization.path)).where(col(Organization.id) == activity.organization_id)
    within = or_(
        *(col(Organization.path).startswith(path, autoescape=True) for path in session.execute(inside).scalars()),
        false(),
    )
    statement = (
        select(Member)
        .join(Membership, col(Membership.member_id) == col(Member.id))
        .join(Organization, col(Organization.id) == col(Membership.organization_id))
        .where(
            within,
            col(Membership.from_day) <= day,
            or_(col(Membership.to_day).is_(None), col(Membership.to_day) > day),
            col(Member.status) == "active",
        )
        .order_by(col(Member.id))
    )
    return session.execute(statement).scalars().all()


class Happened(NamedTuple):
    """An approved activity of the year, as the warnings look at it. should_attend: None until it is closed."""

    organization_id: int
    starts_at: datetime
    scope: str
    kinds: str
    state: str
    should_attend: int | None
    attended: int | None


def happened(
    session: Session, begin: datetime, end: datetime, organization_ids: Sequence[int] | None = None
) -> Sequence[Happened]:
    """Approved activities that begin in [begin, end), held or still planned. None: of every organisation."""
    statement = select(*(col(getattr(Activity, name)) for name in Happened._fields)).where(
        col(Activity.approved).is_(True),
        col(Activity.state) != "cancelled",
        col(Activity.starts_at) >= begin,
        col(Activity.starts_at) < end,
    )
    if organization_ids is not None:
        statement = statement.where(col(Activity.organization_id).in_(organization_ids))
    return [Happened(*row) for row in session.execute(statement)]
