"""How a delivery moves: claimed under a lease, an intent before the request, an outcome after it.

Every step names the fence of its claim and the state that it leaves, so a process that was overtaken changes
nothing. `db.recovering` says what becomes of an intent without an outcome.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, or_, select, update
from sqlalchemy.sql.expression import ColumnElement
from sqlmodel import Session, col

from db.deliveries import MAILBOX, MAILBOX_LANE, Attempt, Delivery
from db.given import as_rows, given
from db.prepared import Prepared

LANES = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this process may decide on as long as its fence stands."""

    id: int
    fence: int
    key: str
    member_id: int
    letter_id: int | None
    part: int
    content: dict[str, Any] | None
    lane: int
    urgent: bool
    channel: str | None
    address: str | None
    expires_at: datetime | None
    attempts: int
    reason: str


_COLUMNS = tuple(getattr(Delivery, name) for name in Claimed.__slots__)
_DUE = Prepared(
    select(col(Delivery.id), col(Delivery.died))
    .where(
        col(Delivery.state) == bindparam("state"),
        col(Delivery.lane) == bindparam("lane"),
        col(Delivery.not_before) <= bindparam("now"),
    )
    .order_by(col(Delivery.not_before), col(Delivery.id))
    .limit(bindparam("most"))
)


def is_in(*states: str) -> ColumnElement[bool]:
    """Whether a delivery is in one of the states, for a statement that has its ids.

    Hidden in a function, the state lures no planner away from the ids to the hundred thousands still queued.
    """
    hidden = func.coalesce(col(Delivery.state), "")
    return or_(*(hidden == state for state in states))


def _claim(dialect: str) -> Any:
    chosen = given(dialect, which=int)
    return (
        update(Delivery)
        .where(col(Delivery.id) == chosen.c.which, is_in("queued", "retry"))
        .values(state="claimed", fence=Delivery.fence + 1, lease_until=bindparam("lease_until"))
        .returning(*_COLUMNS)
    )


_CLAIM = Prepared(_claim)


def claim(session: Session, *, now: datetime, lease_until: datetime, most: int, alone: bool) -> Sequence[Claimed]:
    """Up to `most` due deliveries, the lower lanes first, now claimed.

    A row that a dying process held is claimed by itself, and only when the caller holds nothing else (`alone`).
    """
    due: list[tuple[int, int]] = []
    for lane in LANES:
        for state in ("retry", "queued"):
            if len(due) < most:
                rows = _DUE.rows(session, state=state, lane=lane, now=now, most=most - len(due))
                due += [(row[0], row[1]) for row in rows]
    if due and due[0][1]:
        due = due[:1] if alone else []
    else:
        due = due[: next((place for place, (_, died) in enumerate(due) if died), len(due))]
    if not due:
        return []
    places = {delivery_id: place for place, (delivery_id, _) in enumerate(due)}
    changed = _CLAIM.rows(session, rows=as_rows((delivery_id,) for delivery_id in places), lease_until=lease_until)
    return sorted((Claimed(*row) for row in changed), key=lambda one: places[one.id])


_OURS = (
    col(Delivery.id) == bindparam("which"),
    col(Delivery.fence) == bindparam("held"),
    col(Delivery.state) == bindparam("was"),
)
_END = Prepared(
    update(Delivery)
    .where(*_OURS)
    .values(
        state=bindparam("state"),
        reason=bindparam("reason"),
        finished_at=bindparam("finished_at"),
        platform_id=bindparam("platform_id"),
        lease_until=None,
    )
)
_BACK = Prepared(
    update(Delivery)
    .where(*_OURS)
    .values(
        state=bindparam("state"),
        not_before=bindparam("not_before"),
        attempts=Delivery.attempts - bindparam("uncounted"),
        reason=bindparam("reason"),
        lease_until=None,
    )
)
_TO_MAILBOX = Prepared(
    update(Delivery)
    .where(*_OURS)
    .values(
        state="queued",
        channel=MAILBOX,
        address=None,
        lane=MAILBOX_LANE,
        reason=bindparam("reason"),
        lease_until=None,
    )
)
_ATTEMPT_ENDED = Prepared(
    update(Attempt)
    .where(col(Attempt.delivery_id) == bindparam("which"), col(Attempt.fence) == bindparam("held"))
    .values(outcome=bindparam("outcome"))
)


def hold(session: Session, one: Claimed, *, until: datetime) -> bool:
    """Put a claimed delivery back until an instant; False when no longer ours."""
    return _back(session, one.id, one.fence, "claimed", "queued", until, one.reason)


def end(session: Session, one: Claimed, *, state: str, reason: str, now: datetime) -> bool:
    """End a claimed delivery that is not to be sent; False when it is no longer ours."""
    return _ended(session, one.id, one.fence, "claimed", state, reason, now)


def to_mailbox(session: Session, one: Claimed, *, reason: str) -> bool:
    """Let a claimed delivery wait for its member's next message; False when it is no longer ours."""
    return _TO_MAILBOX.count(session, which=one.id, held=one.fence, was="claimed", reason=reason) == 1


def settle(
    session: Session,
    *,
    delivery_id: int,
    fence: int,
    state: str,
    outcome: str,
    reason: str,
    now: datetime,
    platform_id: str = "",
) -> bool:
    """Write the end of a try: sent, ambiguous or failed. False when the row is no longer ours."""
    if not _ended(session, delivery_id, fence, "sending", state, reason, now, platform_id):
        return False
    _ATTEMPT_ENDED.count(session, which=delivery_id, held=fence, outcome=outcome)
    return True


def again(
    session: Session,
    *,
    delivery_id: int,
    fence: int,
    state: str,
    outcome: str,
    reason: str,
    not_before: datetime,
    counted: bool,
) -> bool:
    """Let a delivery that was certainly not sent come up again; False when the row is no longer ours.

    state `retry`: the same way again. `queued`: the next way, as this one refused for good.
    """
    if not _back(session, delivery_id, fence, "sending", state, not_before, reason, uncounted=int(not counted)):
        return False
    _ATTEMPT_ENDED.count(session, which=delivery_id, held=fence, outcome=outcome)
    return True


def _ended(
    session: Session,
    delivery_id: int,
    fence: int,
    was: str,
    state: str,
    reason: str,
    now: datetime,
    platform_id: str = "",
) -> bool:
    changed = _END.count(
        session,
        which=delivery_id,
        held=fence,
        was=was,
        state=state,
        reason=reason,
        finished_at=now,
        platform_id=platform_id,
    )
    return changed == 1


def _back(
    session: Session,
    delivery_id: int,
    fence: int,
    was: str,
    state: str,
    not_before: datetime,
    reason: str,
    uncounted: int = 0,
) -> bool:
    changed = _BACK.count(
        session,
        which=delivery_id,
        held=fence,
        was=was,
        state=state,
        not_before=not_before,
        reason=reason,
        uncounted=uncounted,
    )
    return changed == 1
