"""A wish is claimed, done and confirmed, and pays once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from sqlmodel import select

from db import ledger
from db.audit import AuditEvent
from db.members import Role
from db.wish_claims import DONE_WITHIN
from db.wishes import WishClaim
from tests.cast import ALICE, BOB, CHARLIE, MO, NAMES, NOON, QIAN, RUI, SUN
from tests.handlers.wishes.conftest import GLASSES, state


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
