"""Single lines of the ledger, as evidence and for those who take them back."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import exists, literal, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from db.ledger import Entry


def by_id(session: Session, entry_id: int | None) -> Entry | None:
    """The line with this id."""
    return session.get(Entry, entry_id) if entry_id is not None else None


def standing(session: Session, causes: Collection[str], rule_id: str) -> Sequence[Entry]:
    """Everybody's lines of these causes under a rule that nothing has taken back."""
    undone = aliased(Entry)
    statement = select(Entry).where(
        col(Entry.cause).in_(causes),
        col(Entry.rule_id) == rule_id,
        ~exists().where(
            col(undone.member_id) == col(Entry.member_id),
            col(undone.rule_id) == col(Entry.rule_id),
            col(undone.cause) == literal("undo:") + col(Entry.cause),
        ),
    )
    return session.execute(statement).scalars().all()
