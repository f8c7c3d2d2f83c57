"""Consents: a person's leave to be shown one card of one template, given in the platform's own pop-up.

The platform tells nobody how many are left, so they are counted here: one row for each, from the event in which it
was given to the delivery that took it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col

from db.engine import BigId

_OPEN = text("spent_by IS NULL AND void_at IS NULL")
TRIES_MAX = 5  # of a race for one of several


class Consent(SQLModel, table=True):
    """Leave for one card. Open until a delivery has taken it or the person has taken it back."""

    __table_args__ = (
        UniqueConstraint("channel", "key"),
        Index("ix_consent_open", "channel", "address", "template", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_consent_spent_by", "spent_by"),
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    channel: str
    address: str
    template: str  # the platform's id of it
    key: str  # the event's own, so that a redelivery gives nothing twice
    given_at: datetime
    spent_by: int | None = Field(default=None, foreign_key="delivery.id", sa_type=BigId)
    void_at: datetime | None = None  # taken back, or the platform knew nothing of it


def give(session: Session, *, channel: str, address: str, template: str, key: str, at: datetime) -> bool:
    """Note a consent; False when this event was noted before."""
    insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    values = {"channel": channel, "address": address, "template": template, "key": key, "given_at": at}
    return _count(session, insert(Consent).values(values).on_conflict_do_nothing()) == 1


def withdraw(session: Session, channel: str, address: str, template: str, at: datetime) -> int:
    """Void what is open of this template: the person refuses its cards. How many."""
    return _count(session, update(Consent).where(*_open(channel, address, template)).values(void_at=at))


def counts(session: Session, channel: str, addresses: Collection[str]) -> dict[tuple[str, str], int]:
    """How many are open, by (address, template); without any the pair is missing."""
    statement = (
        select(col(Consent.address), col(Consent.template), func.count())
        .where(col(Consent.channel) == channel, col(Consent.address).in_(addresses), *_unused())
        .group_by(col(Consent.address), col(Consent.template))
    )
    return {(row[0], row[1]): int(row[2]) for row in session.execute(statement)}


def spend(session: Session, *, channel: str, address: str, template: str, delivery_id: int) -> bool:
    """Take the oldest open consent for a delivery; False when there is none (any more)."""
    oldest = select(func.min(col(Consent.id))).where(*_open(channel, address, template))
    for _ in range(TRIES_MAX):
        which = session.execute(oldest).scalar_one()
        if which is None:
            return False
        taking = update(Consent).where(col(Consent.id) == which, *_unused()).values(spent_by=delivery_id)
        if _count(session, taking):
            return True
    return False


def give_back(session: Session, deliveries: Any) -> int:
    """Open again what these deliveries (ids, or a query of ids) have taken: they certainly showed nothing."""
    taken = (col(Consent.spent_by).in_(deliveries), col(Consent.void_at).is_(None))
    return _count(session, update(Consent).where(*taken).values(spent_by=None))


def close(session: Session, delivery_id: int, at: datetime) -> None:
    """What this delivery took is used up, whatever becomes of the delivery from now on."""
    taken = update(Consent).where(col(Consent.spent_by) == delivery_id, col(Consent.void_at).is_(None))
    _count(session, taken.values(void_at=at))


def _unused() -> tuple[Any, Any]:
    return col(Consent.spent_by).is_(None), col(Consent.void_at).is_(None)


def _open(channel: str, address: str, template: str) -> tuple[Any, ...]:
    here = (col(Consent.channel) == channel, col(Consent.address) == address, col(Consent.template) == template)
    return (*here, *_unused())


def _count(session: Session, statement: Any) -> int:
    # Without being told to, an insert on PostgreSQL forgets how many rows it made.
    told = statement.execution_options(synchronize_session=False, preserve_rowcount=True)
    return int(session.execute(told).rowcount)  # type: ignore[attr-defined]
