"""Letters that nobody can leave: how many of them a sender has sent lately."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from db.letters import Letter, Topic
from db.organizations import Organization


def sent_since(session: Session, organization_id: int, since: datetime) -> Sequence[datetime]:
    """When the mandatory letters in the name of this node went out after `since`, the first one first.

    The node's row is held until the end of the transaction, so that two who send at once are counted one by one.
    """
    node = select(col(Organization.id)).where(col(Organization.id) == organization_id)
    session.execute(node.with_for_update())
    statement = (
        select(col(Letter.sent_at))
        .join(Topic, col(Topic.id) == col(Letter.topic_id))
        .where(
            col(Letter.organization_id) == organization_id,
            col(Letter.author_id).is_not(None),
            col(Letter.sent_at) > since,
            col(Topic.mandatory),
        )
        .order_by(col(Letter.sent_at))
    )
    return session.execute(statement).scalars().all()
