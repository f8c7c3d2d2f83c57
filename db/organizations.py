"""Organisations (city, committee, general branch, branch, Party group) and the regions across them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import case, func, or_, select
from sqlmodel import Field, Session, SQLModel, col

FIELDS = ("admin_village", "urban_community", "gov_institution", "two_new", "soe")
"""The five fields in which branches are compared. Stored identifiers: never renamed."""

LEVELS = ("city", "committee", "general_branch", "branch", "party_group")


class Organization(SQLModel, table=True):
    """One node of the tree."""

    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(unique=True)  # the city's own number for it; imports find it by this
    name: str
    level: str  # one of LEVELS
    field: str | None = Field(default=None, index=True)  # one of FIELDS; None: a node that is not compared
    parent_id: int | None = Field(default=None, foreign_key="organization.id", index=True)
    path: str = Field(index=True)  # ids from the root to here, "/1/4/17/": a subtree is a prefix
    founded_on: date | None = None  # None: always existed
    closed_on: date | None = None
    place: str = ""  # where people meet
    term_ends_on: date | None = None  # last day of the committee's term, an approved delay included; None: unknown
    committee_members: int | None = None  # people in the branch committee; None: unknown


class Region(SQLModel, table=True):
    """A neighbourhood of organisations across the tree; regional activities belong to one."""

    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(unique=True)
    name: str


class RegionOrganization(SQLModel, table=True):
    """An organisation that belongs to a region, with everything under it."""

    __tablename__ = "region_organization"
    region_id: int = Field(foreign_key="region.id", primary_key=True)
    organization_id: int = Field(foreign_key="organization.id", primary_key=True, index=True)


def get(session: Session, organization_id: int) -> Organization:
    """The organisation. Raises LookupError when there is none."""
    found = session.get(Organization, organization_id)
    if found is None:
        raise LookupError(f"organization {organization_id}")
    return found


def find(session: Session, organization_id: int | None) -> Organization | None:
    """The organisation; None when there is none."""
    return session.get(Organization, organization_id) if organization_id is not None else None


def by_code(session: Session, code: str) -> Organization | None:
    """The organisation with the city's own number `code`."""
    return session.execute(select(Organization).where(col(Organization.code) == code)).scalar_one_or_none()


def branches_under(session: Session, path: str) -> Sequence[Organization]:
    """Every branch (an organisation with a field) in the subtree, in the order of their ids."""
    statement = (
        select(Organization)
        .where(col(Organization.path).startswith(path, autoescape=True), col(Organization.field).is_not(None))
        .order_by(col(Organization.id))
    )
    return session.execute(statement).scalars().all()


def regions_of(session: Session, organization: Organization) -> Sequence[Region]:
    """Regions that the organisation or one above it belongs to."""
    ids = [int(part) for part in organization.path.strip("/").split("/")]
    statement = (
        select(Region)
        .join(RegionOrganization, col(RegionOrganization.region_id) == col(Region.id))
        .where(col(RegionOrganization.organization_id).in_(ids))
        .order_by(col(Region.id))
    )
    return session.execute(statement).scalars().unique().all()


def root(session: Session) -> Organization | None:
    """The node above all others: the city; None in an empty tree."""
    statement = select(Organization).where(col(Organization.parent_id).is_(None)).order_by(col(Organization.id))
    return session.execute(statement.limit(1)).scalars().first()


def branches_after(session: Session, organization_id: int, most: int) -> Sequence[int]:
    """Ids of the next branches (organisations with a field) in the order of their ids, at most `most`."""
    statement = (
        select(col(Organization.id))
        .where(col(Organization.id) > organization_id, col(Organization.field).is_not(None))
        .order_by(col(Organization.id))
        .limit(most)
    )
    return session.execute(statement).scalars().all()


def search(session: Session, paths: Sequence[str], word: str, day: date, most: int) -> Sequence[Organization]:
    """Branches of these subtrees, alive on `day`, with `word` in the name or the code; an exact one first."""
    if not paths:
        return ()
    name, code = col(Organization.name), col(Organization.code)
    exact = or_(name == word, func.lower(code) == word.lower())
    statement = (
        select(Organization)
        .where(
            or_(*(col(Organization.path).startswith(path, autoescape=True) for path in paths)),
            col(Organization.field).is_not(None),
            or_(col(Organization.closed_on).is_(None), col(Organization.closed_on) > day),
            or_(name.icontains(word, autoescape=True), code.icontains(word, autoescape=True)),
        )
        .order_by(case((exact, 0), else_=1), col(Organization.id))
        .limit(most)
    )
    return session.execute(statement).scalars().all()


def fields_below(session: Session, path: str) -> Sequence[str]:
    """The fields of the branches in the subtree at `path` that still exist, in the order of FIELDS."""
    found = session.execute(
        select(col(Organization.field))
        .where(col(Organization.path).startswith(path, autoescape=True), col(Organization.closed_on).is_(None))
        .distinct()
    ).scalars()
    present = set(found)
    return [field for field in FIELDS if field in present]


def regions_below(session: Session, path: str, *, most: int, offset: int = 0) -> Sequence[Region]:
    """The regions with an organisation in the subtree at `path`, by their ids."""
    statement = (
        select(Region)
        .join(RegionOrganization, col(RegionOrganization.region_id) == col(Region.id))
        .join(Organization, col(Organization.id) == col(RegionOrganization.organization_id))
        .where(col(Organization.path).startswith(path, autoescape=True))
        .distinct()
        .order_by(col(Region.id))
        .limit(most)
        .offset(offset)
    )
    return session.execute(statement).scalars().all()


def committees_under(session: Session, path: str) -> Sequence[Organization]:
    """The committees in the subtree at `path`, by name."""
    statement = select(Organization).where(
        col(Organization.path).startswith(path, autoescape=True), col(Organization.level) == "committee"
    )
    return session.execute(statement.order_by(col(Organization.name), col(Organization.id))).scalars().all()


def committee_after(session: Session, node_id: int, after: int) -> Organization | None:
    """The next committee by id in the subtree of a node, or the nearest one above it; None after the last."""
    node = get(session, node_id)
    above = select(Organization).where(
        col(Organization.id).in_([int(part) for part in node.path.strip("/").split("/")]),
        col(Organization.level) == "committee",
    )
    nearest = session.execute(above.order_by(func.length(col(Organization.path)).desc()).limit(1)).scalar()
    here = or_(
        col(Organization.path).startswith(node.path, autoescape=True),
        col(Organization.id) == (nearest.id if nearest else None),
    )
    statement = (
        select(Organization)
        .where(col(Organization.level) == "committee", col(Organization.id) > after, here)
        .order_by(col(Organization.id))
    )
    return session.execute(statement.limit(1)).scalar()


def branch_of_group(session: Session, organization: Organization) -> Organization:
    """The branch that a Party group is part of; any other organisation itself."""
    if organization.level != "party_group" or organization.parent_id is None:
        return organization
    return get(session, organization.parent_id)


def names(session: Session, organization_ids: Collection[int]) -> dict[int, str]:
    """The names of these organisations by their ids."""
    statement = select(col(Organization.id), col(Organization.name))
    return {row[0]: row[1] for row in session.execute(statement.where(col(Organization.id).in_(organization_ids)))}


def region_names(session: Session, region_ids: Collection[int]) -> dict[int, str]:
    """The names of these regions by their ids."""
    statement = select(col(Region.id), col(Region.name)).where(col(Region.id).in_(region_ids))
    return {row[0]: row[1] for row in session.execute(statement)}
