"""Micro-wishes from making to confirmation, as wisher, reviewer and claimer see them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlmodel import Session, select

from db import ledger, wish_claims, wishes
from db.audit import AuditEvent
from db.deliveries import Delivery
from db.members import Role
from db.wish_claims import DONE_WITHIN
from db.wishes import Wish, WishClaim
from tests.cast import ALICE, BOB, CHARLIE, LIANGFENG, MO, NAMES, NOON, QIAN, RUI, SHAZHOU, SUN

GLASSES = "一副老花镜"


@pytest.fixture
def make(say):
    """`await make(ALICE)`: that member's wish for reading glasses is handed in."""

    async def makes(person: int = ALICE, title: str = GLASSES, value: str = "80元"):
        return await say.all(person, "wishes:new", title, "梁丰社区", value, "1")

    return makes


@pytest.fixture
def publish(say, make, look):
    """`await publish(ALICE)`: the wish is made and published by the secretary of the branch; its id."""

    async def publishes(person: int = ALICE, title: str = GLASSES) -> int:
        await make(person, title)
        wish_id = await look(lambda s: s.execute(select(Wish.id).order_by(Wish.id.desc())).scalars().first())
        await say(RUI, f"wish_review:publish:{wish_id}", kind="button")
        return wish_id

    return publishes


@pytest.fixture
def told(look):
    """`await told(ALICE)`: what was noted to be told to that member, in order."""

    async def asks(person: int) -> list[str]:
        def texts(session: Session) -> list[str]:
            rows = session.execute(select(Delivery).order_by(Delivery.id)).scalars()
            return [row.content["text"] for row in rows if row.member_id == person]

        return await look(texts)

    return asks


@pytest.fixture
def claim_id(look):
    async def asks() -> int:
        return await look(
            lambda s: s.execute(select(WishClaim.id).order_by(WishClaim.id.desc())).scalars().first()
        )

    return asks


async def state(look) -> tuple[str, list[str]]:
    """(state of the last wish, states of its claims)."""

    def read(session: Session) -> tuple[str, list[str]]:
        wish = session.execute(select(Wish).order_by(Wish.id.desc())).scalars().first()
        claims = session.execute(
            select(WishClaim.state).where(WishClaim.wish_id == wish.id).order_by(WishClaim.id)
        )
        return wish.state, list(claims.scalars())

    return await look(read)


# Making


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


# Claiming


async def test_a_published_wish_shows_no_name_and_is_claimed(say, publish, look, told):
    await publish()
    listed = await say(BOB, "心愿")
    assert listed.text == "等人认领的心愿："
    assert listed.labels() == ["1 一副老花镜（梁丰社区，约 80 元）", "2 我要许心愿", "0 菜单"]
    seen = await say(BOB, "1")
    assert seen.text == (
        "一副老花镜（梁丰社区，约 80 元）\n"
        "认领后：请在 48 小时内联系，15 天内完成；完成后由许愿人确认，确认了才加 2 分。"
    )
    claimed = await say(BOB, "1")
    assert claimed.text == (
        "已认领：一副老花镜。请在 48 小时内联系孙书记（梁丰社区党支部），帮您和许愿人接上。6 月 30 日前完成。"
    )
    for message in (listed, seen, claimed, *[await say(BOB, text) for text in ("wishes:mine", "1")]):
        assert NAMES[ALICE] not in str(message)
    assert await state(look) == ("claimed", ["live"])
    assert (await told(ALICE))[-1] == "您的心愿“一副老花镜”有人认领了，书记会帮你们接上。"
    assert (await told(SUN)) == ["有同志认领了心愿“一副老花镜”，请帮许愿人和认领人接上。"]
    assert not any(NAMES[BOB] in text for text in [*await told(ALICE), *await told(SUN)])
    assert (await say.all(ALICE, "wishes:own", "1")).text == "一副老花镜：鲍勃认领了，书记会帮你们接上。"
    both = await say(SUN, "wish_review:see:1", kind="button")
    assert "许愿人：艾丽丝，认领人：鲍勃" in both.text


async def test_the_own_wish_is_not_on_the_list_and_cannot_be_claimed(say, publish, look):
    wish_id = await publish()
    assert (await say(ALICE, "心愿")).text == "现在没有等人认领的心愿。"
    message = await say(ALICE, f"wishes:claim:{wish_id}", kind="button")
    assert message.text.startswith("自己许的心愿不能自己认领。")
    assert await state(look) == ("published", [])


async def test_of_six_who_claim_at_once_one_has_it(say, publish, look):
    wish_id = await publish()
    people = [BOB, CHARLIE, SUN, QIAN, MO, RUI]
    replies = await asyncio.gather(*(say(who, f"wishes:claim:{wish_id}", kind="button") for who in people))
    assert sum(reply.text.startswith("已认领") for reply in replies) == 1
    assert sum(reply.text.startswith("“一副老花镜”已经有人认领了") for reply in replies) == 5
    assert await state(look) == ("claimed", ["live"])


async def test_claiming_twice_shows_ones_own_claim(say, publish, look):
    wish_id = await publish()
    await say(BOB, f"wishes:claim:{wish_id}", kind="button")
    again = await say(BOB, f"wishes:claim:{wish_id}", kind="button")
    assert again.text == "一副老花镜：正在办，6 月 30 日前完成。"
    assert await state(look) == ("claimed", ["live"])


async def test_three_claims_at_once_are_the_most(say, publish, look):
    ids = [
        await publish(who, f"心愿之{number}")
        for who, number in zip((ALICE, MO, SUN, CHARLIE), "一二三四", strict=True)
    ]
    for wish_id in ids[:3]:
        assert (await say(BOB, f"wishes:claim:{wish_id}", kind="button")).text.startswith("已认领")
    refused = await say(BOB, f"wishes:claim:{ids[3]}", kind="button")
    assert refused.text.startswith("您已有 3 个心愿在办")
    assert refused.labels()[:3] == [
        f"{n} 心愿之{name}（6 月 30 日前完成）" for n, name in zip((1, 2, 3), "一二三", strict=True)
    ]
    await say.all(BOB, "wishes:mine", "1", "4")  # give one back
    assert (await say(BOB, f"wishes:claim:{ids[3]}", kind="button")).text.startswith("已认领")


async def test_giving_back_publishes_the_wish_again_and_tells_the_wisher(say, publish, look, told):
    await publish()
    await say.all(BOB, "心愿", "1", "1")
    given = await say(BOB, "2")
    assert given.text == "已退回：一副老花镜。它又可以被别人认领了。"
    assert await state(look) == ("published", ["released"])
    assert (await told(ALICE))[-1] == "您的心愿“一副老花镜”重新公开了，等别的同志认领。"
    assert (await say.all(CHARLIE, "心愿", "1", "1")).text.startswith("已认领")
    assert await state(look) == ("claimed", ["released", "live"])


async def test_more_time_can_be_taken_once(say, publish, look, claim_id):
    await publish()
    await say.all(BOB, "心愿", "1", "1")
    claim = await claim_id()
    assert (await say(BOB, f"wishes:extend:{claim}", kind="button")).text.startswith("已延长到 7 月 7 日。")
    assert (await say(BOB, f"wishes:extend:{claim}", kind="button")).text.startswith("已经延长过一次")
    assert await look(lambda s: s.get(WishClaim, claim).due_at) == NOON + DONE_WITHIN + timedelta(days=7)


async def test_a_contact_is_noted_once(say, publish, claim_id, look, clock):
    await publish()
    await say.all(BOB, "心愿", "1", "1")
    claim = await claim_id()
    noted = await say(BOB, f"wishes:contacted:{claim}", kind="button")
    assert noted.text.startswith("已记下：联系上了。")
    assert "2 已联系上" not in noted.labels()
    clock.now += timedelta(hours=1)
    await say(BOB, f"wishes:contacted:{claim}", kind="button")
    assert await look(lambda s: s.get(WishClaim, claim).contacted_at) == NOON


# Done, and confirmed


async def test_points_come_only_when_the_wisher_confirms_and_once(say, publish, look, told, claim_id):
    await publish()
    await say.all(BOB, "心愿", "1", "1", "1")
    asked = await say(BOB, "1")
    assert asked.text.startswith("“一副老花镜”办好了？请发一张照片")
    reported = await say(BOB, "", kind="image", picture="wx-9")
    assert reported.text == "收到，谢谢您！已请许愿人确认“一副老花镜”，确认后加分。"
    assert await state(look) == ("delivered", ["delivered"])
    assert await look(lambda s: ledger.totals(s, BOB, 2026)) == {}
    assert (await told(ALICE))[-1] == "您的心愿“一副老花镜”：对方说已经办好了。请您确认。"
    claim = await claim_id()
    seen = await say(ALICE, f"wishes:report_of:{claim}", kind="button")
    assert seen.picture.kind == "stored"
    assert seen.labels()[:2] == ["1 已经办好", "2 还没有"]
    assert (await say(ALICE, "1")).text == "谢谢您的确认，“一副老花镜”实现了。"
    assert await state(look) == ("closed", ["closed"])
    assert await look(lambda s: ledger.totals(s, BOB, 2026)) == {"PP3": (2, 100)}
    assert await look(lambda s: ledger.line(s, BOB, "wish:1").reason) == GLASSES
    assert (await told(BOB))[-1] == "许愿人确认了“一副老花镜”，谢谢您！加 2 分。"
    again = await say(ALICE, f"wishes:yes:{claim}", kind="button")
    assert again.text == "“一副老花镜”已经确认过了，谢谢您。"
    assert (await say(ALICE, f"wishes:no:{claim}", kind="button")).text == again.text
    assert await look(lambda s: ledger.balance(s, BOB)) == 2


async def test_ten_confirmations_at_once_pay_once(say, publish, look, claim_id):
    await publish()
    await say.all(BOB, "心愿", "1", "1", "1", "1", "送到家了")
    claim = await claim_id()
    await asyncio.gather(*(say(ALICE, f"wishes:yes:{claim}", kind="button") for _ in range(10)))
    assert await look(lambda s: ledger.balance(s, BOB)) == 2


async def test_not_yet_reopens_and_the_claimer_is_told(say, publish, look, told, claim_id, clock):
    await publish()
    await say.all(BOB, "心愿", "1", "1", "1", "1", "送到家了")
    claim = await claim_id()
    clock.now += timedelta(days=14)
    message = await say(ALICE, f"wishes:no:{claim}", kind="button")
    assert message.text.startswith("好的，已请对方继续办“一副老花镜”。")
    assert await state(look) == ("claimed", ["live"])
    assert await look(lambda s: s.get(WishClaim, claim).due_at) == clock.now + timedelta(days=7)
    assert (await told(BOB))[-1].startswith("许愿人说“一副老花镜”还没有办好")
    assert (await say(ALICE, f"wishes:yes:{claim}", kind="button")).text.startswith("“一副老花镜”还在办")
    assert await look(lambda s: ledger.balance(s, BOB)) == 0
    await say.all(BOB, f"wishes:done:{claim}", "这次真的送到了")
    await say(ALICE, f"wishes:yes:{claim}", kind="button")
    assert await look(lambda s: ledger.balance(s, BOB)) == 2


async def test_a_report_needs_a_picture_or_a_few_words(say, publish, look):
    await publish()
    await say.all(BOB, "心愿", "1", "1", "1", "1")
    assert (await say(BOB, "好了")).text.startswith("请发照片，或至少写 4 个字。")
    assert (await say(BOB, "长" * 201)).text.startswith("太长了，请写在 200 字以内。")
    assert await state(look) == ("claimed", ["live"])
    assert (await say(BOB, "已经送到")).text.startswith("收到")


async def test_only_the_wisher_confirms_and_only_the_claimer_reports(say, publish, look, claim_id):
    await publish()
    await say.all(BOB, "心愿", "1", "1")
    claim = await claim_id()
    for verb in ("done", "report", "contacted", "extend", "release", "mine"):
        stolen = await say(CHARLIE, f"wishes:{verb}:{claim}", kind="button")
        assert stolen == await say(CHARLIE, f"wishes:{verb}:999999", kind="button")
        assert GLASSES not in stolen.text
    await say.all(BOB, f"wishes:done:{claim}", "已经送到")
    for person in (BOB, CHARLIE, SUN):
        for verb in ("yes", "no", "report_of"):
            message = await say(person, f"wishes:{verb}:{claim}", kind="button")
            assert message.text.startswith("没有找到这个心愿")
            assert message.picture is None
    assert await state(look) == ("delivered", ["delivered"])
    assert await look(lambda s: ledger.balance(s, BOB)) == 0


async def test_after_seven_days_of_silence_a_reviewer_confirms_to_the_second(say, publish, look, clock):
    wish_id = await publish()
    await say.all(BOB, "心愿", "1", "1", "1", "1", "已经送到")
    clock.now = NOON + timedelta(days=7) - timedelta(seconds=1)
    early = await say(SUN, f"wish_review:confirm:{wish_id}", kind="button")
    assert early.text.startswith("先等许愿人自己确认")
    assert await look(lambda s: ledger.balance(s, BOB)) == 0
    clock.now = NOON + timedelta(days=7)
    assert (await say(SUN, "心愿审核")).labels()[0] == "1 一副老花镜（报完成已 7 天，等确认）"
    assert (await say(SUN, "1")).labels()[:2] == ["1 看看怎么办的", "2 代许愿人确认"]
    assert (await say.all(SUN, "1", "1")).text.startswith("已确认：一副老花镜，认领人的积分已记。")
    assert await look(lambda s: ledger.totals(s, BOB, 2026)) == {"PP3": (2, 100)}
    actions = await look(lambda s: s.execute(select(AuditEvent.action)).scalars().all())
    assert actions == ["wish.published", "wish.confirmed"]
    twice = await say(RUI, f"wish_review:confirm:{wish_id}", kind="button")
    assert twice.text.endswith("已实现。")
    assert await look(lambda s: ledger.balance(s, BOB)) == 2


async def test_a_reviewer_never_confirms_what_they_did_themselves(say, publish, look, clock):
    wish_id = await publish()
    await say.all(SUN, "心愿", "1", "1", "1", "1", "已经送到")
    clock.now += timedelta(days=8)
    assert (await say(SUN, "心愿审核")).text == "现在没有等您审核的心愿。"
    assert (await say(SUN, f"wish_review:confirm:{wish_id}", kind="button")).text.startswith("先等许愿人")
    assert await look(lambda s: ledger.balance(s, SUN)) == 0
    assert "已确认" in (await say(RUI, f"wish_review:confirm:{wish_id}", kind="button")).text


async def test_when_the_secretary_is_the_wisher_the_committee_brings_them_together(say, publish, told):
    await publish(SUN, "一把雨伞")
    claimed = await say.all(BOB, "心愿", "1", "1")
    assert "联系芮审核（梁丰社区党支部）" in claimed.text
    assert NAMES[SUN] not in claimed.text
    assert any("请帮许愿人和认领人接上" in text for text in await told(RUI))


async def test_without_any_reviewer_the_branch_is_named(say, publish, look):
    await publish()
    await look(lambda s: s.execute(Role.__table__.delete()))
    assert "联系梁丰社区党支部，" in (await say.all(BOB, "心愿", "1", "1")).text


# The list


async def test_own_branch_comes_first_and_the_longest_wait_within_it(say, look):
    def fill(session: Session) -> None:
        for number, branch, hours in ((1, SHAZHOU, 9), (2, LIANGFENG, 1), (3, LIANGFENG, 5)):
            session.add(
                Wish(
                    id=number + 100,
                    organization_id=branch,
                    wisher_id=RUI,
                    title=f"心愿之{number}",
                    area="某地",
                    value_yuan=0,
                    state="published",
                    created_at=NOON,
                    published_at=NOON - timedelta(hours=hours),
                )
            )

    await look(fill)
    titles = [label.split("（")[0] for label in (await say(BOB, "心愿")).labels()[:3]]
    assert titles == ["1 心愿之3", "2 心愿之2", "3 心愿之1"]
    assert (await say(CHARLIE, "心愿")).labels()[0].startswith("1 心愿之1")
    assert (await say(BOB, "心愿 2")).text.startswith("心愿之2")  # typed by its place


async def test_four_on_a_page_and_the_rest_on_the_next(say, look):
    await look(
        lambda s: s.add_all(
            Wish(
                organization_id=LIANGFENG,
                wisher_id=RUI,
                title=f"心愿之{number}",
                area="某地",
                value_yuan=0,
                state="published",
                created_at=NOON,
                published_at=NOON + timedelta(minutes=number),
            )
            for number in range(1, 7)
        )
    )
    first = await say(BOB, "心愿")
    assert first.labels()[3:6] == ["4 心愿之4（某地，不用花钱）", "5 下一页", "6 我要许心愿"]
    second = await say(BOB, "5")
    assert second.labels()[:2] == ["1 心愿之5（某地，不用花钱）", "2 心愿之6（某地，不用花钱）"]
    for page in ("0", "abc", "99999999999"):
        assert "心愿之1" in (await say(BOB, f"wishes:page:{page}", kind="button")).labels()[0]


@pytest.mark.parametrize(
    "text",
    [
        "wishes:see:999999",
        "wishes:see:abc",
        "wishes:claim:999999",
        "wishes:claim:abc",
        "wishes:claim",
        "wishes:claim:99999999999",
        "wishes:nonsense",
        "wishes:999999",
        "心愿 999999",
        "心愿 😀",
        "心愿 " + "长" * 5000,
        "心愿 \u202e老花镜",
    ],
)
async def test_what_is_forged_or_mistyped_gets_the_list(say, publish, look, text):
    await publish()
    message = await say(BOB, text)
    assert message.text.startswith("没有找到这个心愿")
    assert message.labels()[0] == "1 一副老花镜（梁丰社区，约 80 元）"
    assert await state(look) == ("published", [])


@pytest.mark.parametrize("verb", ["mine", "done", "report", "release", "extend", "contacted"])
@pytest.mark.parametrize("what", ["abc", "999999", ""])
async def test_a_forged_claim_is_not_found(say, verb, what):
    if verb == "mine" and not what:
        return
    assert (await say(BOB, f"wishes:{verb}:{what}", kind="button")).text.startswith(
        ("没有找到这次认领", "您现在没有在办的心愿")
    )


# The database


def test_a_second_living_claim_cannot_be_written(engine):
    from sqlalchemy.exc import IntegrityError

    with Session(engine) as session:
        session.add(
            Wish(
                id=1,
                organization_id=LIANGFENG,
                wisher_id=ALICE,
                title=GLASSES,
                area="某地",
                state="claimed",
                created_at=NOON,
            )
        )
        session.flush()
        for person in (BOB, CHARLIE):
            session.add(WishClaim(wish_id=1, member_id=person, claimed_at=NOON, due_at=NOON))
        with pytest.raises(IntegrityError):
            session.flush()


def test_who_has_read_first_and_claims_last_gets_nothing(engine):
    """Two sessions by hand: both see the wish published, one claims it, the other's claim finds it gone."""
    with Session(engine) as session:
        session.add(
            Wish(
                id=1,
                organization_id=LIANGFENG,
                wisher_id=ALICE,
                title=GLASSES,
                area="某地",
                state="published",
                created_at=NOON,
                published_at=NOON,
            )
        )
        session.commit()
    with Session(engine) as session:
        assert wishes.by_id(session, 1).state == "published"
    with Session(engine) as session:
        assert not isinstance(wish_claims.claim(session, wish_id=1, member_id=BOB, now=NOON), str)
        session.commit()
    with Session(engine) as session:
        assert wish_claims.claim(session, wish_id=1, member_id=CHARLIE, now=NOON) == "gone"
