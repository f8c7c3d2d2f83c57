"""Handing over by code, as the keeper sees it."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import date, timedelta

import pytest
from sqlmodel import Session, select

from db import ledger, redemptions
from db.accounts import Chat
from db.audit import AuditEvent
from db.members import Member, Membership, Role
from db.rewards import HOLD_FOR, Redemption, Reward
from tests.cast import ALICE, BOB, CITY, DAY, KE, LIANGFENG, NOON, SHAZHOU, SUN

NEIGHBOUR = 310  # keeps the rewards of branch 20


@pytest.fixture
async def code(say, look):
    """Alice has a water cup waiting; its pick-up code."""
    await look(
        lambda s: ledger.book(s, member_id=ALICE, rule_id="PB1", cause="test", points=38, day=DAY, booked_at=NOON)
    )
    held = await say.all(ALICE, "兑换 水杯", "1")
    return re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}", held.text)[0]


@pytest.fixture
async def neighbour(look):
    """A keeper of another branch."""

    def appoint(session: Session) -> None:
        session.add(Member(id=NEIGHBOUR, code="M310", name="邻保管"))
        session.flush()
        session.add(Membership(member_id=NEIGHBOUR, organization_id=SHAZHOU, from_day=date(2020, 1, 1)))
        session.add(Chat(channel="web", address=f"member:{NEIGHBOUR}", member_id=NEIGHBOUR, choices={}))
        session.add(
            Role(member_id=NEIGHBOUR, organization_id=SHAZHOU, role="reward_keeper", from_day=date(2026, 1, 1))
        )

    await look(appoint)
    return NEIGHBOUR


async def state(look) -> str:
    return await look(lambda s: s.execute(select(Redemption.state)).scalar_one())


async def log_of(look) -> list[tuple[str, int | None, str]]:
    def rows(session: Session) -> list[tuple[str, int | None, str]]:
        found = session.execute(select(AuditEvent).order_by(AuditEvent.id)).scalars()
        return [(event.action, event.actor_id, event.subject) for event in found]

    return await look(rows)


async def test_a_code_shows_who_and_what_and_is_handed_over_after_a_confirmation(say, code, look):
    asked = await say(KE, f"核销 {code}")
    assert asked.text == (f"艾丽丝：水杯 1 个（20 分，6 月 15 日兑换，取货码 {code}）。请当面核对本人后交付。")
    assert asked.labels() == ["1 确认交付", "2 先不交付", "0 菜单"]
    assert await state(look) == "held"  # looking is not handing over
    done = await say(KE, "1")
    assert done.text == "已交付：水杯，领取人艾丽丝。"
    assert await state(look) == "handed_over"
    assert (await say(ALICE, "rewards:mine")).text == "水杯：6 月 15 日已领取。"


async def test_what_was_done_is_in_the_audit_log(say, code, look):
    await say.all(KE, f"核销 {code}", "1")
    held = await look(lambda s: s.execute(select(Redemption.id)).scalar_one())
    assert await log_of(look) == [("redemption.handed_over", KE, f"redemption:{held}")]
    detail = await look(lambda s: s.execute(select(AuditEvent.detail)).scalar_one())
    assert json.loads(detail) == {"member": ALICE, "reward": 1}


async def test_the_code_is_typed_after_the_question_or_scanned_or_said_at_once(say, code):
    assert (await say(KE, "核销")).text == "请输入或扫描取货码，例如：7K4M-29QD"
    assert "艾丽丝：水杯" in (await say(KE, code.lower())).text
    bare = code.replace("-", "")
    assert "艾丽丝：水杯" in (await say(KE, f"p-{bare}", kind="scan")).text
    assert "艾丽丝：水杯" in (await say(KE, f"兑付 {code[:4]} {code[5:]}")).text
    assert "艾丽丝：水杯" in (await say(KE, f"hand_over:{bare}", kind="button")).text


async def test_the_second_time_says_when_and_by_whom(say, code, clock, look):
    await say.all(KE, f"核销 {code}", "1")
    clock.now += timedelta(minutes=5)
    assert (await say(KE, f"核销 {code}")).text == "这个取货码已经用过：今天 12:00 由您交付了水杯。请不要再交付。"
    clock.now += timedelta(days=1)
    again = await say(KE, f"hand_over:{code}:yes", kind="button")
    assert again.text == "这个取货码已经用过：6 月 15 日（周一）12:00 由您交付了水杯。请不要再交付。"
    assert len(await log_of(look)) == 1


async def test_two_keepers_at_once_hand_over_once(say, code, look):
    await look(
        lambda s: s.add(Role(member_id=SUN, organization_id=CITY, role="reward_keeper", from_day=date(2026, 1, 1)))
    )
    button = f"hand_over:{code}:yes"
    replies = await asyncio.gather(*(say(person, button, kind="button") for person in (KE, SUN) * 5))
    assert sum(reply.text.startswith("已交付") for reply in replies) == 1
    assert sum(reply.text.startswith("这个取货码已经用过") for reply in replies) == 9
    assert len(await log_of(look)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "7K4M-29QD",
        "12345678",
        "abc",
        "😀",
        "长" * 5000,
        "\u202e7K4M-29QD\u200b",
        "hand_over:7K4M29QD:yes",
        "7K4M-29QO",
    ],
)
async def test_a_wrong_code_gets_the_same_words_whatever_it_is(say, code, look, text):
    message = await say.all(KE, "核销", text)
    assert message.text == "没有找到这个取货码，请核对后再输入。"
    assert await state(look) == "held"
    assert "艾丽丝" in (await say(KE, code)).text  # the question still stands


async def test_a_keeper_of_another_branch_learns_nothing_and_it_is_noted(say, code, neighbour, look):
    for text in (f"核销 {code}", f"hand_over:{code}:yes"):
        assert (await say(neighbour, text)).text == "没有找到这个取货码，请核对后再输入。"
    assert await state(look) == "held"
    assert [(action, who) for action, who, _ in await log_of(look)] == [("redemption.refused", neighbour)] * 2


async def test_a_keeper_hands_over_what_the_own_branch_offers(say, code, neighbour, look):
    await look(lambda s: s.execute(Reward.__table__.update().values(organization_id=SHAZHOU)))
    assert "艾丽丝：水杯" in (await say(neighbour, f"核销 {code}")).text


async def test_without_the_role_nothing_happens(say, code, look):
    for person in (ALICE, BOB, SUN):
        await say(person, f"核销 {code}")
        refused = await say(person, f"hand_over:{code}:yes", kind="button")
        assert refused.text.startswith("“核销”需要相应的职责")
    assert await state(look) == "held"


async def test_a_keeper_whose_term_has_ended_hands_over_nothing(say, code, look):
    await say(KE, f"核销 {code}")
    await look(lambda s: s.execute(Role.__table__.update().values(to_day=date(2026, 6, 15))))
    assert "需要相应的职责" in (await say(KE, "1")).text
    assert await state(look) == "held"


async def test_a_code_ends_to_the_second(say, code, clock, look):
    clock.now = NOON + HOLD_FOR - timedelta(seconds=1)
    assert "艾丽丝：水杯" in (await say(KE, f"核销 {code}")).text
    clock.now = NOON + HOLD_FOR
    late = await say(KE, "1")
    assert late.text == ("这个取货码在今天 12:00 过期了（水杯），积分退还本人。请不要交付，可以请本人重新兑换。")
    assert await state(look) == "held"  # until the scheduler gives the points back
    await look(lambda s: redemptions.expired(s, now=clock.now, day=DAY, most=10))
    assert (await say(KE, f"核销 {code}")).text == late.text


async def test_a_cancelled_code_says_so(say, code):
    await say(ALICE, "2")
    assert (await say(KE, f"核销 {code}")).text == (
        "本人在今天 12:00 取消了这次兑换（水杯），积分已退还。请不要交付。"
    )


async def test_after_handing_over_the_member_cannot_cancel(say, code, look):
    cancel = (await say(ALICE, "rewards:mine")).buttons[0].action.replace("code", "cancel")
    await say.all(KE, f"核销 {code}", "1")
    assert (await say(ALICE, cancel, kind="button")).text == "水杯：6 月 15 日已领取。"
    assert await look(lambda s: ledger.balance(s, ALICE)) == 18
    assert await look(lambda s: s.get(Reward, 1).stock) == 1


async def test_the_menu_shows_it_to_keepers_alone(say):
    assert any("核销" in label for label in (await say(KE, "菜单")).labels())
    assert not any("核销" in label for label in (await say(ALICE, "菜单")).labels())


async def test_own_branch_rewards_are_within_the_subtree_of_the_city(say, look):
    await look(
        lambda s: s.add(
            Reward(id=60, organization_id=LIANGFENG, kind="goods", name="雨伞", price=1, stock=1, received=1)
        )
    )
    await look(
        lambda s: ledger.book(s, member_id=BOB, rule_id="PB1", cause="test", points=2, day=DAY, booked_at=NOON)
    )
    held = await say.all(BOB, "兑换 雨伞", "1")
    found = re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}", held.text)[0]
    assert (await say.all(KE, f"核销 {found}", "1")).text == "已交付：雨伞，领取人鲍勃。"
