"""Who sends for each bot account: owner, fence and heartbeat. One process at a time, any process able to be it.

No clock of one machine is compared with that of another. The owner raises `beat` every few seconds; whoever would
like to follow it watches the row, and takes over when it has not moved for longer than the owner goes on without
renewing it (`notices.lease`). From then on the former owner's fence is old, and whatever it still wants to write
about deliveries changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import bindparam, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col

from db.prepared import Prepared

Account: TypeAlias = tuple[str, str]
"""(channel, the account's own id there)."""


class Sender(SQLModel, table=True):
    """One bot account. The row stays; owner, fence and beat move."""

    channel: str = Field(primary_key=True)
    account: str = Field(primary_key=True)  # the bot's id, the AppID; empty on the web
    owner: str = ""  # of the process that sends; empty: nobody
    fence: int = 0  # raised by every take-over
    beat: int = 0  # raised by every renewal
    paused_until: datetime | None = None  # the platform's last "retry after": whoever follows keeps to it


@dataclass(frozen=True, slots=True)
class Seen:
    """What a row said when it was looked at."""

    owner: str
    fence: int
    beat: int


_ROW = tuple_(col(Sender.channel), col(Sender.account))
_HELD = Prepared(
    # A lock that lets the owner's heartbeat pass, and makes a take-over wait until this transaction has ended.
    select(col(Sender.channel), col(Sender.fence))
    .where(col(Sender.owner) == bindparam("owner"))
    .with_for_update(read=True, key_share=True)
)
_PAUSE = Prepared(
    update(Sender)
    .where(
        col(Sender.channel) == bindparam("channel_"),
        col(Sender.owner) == bindparam("owner_"),
        or_(col(Sender.paused_until).is_(None), col(Sender.paused_until) < bindparam("until")),
    )
    .values(paused_until=bindparam("until"))
)


def look(session: Session, accounts: Collection[Account]) -> dict[Account, Seen]:
    """What the rows of these accounts say now; a row that is missing is made, owned by nobody."""
    insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    columns = (Sender.channel, Sender.account, Sender.owner, Sender.fence, Sender.beat)
    statement = select(*columns).where(_ROW.in_(accounts))  # type: ignore[call-overload]
    found = session.execute(statement).all()
    if len(found) < len(accounts):
        rows = [{"channel": channel, "account": account} for channel, account in sorted(accounts)]
        fresh = {"owner": "", "fence": 0, "beat": 0}
        session.execute(insert(Sender).values([{**row, **fresh} for row in rows]).on_conflict_do_nothing())
        found = session.execute(statement).all()
    return {(row[0], row[1]): Seen(*row[2:]) for row in found}


def take_over(session: Session, seen: Mapping[Account, Seen], owner: str) -> dict[str, int]:
    """Make `owner` the sender of all these accounts: the new fence by channel. Empty when a row has moved since.

    Waits for what the former owner is just committing, so that the caller sees all of it in this transaction.
    """
    accounts = sorted(seen)
    locked = (
        select(Sender)
        .where(_ROW.in_(accounts))
        .order_by(col(Sender.channel), col(Sender.account))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    rows: Sequence[Sender] = session.execute(locked).scalars().all()
    if [Seen(row.owner, row.fence, row.beat) for row in rows] != [seen[account] for account in accounts]:
        return {}
    for row in rows:
        row.owner, row.fence, row.beat = owner, row.fence + 1, 0
    session.flush()
    return {row.channel: row.fence for row in rows}


def renew(session: Session, owner: str) -> int:
    """The owner's heartbeat; how many accounts are still its own."""
    beating = update(Sender).where(col(Sender.owner) == owner).values(beat=Sender.beat + 1)
    return int(session.execute(beating, execution_options={"synchronize_session": False}).rowcount)  # type: ignore[attr-defined]


def release(session: Session, owner: str) -> None:
    """Give the accounts back: the next process need not wait."""
    leaving = update(Sender).where(col(Sender.owner) == owner).values(owner="")
    session.execute(leaving, execution_options={"synchronize_session": False})


def held(session: Session, owner: str) -> dict[str, int]:
    """The fence by channel of the accounts that are the owner's, for the rest of this transaction."""
    return {row[0]: row[1] for row in _HELD.rows(session, owner=owner)}


def pause(session: Session, channel: str, owner: str, until: datetime) -> None:
    """Note that the platform wants nothing before `until`. The deadline only moves forward."""
    _PAUSE.count(session, channel_=channel, owner_=owner, until=until)


def paused(session: Session, owner: str) -> dict[str, datetime]:
    """Until when the owner's accounts keep silent, by channel."""
    statement = select(col(Sender.channel), col(Sender.paused_until)).where(
        col(Sender.owner) == owner, col(Sender.paused_until).is_not(None)
    )
    return {row[0]: row[1] for row in session.execute(statement)}
