"""Taking back what has not gone out of a letter: at once what is in hand, the rest in bounded parts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select, union_all, update
from sqlmodel import Session, col

from db.deliveries import Delivery
from db.letter_counts import DIRECT_MAX
from db.letters import Letter
from db.sending import is_in

NOT_BEGUN = ("claimed", "retry", "queued")


def not_begun(session: Session, letter: Letter) -> int:
    """How many people a letter has not begun to go out to.

    Of a large one every row counts, also further parts: the index alone answers that.
    """
    statement = select(func.count()).where(
        col(Delivery.letter_id) == letter.id, col(Delivery.state).in_(NOT_BEGUN)
    )
    if letter.recipients <= DIRECT_MAX:
        statement = statement.where(col(Delivery.counts_for).is_not(None))
    return int(session.execute(statement).scalar_one())


def cancel(session: Session, letter_id: int, *, now: datetime, most: int) -> int:
    """Take back up to about `most` rows of a letter, those in somebody's hand first; how many rows.

    One statement for all states: a row that is claimed at this moment is waited for and taken back, too.
    """
    chosen = union_all(
        *(
            select(
                select(col(Delivery.id))
                .where(col(Delivery.letter_id) == letter_id, col(Delivery.state) == state)
                .order_by(col(Delivery.id))
                .limit(most)
                .subquery()
            )
            for state in NOT_BEGUN
        )
    )
    changed = session.execute(
        update(Delivery)
        .where(col(Delivery.id).in_(chosen), is_in(*NOT_BEGUN))
        .values(state="cancelled", reason="stopped", finished_at=now)
        .execution_options(synchronize_session=False)
    )
    return int(changed.rowcount)  # type: ignore[attr-defined]


def stopped_with_rest(session: Session, most: int) -> Sequence[int]:
    """Ids of stopped letters of which something is still queued."""
    rest = select(col(Delivery.id)).where(
        col(Delivery.letter_id) == col(Letter.id), col(Delivery.state).in_(NOT_BEGUN)
    )
    statement = select(col(Letter.id)).where(col(Letter.state) == "stopped", rest.exists()).limit(most)
    return session.execute(statement).scalars().all()
