"""What is told above of the groups of branches: numbers of a week for each, and nobody who made them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import and_, func, select
from sqlmodel import Session, col

from db.groups import GroupChat, GroupDay, Week
from db.organizations import Organization

_SUMS = [func.coalesce(func.sum(getattr(GroupDay, name)), 0) for name in Week.__slots__]


@dataclass(frozen=True, slots=True)
class BranchWeek:
    """The numbers of one branch's group."""

    name: str
    week: Week


def under(session: Session, path: str, monday: date, *, first: int, most: int) -> Sequence[BranchWeek]:
    """The week from `monday` on of the live groups in a subtree, in the order of the branches, from a place on."""
    statement = (
        _joined(select(col(Organization.name), *_SUMS), path, monday)
        .group_by(col(Organization.id), col(Organization.name))
        .order_by(col(Organization.id))
        .offset(first)
        .limit(most)
    )
    return [BranchWeek(row[0], Week(*map(int, row[1:]))) for row in session.execute(statement)]


def total(session: Session, path: str, monday: date) -> tuple[int, Week]:
    """How many live groups there are in a subtree, and the sum of their week from `monday` on."""
    groups = func.count(col(GroupChat.id).distinct())
    row = session.execute(_joined(select(groups, *_SUMS), path, monday)).one()
    return int(row[0]), Week(*map(int, row[1:]))


def _joined(statement: Any, path: str, monday: date) -> Any:
    its_days = and_(
        col(GroupDay.group_id) == col(GroupChat.id),
        col(GroupDay.day) >= monday,
        col(GroupDay.day) < monday + timedelta(days=7),
    )
    return (
        statement.select_from(GroupChat)
        .join(Organization, col(Organization.id) == col(GroupChat.organization_id))
        .outerjoin(GroupDay, its_days)
        .where(col(GroupChat.ended_at).is_(None), col(Organization.path).startswith(path, autoescape=True))
    )
