"""The standards ledger: what a branch has filled in, what its committee found, and rates upward."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, and_, false, func, or_, select, update
from sqlmodel import Field, Session, SQLModel, col

from db.organizations import Organization
from db.polls import insert_into

Current = Collection[tuple[str, str]]
"""(item id, version) of the lines of the standard that hold now."""


class StandardEntry(SQLModel, table=True):
    """One item of one branch, against one version of the standard."""

    __tablename__ = "standard_entry"
    __table_args__ = (
        CheckConstraint("state IN ('filled', 'met', 'unmet')", name="state"),
        Index("ix_standard_entry_state", "state", "rectify_deadline"),
    )
    organization_id: int = Field(foreign_key="organization.id", primary_key=True)
    item_id: str = Field(primary_key=True)
    version: str = Field(primary_key=True)  # the day since which the line of the standard holds
    required: str  # as it was asked for then
    actual: str
    picture_id: int | None = Field(default=None, foreign_key="picture.id")
    state: str = "filled"  # filled (to be checked), met, unmet
    revision: int = 1  # counts every filling: a check is about one of them
    filled_by: int = Field(foreign_key="member.id")
    filled_at: datetime
    checked_by: int | None = Field(default=None, foreign_key="member.id")
    checked_at: datetime | None = None
    reason: str = ""  # why it was found unmet
    rectify_deadline: date | None = None
    closed_at: datetime | None = None  # when it was found met
    reminded: bool = False


def fill(session: Session, values: dict[str, Any]) -> bool:
    """Fill an item in, for the first time or again; False when it has been found met and so stands.

    values: the key, required, actual, picture_id, filled_by, filled_at.
    """
    key = ["organization_id", "item_id", "version"]
    row = insert_into(session, StandardEntry).values(
        **values, state="filled", revision=1, reason="", reminded=False
    )
    again = {name: values[name] for name in ("required", "actual", "picture_id", "filled_by", "filled_at")}
    made = row.on_conflict_do_update(
        index_elements=key,
        set_={**again, "state": "filled", "revision": StandardEntry.revision + 1},
        where=col(StandardEntry.state) != "met",
    )
    done = session.execute(made.returning(col(StandardEntry.revision))).scalar()
    session.expire_all()
    return done is not None


def check(
    session: Session,
    entry: StandardEntry,
    revision: int,
    state: str,
    *,
    by: int,
    now: datetime,
    reason: str = "",
    deadline: date | None = None,
) -> bool:
    """The committee's finding about one filling; False when there is a newer one, it is checked, or one's own."""
    changed = session.execute(
        update(StandardEntry)
        .where(
            col(StandardEntry.organization_id) == entry.organization_id,
            col(StandardEntry.item_id) == entry.item_id,
            col(StandardEntry.version) == entry.version,
            col(StandardEntry.state) == "filled",
            col(StandardEntry.revision) == revision,
            col(StandardEntry.filled_by) != by,
        )
        .values(
            state=state,
            checked_by=by,
            checked_at=now,
            reason=reason,
            rectify_deadline=deadline,
            closed_at=now if state == "met" else None,
            reminded=False,
        ),
        execution_options={"synchronize_session": False},
    )
    session.expire_all()
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def reopen(session: Session, entry: StandardEntry, *, by: int, now: datetime, reason: str, deadline: date) -> bool:
    """Take back that an item is met; False when it is not met now."""
    changed = session.execute(
        update(StandardEntry)
        .where(
            col(StandardEntry.organization_id) == entry.organization_id,
            col(StandardEntry.item_id) == entry.item_id,
            col(StandardEntry.version) == entry.version,
            col(StandardEntry.state) == "met",
        )
        .values(
            state="unmet",
            checked_by=by,
            checked_at=now,
            reason=reason,
            rectify_deadline=deadline,
            closed_at=None,
            reminded=False,
        ),
        execution_options={"synchronize_session": False},
    )
    session.expire_all()
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def entry(session: Session, organization_id: int, item_id: str, version: str) -> StandardEntry | None:
    """The branch's entry for this item; None when nobody has filled it in."""
    return session.get(StandardEntry, (organization_id, item_id, version))


def of_branch(session: Session, organization_id: int) -> Sequence[StandardEntry]:
    """Everything that the branch has filled in, of every version."""
    statement = select(StandardEntry).where(col(StandardEntry.organization_id) == organization_id)
    return session.execute(statement.order_by(col(StandardEntry.item_id))).scalars().all()


def to_check(session: Session, path: str, most: int) -> Sequence[tuple[StandardEntry, Organization]]:
    """What waits for the committee under `path`, the longest waiting first."""
    statement = (
        select(StandardEntry, Organization)
        .join(Organization, col(Organization.id) == col(StandardEntry.organization_id))
        .where(col(Organization.path).startswith(path, autoescape=True), col(StandardEntry.state) == "filled")
        .order_by(col(StandardEntry.filled_at), col(StandardEntry.organization_id), col(StandardEntry.item_id))
        .limit(most)
    )
    return [(row[0], row[1]) for row in session.execute(statement)]


def _holds(current: Current) -> Any:
    pairs = [and_(col(StandardEntry.item_id) == item, col(StandardEntry.version) == v) for item, v in current]
    return or_(false(), *pairs)


def met_counts(session: Session, path: str, current: Current) -> Sequence[tuple[Organization, int]]:
    """Every branch under `path` with how many of these items it meets, by name."""
    met = (
        select(col(StandardEntry.organization_id), func.count().label("met"))
        .where(col(StandardEntry.state) == "met", _holds(current))
        .group_by(col(StandardEntry.organization_id))
        .subquery()
    )
    statement = (
        select(Organization, func.coalesce(met.c.met, 0))
        .outerjoin(met, met.c.organization_id == col(Organization.id))
        .where(
            col(Organization.path).startswith(path, autoescape=True),
            col(Organization.field).is_not(None),
            col(Organization.closed_on).is_(None),
        )
        .order_by(col(Organization.name), col(Organization.id))
    )
    return [(row[0], int(row[1])) for row in session.execute(statement)]


def met_by_item(session: Session, path: str, current: Current) -> dict[str, int]:
    """Per item how many branches under `path` meet it; an item that nobody meets is missing."""
    statement = (
        select(col(StandardEntry.item_id), func.count())
        .join(Organization, col(Organization.id) == col(StandardEntry.organization_id))
        .where(
            col(Organization.path).startswith(path, autoescape=True),
            col(Organization.field).is_not(None),
            col(Organization.closed_on).is_(None),
            col(StandardEntry.state) == "met",
            _holds(current),
        )
        .group_by(col(StandardEntry.item_id))
    )
    return {row[0]: int(row[1]) for row in session.execute(statement)}


def due_soon(session: Session, until: date, most: int) -> Sequence[StandardEntry]:
    """Unmet items whose deadline comes by `until` and whose secretary was not reminded yet."""
    statement = (
        select(StandardEntry)
        .where(
            col(StandardEntry.state) == "unmet",
            col(StandardEntry.rectify_deadline) <= until,
            col(StandardEntry.reminded).is_(False),
        )
        .order_by(col(StandardEntry.rectify_deadline), col(StandardEntry.organization_id))
        .limit(most)
    )
    return session.execute(statement).scalars().all()


def mark_reminded(session: Session, one: StandardEntry) -> bool:
    """Note that the secretary was reminded; False when another process was first."""
    changed = session.execute(
        update(StandardEntry)
        .where(
            col(StandardEntry.organization_id) == one.organization_id,
            col(StandardEntry.item_id) == one.item_id,
            col(StandardEntry.version) == one.version,
            col(StandardEntry.reminded).is_(False),
        )
        .values(reminded=True),
        execution_options={"synchronize_session": False},
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]
