"""Offices of a branch: who answers for what. An office gives no power in the service; it says who is reminded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date
from typing import Any

from sqlalchemy import Index, and_, case, or_, select, update
from sqlmodel import Field, Session, SQLModel, col

from db.members import Member, Membership
from db.organizations import Organization

OFFICES = (
    "deputy_secretary",
    "organization_officer",
    "publicity_officer",
    "discipline_officer",
    "group_leader",
)
"""Stored identifiers, in the order in which they are shown. The leader of a Party group holds it on the group."""

BRANCH_COMMITTEE = OFFICES[:4]
"""Those who make up the committee of a branch, beside its secretary."""


class Office(SQLModel, table=True):
    """An office on a branch or a Party group in [from_day, to_day)."""

    __table_args__ = (
        Index("ix_office_organization_id", "organization_id"),
        Index("ix_office_member_id", "member_id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    office: str  # one of OFFICES
    member_id: int = Field(foreign_key="member.id")
    from_day: date
    to_day: date | None = None
    by_hand: bool = False  # named in chat: the roll, which does not know of it, takes nothing back


def held(session: Session, branch_ids: Collection[int], day: date) -> dict[int, dict[str, list[int]]]:
    """Per branch and office its active members who hold it; leaders of its Party groups count for the branch.

    Whoever belongs to another branch by now does not, even before anybody has ended the office.
    """
    is_group = col(Organization.level) == "party_group"
    branch = case((is_group, col(Organization.parent_id)), else_=col(Organization.id))
    statement = (
        select(branch, col(Office.office), col(Office.member_id))
        .join(Organization, col(Organization.id) == col(Office.organization_id))
        .join(Member, col(Member.id) == col(Office.member_id))
        .join(Membership, and_(col(Membership.member_id) == col(Member.id), *_belongs(branch, day)))
        .where(
            or_(
                col(Organization.id).in_(branch_ids),
                and_(is_group, col(Organization.parent_id).in_(branch_ids)),
            ),
            *_on(day),
            col(Member.status) == "active",
        )
        .order_by(col(Office.id))
    )
    found: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for branch_id, office, member_id in session.execute(statement):
        if member_id not in found[branch_id][office]:
            found[branch_id][office].append(member_id)
    return found


def branch_ids_of(session: Session, member_id: int, office: str, day: date) -> list[int]:
    """The branches in which the member holds the office and to which they belong."""
    whose = col(Membership.member_id) == col(Office.member_id)
    statement = (
        select(col(Office.organization_id))
        .join(Membership, and_(whose, *_belongs(col(Office.organization_id), day)))
        .where(col(Office.member_id) == member_id, col(Office.office) == office, *_on(day))
    )
    return list(session.execute(statement.order_by(col(Office.id))).scalars())


def of_member(session: Session, member_id: int, day: date) -> list[str]:
    """The offices that the member holds, wherever that is."""
    statement = select(col(Office.office)).where(col(Office.member_id) == member_id, *_on(day))
    return sorted(set(session.execute(statement).scalars()), key=OFFICES.index)


def _belongs(branch: Any, day: date) -> tuple[Any, ...]:
    ended = or_(col(Membership.to_day).is_(None), col(Membership.to_day) > day)
    return col(Membership.organization_id) == branch, col(Membership.from_day) <= day, ended


def _on(day: date) -> tuple[Any, ...]:
    return col(Office.from_day) <= day, or_(col(Office.to_day).is_(None), col(Office.to_day) > day)


def name(session: Session, organization_id: int, office: str, member_id: int, day: date) -> bool:
    """Let the member hold the office from `day`, by hand; False when that is so already."""
    here = (col(Office.organization_id) == organization_id, col(Office.office) == office, *_on(day))
    if session.execute(select(col(Office.id)).where(*here, col(Office.member_id) == member_id)).first():
        return False
    whose: dict[str, Any] = {"organization_id": organization_id, "member_id": member_id}
    session.add(Office(**whose, office=office, from_day=day, by_hand=True))
    session.flush()
    return True


def end(session: Session, organization_id: int, office: str, day: date, *, but: int | None = None) -> int:
    """End the office of everybody who holds it here, `but` for one; how many."""
    ending = update(Office).where(
        col(Office.organization_id) == organization_id, col(Office.office) == office, *_on(day)
    )
    if but is not None:
        ending = ending.where(col(Office.member_id) != but)
    done = session.execute(ending.values(to_day=day), execution_options={"synchronize_session": "fetch"})
    return int(done.rowcount)  # type: ignore[attr-defined]


def of_roll(session: Session, day: date) -> dict[int, set[tuple[str, int]]]:
    """Per member the (office, organisation) that the roll has named and that stand on `day`."""
    statement = select(col(Office.member_id), col(Office.office), col(Office.organization_id)).where(
        col(Office.by_hand).is_(False), *_on(day)
    )
    found: dict[int, set[tuple[str, int]]] = defaultdict(set)
    for member_id, office, organization_id in session.execute(statement):
        found[member_id].add((office, organization_id))
    return found


def from_roll(session: Session, member_id: int, wanted: Collection[tuple[str, int]], day: date) -> None:
    """End what the roll has named and names no more, begin what is new. What was named by hand stands."""
    rows = session.execute(
        select(Office).where(col(Office.member_id) == member_id, col(Office.to_day).is_(None))
    ).scalars()
    left = set(wanted)
    for row in rows:
        if (row.office, row.organization_id) in left:
            left.discard((row.office, row.organization_id))
            row.by_hand = False
        elif not row.by_hand:
            row.to_day = day
    for office, organization_id in sorted(left):
        whose: dict[str, Any] = {"organization_id": organization_id, "member_id": member_id}
        session.add(Office(**whose, office=office, from_day=day))
