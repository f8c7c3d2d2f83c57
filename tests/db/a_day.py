"""A day in which everything happened that the ledger, the counter, the wishes and the outbox know: all of it right."""

from __future__ import annotations

from datetime import date, timedelta

from sqlmodel import Session

from db import attendance, audit, inbound, ledger, letters, redemptions, rewards, sending, wish_claims
from db.activities import Activity
from db.members import Membership
from db.rewards import Order, Redemption
from db.sending_batches import Intent, intend_all
from db.wishes import Wish
from scoring.booking import book_attendance, cause_of
from tests.cast import (
    ALICE,
    BOB,
    CHARLIE,
    DAY,
    KE,
    LIANGFENG,
    MO,
    NOON,
    OLGA,
    QIAN,
    RUI,
    SHAZHOU,
    SUN,
)
from tests.conftest import ZONE
from tests.notices.sending import queued

CUP, PATROL = 1, 3
LATER = NOON + timedelta(hours=3)


def live(session: Session) -> None:
    """Let the day pass in a database that holds the cast."""
    give_the_project_its_past(session)
    _attend(session)
    _exchange(session)
    _help(session)
    _write(session)
    session.add(
        Membership(
            member_id=CHARLIE, organization_id=LIANGFENG, from_day=date(2019, 1, 1), to_day=date(2020, 1, 1)
        )
    )
    for number in (1, 2):
        inbound.take_in(session, channel="web", key=f"k{number}", address="a", received_at=NOON, reply=None)
        audit.record(session, at=NOON, actor_id=SUN, action="letter.sent", subject=f"letter:{number}", people=3)
    session.flush()


def give_the_project_its_past(session: Session) -> None:
    """The cast's project has raised 460 points already: here is who gave them."""
    earn(session, OLGA, 460)
    row = Redemption(
        reward_id=PATROL, member_id=OLGA, points=460, state="handed_over", created_at=NOON, closed_at=NOON
    )
    session.add(row)
    session.flush()
    ledger.spend(
        session,
        member_id=OLGA,
        rule_id="PROJECT",
        cause=rewards.cause_of(row),
        points=460,
        day=DAY,
        booked_at=NOON,
    )


def earn(session: Session, member_id: int, points: int) -> None:
    """Give somebody points for something that no invariant asks about."""
    ledger.book(
        session,
        member_id=member_id,
        rule_id="PP5",
        cause="commendation:2026",
        points=points,
        day=DAY,
        booked_at=NOON,
    )


def come(session: Session, activity_id: int, member_id: int, mode: str = "onsite") -> None:
    """Attend, and be paid for it."""
    activity = session.get(Activity, activity_id)
    assert activity is not None
    times = attendance.record(
        session, activity_id=activity_id, member_id=member_id, mode=mode, evidence="code", at=NOON
    )
    assert times is not None
    book_attendance(
        session,
        activity_id=activity_id,
        scope=activity.scope,
        title=activity.title,
        starts_at=activity.starts_at,
        member_id=member_id,
        organization_id=LIANGFENG,
        attended_round=times,
        zone=ZONE,
        at=NOON,
    )


def _attend(session: Session) -> None:
    come(session, 1, ALICE)
    undone = attendance.undo(session, 1, ALICE)
    assert undone is not None
    entry = ledger.line(session, ALICE, cause_of(1, undone))
    assert entry is not None
    ledger.reverse(session, entry, booked_at=NOON, reason="undone")
    come(session, 1, ALICE)
    come(session, 2, ALICE)
    come(session, 1, MO, "remote")
    come(session, 3, CHARLIE)
    attendance.record(session, activity_id=1, member_id=SUN, mode="make_up", evidence="film", at=NOON)
    attendance.leave(session, activity_id=4, member_id=BOB, state="asked", reason="ill", at=NOON)


def order(member_id: int, reward_id: int, points: int, nonce: str) -> Order:
    """What a member of Liangfeng confirms at noon."""
    return Order(reward_id, member_id, f"/1/2/{LIANGFENG}/", points, nonce, NOON, DAY, NOON - timedelta(days=100))


def _exchange(session: Session) -> None:
    earn(session, ALICE, 100)
    earn(session, BOB, 100)
    made = []
    for nonce in ("a", "b", "c"):
        got = rewards.redeem(session, order(ALICE, CUP, 20, nonce))
        assert not isinstance(got, str)
        assert got[0].id is not None
        made.append(got[0].id)
        if nonce == "a":
            redemptions.cancel(session, made[0], now=NOON, day=DAY)
        if nonce == "b":
            assert redemptions.hand_over(session, made[1], keeper_id=KE, now=NOON)
    assert len(redemptions.expired(session, now=NOON + timedelta(days=16), day=DAY, most=9)) == 1
    assert not isinstance(rewards.redeem(session, order(ALICE, CUP, 20, "d")), str)  # waits at the desk
    assert not isinstance(rewards.support(session, order(BOB, PATROL, 50, "e")), str)


def _help(session: Session) -> None:
    """Four wishes of Alice: one waits, one is claimed, one was given back, one came true and paid Bob."""
    for number in range(4):
        session.add(
            Wish(
                organization_id=LIANGFENG,
                wisher_id=ALICE,
                title=f"w{number}",
                state="published",
                created_at=NOON,
                reviewed_by=RUI,
                published_at=NOON,
            )
        )
        session.flush()
    claimed = wish_claims.claim(session, wish_id=2, member_id=CHARLIE, now=NOON)
    returned = wish_claims.claim(session, wish_id=3, member_id=QIAN, now=NOON)
    fulfilled = wish_claims.claim(session, wish_id=4, member_id=BOB, now=NOON)
    for one in (claimed, returned, fulfilled):
        assert not isinstance(one, str)
    back = wish_claims.by_id(session, returned.id)  # type: ignore[union-attr]
    assert back is not None
    assert wish_claims.release(session, back, now=LATER)
    done = wish_claims.by_id(session, fulfilled.id)  # type: ignore[union-attr]
    assert done is not None
    assert wish_claims.deliver(session, done, now=LATER, report="done", picture_id=None)
    assert wish_claims.confirm(session, done, now=LATER)
    ledger.book(session, member_id=BOB, rule_id="PP3", cause="wish:4", points=5, day=DAY, booked_at=LATER)


def _write(session: Session) -> None:
    """Two letters: one is done, of the other one row is just being sent."""
    done = queued(session)
    for one in _claimed(session):
        held = {"delivery_id": one.id, "fence": one.fence}
        intend_all(session, [Intent(**held, channel="web", address="a", cost=0)], NOON)
        sending.settle(session, **held, state="sent", outcome="sent", reason="", now=NOON)
    assert letters.finish(session) == 1
    under_way = queued(session, organization_id=SHAZHOU, audience={"node": SHAZHOU, "who": "all"})
    assert under_way == done + 1
    first = _claimed(session)[0]
    intend_all(session, [Intent(first.id, first.fence, "web", "a", 0)], NOON)


def _claimed(session: Session) -> list[sending.Claimed]:
    return list(sending.claim(session, now=NOON, lease_until=LATER, most=50, alone=True))
