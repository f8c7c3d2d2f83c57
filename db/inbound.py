"""What came in and what was answered: the reason why a redelivery has no second effect."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, UniqueConstraint, bindparam, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col

from db.engine import BigId
from db.prepared import Prepared


class Inbound(SQLModel, table=True):
    """One message that was taken in, with the reply that it got."""

    __table_args__ = (
        UniqueConstraint("channel", "key"),
        Index("ix_inbound_open", "taken_at", "received_at"),
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    channel: str
    key: str
    address: str
    received_at: datetime
    reply: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))  # a Message; None: nothing is said
    taken_at: datetime | None = None  # when the platform took the reply
    way: str | None = None  # that the reply takes, where several processes had to agree on it


_KNOWN = Prepared(
    select(col(Inbound.id), col(Inbound.reply), col(Inbound.taken_at)).where(
        col(Inbound.channel) == bindparam("channel"), col(Inbound.key) == bindparam("key")
    )
)


def _take_in(dialect: str) -> Any:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    names = ("channel", "key", "address", "received_at", "reply")
    return (
        insert(Inbound)
        .values({name: bindparam(name) for name in names})
        .on_conflict_do_nothing(index_elements=["channel", "key"])
        .returning(col(Inbound.id))
    )


_TAKE_IN = Prepared(_take_in)


_TAKEN = Prepared(
    update(Inbound)
    .where(col(Inbound.id) == bindparam("which"), col(Inbound.taken_at).is_(None))
    .values(taken_at=bindparam("at"))
)


class Repeated(Exception):
    """Another process has just taken in the same message; everything done for it here has to go."""


def known(session: Session, channel: str, key: str) -> tuple[int, dict[str, Any] | None, bool] | None:
    """(id, stored reply, has the platform taken it?) of a message that came before; None for a new one."""
    row = _KNOWN.row(session, channel=channel, key=key)
    return (row[0], row[1], row[2] is not None) if row else None


def take_in(
    session: Session,
    *,
    channel: str,
    key: str,
    address: str,
    received_at: datetime,
    reply: dict[str, Any] | None,
) -> int:
    """Write the row of a new message with its reply; the row's id. Raises Repeated for a second row of one key."""
    row = _TAKE_IN.row(session, channel=channel, key=key, address=address, received_at=received_at, reply=reply)
    if row is None:
        raise Repeated
    return int(row[0])


def taken(session: Session, inbound_id: int, at: datetime) -> None:
    """Note that the platform has taken the reply."""
    _TAKEN.count(session, which=inbound_id, at=at)


def agree(session: Session, inbound_id: int, way: str) -> bool:
    """Let the reply take this way; False when another one was agreed on before."""
    agreeing = update(Inbound).where(
        col(Inbound.id) == inbound_id, or_(col(Inbound.way).is_(None), col(Inbound.way) == way)
    )
    statement = agreeing.values(way=way).execution_options(synchronize_session=False)
    return bool(session.execute(statement).rowcount)  # type: ignore[attr-defined]


def open_replies(session: Session, channel: str, since: datetime, before: datetime | None = None) -> list[Inbound]:
    """Replies to what came in [since, before) that the platform has not taken, the oldest first."""
    statement = (
        select(Inbound)
        .where(
            col(Inbound.channel) == channel,
            col(Inbound.taken_at).is_(None),
            col(Inbound.received_at) >= since,
        )
        .order_by(col(Inbound.id))
    )
    if before is not None:
        statement = statement.where(col(Inbound.received_at) < before)
    return [row for row in session.execute(statement).scalars() if row.reply is not None]


def forget(session: Session, before: datetime) -> int:
    """Delete rows older than `before`: no platform delivers again after a day. How many went."""
    return session.execute(delete(Inbound).where(col(Inbound.received_at) < before)).rowcount  # type: ignore[attr-defined, no-any-return]
