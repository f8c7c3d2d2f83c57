"""A wish is made, and reviewed by somebody else before anyone sees it."""

from __future__ import annotations

import pytest
from sqlmodel import select

from db.audit import AuditEvent
from db.wishes import Wish
from tests.cast import ALICE, BOB, QIAN, RUI, SUN
from tests.handlers.wishes.conftest import GLASSES, state


async def test_a_wish_is_made_in_three_answers_and_a_confirmation(say, look):
    assert "1 我要许心愿" in (await say(ALICE, "心愿")).labels()
    asked = await say(ALICE, "1")
    assert asked.text == "请用一句话写您的心愿，例如：一副老花镜。公开时不写您的名字。"
    where = await say(ALICE, GLASSES)
    assert where.labels() == ["1 就在梁丰社区党支部", "9 返回", "0 菜单"]
    assert (await say(ALICE, "梁丰社区")).text.startswith("大约要多少钱？")
    preview = await say(ALICE, "约80元")
    assert preview.text == "请核对：一副老花镜（梁丰社区，约 80 元）。公开时不写您的名字，支部审核后发布。"
    assert (await state(look))[0] == "draft"
    done = await say(ALICE, "1")
    assert done.text == "已提交：一副老花镜。支部一般 3 天内审核，结果会告诉您。"
    assert (await state(look))[0] == "submitted"


async def test_the_place_and_nothing_to_pay_are_one_number_each(say):
    preview = await say.all(ALICE, "wishes:new", "陪读两小时（周六）", "1", "1")
    assert preview.text.startswith("请核对：陪读两小时（周六）（梁丰社区党支部，不用花钱）。")


async def test_submitting_twice_hands_in_one_wish_and_says_how_it_stands(say, look):
    preview = await say.all(ALICE, "wishes:new", GLASSES, "1", "80")
    button = preview.buttons[0].action
    await say(ALICE, button, kind="button")
    assert (await say(ALICE, button, kind="button")).text == "一副老花镜：支部正在审核。"
    assert len(await look(lambda s: s.execute(select(Wish.id)).all())) == 1


@pytest.mark.parametrize(
    ("title", "answer"),
    [
        ("😀😀😀", "请用文字写清楚"),
        ("好", "请用文字写清楚"),
        ("长" * 5000, "太长了（5000 字），请写在 40 字以内。"),
        ("长" * 41, "太长了（41 字）"),
        ("想要现金200", "心愿不能是现金"),
        ("帮我充值话费", "心愿不能是现金"),
        ("A small LOAN", "心愿不能是现金"),
        ("电话 138 1234 5678 请联系", "心愿是公开的，请不要写姓名"),
        ("请帮艾丽丝买菜", "心愿是公开的，请不要写姓名"),
        ("看看 https://example.org", "心愿是公开的，请不要写姓名"),
    ],
)
async def test_what_cannot_be_a_wish_is_said_and_asked_again(say, look, title, answer):
    message = await say.all(ALICE, "wishes:new", title)
    assert message.text.startswith(answer)
    assert "请用一句话写您的心愿" in message.text
    assert (await say(ALICE, GLASSES)).text.startswith("在哪里？")  # the question still stands
    assert await look(lambda s: s.execute(select(Wish.title)).scalars().all()) == [GLASSES]


async def test_a_title_of_forty_characters_is_enough_room(say):
    assert (await say.all(ALICE, "wishes:new", "长" * 40)).text.startswith("在哪里？")


async def test_what_changes_the_direction_of_reading_is_gone(say, look):
    await say.all(ALICE, "wishes:new", "\u202e一副\u200b老花镜\u2066", "1", "80", "1")
    assert await look(lambda s: s.execute(select(Wish.title)).scalars().all()) == [GLASSES]


@pytest.mark.parametrize("value", ["301", "1000元", "999999"])
async def test_a_dear_wish_is_refused(say, value):
    message = await say.all(ALICE, "wishes:new", GLASSES, "1", value)
    assert message.text.startswith("微心愿要在 300 元以内")
    assert (await say(ALICE, "300块")).text.startswith("请核对：一副老花镜（梁丰社区党支部，约 300 元）")


@pytest.mark.parametrize("value", ["很多", "-5", "2.5", "😀", "八" * 5000])
async def test_a_value_that_is_no_number_is_asked_again(say, value):
    assert (await say.all(ALICE, "wishes:new", GLASSES, "1", value)).text.startswith("请回复一个数字")
    assert (await say(ALICE, "9元")).text.startswith("请核对：一副老花镜（梁丰社区党支部，约 9 元）")


async def test_a_picture_instead_of_words_is_asked_again(say):
    await say(ALICE, "wishes:new", kind="button")
    message = await say(ALICE, "", kind="image", picture="wx-1")
    assert message.text.startswith("请用文字写清楚")


async def test_three_wishes_at_once_are_the_most(say, make):
    for number in ("一", "二", "三"):
        await make(ALICE, f"心愿之{number}")
    message = await say(ALICE, "wishes:new", kind="button")
    assert message.text.startswith("您已有 3 个心愿在路上")
    assert (await make(BOB)).text.startswith("已提交")


async def test_a_wish_is_withdrawn_until_somebody_claims_it(say, look, publish):
    await publish()
    gone = await say.all(ALICE, "wishes:own", "1", "1")
    assert gone.text == "已撤回：一副老花镜。"
    assert (await state(look))[0] == "withdrawn"
    wish_id = await publish()
    await say(BOB, f"wishes:claim:{wish_id}", kind="button")
    late = await say(ALICE, f"wishes:withdraw:{wish_id}", kind="button")
    assert late.text == "一副老花镜：鲍勃认领了，书记会帮你们接上。"
    assert await state(look) == ("claimed", ["live"])


async def test_a_draft_of_somebody_else_is_as_unknown_as_none(say, look):
    await say.all(ALICE, "wishes:new", GLASSES)
    draft = await look(lambda s: s.execute(select(Wish.id)).scalar_one())
    for verb in ("here", "submit", "withdraw", "own"):
        stolen = await say(BOB, f"wishes:{verb}:{draft}", kind="button")
        assert stolen == await say(BOB, f"wishes:{verb}:999999", kind="button")
        assert GLASSES not in stolen.text
    assert (await say(BOB, f"wishes:see:{draft}", kind="button")).text.startswith("没有找到这个心愿")


# Reviewing


async def test_the_reviewer_sees_whose_it_is_and_publishes(say, make, look, told):
    await make()
    assert (await say(SUN, "心愿审核")).labels()[0] == "1 一副老花镜（梁丰社区，约 80 元）"
    seen = await say(SUN, "1")
    assert seen.text.startswith("一副老花镜（梁丰社区，约 80 元）\n许愿人：艾丽丝，6 月 15 日提交。")
    assert seen.labels() == ["1 发布", "2 退回", "9 返回", "0 菜单"]
    assert (await say(SUN, "1")).text == "已发布：一副老花镜。\n现在没有等您审核的心愿。"
    assert (await state(look))[0] == "published"
    assert await told(ALICE) == ["您的心愿“一副老花镜”已公开，等人认领。"]
    logged = await look(lambda s: s.execute(select(AuditEvent.action, AuditEvent.actor_id)).all())
    assert [tuple(row) for row in logged] == [("wish.published", SUN)]


async def test_a_wish_is_sent_back_with_a_reason_that_the_wisher_reads(say, make, look, told):
    await make()
    await say.all(SUN, "心愿审核", "1", "2")
    assert (await say(SUN, "😀")).text.startswith("请写清楚原因")
    assert (await say(SUN, "长" * 101)).text.startswith("太长了，请写在 100 字以内。")
    assert (await say(SUN, "请写具体的度数")).text.startswith("已退回：一副老花镜，原因已告诉许愿人。")
    assert (await state(look))[0] == "rejected"
    assert await told(ALICE) == ["您的心愿“一副老花镜”没有通过审核。原因：请写具体的度数。可以改一改再许。"]
    assert (await say.all(ALICE, "wishes:own", "1")).text.endswith("原因：请写具体的度数")


async def test_two_reviewers_decide_once_and_the_second_learns_what_was_decided(say, make, told):
    await make()
    await say.all(SUN, "心愿审核", "1")
    await say.all(RUI, "心愿审核", "1")
    await say(SUN, "1")
    assert "已由孙书记发布" in (await say(RUI, "1")).text
    assert "已由孙书记发布" in (await say.all(RUI, "wish_review:reject:1")).text
    assert len(await told(ALICE)) == 1


async def test_nobody_reviews_an_own_wish(say, make, look):
    await make(SUN, "一把雨伞")
    assert (await say(SUN, "心愿审核")).text == "现在没有等您审核的心愿。"
    wish_id = await look(lambda s: s.execute(select(Wish.id)).scalar_one())
    for verb in ("publish", "reject", "because"):
        message = await say(SUN, f"wish_review:{verb}:{wish_id}", kind="button")
        assert message.text.endswith("这是您自己的心愿，要由别人审核。")
    assert (await state(look))[0] == "submitted"
    assert "一把雨伞" in (await say(RUI, "心愿审核")).labels()[0]


async def test_a_secretary_of_another_branch_cannot_even_see_it(say, make, look):
    await make()
    wish_id = await look(lambda s: s.execute(select(Wish.id)).scalar_one())
    assert (await say(QIAN, "心愿审核")).text == "现在没有等您审核的心愿。"
    for verb in ("see", "publish", "reject", "because", "confirm", "report"):
        forged = await say(QIAN, f"wish_review:{verb}:{wish_id}", kind="button")
        assert forged == await say(QIAN, f"wish_review:{verb}:999999", kind="button")
        assert forged == await say(QIAN, f"wish_review:{verb}:abc", kind="button")
        assert GLASSES not in forged.text
    assert (await state(look))[0] == "submitted"


async def test_members_without_the_role_review_nothing(say, make, look):
    await make()
    assert "需要相应的职责" in (await say(BOB, "wish_review:publish:1", kind="button")).text
    assert not any("心愿审核" in label for label in (await say(BOB, "菜单")).labels())
    assert (await state(look))[0] == "submitted"
