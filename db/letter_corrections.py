"""The corrections of a letter: the one that its author has at hand, and those that have gone out."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session, col, select

from db.letters import Letter


def unsent(session: Session, letter_id: int, author_id: int) -> Letter | None:
    """The correction of the letter that this author has begun and not sent; None when there is none."""
    statement = select(Letter).where(
        col(Letter.corrects) == letter_id,
        col(Letter.author_id) == author_id,
        col(Letter.state).in_(("draft", "submitted")),
    )
    return session.execute(statement.order_by(col(Letter.id)).limit(1)).scalar_one_or_none()


def sent(session: Session, letter_id: int) -> Sequence[Letter]:
    """The corrections of the letter that have gone out, whoever sent them, the newest first."""
    statement = select(Letter).where(col(Letter.corrects) == letter_id, col(Letter.sent_at).is_not(None))
    return session.execute(statement.order_by(col(Letter.sent_at).desc(), col(Letter.id).desc())).scalars().all()
