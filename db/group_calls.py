"""Calls in a group (一呼): what was called, and who has answered. Names are for the branch's secretary alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, String, cast, delete, func, literal, select, update
from sqlmodel import Field, Session, SQLModel, col

from db.deliveries import Delivery
from db.groups import GroupChat
from db.members import Member
from db.once import add_once


class GroupCall(SQLModel, table=True):
    """One call. message_id: of its message in the group, as a press told. stale: its count is to be shown."""

    __tablename__ = "group_call"
    __table_args__ = (
        CheckConstraint("state IN ('draft','open','closed')", name="state"),
        Index("ix_group_call_group_id", "group_id", "id"),
        Index("ix_group_call_state", "state", "closes_at"),
        Index("ix_group_call_stale", "stale"),
    )
    id: int | None = Field(default=None, primary_key=True)
    group_id: int = Field(foreign_key="group_chat.id")
    made_by: int = Field(foreign_key="member.id")
    text: str
    state: str = "draft"
    made_at: datetime
    closes_at: datetime | None = None  # of one that was sent out
    message_id: str = ""
    answers: int = 0
    stale: bool = False


class GroupAnswer(SQLModel, table=True):
    """That a member has answered a call."""

    __tablename__ = "group_answer"
    call_id: int = Field(foreign_key="group_call.id", primary_key=True)
    member_id: int = Field(foreign_key="member.id", primary_key=True)
    at: datetime


@dataclass(frozen=True, slots=True)
class Shown:
    """What a call's message in the group has to say now."""

    call_id: int
    channel: str
    address: str
    message_id: str
    language: str
    text: str
    answers: int
    is_open: bool


def key_of(call_id: int) -> str:
    """The key of the call's row in the outbox."""
    return f"group_call:{call_id}"


def draft(session: Session, group_id: int, member_id: int, text: str, now: datetime) -> int:
    """Write down a call that is not sent out yet; its id."""
    call = GroupCall(group_id=group_id, made_by=member_id, text=text, made_at=now)
    session.add(call)
    session.flush()
    assert call.id is not None
    return call.id


def find(session: Session, call_id: int | None, group_id: int) -> GroupCall | None:
    """The call of this group; None when there is none."""
    statement = select(GroupCall).where(col(GroupCall.id) == call_id, col(GroupCall.group_id) == group_id)
    return session.execute(statement.execution_options(populate_existing=True)).scalar_one_or_none()


def last(session: Session, group_id: int) -> GroupCall | None:
    """The group's last call that was sent out."""
    statement = (
        select(GroupCall)
        .where(col(GroupCall.group_id) == group_id, col(GroupCall.state) != "draft")
        .order_by(col(GroupCall.id).desc())
        .limit(1)
    )
    return session.execute(statement.execution_options(populate_existing=True)).scalar_one_or_none()


def posted(session: Session, call_id: int) -> str:
    """The state of the call's row in the outbox; empty for a call without one."""
    state = session.execute(select(col(Delivery.state)).where(col(Delivery.key) == key_of(call_id))).scalar()
    return state or ""


def opened_since(session: Session, group_id: int, since: datetime) -> int:
    """How many calls went out in the group since then."""
    which = (col(GroupCall.group_id) == group_id, col(GroupCall.made_at) > since, col(GroupCall.state) != "draft")
    return int(session.execute(select(func.count()).select_from(GroupCall).where(*which)).scalar_one())


def send_out(session: Session, call_id: int, *, now: datetime, closes_at: datetime) -> bool:
    """Let a draft be open for answers; False when it was sent out before."""
    opening = update(GroupCall).where(col(GroupCall.id) == call_id, col(GroupCall.state) == "draft")
    return _count(session, opening.values(state="open", made_at=now, closes_at=closes_at)) == 1


def close(session: Session, call_id: int) -> bool:
    """Take no more answers; False when it was closed before."""
    closing = update(GroupCall).where(col(GroupCall.id) == call_id, col(GroupCall.state) == "open")
    return _count(session, closing.values(state="closed", stale=True)) == 1


def overdue(session: Session, now: datetime, most: int) -> Sequence[GroupCall]:
    """Open calls whose time is over."""
    statement = (
        select(GroupCall)
        .where(col(GroupCall.state) == "open", col(GroupCall.closes_at) <= now)
        .order_by(col(GroupCall.id))
        .limit(most)
    )
    return session.execute(statement.execution_options(populate_existing=True)).scalars().all()


def answer(session: Session, call_id: int, member_id: int, now: datetime) -> str:
    """Note that the member answers: `new`, `again` (noted before) or `over`."""
    if not add_once(session, GroupAnswer, {"call_id": call_id, "member_id": member_id, "at": now}):
        return "again"
    counting = update(GroupCall).where(col(GroupCall.id) == call_id, col(GroupCall.state) == "open")
    if _count(session, counting.values(answers=GroupCall.answers + 1, stale=True)):
        return "new"
    mine = (col(GroupAnswer.call_id) == call_id, col(GroupAnswer.member_id) == member_id)
    _count(session, delete(GroupAnswer).where(*mine))
    return "over"


def seen_at(session: Session, call_id: int, message_id: str) -> None:
    """Note which message of the group is the call's, where the outbox does not know: one was pressed that says so.

    A post in doubt did arrive, then. What the outbox knows stands: who presses may send any data.
    """
    here = select(col(GroupChat.address)).where(col(GroupChat.id) == GroupCall.group_id).scalar_subquery()
    known = select(col(Delivery.id)).where(
        col(Delivery.key) == key_of(call_id),
        col(Delivery.state) == "sent",
        col(Delivery.platform_id) != "",
        col(Delivery.address) == here,
    )
    unknown = (col(GroupCall.id) == call_id, col(GroupCall.message_id) == "", ~known.exists())
    if message_id and _count(session, update(GroupCall).where(*unknown).values(message_id=message_id)):
        doubt = update(Delivery).where(col(Delivery.key) == key_of(call_id), col(Delivery.state) == "ambiguous")
        _count(session, doubt.values(state="sent", reason="answered"))


def forget_messages(session: Session, group_id: int) -> None:
    """The group has moved: no message of before can be changed any more."""
    moved = update(GroupCall).where(col(GroupCall.group_id) == group_id, col(GroupCall.state) == "open")
    _count(session, moved.values(message_id="", stale=False))


def who(session: Session, call_id: int) -> Sequence[tuple[int, str]]:
    """(id, name) of those who have answered, the first first."""
    statement = (
        select(col(Member.id), col(Member.name))
        .join(GroupAnswer, col(GroupAnswer.member_id) == col(Member.id))
        .where(col(GroupAnswer.call_id) == call_id)
        .order_by(col(GroupAnswer.at), col(Member.id))
    )
    return [(row[0], row[1]) for row in session.execute(statement)]


def to_show(session: Session, most: int) -> Sequence[Shown]:
    """Calls whose message does not say the present count yet, and where that message is."""
    message = func.coalesce(func.nullif(col(GroupCall.message_id), ""), col(Delivery.platform_id))
    statement = (
        select(
            col(GroupCall.id),
            col(GroupChat.channel),
            col(GroupChat.address),
            message,
            col(GroupChat.language),
            col(GroupCall.text),
            col(GroupCall.answers),
            col(GroupCall.state) == "open",
        )
        .join(GroupChat, col(GroupChat.id) == col(GroupCall.group_id))
        .outerjoin(
            Delivery,
            (col(Delivery.key) == literal("group_call:").concat(cast(col(GroupCall.id), String)))
            & (col(Delivery.state) == "sent")
            & (col(Delivery.address) == col(GroupChat.address)),
        )
        .where(col(GroupCall.stale).is_(True), col(GroupChat.ended_at).is_(None), func.coalesce(message, "") != "")
        .order_by(col(GroupCall.id))
        .limit(most)
    )
    return [Shown(*row) for row in session.execute(statement)]


def shown(session: Session, one: Shown) -> None:
    """Note that the message says this now; it is still to be shown when somebody has answered meanwhile."""
    same = (col(GroupCall.id) == one.call_id, col(GroupCall.answers) == one.answers)
    state = "open" if one.is_open else "closed"
    _count(session, update(GroupCall).where(*same, col(GroupCall.state) == state).values(stale=False))


def forget(session: Session, before: datetime) -> int:
    """Delete who answered calls that were made before, and drafts of then; the counts stay. How many rows."""
    old = select(col(GroupCall.id)).where(col(GroupCall.made_at) < before)
    gone = _count(session, delete(GroupAnswer).where(col(GroupAnswer.call_id).in_(old)))
    drafts = delete(GroupCall).where(col(GroupCall.state) == "draft", col(GroupCall.made_at) < before)
    return gone + _count(session, drafts)


def _count(session: Session, statement: Any) -> int:
    return int(session.execute(statement.execution_options(synchronize_session=False)).rowcount)  # type: ignore[attr-defined]
