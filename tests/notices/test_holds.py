"""What time ends by itself: pick-ups and wishes, on both sides of every boundary, once."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, select

from db import ledger, redemptions, rewards, wish_claims, wishes
from db.accounts import Chat
from db.members import Member
from db.occurrences import Reminder
from db.rewards import HOLD_FOR, Order, Redemption, Reward
from db.wish_claims import Claimed
from db.wishes import Wish, WishClaim
from notices import holds
from tests.cast import ALICE, BOB, CITY, DAY, LIANGFENG, NOON, RUI, SUN
from tests.conftest import ZONE
from tests.notices.digests import told

SECOND, HOUR, DAYS = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
GLASSES = "一副老花镜"


@pytest.fixture
def session(engine):
    with Session(engine) as made:
        yield made


def order(session: Session, person: int = ALICE, nonce: str = "n1") -> Redemption:
    """A cup that waits for that member, who had 20 points."""
    ledger.book(
        session, member_id=person, rule_id="PB1", cause=f"test:{nonce}", points=20, day=DAY, booked_at=NOON
    )
    outcome = rewards.redeem(
        session,
        Order(
            reward_id=1,
            member_id=person,
            branch_path="/1/2/10/",
            points=20,
            nonce=nonce,
            now=NOON,
            day=DAY,
            year_began_at=datetime(2026, 1, 1, tzinfo=ZONE),
        ),
    )
    assert not isinstance(outcome, str)
    return outcome[0]


def wish(session: Session, wisher: int = ALICE, state: str = "published", created_at: datetime = NOON) -> Wish:
    made = Wish(
        organization_id=LIANGFENG,
        wisher_id=wisher,
        title=GLASSES,
        area="梁丰社区",
        value_yuan=80,
        state=state,
        created_at=created_at,
        published_at=NOON if state != "submitted" else None,
    )
    session.add(made)
    session.flush()
    return made


def claim(session: Session, person: int = BOB) -> Claimed:
    made = wish(session)
    outcome = wish_claims.claim(session, wish_id=made.id, member_id=person, now=NOON)
    assert isinstance(outcome, WishClaim)
    return Claimed(outcome, made)


# Pick-ups


def test_a_hold_ends_to_the_second_and_gives_back_points_and_piece_once(session):
    made = order(session)
    assert holds.expire_redemptions(session, NOON + HOLD_FOR - SECOND) == 0
    assert (ledger.balance(session, ALICE), session.get(Reward, 1).stock) == (0, 1)
    assert holds.expire_redemptions(session, NOON + HOLD_FOR) == 1
    assert holds.expire_redemptions(session, NOON + HOLD_FOR + DAYS) == 0
    session.expire_all()
    assert (ledger.balance(session, ALICE), session.get(Reward, 1).stock) == (20, 2)
    assert session.get(Redemption, made.id).state == "expired"
    assert told(session, ALICE) == ["水杯过期未领，已为您退还 20 分。想要的话可以重新兑换。"]


def test_expiry_does_not_move_the_index(session):
    order(session)
    holds.expire_redemptions(session, NOON + HOLD_FOR)
    assert ledger.totals(session, ALICE, 2026) == {"PB1": (20, 100)}


def test_what_was_handed_over_or_cancelled_does_not_expire(session):
    first, second = order(session), order(session, BOB)
    redemptions.hand_over(session, first.id, keeper_id=RUI, now=NOON)
    redemptions.cancel(session, second.id, now=NOON, day=DAY)
    assert holds.expire_redemptions(session, NOON + 2 * HOLD_FOR) == 0
    session.expire_all()
    assert (ledger.balance(session, ALICE), ledger.balance(session, BOB)) == (0, 20)
    assert session.get(Reward, 1).stock == 1
    assert told(session, ALICE) == told(session, BOB) == []


def test_what_was_expired_cannot_be_handed_over_or_cancelled(session):
    made = order(session)
    holds.expire_redemptions(session, NOON + HOLD_FOR)
    assert not redemptions.hand_over(session, made.id, keeper_id=RUI, now=NOON)
    assert not redemptions.cancel(session, made.id, now=NOON, day=DAY)
    assert ledger.balance(session, ALICE) == 20


def test_many_at_once_are_ended_in_bounded_steps_and_every_piece_comes_back(session):
    session.get(Reward, 1).stock = 7
    for number in range(5):
        person = (ALICE, BOB, SUN, RUI, 302)[number]
        order(session, person, f"n{number}")
    later = NOON + HOLD_FOR
    assert [holds.expire_redemptions(session, later, most=2) for _ in range(4)] == [2, 2, 1, 0]
    session.expire_all()
    assert session.get(Reward, 1).stock == 7


def test_three_days_before_the_end_the_member_is_reminded_once(session):
    order(session)
    soon = NOON + HOLD_FOR - 3 * DAYS
    assert holds.remind_of_pick_ups(session, soon - SECOND) == 0
    assert holds.remind_of_pick_ups(session, soon) == 1
    assert holds.remind_of_pick_ups(session, soon + HOUR) == 0
    assert told(session, ALICE) == [
        "水杯还在等您领取：6 月 30 日（周二）12:00 前到社区党群服务中心出示取货码，过期积分会自动退还。"
    ]
    row = session.execute(select(Reminder)).scalar_one()
    assert row.expires_at == NOON + HOLD_FOR  # a reminder that comes too late is not told


def test_everybody_is_told_in_the_own_language(session):
    session.execute(Chat.__table__.update().where(Chat.member_id == ALICE).values(language="en"))
    order(session)
    holds.expire_redemptions(session, NOON + HOLD_FOR)
    assert told(session, ALICE)[0].startswith("水杯 was not fetched in time; 20 points are back")


# Claims


def test_a_claim_without_contact_is_reminded_after_a_day_and_released_after_seven(session):
    claimed = claim(session)
    assert holds.remind_claimers(session, NOON + 24 * HOUR - SECOND) == 0
    assert holds.remind_claimers(session, NOON + 24 * HOUR) == 1
    assert holds.remind_claimers(session, NOON + 50 * HOUR) == 0
    assert holds.release_idle_claims(session, NOON + 7 * DAYS - SECOND) == 0
    assert holds.release_idle_claims(session, NOON + 7 * DAYS) == 1
    assert holds.release_idle_claims(session, NOON + 7 * DAYS) == 0
    session.expire_all()
    assert (claimed.claim.state, claimed.wish.state) == ("released", "published")
    assert told(session, BOB) == [
        "“一副老花镜”到期没有办成，已重新公开。以后有空再来帮忙。",
        "“一副老花镜”还没有记联系，联系上了请点一下；办不了可以退回。",
    ]
    assert told(session, ALICE) == ["您的心愿“一副老花镜”重新公开了，等别的同志认领。"]


def test_a_claim_with_contact_is_reminded_before_it_is_due_and_released_after(session):
    claimed = claim(session)
    wish_claims.contacted(session, claimed.claim.id, BOB, NOON)
    assert holds.remind_claimers(session, NOON + 13 * DAYS - SECOND) == 0
    assert holds.remind_claimers(session, NOON + 13 * DAYS) == 1
    assert holds.remind_claimers(session, NOON + 14 * DAYS) == 0
    assert told(session, BOB) == ["“一副老花镜”请在 6 月 30 日前办好；来不及可以延长或退回。"]
    assert holds.release_idle_claims(session, NOON + 15 * DAYS - SECOND) == 0
    assert holds.release_idle_claims(session, NOON + 15 * DAYS) == 1


def test_more_time_moves_the_release_and_brings_its_own_reminder(session):
    claimed = claim(session)
    wish_claims.extend(session, claimed.claim.id, BOB, NOON, NOON + 22 * DAYS)
    assert holds.release_idle_claims(session, NOON + 22 * DAYS - SECOND) == 0
    assert holds.remind_claimers(session, NOON + 20 * DAYS) == 2  # no contact yet, and due in two days
    assert holds.release_idle_claims(session, NOON + 22 * DAYS) == 1


def test_what_was_reported_done_is_never_released(session):
    claimed = claim(session)
    wish_claims.deliver(session, claimed, now=NOON, report="已经送到", picture_id=None)
    assert holds.remind_claimers(session, NOON + 30 * DAYS) == 0
    assert holds.release_idle_claims(session, NOON + 30 * DAYS) == 0


# Wishes that wait for somebody else


def test_a_wish_that_nobody_reviews_is_brought_to_mind_on_its_second_working_day(session):
    friday = NOON + 11 * DAYS
    wish(session, state="submitted", created_at=friday)
    midnight = friday + 3 * DAYS + 12 * HOUR  # the end of Monday, the first working day
    assert holds.chase_stale_wishes(session, midnight - SECOND) == 0
    assert holds.chase_stale_wishes(session, midnight) == 1
    assert holds.chase_stale_wishes(session, midnight + DAYS) == 0
    assert told(session, SUN) == ["心愿“一副老花镜”还在等审核，请在 3 个工作日内审核。"]


def test_the_secretarys_own_wish_is_brought_to_the_committees_mind(session):
    wish(session, SUN, state="submitted")
    assert holds.chase_stale_wishes(session, NOON + 3 * DAYS) == 1
    assert told(session, SUN) == []
    assert told(session, RUI) == ["心愿“一副老花镜”还在等审核，请在 3 个工作日内审核。"]


def test_a_wish_that_nobody_claims_comes_back_to_its_branch_after_ten_days(session):
    made = wish(session)
    assert holds.chase_stale_wishes(session, NOON + 10 * DAYS - SECOND) == 0
    assert holds.chase_stale_wishes(session, NOON + 10 * DAYS) == 1
    assert holds.chase_stale_wishes(session, NOON + 11 * DAYS) == 0
    assert told(session, SUN) == ["心愿“一副老花镜”公开 10 天还没人认领，请支部想想办法。"]
    assert wishes.by_id(session, made.id).state == "published"


def test_after_a_week_without_answer_the_reviewers_are_asked_but_not_the_claimer(session):
    claimed = claim(session, SUN)
    wish_claims.deliver(session, claimed, now=NOON, report="已经送到", picture_id=None)
    assert holds.chase_stale_wishes(session, NOON + 7 * DAYS - SECOND) == 0
    assert holds.chase_stale_wishes(session, NOON + 7 * DAYS) == 1
    assert told(session, SUN) == []
    assert told(session, RUI)[0].startswith("心愿“一副老花镜”报完成已 7 天")


def test_no_name_is_in_anything_that_is_told(session):
    claim(session)
    order(session)
    for run in (
        holds.remind_claimers,
        holds.remind_of_pick_ups,
        holds.release_idle_claims,
        holds.chase_stale_wishes,
        holds.expire_redemptions,
    ):
        for day in range(40):
            run(session, NOON + day * DAYS)
    texts = [text for person in session.execute(select(Member.id)).scalars() for text in told(session, person)]
    assert len(texts) >= 6
    assert not any(name in text for text in texts for name in ("艾丽丝", "鲍勃", "孙书记"))
    assert session.get(Reward, 1).organization_id == CITY
