"""How fast a bot account may send when several processes send through it: a row per account, chat and group.

Only PostgreSQL has several. Each step is one statement that changes one row and is committed by itself, so a
process that stands still holds nobody up. Time is the database's: the clocks of the processes may differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text
from sqlmodel import Field, SQLModel

from db.senders import Account

WHOLE = ""  # the bucket of all that the account sends free of charge


class AccountPace(SQLModel, table=True):
    """When a bucket is free again. bucket: empty for the whole account, else the address of a chat or group.

    paused_until: the platform's "retry after"; it only moves forward.
    """

    __tablename__ = "account_pace"
    channel: str = Field(primary_key=True)
    account: str = Field(primary_key=True)
    bucket: str = Field(primary_key=True)
    free_at: datetime
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """The answer to whoever asks for a turn. taken: it is theirs, in `wait_s` seconds. Else: ask again after them.

    paused_s: seconds of silence that the platform wants from this bucket, 0: none.
    """

    taken: bool
    wait_s: float
    paused_s: float = 0.0


_NOW = "coalesce(CAST(:now AS timestamptz), clock_timestamp())"
_GAP = "make_interval(secs => CAST(:gap_s AS double precision))"
_THIS = "channel = :channel AND account = :account"
_THEN = f"{_NOW} + make_interval(secs => CAST(:ahead_s AS double precision))"
_TAKING = f"""
    INSERT INTO account_pace AS its (channel, account, bucket, free_at)
    VALUES (:channel, :account, :bucket, {_THEN} + {_GAP})
    ON CONFLICT (channel, account, bucket) DO UPDATE SET free_at = greatest(its.free_at, {_THEN}) + {_GAP}
    WHERE coalesce(its.paused_until <= {_NOW}, true)
    """
_RETURNING = f"RETURNING extract(epoch FROM its.free_at - {_NOW})"
_SLACK = "make_interval(secs => CAST(:slack_s AS double precision))"
_BOOK = text(_TAKING + _RETURNING)
_TAKE = text(f"{_TAKING} AND its.free_at <= {_THEN} + {_SLACK} {_RETURNING}")
_LOOK = text(
    f"SELECT extract(epoch FROM free_at - {_NOW}), coalesce(extract(epoch FROM paused_until - {_NOW}), 0) "
    f"FROM account_pace WHERE {_THIS} AND bucket = :bucket"
)
_PAUSE = text(
    f"""
    INSERT INTO account_pace AS its (channel, account, bucket, free_at, paused_until)
    VALUES (:channel, :account, :bucket, {_NOW}, {_NOW} + {_GAP})
    ON CONFLICT (channel, account, bucket)
    DO UPDATE SET paused_until = greatest(its.paused_until, excluded.paused_until)
    """
)
_PAUSED = text(
    f"SELECT bucket, extract(epoch FROM paused_until - {_NOW}) FROM account_pace "
    f"WHERE {_THIS} AND bucket IN ('', :bucket) AND paused_until > {_NOW}"
)
_FORGET = text(
    f"DELETE FROM account_pace WHERE {_THIS} AND bucket <> '' AND free_at <= {_NOW} "
    f"AND coalesce(paused_until <= {_NOW}, true)"
)


def take(
    connection: Connection,
    account: Account,
    bucket: str,
    *,
    gap_s: float,
    slack_s: float = 0.0,
    ahead_s: float = 0.0,
    books: bool = False,
    now: datetime | None = None,
) -> Turn:
    """Take the bucket's turn in `ahead_s` seconds if it is free by then; with `books` the next that is free.

    gap_s: between two turns. slack_s: how much too early one may be. now: None for the database's clock.
    """
    values = {**_names(account, bucket, now), "gap_s": gap_s, "ahead_s": ahead_s}
    taking = (_BOOK, values) if books else (_TAKE, {**values, "slack_s": slack_s})
    if (row := connection.execute(*taking).first()) is not None:
        return Turn(True, max(0.0, float(row[0]) - gap_s - slack_s))
    row = connection.execute(_LOOK, _names(account, bucket, now)).first()
    if row is None:  # forgotten at this very moment
        return Turn(False, gap_s)
    paused_s = max(0.0, float(row[1]))
    return Turn(False, max(0.001, paused_s, float(row[0]) - slack_s), paused_s)


def pause(
    connection: Connection, account: Account, bucket: str, pause_s: float, now: datetime | None = None
) -> None:
    """Let nothing out of this bucket for so long."""
    connection.execute(_PAUSE, {**_names(account, bucket, now), "gap_s": pause_s})


def paused_s(
    connection: Connection, account: Account, bucket: str, now: datetime | None = None
) -> dict[str, float]:
    """Seconds of silence that are left, by bucket: of the whole account and of this one, where there are any."""
    return {row[0]: float(row[1]) for row in connection.execute(_PAUSED, _names(account, bucket, now))}


def forget(connection: Connection, account: Account, now: datetime | None = None) -> int:
    """Delete the rows of chats that hold nothing back any more; how many."""
    names = _names(account, WHOLE, now)
    del names["bucket"]
    return connection.execute(_FORGET, names).rowcount


def _names(account: Account, bucket: str, now: datetime | None) -> dict[str, Any]:
    return {"channel": account[0], "account": account[1], "bucket": bucket, "now": now}
