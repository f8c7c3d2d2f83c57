"""Writing the rows of a large letter in parts: how far each has come."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import CheckConstraint, Index, delete, select, update
from sqlmodel import Field, Session, SQLModel, col

from db.once import add_once

What = Literal["letter", "count", "chase", "deadline", "again"]


class Addressing(SQLModel, table=True):
    """Rows that are being written: those of a letter itself ("count": its branches are noted), of a reminder, or
    "again", once more to those whom it did not reach.

    Its end deletes it: whoever finds one knows that somebody has no row yet.
    """

    __table_args__ = (
        CheckConstraint("what IN ('letter', 'count', 'chase', 'deadline', 'again')", name="what"),
        Index("ix_addressing_letter_id", "letter_id"),
    )
    key: str = Field(primary_key=True)  # of the rows
    letter_id: int = Field(foreign_key="letter.id")
    what: str = "letter"
    place: int = 0  # the last member that was looked at; of all but a letter's own rows: the last branch
    begun_at: datetime


def begin(session: Session, letter_id: int, *, key: str, what: What, now: datetime) -> bool:
    """Note that rows of this key are to be written; False when it stands already."""
    values = {"key": key, "letter_id": letter_id, "what": what, "place": 0, "begun_at": now}
    return add_once(session, Addressing, values)


def is_open(session: Session, key: str) -> bool:
    """Whether rows of this key are still being written."""
    return session.execute(select(col(Addressing.key)).where(col(Addressing.key) == key)).first() is not None


def advance(session: Session, one: Addressing, place: int, what: What | None = None) -> bool:
    """Note how far it is, and what comes now; False when it was ended or moved meanwhile.

    Then nothing may be written.
    """
    changed = session.execute(
        update(Addressing)
        .where(
            col(Addressing.key) == one.key, col(Addressing.place) == one.place, col(Addressing.what) == one.what
        )
        .values(place=place, what=what or one.what)
        .execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def end(session: Session, key: str) -> bool:
    """Write no more rows of this key; False when it was ended before."""
    changed = session.execute(
        delete(Addressing).where(col(Addressing.key) == key).execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def stop(session: Session, letter_id: int) -> None:
    """Write no more rows of this letter, nor reminders; the rows that stand are still noted for its report."""
    of_letter = col(Addressing.letter_id) == letter_id
    session.execute(
        delete(Addressing)
        .where(of_letter, col(Addressing.what).in_(("chase", "deadline", "again")))
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(Addressing)
        .where(of_letter, col(Addressing.what) == "letter")
        .values(what="count", place=0)
        .execution_options(synchronize_session=False)
    )
