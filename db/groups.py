"""Group chats of branches (微社群): which branch a group belongs to, the codes that bind one, counts of each day.

Nothing that anybody says in a group is kept, and nobody who said it: a day has four numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Index, and_, delete, func, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col

from db.accounts import BindCode
from db.members import Member, Role
from db.once import add_once

_LIVE = text("ended_at IS NULL")
LOST = ("removed", "gone")
MOVES_WITHIN = timedelta(minutes=10)  # from the news that a group is lost to the news that it has moved


class GroupChat(SQLModel, table=True):
    """A group at a platform that belongs to one branch: one branch to a group, one group to a branch, while live.

    thread: the topic of a forum in which it was connected and gets its posts; None: the group is no forum.
    topic_minute: after local midnight, None: no daily topic. silent: why nothing can be posted, None: it can.
    """

    __tablename__ = "group_chat"
    __table_args__ = (
        Index(
            "ix_group_chat_address", "channel", "address", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE
        ),
        Index("ix_group_chat_branch", "organization_id", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
    )
    id: int | None = Field(default=None, primary_key=True)
    channel: str
    address: str
    organization_id: int = Field(foreign_key="organization.id")
    bound_by: int = Field(foreign_key="member.id")
    bound_at: datetime
    language: str = "zh"  # of what is posted
    thread: int | None = None
    ended_at: datetime | None = None
    ended_why: str = ""  # secretary, removed, gone
    silent: str | None = None
    topic_minute: int | None = None
    topic_daily: bool = False  # on days off, too
    topic_due_on: date | None = None  # the day whose topic is still to be posted
    week_told: date  # the Monday on which the week before was told last


class GroupCode(SQLModel, table=True):
    """A one-time code with which a secretary binds a group. Only its hash is kept."""

    __tablename__ = "group_code"
    id: int | None = Field(default=None, primary_key=True)
    code_hash: str = Field(unique=True)
    organization_id: int = Field(foreign_key="organization.id")
    member_id: int = Field(foreign_key="member.id")
    expires_at: datetime
    used_at: datetime | None = None


class GroupDay(SQLModel, table=True):
    """What happened in one group on one day, in numbers."""

    __tablename__ = "group_day"
    group_id: int = Field(foreign_key="group_chat.id", primary_key=True)
    day: date = Field(primary_key=True)
    topics: int = 0  # posted
    heard: int = 0  # messages addressed to the service
    calls: int = 0
    answers: int = 0  # to calls


@dataclass(frozen=True, slots=True)
class Week:
    """The numbers of some days."""

    topics: int = 0
    heard: int = 0
    calls: int = 0
    answers: int = 0


def at(session: Session, channel: str, address: str) -> GroupChat | None:
    """The live group at this address; None when no branch has it."""
    return _one(session, col(GroupChat.channel) == channel, col(GroupChat.address) == address)


def of_branch(session: Session, organization_id: int) -> GroupChat | None:
    """The live group of this branch."""
    return _one(session, col(GroupChat.organization_id) == organization_id)


def _one(session: Session, *which: Any) -> GroupChat | None:
    statement = select(GroupChat).where(col(GroupChat.ended_at).is_(None), *which)
    return session.execute(statement.execution_options(populate_existing=True)).scalar_one_or_none()


def bind(
    session: Session,
    *,
    channel: str,
    address: str,
    organization_id: int,
    member_id: int,
    language: str,
    now: datetime,
    monday: date,
    thread: int | None = None,
) -> bool:
    """Give the group to the branch; False when either has another one. Its weeks are told from `monday` on."""
    values = {
        "channel": channel,
        "address": address,
        "organization_id": organization_id,
        "bound_by": member_id,
        "bound_at": now,
        "language": language,
        "thread": thread,
        "ended_why": "",
        "topic_daily": False,
        "week_told": monday,
    }
    return add_once(session, GroupChat, values)


def end(session: Session, group_id: int, why: str, now: datetime) -> bool:
    """Let the group belong to nobody any more; False when it had ended before."""
    return _change(session, group_id, ended_at=now, ended_why=why)


def move(
    session: Session, channel: str, address: str, new_address: str, now: datetime | None = None
) -> int | None:
    """Note the new address of a group; its id, None when the old one is nobody's or the new one is known.

    One that was lost just before `now` comes back: a platform may say first that we have left the old group.
    """
    which: list[Any] = [col(GroupChat.ended_at).is_(None)]
    if now is not None:
        lost = (col(GroupChat.ended_why).in_(LOST), col(GroupChat.ended_at) > now - MOVES_WITHIN)
        which.append(and_(*lost))
    here = (col(GroupChat.channel) == channel, col(GroupChat.address) == address)
    statement = select(GroupChat).where(*here, or_(*which)).order_by(col(GroupChat.id).desc()).limit(1)
    group = session.execute(statement.execution_options(populate_existing=True)).scalar_one_or_none()
    if group is None or group.id is None or at(session, channel, new_address) is not None:
        return None
    if group.ended_at is not None and of_branch(session, group.organization_id) is not None:
        return None
    moving = update(GroupChat).where(col(GroupChat.id) == group.id, col(GroupChat.address) == address)
    moved = _count(session, moving.values(address=new_address, ended_at=None, ended_why=""))
    return group.id if moved else None


def hush(session: Session, group_id: int, why: str | None) -> bool:
    """Note why nothing can be posted in the group, None: it can again; False when that was known."""
    changed = update(GroupChat).where(col(GroupChat.id) == group_id, col(GroupChat.silent).is_distinct_from(why))
    return _count(session, changed.values(silent=why)) == 1


def set_topic(session: Session, group_id: int, minute: int | None, *, daily: bool) -> bool:
    """Post the daily topic at this minute after midnight, None: never; daily: on days off, too."""
    return _change(session, group_id, topic_minute=minute, topic_daily=daily)


def _change(session: Session, group_id: int, **values: Any) -> bool:
    changing = update(GroupChat).where(col(GroupChat.id) == group_id, col(GroupChat.ended_at).is_(None))
    return _count(session, changing.values(**values)) == 1


def secretaries(session: Session, organization_id: int, day: date) -> Sequence[int]:
    """Active members who are secretary of this very branch on `day`, in the order of their terms."""
    statement = (
        select(col(Role.member_id))
        .join(Member, col(Member.id) == col(Role.member_id))
        .where(
            col(Role.organization_id) == organization_id,
            col(Role.role) == "secretary",
            col(Role.from_day) <= day,
            or_(col(Role.to_day).is_(None), col(Role.to_day) > day),
            col(Member.status) == "active",
        )
        .order_by(col(Role.id))
    )
    return session.execute(statement).scalars().all()


def add_code(
    session: Session, code_hash: str, *, organization_id: int, member_id: int, expires_at: datetime
) -> bool:
    """Store a new code and end the ones that this member had before; False when this one exists already."""
    older = delete(GroupCode).where(col(GroupCode.member_id) == member_id, col(GroupCode.used_at).is_(None))
    _count(session, older)
    values = {"organization_id": organization_id, "member_id": member_id, "expires_at": expires_at}
    return add_once(session, GroupCode, {"code_hash": code_hash, **values})


def take_code(session: Session, code_hash: str, now: datetime) -> tuple[int, int] | None:
    """(branch, member) of an open code, which is used up by this; None when it is none."""
    taking = (
        update(GroupCode)
        .where(
            col(GroupCode.code_hash) == code_hash,
            col(GroupCode.used_at).is_(None),
            col(GroupCode.expires_at) > now,
        )
        .values(used_at=now)
        .returning(col(GroupCode.organization_id), col(GroupCode.member_id))
    )
    row = session.execute(taking.execution_options(synchronize_session=False)).first()
    return (row[0], row[1]) if row else None


def burn_bind_code(session: Session, code_hash: str, now: datetime) -> int | None:
    """Use up a member's bind code that was shown to many; its member, None when there is no such open code."""
    burning = (
        update(BindCode)
        .where(
            col(BindCode.code_hash) == code_hash, col(BindCode.used_at).is_(None), col(BindCode.expires_at) > now
        )
        .values(used_at=now)
        .returning(col(BindCode.member_id))
    )
    row = session.execute(burning.execution_options(synchronize_session=False)).first()
    return row[0] if row else None


def count(session: Session, group_id: int, day: date, **more: int) -> None:
    """Add to the numbers of the day: `topics`, `heard`, `calls` or `answers`."""
    postgres = session.connection().dialect.name == "postgresql"
    insert: Any = postgresql.insert if postgres else sqlite.insert
    zero = {"topics": 0, "heard": 0, "calls": 0, "answers": 0}
    adding = insert(GroupDay).values(group_id=group_id, day=day, **{**zero, **more})
    sums = {name: getattr(GroupDay, name) + value for name, value in more.items()}
    session.execute(adding.on_conflict_do_update(index_elements=["group_id", "day"], set_=sums))


def week(session: Session, group_id: int, monday: date) -> Week:
    """The numbers of the seven days from `monday` on."""
    sums = [func.coalesce(func.sum(getattr(GroupDay, name)), 0) for name in Week.__slots__]
    days = (col(GroupDay.day) >= monday, col(GroupDay.day) < monday + timedelta(days=7))
    return Week(*map(int, session.execute(select(*sums).where(col(GroupDay.group_id) == group_id, *days)).one()))


def mark_topics(session: Session, minute: int, day: date, *, working_day: bool) -> int:
    """Let the groups whose hour it is have their topic of `day`; how many."""
    which = [
        col(GroupChat.ended_at).is_(None),
        col(GroupChat.silent).is_(None),
        col(GroupChat.topic_minute) == minute,
    ]
    if not working_day:
        which.append(col(GroupChat.topic_daily).is_(True))
    return _count(session, update(GroupChat).where(*which).values(topic_due_on=day))


def topics_due(session: Session, most: int) -> Sequence[GroupChat]:
    """Live groups whose topic is still to be posted."""
    due = (col(GroupChat.ended_at).is_(None), col(GroupChat.topic_due_on).is_not(None))
    statement = select(GroupChat).where(*due).order_by(col(GroupChat.id)).limit(most)
    return session.execute(statement.execution_options(populate_existing=True)).scalars().all()


def topic_taken(session: Session, group: GroupChat) -> bool:
    """Take the topic of its day off the group; False when another process has."""
    same = (col(GroupChat.id) == group.id, col(GroupChat.topic_due_on) == group.topic_due_on)
    return _count(session, update(GroupChat).where(*same).values(topic_due_on=None)) == 1


def had_topic(session: Session, group_id: int, day: date) -> bool:
    """Whether the group has had its topic of `day`: its hour may have been changed since."""
    which = (col(GroupDay.group_id) == group_id, col(GroupDay.day) == day, col(GroupDay.topics) > 0)
    return session.execute(select(col(GroupDay.day)).where(*which)).first() is not None


def weeks_due(session: Session, monday: date, most: int) -> Sequence[GroupChat]:
    """Live groups of which the week before `monday` was not told yet."""
    due = (col(GroupChat.ended_at).is_(None), col(GroupChat.week_told) < monday)
    statement = select(GroupChat).where(*due).order_by(col(GroupChat.id)).limit(most)
    return session.execute(statement.execution_options(populate_existing=True)).scalars().all()


def week_taken(session: Session, group_id: int, monday: date) -> bool:
    """Note that the week before `monday` is told; False when another process has."""
    due = (col(GroupChat.id) == group_id, col(GroupChat.week_told) < monday)
    return _count(session, update(GroupChat).where(*due).values(week_told=monday)) == 1


def _count(session: Session, statement: Any) -> int:
    return int(session.execute(statement.execution_options(synchronize_session=False)).rowcount)  # type: ignore[attr-defined]
