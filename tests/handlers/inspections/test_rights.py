"""Who may do what with an inspection, also two people at once."""

from __future__ import annotations

from datetime import date

from sqlmodel import select

from bot.dispatch import Dispatcher
from db import inspections, negatives, rectifications
from db.accounts import Chat
from db.inspection_plans import drawn
from db.members import Role
from notices.inspection_terms import appeal_until
from tests.at_once import at_once
from tests.cast import CITY, DING, INES, LIANGFENG, NAMES, NOON, QIAN, RUI, SHAZHOU, SUN
from tests.conftest import ZONE, Voice
from tests.handlers.inspections.conftest import SECOND, TODAY, actions, after_window, confirm, deductions, inspect


async def test_forged_buttons_change_nothing(say, look, clock, finding):
    stranger = {f"rectify:{step}:{number}" for step in ("see", "done", "appeal") for number in (finding, 999, "x")}
    assert {(await say(SUN, one, kind="button")).text for one in stranger} == {
        "没有找到这张整改卡，或者它不归您办。"
    }
    for step in ("post_yes", "uphold", "accept", "late_yes"):
        reply = await say(QIAN, f"inspection_review:{step}:{finding}", kind="button")
        assert "检查审核" in reply.text  # not this person's role
    for step in ("uphold", "post_yes", "accept", "correct", "late_yes", "refuse"):
        await say.all(DING, f"inspection_review:{step}:{finding}", "还没有到时候的决定")
    row = await look(lambda s: inspections.by_id(s, int(finding)))
    card = await look(lambda s: rectifications.of_inspection(s, int(finding)))
    assert (row.state, card.state) == ("noticed", "open")
    assert (await say(INES, "inspect:confirm", kind="button")).text == "现在没有正在记的检查。"
    assert (await actions(look)) == ["inspection.made", *["conversation.refused"] * 4]


async def test_an_inspector_stays_in_the_own_subtree_and_never_posts_the_own_finding(say, look, clock, finding):
    def narrow(session):
        role = session.execute(select(Role).where(Role.member_id == INES)).scalar_one()
        role.organization_id = LIANGFENG
        session.add(Role(member_id=INES, organization_id=CITY, role="district_org_department", from_day=TODAY))

    await look(narrow)
    assert (await say.all(INES, "检查", "1", "沙洲")).text.startswith("您的范围里没有找到")
    assert (await say(INES, f"inspect:branch:{SHAZHOU}", kind="button")).text.startswith("您的范围里没有找到")
    assert "没有找到这次检查" in (await say(INES, f"inspect:see:{finding}", kind="button")).text
    after_window(clock)
    for step in ("post_yes", "refuse"):
        own = await say(INES, f"inspection_review:{step}:{finding}", kind="button")
        assert own.text == "这是您自己做的检查，要由别人入账。"
    assert await look(lambda s: inspections.by_id(s, int(finding)).state) == "noticed"


async def test_a_reviewer_drops_what_should_not_count(say, look, clock, told, cases):
    after_window(clock)
    await say.all(DING, "待入账", "1", "2", "照片看不清楚")
    assert (await told(QIAN))[-1].endswith("不用整改：照片看不清楚")
    assert await look(lambda s: deductions(s, date(2026, 6, 24))) == 0
    assert await look(lambda s: rectifications.of_inspection(s, int(cases)).state) == "dropped"


async def test_a_finding_needs_a_picture_and_a_figure_that_makes_sense(say):
    await say.all(INES, "检查", "1", "沙洲", "1", "1")
    for wrong in ("130%", "很多", "95.123%"):
        assert (await say(INES, wrong)).text.startswith("这个没有看懂。")
    assert "一定要有照片" in (await say(INES, "80%")).text
    assert (await say(INES, "没有照片")).text.startswith("没有收到照片。")
    assert (await say(INES, "inspect:no_picture", kind="button")).text.startswith("没有收到照片。")
    assert (await say(INES, "inspect:confirm", kind="button")).text == "现在没有正在记的检查。"


async def test_abroad_neither_pictures_nor_names_are_shown(say, writer, clock, cases, look):
    abroad = Voice(Dispatcher(writer, zone=ZONE, clock=clock, abroad={"web"}), clock)
    abroad._keys = iter(range(10_000, 20_000))
    seen = [await abroad.all(QIAN, "整改", "1"), await abroad(INES, f"inspect:see:{cases}", kind="button")]
    after_window(clock)
    seen.append(await abroad.all(DING, "待入账", "1"))
    assert all(one.picture is None for one in seen)
    assert not any(name in one.text for one in seen for name in NAMES.values())
    at_home = await say(INES, f"inspect:see:{cases}", kind="button")
    assert at_home.picture is not None
    assert NAMES[INES] in at_home.text


async def test_a_draw_can_be_repeated_from_its_seed(say, look, finding):
    message = await say.all(INES, "检查", "随机抽 5 个支部")
    assert message.text.splitlines()[1:] == [
        "1. 梁丰社区党支部（上次：没有查过）",
        "2. 沙洲村党支部（上次：6 月 15 日）",
    ]
    never = [(number, None) for number in range(1, 40)]
    assert drawn(never, "a1", 5) == drawn(list(reversed(never)), "a1", 5) != drawn(never, "a2", 5)


async def test_a_shared_place_finds_what_was_inspected_near_it(say):
    await say.all(INES, "检查", "1", "沙洲", "1", "5", "1")
    await say(INES, "", kind="image", picture="post")
    await say(INES, "", kind="location", point=(31.90, 120.55))
    await say.all(INES, "值班室没有人", "1")
    await confirm(say)
    await say(INES, "inspect:new", kind="button")
    near = await say(INES, "", kind="location", point=(31.94, 120.55))
    assert near.labels()[0] == "1 沙洲村党支部"
    await say(INES, "inspect:new", kind="button")
    assert (await say(INES, "", kind="location", point=(31.96, 120.55))).text.startswith("附近没有")


async def test_without_a_secretary_the_committee_gets_the_card(say, look, told):
    await look(lambda s: s.delete(s.execute(select(Role).where(Role.member_id == QIAN)).scalar_one()))
    await inspect(say, "5", "1")
    number = await confirm(say)
    assert (await told(RUI))[0].startswith("【整改卡】")
    assert "门口没有党旗" in (await say(RUI, f"inspection_review:see:{number}", kind="button")).text


async def test_in_english(say, look, finding):
    await look(
        lambda s: setattr(s.execute(select(Chat).where(Chat.member_id == QIAN)).scalar_one(), "language", "en")
    )
    shown = await say.all(QIAN, "rectify", "1")
    assert "80% (needed: at least 100%)" in shown.text
    assert "You may appeal" not in shown.text
    assert shown.labels()[:2] == ["1 It is put right: send a photo", "2 I disagree: appeal"]


# Two at once


async def test_of_two_people_only_one_decides_posts_or_accepts(say, look, clock, database_url, finding, cases):
    number, ends = int(finding), appeal_until(TODAY, ZONE)

    def appeal(session):
        return inspections.appeal(
            session, number, member_id=QIAN, reason="不同意", picture_id=None, now=ends - SECOND
        )

    def post(session):
        return inspections.mark_posted(session, number, member_id=DING, now=ends, posted_to="2026Q2")

    def decide(upheld):
        return lambda s: inspections.decide(s, int(cases), upheld=upheld, member_id=RUI, decision="x", now=NOON)

    assert sum(at_once(database_url, appeal, post)) == 1
    await say.all(QIAN, f"rectify:appeal:{cases}", "我们不同意这个结果")
    assert sum(at_once(database_url, decide(True), decide(False))) == 1
    card = int(cases)
    await look(lambda s: rectifications.hand_in(s, card, member_id=QIAN, picture_id=1, words="好了", now=NOON))
    done = at_once(
        database_url,
        lambda s: rectifications.accept(s, card, member_id=INES, now=NOON),
        lambda s: rectifications.send_back(s, card, reason="x", now=NOON, due_on=TODAY, step_on=TODAY),
    )
    assert sum(done) == 1
    posted = {"organization_id": SHAZHOU, "item_id": "N04", "day": TODAY, "count": 1, "cause": "test"}
    assert sorted(at_once(database_url, *[lambda s: negatives.post(s, **posted, recorded_at=NOON)] * 4)) == [
        False
    ] * 3 + [True]
