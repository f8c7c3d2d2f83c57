"""The questions in between: when they come, how long they can be answered, and who has attended in the end."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from db import attendance, ledger
from db.activities import Activity
from db.members import Member
from notices.presence import ANSWER_FOR, ask_due, joins_until, moments
from tests.cast import ALICE, BOB, MO, OWN_CODE, SUN
from tests.handlers.remote.conftest import END, MIDDLE, MINUTE, SECOND, START, answer_all


def activity(begins=START, ends=END):
    return Activity(starts_at=begins, ends_at=ends, scope="branch", kinds="theme_party_day")


@pytest.mark.parametrize("joined", [START - 10 * MINUTE, START, START + 30 * MINUTE, MIDDLE])
def test_moments_lie_in_order_inside_the_activity_and_can_be_answered_before_its_end(joined):
    for seed in range(300):
        first, second = moments(activity(), joined, rng=random.Random(seed))
        assert max(START, joined) <= first < second
        assert second + ANSWER_FOR <= END


def test_moments_are_not_the_same_for_everybody_and_reach_the_whole_time():
    drawn = [moments(activity(), START, rng=random.Random(seed)) for seed in range(500)]
    assert len({tuple(one) for one in drawn}) > 490
    assert min(one[0] for one in drawn) < START + 3 * MINUTE
    assert max(one[1] for one in drawn) > END - ANSWER_FOR - 3 * MINUTE


def test_too_little_time_leaves_nothing_to_ask():
    assert moments(activity(ends=START + ANSWER_FOR), START) == []
    assert joins_until(activity()) == MIDDLE


async def test_the_question_comes_at_its_moment_even_at_night(say, token, tick, prompts, told, look):
    await say(MO, f"远程 {token}")
    first, second = await prompts()
    assert await look(lambda s: ask_due(s, first.ask_at - SECOND)) == 0
    await tick(first.ask_at + SECOND)
    (row,) = await told(MO, "presence:")
    assert row.urgent
    assert row.lane == 0
    assert row.expires_at == first.ask_at + SECOND + ANSWER_FOR
    assert row.content["buttons"][0][:2] == ["我在", f"remote:here:{first.id}"]
    assert second.ask_at > first.ask_at


async def test_an_answer_counts_to_the_last_second(say, token, tick, prompts, clock):
    await say(MO, f"远程 {token}")
    first, second = await prompts()
    await tick(first.ask_at)
    clock.now = first.ask_at + ANSWER_FOR
    assert (await say(MO, f"remote:here:{first.id}", kind="button")).text.startswith("好的，已确认您在场")
    assert (await say(MO, f"remote:here:{first.id}", kind="button")).text == "这一次已经确认过了，不用再点。"
    await tick(second.ask_at)
    clock.now = second.ask_at + ANSWER_FOR + SECOND
    assert "现在晚了，没有记上" in (await say(MO, f"remote:here:{second.id}", kind="button")).text


async def test_who_answered_every_question_has_attended_when_it_ends(say, token, tick, prompts, look, told):
    await say(MO, f"远程 {token}")
    await answer_all(say, tick, prompts)
    await tick(END + ANSWER_FOR)
    assert await look(lambda s: ledger.balance(s, MO)) == 0
    await tick(END + ANSWER_FOR + MINUTE)
    both = {"PB1": (2, 100), "PB3": (0, 200)}  # and two hours of study
    assert await look(lambda s: ledger.totals(s, MO, 2026)) == both
    assert (await look(lambda s: attendance.found(s, 1, MO)))[3] == "remote"
    (row,) = await told(MO, "activity:1:remote")
    assert row.content["text"] == "远程参加已记录：主题党日：重温入党誓词。+2 分。"
    await tick(END + timedelta(days=1))
    assert len(await look(lambda s: ledger.lines(s, MO))) == 2


async def test_one_missed_question_is_one_too_many_and_is_explained(say, token, tick, prompts, look, told):
    await say(MO, f"远程 {token}")
    first, second = await prompts()
    await tick(first.ask_at)
    await say(MO, "我在")
    await tick(second.ask_at)
    await tick(END + ANSWER_FOR + MINUTE)
    assert await look(lambda s: ledger.balance(s, MO)) == 0
    (row,) = await told(MO, "activity:1:remote")
    assert "问了 2 次“您还在吗”，有 1 次没有应答" in row.content["text"]


async def test_a_question_that_the_service_could_not_ask_is_held_against_nobody(say, token, tick, prompts, look):
    await say(MO, f"远程 {token}")
    first, _ = await prompts()
    await tick(first.ask_at)
    await say(MO, "我在")
    await tick(END + timedelta(hours=3))  # down from then on
    assert await look(lambda s: ledger.balance(s, MO)) == 2


async def test_after_an_outage_a_late_question_gives_the_whole_time_to_answer(say, token, look, prompts, clock):
    await say(MO, f"远程 {token}")
    first, _ = await prompts()
    late = first.ask_at + 20 * MINUTE
    await look(lambda s: ask_due(s, late))
    clock.now = late + ANSWER_FOR
    assert (await say(MO, "我在")).text.startswith("好的，已确认您在场")


async def test_nobody_is_asked_twice_or_after_the_end(say, token, look, prompts):
    await say(MO, f"远程 {token}")
    _, second = await prompts()
    assert await look(lambda s: ask_due(s, END)) == 0
    assert await look(lambda s: ask_due(s, second.ask_at)) == 2
    assert await look(lambda s: ask_due(s, second.ask_at)) == 0


async def test_saying_that_one_is_there_without_being_asked(say, token, prompts):
    assert (await say(MO, "我在")).text == "现在没有要确认的在场。被问到时我会发给您。"
    await say(MO, f"远程 {token}")
    first, _ = await prompts()
    assert (await say(MO, f"remote:here:{first.id}", kind="button")).text.startswith("现在没有要确认的")


async def test_nobody_answers_for_another(say, token, tick, prompts):
    await say(MO, f"远程 {token}")
    first, _ = await prompts()
    await tick(first.ask_at)
    assert (await say(ALICE, f"remote:here:{first.id}", kind="button")).text.startswith("现在没有要确认的")
    for forged in ("remote:here", "remote:here:x", "remote:here:999999"):
        assert (await say(MO, forged, kind="button")).text.startswith("现在没有要确认的")


async def test_whoever_joined_and_then_came_is_paid_once(say, token, tick, prompts, look, told):
    await say(MO, f"远程 {token}")
    await say(MO, f"签到 {OWN_CODE}")
    await answer_all(say, tick, prompts)
    await tick(END + ANSWER_FOR + MINUTE)
    assert await look(lambda s: ledger.balance(s, MO)) == 2
    assert await told(MO, "activity:1:remote") == []


async def test_the_quorum_meter_counts_who_is_online(say, token, look):
    for person in (ALICE, BOB):
        await say(person, f"签到 {OWN_CODE}")
    assert (
        "有表决权 7 人，在场 2 人（远程在线 0），要 4 人，还差 2 人。"
        in (await say(SUN, "activities:roll:1", kind="button")).text
    )
    await say(MO, f"远程 {token}")
    await say(SUN, f"签到 {OWN_CODE}")
    assert (
        "有表决权 7 人，在场 4 人（远程在线 1），已达到 4 人。"
        in (await say(SUN, "activities:roll:1", kind="button")).text
    )


async def test_whoever_misses_a_question_leaves_the_quorum(say, token, tick, prompts):
    await say(MO, f"远程 {token}")
    first, _ = await prompts()
    await tick(first.ask_at)
    assert "远程在线 1" in (await say(SUN, "activities:roll:1", kind="button")).text
    await tick(first.ask_at + ANSWER_FOR + SECOND)
    assert "远程在线 0" in (await say(SUN, "activities:roll:1", kind="button")).text


async def test_half_is_a_quorum_and_probationary_members_have_no_vote(say, look):
    await look(lambda s: setattr(s.get(Member, MO), "probationary", True))
    for person in (ALICE, BOB):
        await say(person, f"签到 {OWN_CODE}")
    assert (
        "有表决权 6 人，在场 2 人（远程在线 0），要 3 人，还差 1 人。"
        in (await say(SUN, "activities:roll:1", kind="button")).text
    )
    await say(SUN, f"签到 {OWN_CODE}")
    assert "在场 3 人（远程在线 0），已达到 3 人。" in (await say(SUN, "activities:roll:1", kind="button")).text


async def test_an_election_needs_four_fifths_in_the_room(say, token, look):
    await say(MO, f"远程 {token}")
    await look(lambda s: setattr(s.get(Activity, 1), "kinds", "term_election"))
    await say(ALICE, f"签到 {OWN_CODE}")
    assert (
        "有表决权 7 人，在场 1 人（远程在线 0），要 6 人，还差 5 人。"
        in (await say(SUN, "activities:roll:1", kind="button")).text
    )
