"""The three-colour pool as it is published: which months are out, and what happened to each warning."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Index, func, insert, or_, select, update
from sqlmodel import Field, Session, SQLModel, col

from db.indices import OrgPowerIndex, PoolColour
from db.members import Member, Role
from db.organizations import Organization
from db.warnings import POOL, BranchWarning


class PoolMonth(SQLModel, table=True):
    """One month whose colours are published, or are being published (published_at None)."""

    __tablename__ = "pool_month"
    month: str = Field(primary_key=True)  # 2026-03
    begun_at: datetime
    published_at: datetime | None = None


class WarningEvent(SQLModel, table=True):
    """One thing that happened to a warning. news: its owners have still to be told in their digest."""

    __tablename__ = "warning_event"
    __table_args__ = (
        Index("ix_warning_event_warning_id", "warning_id"),
        Index("ix_warning_event_news", "news", "id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    warning_id: int = Field(foreign_key="warning.id")
    at: datetime
    what: str  # raised, continued, added, corrected, cleared, reminded, escalated, told, acknowledged, planned
    member_id: int | None = Field(default=None, foreign_key="member.id")  # who was told, or who did it
    note: str = ""  # why a correction came; the text of a plan
    due_on: date | None = None  # of a plan
    news: bool = False


class Post(NamedTuple):
    """Somebody who holds a role today, and the node on which they hold it."""

    role: str
    node_id: int
    member_id: int


class News(NamedTuple):
    """One event that waits to be told to the owners of its warning."""

    event_id: int
    what: str
    warning_id: int
    kind: str
    month: str
    owner_role: str
    escalated: bool
    path: str  # of the branch


def begin_month(session: Session, month: str, at: datetime) -> PoolMonth:
    """The row of a month, added when it is not there yet."""
    found = session.get(PoolMonth, month)
    if found is None:
        found = PoolMonth(month=month, begun_at=at)
        session.add(found)
        session.flush()
    return found


def months_begun(session: Session, until: str, most: int) -> list[str]:
    """The last `most` months up to `until` that are published or being published, the latest first."""
    statement = select(col(PoolMonth.month)).where(col(PoolMonth.month) <= until)
    return list(session.execute(statement.order_by(col(PoolMonth.month).desc()).limit(most)).scalars())


def last_published(session: Session) -> str | None:
    """The latest month that everybody has been told about; None before the first."""
    return session.execute(
        select(func.max(PoolMonth.month)).where(col(PoolMonth.published_at).is_not(None))
    ).scalar()


def finish_month(session: Session, month: str, at: datetime) -> bool:
    """Note that a month is published; False when that stands already."""
    changed = session.execute(
        update(PoolMonth)
        .where(col(PoolMonth.month) == month, col(PoolMonth.published_at).is_(None))
        .values(published_at=at),
        execution_options={"synchronize_session": "fetch"},
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def is_evaluated(session: Session, month: str) -> bool:
    """Whether the refresh has given any organisation an index of this month."""
    return (
        session.execute(select(col(OrgPowerIndex.month)).where(col(OrgPowerIndex.month) == month)).first()
        is not None
    )


def colours(session: Session, months: Collection[str], organization_ids: Collection[int]) -> Sequence[PoolColour]:
    """Colours of these organisations in these months."""
    statement = select(PoolColour).where(
        col(PoolColour.month).in_(months), col(PoolColour.organization_id).in_(organization_ids)
    )
    return session.execute(statement).scalars().all()


class Place(NamedTuple):
    """An organisation's place in its field in one month. score in hundredths."""

    month: str
    rank: int
    field_size: int
    score: int
    field: str


def places(session: Session, months: Collection[str], organization_ids: Collection[int]) -> dict[int, list[Place]]:
    """Per organisation its places in these months, in the order of the months; a month without one is missing."""
    row = OrgPowerIndex
    statement = (
        select(
            col(row.organization_id),
            col(row.month),
            col(row.rank),
            col(row.field_size),
            col(row.score),
            col(row.field),
        )
        .where(col(row.month).in_(months), col(row.organization_id).in_(organization_ids))
        .order_by(col(row.month))
    )
    found: dict[int, list[Place]] = {}
    for organization_id, *figures in session.execute(statement):
        found.setdefault(organization_id, []).append(Place(*figures))
    return found


def note(
    session: Session,
    warning_id: int,
    what: str,
    at: datetime,
    *,
    member_id: int | None = None,
    note: str = "",
    due_on: date | None = None,
    news: bool = False,
) -> None:
    """Add one line to the history of a warning."""
    session.add(
        WarningEvent(
            warning_id=warning_id, at=at, what=what, member_id=member_id, note=note, due_on=due_on, news=news
        )
    )


def note_told(session: Session, warning_ids: Iterable[int], member_id: int, at: datetime) -> None:
    """Note that a member was told about these warnings."""
    _note_all(session, warning_ids, "told", member_id, at)


def history(session: Session, warning_id: int, most: int) -> Sequence[tuple[WarningEvent, str]]:
    """The last events of a warning, the oldest of them first, each with the member's name ("" for the service)."""
    statement = (
        select(WarningEvent, col(Member.name))
        .outerjoin(Member, col(Member.id) == col(WarningEvent.member_id))
        .where(col(WarningEvent.warning_id) == warning_id)
        .order_by(col(WarningEvent.id).desc())
        .limit(most)
    )
    return [(row[0], row[1] or "") for row in reversed(session.execute(statement).all())]


def plan_of(session: Session, warning_id: int) -> WarningEvent | None:
    """The plan that stands: the last one written."""
    statement = (
        select(WarningEvent)
        .where(col(WarningEvent.warning_id) == warning_id, col(WarningEvent.what) == "planned")
        .order_by(col(WarningEvent.id).desc())
        .limit(1)
    )
    return session.execute(statement).scalars().first()


def last_news(session: Session) -> int:
    """Id of the latest event that waits to be told to the owners; 0 when none does."""
    return session.execute(select(func.max(WarningEvent.id)).where(col(WarningEvent.news))).scalar() or 0


def news(session: Session, until: int) -> list[News]:
    """Events up to this id that wait to be told, in the order in which they happened."""
    warning = BranchWarning
    statement = (
        select(
            col(WarningEvent.id),
            col(WarningEvent.what),
            col(warning.id),
            col(warning.kind),
            col(warning.period),
            col(warning.owner_role),
            col(warning.escalated_at).is_not(None),
            col(Organization.path),
        )
        .join(warning, col(warning.id) == col(WarningEvent.warning_id))
        .join(Organization, col(Organization.id) == col(warning.organization_id))
        .where(col(WarningEvent.news), col(WarningEvent.id) <= until)
        .order_by(col(WarningEvent.id))
    )
    return [News(*row) for row in session.execute(statement)]


def with_branches(session: Session, warning_ids: Collection[int]) -> dict[int, tuple[BranchWarning, Organization]]:
    """These warnings with their branches, by the warnings' ids."""
    statement = (
        select(BranchWarning, Organization)
        .join(Organization, col(Organization.id) == col(BranchWarning.organization_id))
        .where(col(BranchWarning.id).in_(warning_ids))
    )
    return {row[0].id: (row[0], row[1]) for row in session.execute(statement)}


def branches(session: Session, organization_ids: Collection[int]) -> dict[int, Organization]:
    """These organisations by their ids, in one statement."""
    found = session.execute(select(Organization).where(col(Organization.id).in_(organization_ids))).scalars()
    return {one.id: one for one in found if one.id is not None}


def news_told(session: Session, until: int) -> None:
    """Events up to this id wait no more."""
    session.execute(
        update(WarningEvent).where(col(WarningEvent.news), col(WarningEvent.id) <= until).values(news=False),
        execution_options={"synchronize_session": False},
    )


def posts(
    session: Session, roles: Collection[str], day: date, node_ids: Collection[int] | None = None
) -> list[Post]:
    """Active members who hold one of these roles on `day` (node_ids: on these), in the order of their ids."""
    statement = (
        select(col(Role.role), col(Role.organization_id), col(Role.member_id))
        .join(Member, col(Member.id) == col(Role.member_id))
        .where(
            col(Role.role).in_(roles),
            col(Role.from_day) <= day,
            or_(col(Role.to_day).is_(None), col(Role.to_day) > day),
            col(Member.status) == "active",
        )
        .order_by(col(Role.member_id), col(Role.id))
    )
    if node_ids is not None:
        statement = statement.where(col(Role.organization_id).in_(node_ids))
    return [Post(*row) for row in session.execute(statement)]


def acknowledge_all(
    session: Session, path: str, owner_role: str, kind: str | None, member_id: int, at: datetime
) -> int:
    """Note that a member has seen every open colour of a role in the subtree (kind: of one kind); how many."""
    inside = select(col(Organization.id)).where(col(Organization.path).startswith(path, autoescape=True))
    changed = session.execute(
        update(BranchWarning)
        .where(
            col(BranchWarning.state) == "open",
            col(BranchWarning.owner_role) == owner_role,
            col(BranchWarning.kind).in_([kind] if kind else POOL),
            col(BranchWarning.organization_id).in_(inside),
        )
        .values(state="acknowledged", acknowledged_by=member_id, acknowledged_at=at)
        .returning(col(BranchWarning.id)),
        execution_options={"synchronize_session": False},
    )
    ids = changed.scalars().all()
    _note_all(session, ids, "acknowledged", member_id, at)
    session.expire_all()
    return len(ids)


def _note_all(session: Session, warning_ids: Iterable[int], what: str, member_id: int, at: datetime) -> None:
    rows = [
        {"warning_id": one, "at": at, "what": what, "member_id": member_id, "note": "", "news": False}
        for one in dict.fromkeys(warning_ids)
    ]
    if rows:
        session.execute(insert(WarningEvent), rows)
