"""What the planner has to know about the people of one batch: a few queries, however many they are."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.sql.expression import ColumnElement
from sqlmodel import Session, col

from db.accounts import Chat
from db.deliveries import Attempt
from db.given import as_rows, given
from db.letters import Letter, Subscription, Topic
from db.members import Member, Membership
from db.organizations import Organization
from db.prepared import Prepared


@dataclass(slots=True)
class Reach:
    """One chat of an addressee. The window fields are what `notices.quotas` counts with."""

    channel: str
    address: str
    language: str
    disabled: str | None
    window_kind: str | None
    window_opened_at: datetime | None
    window_sent: int


@dataclass(slots=True)
class Addressee:
    """A member as the planner sees one; `chats` with the one heard from last first."""

    id: int
    status: str
    quiet_from_minute: int | None
    quiet_to_minute: int | None
    letters_paused_until: date | None
    preferred_channel: str | None
    timezone: str | None
    chats: list[Reach] = field(default_factory=list)
    left_topics: set[str] = field(default_factory=set)


_MEMBER = tuple(getattr(Member, name) for name in Addressee.__slots__ if name not in ("chats", "left_topics"))
_CHAT = tuple(getattr(Chat, name) for name in Reach.__slots__)


def _of_given(member_id: Any, dialect: str) -> ColumnElement[bool]:
    ids = given(dialect, which=int)
    return col(member_id).in_(select(ids.c.which))


_MEMBERS = Prepared(lambda dialect: select(*_MEMBER).where(_of_given(Member.id, dialect)))
_CHATS = Prepared(
    lambda dialect: (
        select(col(Chat.member_id), *_CHAT)
        .where(_of_given(Chat.member_id, dialect))
        .order_by(col(Chat.heard_at).is_(None), col(Chat.heard_at).desc(), col(Chat.id).desc())
    )
)
_LEFT = Prepared(
    lambda dialect: select(col(Subscription.member_id), col(Subscription.topic_id)).where(
        _of_given(Subscription.member_id, dialect), col(Subscription.wanted).is_(False)
    )
)


def addressees(session: Session, member_ids: Collection[int]) -> dict[int, Addressee]:
    """The members by id, with their chats and the topics that they have left."""
    rows = as_rows((member_id,) for member_id in member_ids)
    found = {row[0]: Addressee(*row) for row in _MEMBERS.rows(session, rows=rows)}
    for member_id, *values in _CHATS.rows(session, rows=rows):
        found[member_id].chats.append(Reach(*values))
    for member_id, topic_id in _LEFT.rows(session, rows=rows):
        found[member_id].left_topics.add(topic_id)
    return found


def names(session: Session, member_ids: Collection[int], day: date) -> dict[int, tuple[str, str]]:
    """Name and branch on `day` of the members by id; the branch is empty for one without any."""
    belongs = and_(
        col(Membership.member_id) == col(Member.id),
        col(Membership.from_day) <= day,
        or_(col(Membership.to_day).is_(None), col(Membership.to_day) > day),
    )
    statement = (
        select(col(Member.id), col(Member.name), col(Organization.name))
        .outerjoin(Membership, belongs)
        .outerjoin(Organization, col(Organization.id) == col(Membership.organization_id))
        .where(col(Member.id).in_(member_ids))
    )
    return {row[0]: (row[1], row[2] or "") for row in session.execute(statement)}


def letters(session: Session, letter_ids: Collection[int]) -> dict[int, tuple[Letter, Topic]]:
    """The letters by id, each with its topic."""
    statement = (
        select(Letter, Topic)
        .join(Topic, col(Topic.id) == col(Letter.topic_id))
        .where(col(Letter.id).in_(letter_ids))
        .execution_options(populate_existing=True)
    )
    return {letter.id: (letter, topic) for letter, topic in session.execute(statement)}


def refused_ways(session: Session, delivery_ids: Iterable[int]) -> set[tuple[int, str, str]]:
    """(delivery, channel, address) of every way that has refused for good."""
    statement = select(col(Attempt.delivery_id), col(Attempt.channel), col(Attempt.address)).where(
        col(Attempt.delivery_id).in_(list(delivery_ids)), col(Attempt.outcome).startswith("permanent")
    )
    return {(row[0], row[1], row[2]) for row in session.execute(statement)}


def moved(session: Session, channel: str, address: str, new_address: str) -> None:
    """Note the new address of a chat, unless that address is known already."""
    taken = select(col(Chat.id)).where(col(Chat.channel) == channel, col(Chat.address) == new_address)
    if session.execute(taken).first() is None:
        session.execute(
            update(Chat)
            .where(col(Chat.channel) == channel, col(Chat.address) == address)
            .values(address=new_address)
            .execution_options(synchronize_session=False)
        )
