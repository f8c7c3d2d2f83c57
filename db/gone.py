"""Members to whom nobody writes any more: what still waits for them in the outbox is taken back.

The planner asks again before it sends. This looks at what is not claimed for hours: rows that the night holds, or
that lie in a mailbox. It goes by the state of the roll, so it does not matter who or what changed it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import bindparam, exists, or_, select, text, update
from sqlmodel import Session, col

from db.deliveries import Delivery
from db.letters import Letter
from db.members import Member
from db.organizations import Organization
from db.prepared import Prepared

WAITS = ("queued", "retry", "claimed")  # not on its way: who holds a claim finds it gone before the request
MOST = 500  # members of one transaction

_GONE = Prepared(  # a few thousand people, by an index of their own; each looked up in the outbox by its index
    select(col(Member.id), col(Member.status))
    .where(
        text("member.status != 'active'"),  # as the index says it: a bound value would not be recognized
        exists().where(
            col(Delivery.member_id) == col(Member.id), or_(*(col(Delivery.state) == state for state in WAITS))
        ),
    )
    .limit(bindparam("most"))
)


def take_back(session: Session, now: datetime, most: int = MOST) -> int:
    """Suppress what waits for up to `most` members who are not active; how many members. 0: nothing waits."""
    found = _GONE.rows(session, most=most)
    for status in {row[1] for row in found}:
        ids = [row[0] for row in found if row[1] == status]
        _suppress(session, col(Delivery.member_id).in_(ids), status, now)
    return len(found)


def moved(session: Session, member_id: int, path: str, now: datetime) -> int:
    """A member belongs to the branch at `path` from now on: letters to other parts of the tree are suppressed.

    How many rows. Letters that reach the new branch, too, and notes about the member's own matters stay; so do
    corrections, which are for whoever got the letter.
    """
    waiting = (
        select(col(Letter.id), col(Letter.audience))
        .join(Delivery, col(Delivery.letter_id) == col(Letter.id))
        .where(
            col(Delivery.member_id) == member_id, col(Delivery.state).in_(WAITS), col(Letter.corrects).is_(None)
        )
    )
    nodes = {letter_id: int(audience.get("node", 0)) for letter_id, audience in session.execute(waiting)}
    paths = _paths(session, set(nodes.values()))
    others = [one for one, node in nodes.items() if node in paths and not path.startswith(paths[node])]
    if not others:
        return 0
    which = (col(Delivery.member_id) == member_id, col(Delivery.letter_id).in_(others))
    return _suppress(session, which[0] & which[1], "moved", now)


def _paths(session: Session, ids: Collection[int]) -> dict[int, str]:
    rows = session.execute(
        select(col(Organization.id), col(Organization.path)).where(col(Organization.id).in_(ids))
    )
    return {row[0]: row[1] for row in rows}


def _suppress(session: Session, which: object, reason: str, now: datetime) -> int:
    changed = session.execute(
        update(Delivery)
        .where(which, col(Delivery.state).in_(WAITS))  # type: ignore[arg-type]
        .values(state="suppressed", reason=reason, finished_at=now, lease_until=None)
        .execution_options(synchronize_session=False)
    )
    return int(changed.rowcount)  # type: ignore[attr-defined]
