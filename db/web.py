"""The web chat's own memory: what was said and shown in it, so that a page can be drawn again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Column, Index, UniqueConstraint, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col

from db.engine import BigId

SPEAKERS = ("person", "service", "letter")
"""`service` answers what the person said; a `letter` came by itself."""


class WebLine(SQLModel, table=True):
    """One message in one web chat.

    member_id: whose chat it was at that moment, so that a device that was unbound shows nobody else's lines.
    picture_token: names the picture of this line in its address; nobody can guess it.
    told_with: the key of the request to `POST /web/say` that carried this letter.
    """

    __tablename__ = "web_line"
    __table_args__ = (
        CheckConstraint("speaker IN ('person','service','letter')", name="speaker"),
        UniqueConstraint("address", "key", "speaker"),
        Index("ix_web_line_address_id", "address", "id"),
        Index("ix_web_line_at", "at"),
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    address: str
    key: str  # of the message that this line belongs to; unique within its chat
    speaker: str  # one of SPEAKERS
    member_id: int | None = Field(default=None, foreign_key="member.id")
    message: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))  # a Message
    picture_token: str | None = Field(default=None, unique=True)
    told_with: str | None = None
    at: datetime


def add(
    session: Session,
    *,
    address: str,
    key: str,
    speaker: str,
    member_id: int | None,
    message: dict[str, Any],
    at: datetime,
    picture_token: str | None = None,
) -> int:
    """The id of the line, which is written unless it stands already."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(WebLine).values(
        address=address,
        key=key,
        speaker=speaker,
        member_id=member_id,
        message=message,
        picture_token=picture_token if message.get("picture") else None,
        at=at,
    )
    written = session.execute(
        statement.on_conflict_do_nothing(index_elements=["address", "key", "speaker"]).returning(col(WebLine.id))
    ).scalar()
    if written is not None:
        return int(written)
    known = select(col(WebLine.id)).where(
        col(WebLine.address) == address, col(WebLine.key) == key, col(WebLine.speaker) == speaker
    )
    return int(session.execute(known).scalar_one())


def recent(
    session: Session, address: str, member_id: int | None, *, count: int, before_id: int | None = None
) -> list[WebLine]:
    """The last `count` lines that the chat's present holder may see (older than `before_id`), oldest first."""
    statement = select(WebLine).where(col(WebLine.address) == address, _may_see(member_id))
    if before_id is not None:
        statement = statement.where(col(WebLine.id) < before_id)
    statement = statement.order_by(col(WebLine.id).desc()).limit(count)
    return list(session.execute(statement).scalars())[::-1]


def line(session: Session, address: str, member_id: int | None, line_id: int) -> WebLine | None:
    """The line with this id; None when it is another chat's, or was meant for a former holder of this one."""
    statement = select(WebLine).where(
        col(WebLine.id) == line_id, col(WebLine.address) == address, _may_see(member_id)
    )
    return session.execute(statement).scalar_one_or_none()


def of_message(session: Session, address: str, key: str) -> list[WebLine]:
    """The lines that belong to one message, the person's first."""
    statement = (
        select(WebLine).where(col(WebLine.address) == address, col(WebLine.key) == key).order_by(col(WebLine.id))
    )
    return list(session.execute(statement).scalars())


def with_picture(session: Session, picture_token: str) -> dict[str, Any] | None:
    """The message whose picture this token names."""
    statement = select(col(WebLine.message)).where(col(WebLine.picture_token) == picture_token)
    return session.execute(statement).scalar_one_or_none()


def tell(session: Session, address: str, member_id: int | None, key: str, *, first: bool) -> Sequence[WebLine]:
    """The letters that the request `key` carries: on its first time all that no request has carried yet.

    A repeated request gets the same letters again.
    """
    if first:
        session.execute(
            update(WebLine)
            .where(
                col(WebLine.address) == address,
                col(WebLine.speaker) == "letter",
                col(WebLine.told_with).is_(None),
                _may_see(member_id),
            )
            .values(told_with=key)
        )
    statement = (
        select(WebLine)
        .where(col(WebLine.address) == address, col(WebLine.told_with) == key)
        .order_by(col(WebLine.id))
    )
    return list(session.execute(statement).scalars())


def newest(session: Session) -> int:
    """The highest id of a line; 0 when there is none."""
    return int(session.execute(select(func.coalesce(func.max(col(WebLine.id)), 0))).scalar_one())


def written_after(session: Session, line_id: int, addresses: Collection[str]) -> list[tuple[int, str]]:
    """(id, address) of the lines of these chats that have a higher id."""
    statement = select(col(WebLine.id), col(WebLine.address)).where(
        col(WebLine.address).in_(addresses), col(WebLine.id) > line_id
    )
    return [(row[0], row[1]) for row in session.execute(statement)]


def forget(session: Session, before: datetime) -> int:
    """Delete lines older than `before`; how many went. Effects and letters stay in their own tables."""
    return session.execute(delete(WebLine).where(col(WebLine.at) < before)).rowcount  # type: ignore[attr-defined, no-any-return]


def _may_see(member_id: int | None) -> Any:
    nobody = col(WebLine.member_id).is_(None)
    return nobody if member_id is None else or_(nobody, col(WebLine.member_id) == member_id)
