"""What decides whether branches are reminded of a duty: their people and their Party groups."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import extract, or_, select
from sqlmodel import Session, col

from db.members import Member, Membership
from db.organizations import Organization


@dataclass(frozen=True, slots=True)
class Person:
    """An active member of a branch of whom it may have to be reminded."""

    organization_id: int
    member_id: int
    mobile: bool
    probationary: bool
    admitted_on: date | None


def people(
    session: Session, organization_ids: Collection[int], today: date, months: Collection[int]
) -> list[Person]:
    """Mobile and probationary members of these branches, and those who were admitted in one of `months`."""
    names = (col(Member.mobile), col(Member.probationary), col(Member.admitted_on))
    statement = (
        select(col(Membership.organization_id), col(Member.id), *names)
        .join(Member, col(Member.id) == col(Membership.member_id))
        .where(
            col(Membership.organization_id).in_(organization_ids),
            col(Membership.from_day) <= today,
            or_(col(Membership.to_day).is_(None), col(Membership.to_day) > today),
            col(Member.status) == "active",
            or_(
                col(Member.mobile),
                col(Member.probationary),
                extract("month", col(Member.admitted_on)).in_(months),
            ),
        )
        .order_by(col(Member.id))
    )
    return [Person(*row) for row in session.execute(statement)]


def with_groups(session: Session, organization_ids: Sequence[int]) -> set[int]:
    """Those of the organisations that have Party groups under them."""
    statement = select(col(Organization.parent_id)).where(
        col(Organization.parent_id).in_(organization_ids),
        col(Organization.level) == "party_group",
        col(Organization.closed_on).is_(None),
    )
    return {row for row in session.execute(statement).scalars() if row is not None}
