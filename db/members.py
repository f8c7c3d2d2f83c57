"""Members, their memberships in branches, and the roles they hold for a term."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, bindparam, extract, or_, select, text
from sqlmodel import Field, Session, SQLModel, col

from db.organizations import Organization
from db.prepared import Prepared

ROLES = (
    "secretary",
    "committee_reviewer",
    "department",
    "reward_keeper",
    "operator",
    "district_org_department",
    "inspector",
)
"""Stored identifiers of roles on a node of the tree. A role reaches the whole subtree of its node.

`department` is a lead unit (牵头监测单位); `district_org_department` is the 区委组织部.
"""

MODES = ("normal", "rate", "exempt")
STATUSES = ("active", "left", "transferred", "deceased", "lost_contact")


class Member(SQLModel, table=True):
    """A Party member. The name stays here; channels abroad get none of it."""

    __table_args__ = (
        # The few to whom nobody writes any more are looked for every half a minute.
        Index(
            "ix_member_gone",
            "id",
            sqlite_where=text("status != 'active'"),
            postgresql_where=text("status != 'active'"),
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(unique=True)  # the roll's own number; imports find the member by it
    name: str
    status: str = "active"  # one of STATUSES; only active members are written to
    mobile: bool = False  # lives in another city
    city: str = ""  # where a mobile member lives
    mode: str = "normal"  # one of MODES: how the pioneer index counts; a branch resolution decides
    probationary: bool = False
    admitted_on: date | None = None  # the political birthday
    phone: str | None = None
    share_name: bool = False  # consent to stand by name on boards of persons
    quiet_from_minute: int | None = None  # own quiet hours, minutes after local midnight; None: the city's
    quiet_to_minute: int | None = None
    letters_paused_until: date | None = None  # first day on which letters come again
    preferred_channel: str | None = None
    timezone: str | None = None  # None: the city's
    created_at: datetime | None = None


class Membership(SQLModel, table=True):
    """Belonging to one branch in [from_day, to_day). No gap, no overlap."""

    __table_args__ = (
        CheckConstraint("to_day IS NULL OR to_day > from_day", name="half_open"),
        # Only one membership of a member is open, whatever runs at once.
        Index(
            "uq_membership_open",
            "member_id",
            unique=True,
            sqlite_where=text("to_day IS NULL"),
            postgresql_where=text("to_day IS NULL"),
        ),
        Index("ix_membership_organization_id", "organization_id", "to_day"),
        Index("ix_membership_member_id", "member_id", "from_day"),
    )
    id: int | None = Field(default=None, primary_key=True)
    member_id: int = Field(foreign_key="member.id")
    organization_id: int = Field(foreign_key="organization.id")
    from_day: date
    to_day: date | None = None  # None: still belongs
    recorded_at: datetime | None = None  # when it was written down; None: before this was kept
    ended_at: datetime | None = None  # when its end was written down; None: with it, or before this was kept


class Role(SQLModel, table=True):
    """A duty on a node of the tree for [from_day, to_day)."""

    __table_args__ = (
        Index("ix_role_member_id", "member_id"),
        Index("ix_role_organization_id", "organization_id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    member_id: int = Field(foreign_key="member.id")
    organization_id: int = Field(foreign_key="organization.id")
    role: str  # one of ROLES
    from_day: date
    to_day: date | None = None


def get(session: Session, member_id: int) -> Member:
    """The member. Raises LookupError when there is none."""
    found = session.get(Member, member_id)
    if found is None:
        raise LookupError(f"member {member_id}")
    return found


def branch_of(session: Session, member_id: int, day: date) -> Organization | None:
    """The branch that the member belongs to on `day`; None on a day without membership."""
    statement = (
        select(Organization)
        .join(Membership, col(Membership.organization_id) == col(Organization.id))
        .where(
            col(Membership.member_id) == member_id,
            col(Membership.from_day) <= day,
            or_(col(Membership.to_day).is_(None), col(Membership.to_day) > day),
        )
    )
    return session.execute(statement).scalars().first()


def roles_of(session: Session, member_id: int, day: date) -> Sequence[tuple[str, Organization]]:
    """The roles in force on `day`, each with its node."""
    statement = (
        select(col(Role.role), Organization)
        .join(Organization, col(Organization.id) == col(Role.organization_id))
        .where(
            col(Role.member_id) == member_id,
            col(Role.from_day) <= day,
            or_(col(Role.to_day).is_(None), col(Role.to_day) > day),
        )
        .order_by(col(Role.id))
    )
    return [(role, node) for role, node in session.execute(statement)]


def holders(session: Session, organization: Organization, role: str, day: date) -> Sequence[Member]:
    """Active members who hold `role` on the organisation or on the nearest node above it that has any holder."""
    ids = [int(part) for part in organization.path.strip("/").split("/")]
    statement = (
        select(Member, col(Organization.path))
        .join(Role, col(Role.member_id) == col(Member.id))
        .join(Organization, col(Organization.id) == col(Role.organization_id))
        .where(
            col(Role.organization_id).in_(ids),
            col(Role.role) == role,
            col(Role.from_day) <= day,
            or_(col(Role.to_day).is_(None), col(Role.to_day) > day),
            col(Member.status) == "active",
        )
    )
    rows = session.execute(statement).all()
    nearest = max((len(path) for _, path in rows), default=0)
    return [member for member, path in rows if len(path) == nearest]


def secretary_name(session: Session, organization: Organization, day: date) -> str:
    """Name of the branch's own secretary, or an empty text when the post is vacant."""
    found = holders(session, organization, "secretary", day)
    return found[0].name if found else ""


def has_role(session: Session, member_id: int, role: str, organization: Organization, day: date) -> bool:
    """Whether the member holds `role` on the organisation or on a node above it."""
    return any(
        held == role and organization.path.startswith(node.path)
        for held, node in roles_of(session, member_id, day)
    )


def members_of(session: Session, organization_id: int, day: date) -> Sequence[Member]:
    """Active members who belong to the branch on `day`, in the order of their ids."""
    statement = (
        select(Member)
        .join(Membership, col(Membership.member_id) == col(Member.id))
        .where(
            col(Membership.organization_id) == organization_id,
            col(Membership.from_day) <= day,
            or_(col(Membership.to_day).is_(None), col(Membership.to_day) > day),
            col(Member.status) == "active",
        )
        .order_by(col(Member.id))
    )
    return session.execute(statement).scalars().all()


_SPANS = Prepared(
    select(col(Membership.from_day), col(Membership.to_day), col(Membership.organization_id), col(Member.mode))
    .join(Member, col(Member.id) == col(Membership.member_id))
    .where(col(Membership.member_id) == bindparam("member_id"))
    .order_by(col(Membership.from_day))
)


def spans(session: Session, member_id: int) -> Sequence[tuple[date, date | None, int, str]]:
    """(from_day, to_day, organisation, the member's mode) of every membership, the oldest first."""
    return [(row[0], row[1], row[2], row[3]) for row in _SPANS.rows(session, member_id=member_id)]


def admitted_on_days(session: Session, month: int, days: Collection[int], before: date) -> Sequence[Member]:
    """Active members who were admitted on one of these days of the month, before the day `before`."""
    statement = (
        select(Member)
        .where(
            col(Member.status) == "active",
            extract("month", col(Member.admitted_on)) == month,
            extract("day", col(Member.admitted_on)).in_(days),
            col(Member.admitted_on) < before,
        )
        .order_by(col(Member.id))
    )
    return session.execute(statement).scalars().all()


def by_ids(session: Session, member_ids: Collection[int]) -> dict[int, Member]:
    """These members by their ids; unknown ids are missing."""
    found = session.execute(select(Member).where(col(Member.id).in_(member_ids))).scalars()
    return {member.id: member for member in found if member.id is not None}


def named_under(session: Session, path: str, word: str, day: date, *, most: int) -> Sequence[Member]:
    """Active members in the subtree on `day` with this name or number on the roll, in the order of their ids."""
    statement = (
        select(Member)
        .join(Membership, col(Membership.member_id) == col(Member.id))
        .join(Organization, col(Organization.id) == col(Membership.organization_id))
        .where(
            col(Organization.path).startswith(path, autoescape=True),
            or_(col(Member.name) == word, col(Member.code) == word),
            col(Membership.from_day) <= day,
            or_(col(Membership.to_day).is_(None), col(Membership.to_day) > day),
            col(Member.status) == "active",
        )
        .order_by(col(Member.id))
        .limit(most)
    )
    return session.execute(statement).scalars().all()
