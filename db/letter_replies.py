"""回信: what recipients write back to a letter, which its author has picked, and what may be shared."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, func, select, update
from sqlmodel import Field, Session, SQLModel, col

from db.once import add_once


class LetterReply(SQLModel, table=True):
    """What one recipient wrote back to one letter.

    state: sent, withdrawn, picked (the author would like to share it). consent: none, asked, named, nameless,
    refused.
    """

    __tablename__ = "letter_reply"
    __table_args__ = (
        CheckConstraint("state IN ('sent', 'withdrawn', 'picked')", name="state"),
        CheckConstraint("consent IN ('none', 'asked', 'named', 'nameless', 'refused')", name="consent"),
        Index("ix_letter_reply_letter_id", "letter_id", "member_id", unique=True),
    )
    id: int | None = Field(default=None, primary_key=True)
    letter_id: int = Field(foreign_key="letter.id")
    member_id: int = Field(foreign_key="member.id")
    words: str
    picture_id: int | None = Field(default=None, foreign_key="picture.id")
    state: str = "sent"
    consent: str = "none"
    written_at: datetime
    picked_at: datetime | None = None


def by_id(session: Session, reply_id: int | None) -> LetterReply | None:
    """The reply with this id."""
    return session.get(LetterReply, reply_id, populate_existing=True) if reply_id is not None else None


def of(session: Session, letter_id: int, member_id: int) -> LetterReply | None:
    """What the member wrote back to the letter, withdrawn or not."""
    statement = select(LetterReply).where(
        col(LetterReply.letter_id) == letter_id, col(LetterReply.member_id) == member_id
    )
    return session.execute(statement.execution_options(populate_existing=True)).scalar_one_or_none()


def write(session: Session, letter_id: int, member_id: int, *, words: str, at: datetime) -> bool:
    """Note the words, in place of earlier ones; False when the reply was picked: what was agreed to stays."""
    values = {"letter_id": letter_id, "member_id": member_id, "words": words, "written_at": at}
    if add_once(session, LetterReply, {**values, "state": "sent", "consent": "none"}):
        return True
    return _change(session, letter_id, member_id, ("sent", "withdrawn"), words=words, written_at=at, state="sent")


def add_picture(session: Session, letter_id: int, member_id: int, picture_id: int) -> bool:
    """Put a picture to the reply; False when there is no reply that can still be changed."""
    return _change(session, letter_id, member_id, ("sent",), picture_id=picture_id)


def withdraw(session: Session, letter_id: int, member_id: int) -> bool:
    """Take the reply back, a picked one, too; False when it was taken back before."""
    changes = {"state": "withdrawn", "consent": "none", "words": "", "picture_id": None}
    return _change(session, letter_id, member_id, ("sent", "picked"), **changes)


def pick(session: Session, reply_id: int, now: datetime) -> bool:
    """Pick a reply to be shared; False when that was done before, or it was taken back."""
    return _update(
        session,
        [col(LetterReply.id) == reply_id, col(LetterReply.state) == "sent"],
        state="picked",
        consent="asked",
        picked_at=now,
    )


def consent(session: Session, reply_id: int, member_id: int, word: str) -> bool:
    """Note what the writer says to sharing; it may be said anew. False when the reply is not picked (any more)."""
    mine = [
        col(LetterReply.id) == reply_id,
        col(LetterReply.member_id) == member_id,
        col(LetterReply.state) == "picked",
    ]
    return _update(session, mine, consent=word)


def _change(session: Session, letter_id: int, member_id: int, was: Sequence[str], **values: Any) -> bool:
    mine = [
        col(LetterReply.letter_id) == letter_id,
        col(LetterReply.member_id) == member_id,
        col(LetterReply.state).in_(was),
    ]
    return _update(session, mine, **values)


def _update(session: Session, where: Sequence[Any], **values: Any) -> bool:
    changed = session.execute(
        update(LetterReply).where(*where).values(**values), execution_options={"synchronize_session": False}
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def count(session: Session, letter_id: int) -> tuple[int, int, int]:
    """(replies, picked ones, those that may be shared) of a letter."""
    picked = col(LetterReply.state) == "picked"
    agreed = picked & col(LetterReply.consent).in_(("named", "nameless"))
    statement = select(func.count(), func.count().filter(picked), func.count().filter(agreed)).where(
        col(LetterReply.letter_id) == letter_id, col(LetterReply.state) != "withdrawn"
    )
    row = session.execute(statement).one()
    return int(row[0]), int(row[1]), int(row[2])


def listed(session: Session, letter_id: int, *, most: int, offset: int = 0) -> Sequence[LetterReply]:
    """The replies to a letter, the first first; withdrawn ones are missing."""
    statement = (
        select(LetterReply)
        .where(col(LetterReply.letter_id) == letter_id, col(LetterReply.state) != "withdrawn")
        .order_by(col(LetterReply.id))
        .limit(most)
        .offset(offset)
    )
    return session.execute(statement).scalars().all()


def shared(session: Session, letter_id: int) -> Sequence[LetterReply]:
    """The replies that were picked and whose writers have agreed, in the order in which they were picked."""
    statement = (
        select(LetterReply)
        .where(
            col(LetterReply.letter_id) == letter_id,
            col(LetterReply.state) == "picked",
            col(LetterReply.consent).in_(("named", "nameless")),
        )
        .order_by(col(LetterReply.picked_at), col(LetterReply.id))
    )
    return session.execute(statement).scalars().all()
