"""Chats (one row per address on a channel), what each waits for, and the one-time codes that bind them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, UniqueConstraint, bindparam, func, insert, or_, select, update
from sqlmodel import Field, Session, SQLModel, col

from db.deliveries import Delivery
from db.engine import BigId
from db.given import as_rows, given
from db.members import Member, Membership, roles_of
from db.organizations import Organization
from db.prepared import Prepared


class Chat(SQLModel, table=True):
    """One address on one channel, bound to a member or to nobody yet, with the state of its dialogue."""

    __table_args__ = (UniqueConstraint("channel", "address"), Index("ix_chat_member_id", "member_id"))
    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    channel: str
    address: str
    member_id: int | None = Field(default=None, foreign_key="member.id")
    bound_at: datetime | None = None
    language: str = "zh"  # zh or en
    disabled: str | None = None  # why this address cannot be reached ("blocked"); a later message clears it
    heard_at: datetime | None = None  # last time that the person wrote
    choices: dict[str, str] = Field(
        default_factory=dict, sa_column=Column(JSON, nullable=False)
    )  # number -> action
    expect: str | None = None  # the action that takes the next free text
    back: str | None = None  # the action behind 9
    misses: int = 0  # messages in a row that were not understood
    bind_failures: int = 0  # wrong codes since `bind_failed_at` began
    bind_failed_at: datetime | None = None
    window_kind: str | None = None  # WeChat: what opened the present sending window (message, click, ...)
    window_opened_at: datetime | None = None
    window_sent: int = 0  # customer messages sent in the present window


class BindCode(SQLModel, table=True):
    """A one-time code that binds a chat to a member. Only its hash is kept."""

    __tablename__ = "bind_code"
    __table_args__ = (Index("ix_bind_code_member_id", "member_id"),)
    id: int | None = Field(default=None, primary_key=True)
    code_hash: str = Field(unique=True)
    member_id: int = Field(foreign_key="member.id")
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    used_by_chat_id: int | None = None


def chat_at(session: Session, channel: str, address: str) -> Chat | None:
    """The chat with this address."""
    statement = select(Chat).where(col(Chat.channel) == channel, col(Chat.address) == address)
    return session.execute(statement).scalar_one_or_none()


def chats_of(session: Session, member_id: int) -> list[Chat]:
    """Every chat bound to the member, the one heard from last first."""
    statement = select(Chat).where(col(Chat.member_id) == member_id)
    found = list(session.execute(statement).scalars())
    return sorted(found, key=lambda chat: (chat.heard_at is not None, chat.heard_at, chat.id), reverse=True)


def disable(session: Session, channel: str, address: str, why: str) -> None:
    """Note that an address cannot be reached any more. Its person's next message clears the note."""
    session.execute(
        update(Chat).where(col(Chat.channel) == channel, col(Chat.address) == address).values(disabled=why)
    )


def _offer(dialect: str) -> Any:
    chats = given(dialect, at_channel=str, at_address=str)
    return (
        update(Chat)
        .where(col(Chat.channel) == chats.c.at_channel, col(Chat.address) == chats.c.at_address)
        .values(choices=bindparam("offered", type_=JSON))
    )


_OFFER = Prepared(_offer)


def offer(session: Session, chats: Sequence[tuple[str, str]], choices: dict[str, str]) -> None:
    """Let what is typed in these chats (channel, address) pick from `choices` from now on.

    A letter with buttons has just arrived there.
    """
    _OFFER.count(session, rows=as_rows(chats), offered=choices)


@dataclass(slots=True)
class Speaker:
    """Who speaks in a chat, with the state of the dialogue: what dispatch reads once per message.

    chat_id is None for an address that was never heard before, member_id None for a stranger, branch_id None
    for a member without a branch today. mailbox: does a letter wait for the next reply?
    """

    channel: str
    address: str
    chat_id: int | None = None
    member_id: int | None = None
    language: str = "zh"
    choices: dict[str, str] = field(default_factory=dict)
    expect: str | None = None
    back: str | None = None
    misses: int = 0
    bind_failures: int = 0
    bind_failed_at: datetime | None = None
    window_kind: str | None = None
    window_opened_at: datetime | None = None
    window_sent: int = 0
    disabled: str | None = None
    name: str = ""
    status: str = ""
    branch_id: int | None = None
    branch_path: str = ""
    branch_name: str = ""
    mailbox: bool = False


_SPEAKER = Prepared(
    select(
        col(Chat.id),
        col(Chat.member_id),
        col(Chat.language),
        col(Chat.choices),
        col(Chat.expect),
        col(Chat.back),
        col(Chat.misses),
        col(Chat.bind_failures),
        col(Chat.bind_failed_at),
        col(Chat.window_kind),
        col(Chat.window_opened_at),
        col(Chat.window_sent),
        col(Chat.disabled),
        func.coalesce(col(Member.name), ""),
        func.coalesce(col(Member.status), ""),
        col(Organization.id),
        func.coalesce(col(Organization.path), ""),
        func.coalesce(col(Organization.name), ""),
        select(col(Delivery.id))
        .where(
            col(Delivery.member_id) == col(Chat.member_id),
            col(Delivery.state) == "queued",
            col(Delivery.channel) == "mailbox",
        )
        .exists(),
    )
    .select_from(Chat)
    .outerjoin(Member, col(Member.id) == col(Chat.member_id))
    .outerjoin(
        Membership,
        (col(Membership.member_id) == col(Chat.member_id))
        & (col(Membership.from_day) <= bindparam("day"))
        & or_(col(Membership.to_day).is_(None), col(Membership.to_day) > bindparam("day")),
    )
    .outerjoin(Organization, col(Organization.id) == col(Membership.organization_id))
    .where(col(Chat.channel) == bindparam("channel"), col(Chat.address) == bindparam("address"))
)


def speaker(session: Session, channel: str, address: str, day: date) -> Speaker:
    """Who speaks at this address on `day`; an unknown address gives a stranger without a chat id."""
    row = _SPEAKER.row(session, channel=channel, address=address, day=day)
    if row is None:
        return Speaker(channel, address)
    return Speaker(channel, address, *row)


def begin(session: Session, who: Speaker) -> None:
    """Give an address that was never heard before its row; `who.chat_id` is set."""
    statement = insert(Chat).values(channel=who.channel, address=who.address, language=who.language, choices={})
    who.chat_id = int(session.execute(statement.returning(col(Chat.id))).scalar_one())


_REMEMBER = Prepared(
    update(Chat)
    .where(col(Chat.id) == bindparam("chat_id"))
    .values(
        choices=bindparam("choices"),
        expect=bindparam("expect"),
        back=bindparam("back"),
        misses=bindparam("misses"),
        heard_at=bindparam("heard_at"),
        window_kind=bindparam("window_kind"),
        window_opened_at=bindparam("window_opened_at"),
        window_sent=bindparam("window_sent"),
        disabled=None,
    )
)


def remember(session: Session, who: Speaker, heard_at: datetime) -> None:
    """Store what the chat waits for. A chat that was unreachable is reachable again: its person wrote."""
    _REMEMBER.count(
        session,
        chat_id=who.chat_id,
        choices=who.choices,
        expect=who.expect,
        back=who.back,
        misses=who.misses,
        heard_at=heard_at,
        window_kind=who.window_kind,
        window_opened_at=who.window_opened_at,
        window_sent=who.window_sent,
    )


def code_exists(session: Session, code_hash: str) -> bool:
    """Whether this code was ever given out."""
    return (
        session.execute(select(col(BindCode.id)).where(col(BindCode.code_hash) == code_hash)).first() is not None
    )


def add_code(session: Session, code_hash: str, member_id: int, created_at: datetime, expires_at: datetime) -> None:
    """Store a new code of the member. Codes given out before stay valid until they expire or are used."""
    session.add(BindCode(code_hash=code_hash, member_id=member_id, created_at=created_at, expires_at=expires_at))
    session.flush()


def open_code(session: Session, code_hash: str, now: datetime) -> BindCode | None:
    """The code, if it is neither used nor expired."""
    statement = select(BindCode).where(
        col(BindCode.code_hash) == code_hash, col(BindCode.used_at).is_(None), col(BindCode.expires_at) > now
    )
    return session.execute(statement).scalar_one_or_none()


def use_code(session: Session, code: BindCode, chat_id: int, now: datetime) -> bool:
    """Mark the code as used; False when it was used in the meantime."""
    statement = (
        update(BindCode)
        .where(col(BindCode.id) == code.id, col(BindCode.used_at).is_(None))
        .values(used_at=now, used_by_chat_id=chat_id)
    )
    return bool(session.execute(statement).rowcount)  # type: ignore[attr-defined]


def bind(session: Session, chat_id: int, member_id: int, now: datetime) -> None:
    """Give the chat to the member and forget its wrong tries."""
    values = {"member_id": member_id, "bound_at": now, "bind_failures": 0, "bind_failed_at": None}
    session.execute(update(Chat).where(col(Chat.id) == chat_id).values(**values))


def unbind(session: Session, chat_id: int) -> None:
    """Take the chat away from its member; nothing that the member has is touched."""
    session.execute(update(Chat).where(col(Chat.id) == chat_id).values(member_id=None, bound_at=None, choices={}))


def note_failure(session: Session, chat_id: int, failures: int, since: datetime) -> None:
    """Store how many wrong codes this chat has tried since `since`."""
    session.execute(
        update(Chat).where(col(Chat.id) == chat_id).values(bind_failures=failures, bind_failed_at=since)
    )


def speak(session: Session, chat_id: int, language: str) -> None:
    """Use `language` in this chat from now on."""
    session.execute(update(Chat).where(col(Chat.id) == chat_id).values(language=language))


def languages(session: Session, member_ids: Collection[int]) -> dict[int, str]:
    """The language of each member's chat that was heard from last; members without a chat are missing."""
    statement = (
        select(col(Chat.member_id), col(Chat.language))
        .where(col(Chat.member_id).in_(member_ids))
        .order_by(col(Chat.heard_at).is_not(None), col(Chat.heard_at), col(Chat.id))
    )
    return {row[0]: row[1] for row in session.execute(statement)}


def count_sent(session: Session, channel: str, address: str, messages: int) -> None:
    """Note that so many messages have gone out in the chat's present sending window."""
    found = (col(Chat.channel) == channel, col(Chat.address) == address)
    session.execute(update(Chat).where(*found).values(window_sent=col(Chat.window_sent) + messages))


def count_chats(session: Session) -> int:
    """How many addresses were ever heard."""
    return int(session.execute(select(func.count()).select_from(Chat)).scalar_one())


def roles_at(session: Session, channel: str, address: str, day: date) -> set[str] | None:
    """The roles on `day` of the member whose chat this is; None for a stranger's chat."""
    chat = chat_at(session, channel, address)
    if chat is None or chat.member_id is None:
        return None
    return {role for role, _ in roles_of(session, chat.member_id, day)}
