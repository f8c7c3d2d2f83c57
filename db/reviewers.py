"""Who holds an office, office by office, for messages to all of them in parts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import or_, select
from sqlmodel import Session, col

from db.members import Member, Role
from db.organizations import Organization


class Holder(NamedTuple):
    """An active member with a role on a node."""

    role_id: int
    member_id: int
    role: str
    path: str


def after(session: Session, roles: Collection[str], day: date, role_id: int, most: int) -> Sequence[Holder]:
    """The next holders of one of `roles` on `day` in the order of the roles' ids, at most `most`."""
    statement = (
        select(col(Role.id), col(Role.member_id), col(Role.role), col(Organization.path))
        .join(Organization, col(Organization.id) == col(Role.organization_id))
        .join(Member, col(Member.id) == col(Role.member_id))
        .where(col(Role.role).in_(roles), col(Role.id) > role_id, *_standing(day))
        .order_by(col(Role.id))
        .limit(most)
    )
    return [Holder(*row) for row in session.execute(statement)]


def paths(session: Session, role: str, day: date) -> frozenset[str]:
    """The nodes on which somebody holds `role` on `day`."""
    statement = (
        select(col(Organization.path))
        .join(Role, col(Role.organization_id) == col(Organization.id))
        .join(Member, col(Member.id) == col(Role.member_id))
        .where(col(Role.role) == role, *_standing(day))
    )
    return frozenset(session.execute(statement).scalars())


def _standing(day: date) -> tuple[Any, ...]:
    ended = or_(col(Role.to_day).is_(None), col(Role.to_day) > day)
    return (col(Role.from_day) <= day, ended, col(Member.status) == "active")
