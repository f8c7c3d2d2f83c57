"""From a claim to its end: claimed, contacted, reported done, confirmed or given back. Each step happens once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from sqlalchemy import and_, func, insert, or_, select, update
from sqlmodel import Session, col

from db.members import Member
from db.wishes import Wish, WishClaim, changed

CONTACT_WITHIN = timedelta(hours=48)
REMIND_OF_CONTACT = timedelta(hours=24)  # after a claim: the morning after that still lies within the 48 hours
IDLE_AFTER = timedelta(days=7)  # without any contact: somebody else may have the wish
DONE_WITHIN = timedelta(days=15)
EXTEND_BY = timedelta(days=7)  # once, by the claimer
REMIND_BEFORE = timedelta(days=2)  # before the claim is due
ANSWER_WITHIN = timedelta(days=7)  # then the reviewer may confirm in the wisher's place
LIVE_MAX = 3  # claims of one member at once: who promises more keeps others from helping

Refusal = Literal["gone", "own", "too_many"]
ALIVE = ("live", "delivered")


class Claimed(NamedTuple):
    """A claim with its wish."""

    claim: WishClaim
    wish: Wish


def claim(session: Session, *, wish_id: int | None, member_id: int, now: datetime) -> WishClaim | Refusal:
    """Claim a published wish; one member wins, whoever asks at the same moment."""
    _lock_member(session, member_id)
    wish = session.get(Wish, wish_id) if wish_id is not None else None
    if wish is None:
        return "gone"
    if wish.wisher_id == member_id:
        return "own"
    if live_count(session, member_id) >= LIVE_MAX:
        return "too_many"
    taken = update(Wish).where(
        col(Wish.id) == wish_id, col(Wish.state) == "published", col(Wish.wisher_id) != member_id
    )
    if not changed(session, taken.values(state="claimed")):
        return "gone"
    # The unique index over living claims stands behind this: a second one would fail the whole message.
    values = {"wish_id": wish_id, "member_id": member_id, "state": "live", "report": ""}
    made = session.execute(
        insert(WishClaim).values(**values, claimed_at=now, due_at=now + DONE_WITHIN).returning(col(WishClaim.id))
    ).scalar_one()
    found = session.get(WishClaim, made)
    assert found is not None
    return found


def _lock_member(session: Session, member_id: int) -> None:
    """Let one member's claims wait for each other, so that the limit holds for two chats at once."""
    session.execute(select(col(Member.id)).where(col(Member.id) == member_id).with_for_update(key_share=True))


def live_count(session: Session, member_id: int) -> int:
    """Claims that the member has promised and not yet reported done."""
    statement = select(func.count()).where(col(WishClaim.member_id) == member_id, col(WishClaim.state) == "live")
    return int(session.execute(statement).scalar_one())


def _rows(session: Session, *conditions: Any, most: int | None = None) -> Sequence[Claimed]:
    statement = (
        select(WishClaim, Wish)
        .join(Wish, col(Wish.id) == col(WishClaim.wish_id))
        .where(*conditions)
        .order_by(col(WishClaim.id))
        .limit(most)
        .execution_options(populate_existing=True)
    )
    return [Claimed(*row) for row in session.execute(statement)]


def by_id(session: Session, claim_id: int | None) -> Claimed | None:
    """The claim as it is now."""
    found = _rows(session, col(WishClaim.id) == claim_id)
    return found[0] if found else None


def of_member(session: Session, member_id: int) -> Sequence[Claimed]:
    """The member's claims that are alive: first those that still have to be done."""
    alive = _rows(session, col(WishClaim.member_id) == member_id, col(WishClaim.state).in_(ALIVE))
    return sorted(alive, key=lambda one: (one.claim.state != "live", one.claim.due_at))


def alive_on(session: Session, wish_id: int) -> WishClaim | None:
    """The living claim on a wish."""
    found = _rows(session, col(WishClaim.wish_id) == wish_id, col(WishClaim.state).in_(ALIVE))
    return found[0].claim if found else None


def _own(claim_id: int, member_id: int) -> Any:
    return update(WishClaim).where(
        col(WishClaim.id) == claim_id, col(WishClaim.member_id) == member_id, col(WishClaim.state) == "live"
    )


def contacted(session: Session, claim_id: int, member_id: int, now: datetime) -> bool:
    """Note the first contact; False when it was noted before, or the claim is not live any more."""
    first = _own(claim_id, member_id).where(col(WishClaim.contacted_at).is_(None))
    return changed(session, first.values(contacted_at=now))


def extend(session: Session, claim_id: int, member_id: int, now: datetime, until: datetime) -> bool:
    """Move the due instant to `until`; False when it was moved before, or the claim is not live any more."""
    once = _own(claim_id, member_id).where(col(WishClaim.extended_at).is_(None))
    return changed(session, once.values(extended_at=now, due_at=until))


def deliver(session: Session, claimed: Claimed, *, now: datetime, report: str, picture_id: int | None) -> bool:
    """Note the report of done; False when the claim is not live any more."""
    claim, wish = claimed
    assert claim.id is not None
    done = _own(claim.id, claim.member_id).values(
        state="delivered", delivered_at=now, report=report, picture_id=picture_id
    )
    return changed(session, done) and _move(session, wish, "claimed", state="delivered")


def confirm(session: Session, claimed: Claimed, *, now: datetime) -> bool:
    """Close a delivered claim and its wish; False when that was done before, or it is not delivered."""
    claim, wish = claimed
    return _leave(session, claim, "delivered", state="closed", closed_at=now) and _move(
        session, wish, "delivered", state="closed", closed_at=now
    )


def reopen(session: Session, claimed: Claimed, *, until: datetime) -> bool:
    """The wisher says "not yet": the claim is live again, due at `until` at the earliest."""
    claim, wish = claimed
    due = max(claim.due_at, until)
    return _leave(session, claim, "delivered", state="live", delivered_at=None, due_at=due) and _move(
        session, wish, "delivered", state="claimed"
    )


def release(session: Session, claimed: Claimed, *, now: datetime) -> bool:
    """Give a live claim back; its wish waits for somebody again. False when the claim is not live any more."""
    claim, wish = claimed
    return _leave(session, claim, "live", state="released", closed_at=now) and _move(
        session, wish, "claimed", state="published", published_at=now
    )


def _leave(session: Session, claim: WishClaim, was: str, **values: Any) -> bool:
    leaving = update(WishClaim).where(col(WishClaim.id) == claim.id, col(WishClaim.state) == was)
    return changed(session, leaving.values(**values))


def _move(session: Session, wish: Wish, was: str, **values: Any) -> bool:
    """Carry the wish along with its claim. Both move in one transaction, so this cannot miss."""
    moved = changed(session, update(Wish).where(col(Wish.id) == wish.id, col(Wish.state) == was).values(**values))
    assert moved, f"wish {wish.id} was not {was}"
    return moved


def without_contact(session: Session, before: datetime) -> Sequence[Claimed]:
    """Live claims made at `before` or earlier without any contact."""
    return _rows(session, *_silent_since(before))


def _silent_since(before: datetime) -> tuple[Any, ...]:
    return (
        col(WishClaim.state) == "live",
        col(WishClaim.contacted_at).is_(None),
        col(WishClaim.claimed_at) <= before,
    )


def idle(session: Session, now: datetime, *, most: int) -> Sequence[Claimed]:
    """Live claims whose time is over: due, or without any contact for IDLE_AFTER (unless asked to go on)."""
    due = and_(col(WishClaim.state) == "live", col(WishClaim.due_at) <= now)
    silent = and_(*_silent_since(now - IDLE_AFTER), col(WishClaim.extended_at).is_(None))
    return _rows(session, or_(due, silent), most=most)


def due_soon(session: Session, now: datetime) -> Sequence[Claimed]:
    """Live claims that are due within REMIND_BEFORE."""
    soon = (
        col(WishClaim.state) == "live",
        col(WishClaim.due_at) > now,
        col(WishClaim.due_at) <= now + REMIND_BEFORE,
    )
    return _rows(session, *soon)


def unanswered(session: Session, before: datetime) -> Sequence[Claimed]:
    """Reports of done that the wisher has left without an answer since `before`."""
    return _rows(session, col(WishClaim.state) == "delivered", col(WishClaim.delivered_at) <= before)
