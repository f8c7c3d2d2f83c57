"""Activities: who holds them, when one can check in, how one joins from afar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, and_, bindparam, or_, select
from sqlmodel import Field, Session, SQLModel, col

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
)
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
    state: str = "planned"  # planned, held, cancelled
    approved: bool = True  # only approved activities count for the indices
    should_attend: int | None = None  # people; None until it is closed
    attended: int | None = None
    minutes: str = ""
    created_by: int | None = Field(default=None, foreign_key="member.id")
    created_at: datetime | None = None


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
_BY_CODE = Prepared(select(*_COLUMNS).where(Activity.code == bindparam("code")))
_BY_ID = Prepared(select(*_COLUMNS).where(Activity.id == bindparam("id")))


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
    statement = select(RegionOrganization.region_id).where(
        RegionOrganization.region_id == activity.region_id, col(RegionOrganization.organization_id).in_(ids)
    )
    return session.execute(statement).first() is not None


def _for_branch(branch_path: str) -> list[int]:
    return [int(part) for part in branch_path.strip("/").split("/") if part]


def open_for(session: Session, branch_path: str, now: datetime) -> Sequence[CheckIn]:
    """Activities that a member of this branch can check in to now, own branch first, then by start."""
    return _listed(
        session,
        branch_path,
        and_(Activity.check_in_opens_at <= now, Activity.check_in_closes_at >= now),
    )


def coming_for(session: Session, branch_path: str, now: datetime, until: datetime) -> Sequence[CheckIn]:
    """Activities for a member of this branch that have not ended and begin before `until`."""
    return _listed(session, branch_path, and_(Activity.ends_at > now, Activity.starts_at < until))


def _listed(session: Session, branch_path: str, when: object) -> Sequence[CheckIn]:
    ids = _for_branch(branch_path)
    regions = select(RegionOrganization.region_id).where(col(RegionOrganization.organization_id).in_(ids))
    statement = (
        select(*_COLUMNS)
        .where(
            when,  # type: ignore[arg-type]
            Activity.state != "cancelled",
            or_(
                and_(Activity.scope == "branch", col(Activity.organization_id).in_(ids)),
                and_(Activity.scope == "region", col(Activity.region_id).in_(regions)),
            ),
        )
        .order_by(col(Activity.scope), col(Activity.starts_at), col(Activity.id))
    )
    return [CheckIn(*row) for row in session.execute(statement)]


def holder(session: Session, activity: CheckIn) -> Organization:
    """The organisation that holds the activity."""
    found = session.get(Organization, activity.organization_id)
    assert found is not None
    return found
