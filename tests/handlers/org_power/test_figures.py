"""The organisational power index in the chat: who sees whose, every figure down to its evidence, and advice."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from db import power_board
from db.organizations import Organization
from db.warnings import BranchWarning
from scoring.branch_power import power_of
from scoring.update import refresh_city
from tests.cast import ALICE, CHARLIE, DING, LIANGFENG, NOON, OLGA, QIAN, RUI, SHAZHOU, SUN
from tests.handlers.org_power.conftest import MONTH, record_all
from tests.notices.pool_days import nine, walk


async def test_a_member_sees_the_published_month_of_their_branch_with_its_weak_sides(say, april, look):
    message = await say(ALICE, "组织力指数是多少")
    stored = await look(lambda s: power_board.of(s, LIANGFENG, MONTH))
    full = await look(lambda s: power_board.of(s, LIANGFENG, "2026-03"))
    lines = message.text.splitlines()
    score = f"{stored.score // 100}.{stored.score % 100:02d}"
    assert lines[0] == f"梁丰社区党支部 组织力指数（2026年4月，已公布）：{score} 分。"
    assert (
        lines[1]
        == f"第 1 名（共 1）。得分比上月低 {(full.score - stored.score) // 100}.{(full.score - stored.score) % 100:02d} 分。"
    )
    assert "负面清单扣 2.00" in lines[2]
    assert lines[3].startswith("较弱：政治领导力 ")
    assert "C02 支部委员会会议每月至少一次；C04" in lines[3]
    assert "三色池：蓝色。" in lines
    assert "诊断" not in str(message.labels())
    for before, said in (
        (full.score, "低"),
        (stored.score, "得分和上月一样。"),
        (0, f"得分比上月高 {score} 分。"),
    ):
        await look(lambda s, before=before: setattr(power_board.of(s, LIANGFENG, "2026-03"), "score", before))
        assert said in (await say(ALICE, "组织力指数是多少")).text.splitlines()[1]
    provisional = await say(ALICE, "看2026年5月")
    assert "2026年5月，暂定，还会变" in provisional.text
    assert (await say(ALICE, "指数 2026-03-31")).text.startswith("梁丰社区党支部 组织力指数（2026年3月，已公布）")


async def test_why_goes_from_the_figure_to_the_picture_for_those_in_charge(say, april):
    why = await say.all(SUN, "组织力", "1")
    assert why.text.splitlines()[0].startswith("2026年4月组织力指数 ")
    assert why.text.splitlines()[-1] == "扣分 2.00"
    part = await say(SUN, "1")
    assert part.text.splitlines()[1].startswith("· C02 支部委员会会议每月至少一次：未达标，少 ")
    item = await say(SUN, "1")
    assert "要求：至少 1，每月看一次，3 分，支部申报。" in item.text
    assert "按 2026 年 4 月 判：未达标" in item.text
    assert "：0（支部申报；孙书记报；芮审核核）" in item.text
    assert "平台里没有这样的活动。" in item.text
    assert item.text.endswith("（参照公开规定）。")
    assert len(item.text.splitlines()) <= 7
    proof = await say(SUN, "看凭证")
    assert proof.picture.kind == "stored"
    assert (await say(SUN, "9")).text == why.text
    seen = await say(ALICE, f"org_power:item:{LIANGFENG}:{MONTH}:C02", kind="button")
    assert "（支部申报）" in seen.text
    assert "孙书记" not in seen.text
    assert "看凭证" not in str(seen.labels())
    taken = f"org_power:item:{LIANGFENG}:{MONTH}:N01"
    assert "4月9日：1 次 门口有旧牌子" in (await say(RUI, taken, kind="button")).text
    assert "门口有旧牌子" not in (await say(ALICE, taken, kind="button")).text
    assert "去申诉或整改" in str((await say(SUN, taken, kind="button")).labels())


async def test_nobody_sees_what_is_not_theirs(say, april):
    for action in (
        f"org_power:show:{LIANGFENG}", f"org_power:why:{LIANGFENG}:{MONTH}", f"diagnosis:of:{LIANGFENG}:{MONTH}",
        f"org_power:item:{LIANGFENG}:{MONTH}:C02", f"org_power:radar:{LIANGFENG}:{MONTH}", f"index:fortress:{LIANGFENG}",
    ):  # fmt: skip
        for person in (CHARLIE, QIAN):
            assert "梁丰" not in (await say(person, action, kind="button")).text, action
    proof = f"org_power:proof:{LIANGFENG}:{MONTH}:declaration:1"
    assert (await say(ALICE, proof, kind="button")).text == "照片只给负责的人看。"
    assert (await say(SUN, f"org_power:proof:{LIANGFENG}:{MONTH}:declaration:99", kind="button")).picture is None
    for forged in ("org_power:show:x", "org_power:part:10:2026-04:zz", "org_power:item:10:2026-04:zz",
                   "org_power:log:10:2026-04:C02:2026-99", "org_power:show:10:2026-01", "diagnosis:item:10:2026-04:zz",
                   "index:item:10:zz", "board:power:zz:picture", "org_power:why:10:2026-04:::"):  # fmt: skip
        assert (await say(SUN, forged, kind="button")).buttons, forged
    assert (await say(ALICE, "组织力 沙洲")).text == "您只能看自己支部的组织力指数。"


async def test_those_above_choose_by_name_or_code_in_their_subtree(say, april, look):
    asked = await say.all(RUI, "组织力", "看别的组织")
    assert asked.text.startswith("要看哪个组织")
    found = await say(RUI, "沙洲")
    assert found.labels()[0] == "1 沙洲村党支部"
    assert (await say(RUI, "1")).text.startswith("沙洲村党支部 组织力指数（2026年4月")
    assert (await say(OLGA, "组织力 B20")).labels()[0] == "1 沙洲村党支部"
    assert (await say(RUI, "组织力 没有的")).text.startswith("您管的范围里没有找到")
    assert (await say(DING, "组织力")).text.startswith("要看哪个组织")


async def test_advice_comes_by_what_it_costs_with_whom_until_when_and_the_next_step(say, april):
    listed = await say(SUN, "哪里弱")
    assert "梁丰社区党支部（2026年5月，暂定）没有失分" not in listed.text
    listed = await say(SUN, f"diagnosis:of:{LIANGFENG}:{MONTH}", kind="button")
    lines = listed.text.splitlines()
    assert lines[0] == "梁丰社区党支部（2026年4月）有 3 项失分，先做前面的："
    assert [line[3:6] for line in lines[1:]] == ["C02", "C04", "N01"]
    item = await say(SUN, "1")
    assert item.text.splitlines()[1:] == [
        "怎么做：本月内开一次支委会，当场签到，留照片。",
        "找谁：自己支部的支委会。",
        "期限：6 月 30 日前做到，7 月 5 日前申报。",
    ]
    assert item.labels()[0] == "1 安排活动"
    assert "安排活动" not in str(
        (await say(RUI, f"diagnosis:item:{LIANGFENG}:{MONTH}:C02", kind="button")).labels()
    )
    plan = await say(SUN, f"diagnosis:plan:{LIANGFENG}:{MONTH}", kind="button")
    assert plan.text.splitlines()[1] == (
        "1. 支部委员会会议每月至少一次：本月内开一次支委会，当场签到，留照片；联系自己支部的支委会；6 月 30 日前完成。"
    )
    fortress = await say(SUN, f"diagnosis:fortress:{LIANGFENG}", kind="button")
    assert fortress.text.startswith("梁丰社区党支部 2026 年堡垒指数失分最多的：")
    assert "诊断" not in (await say(ALICE, "怎么整改")).text


async def test_a_warning_leads_to_the_records_behind_it_and_to_advice(say, look, clock):
    clock.now = nine(5, 16)

    def publish(session):
        record_all(session, session.get(Organization, LIANGFENG), (MONTH,))
        refresh_city(session, date(2026, 5, 15), NOON)
        walk(session, clock.now)
        return session.execute(select(BranchWarning.id).where(BranchWarning.kind == "pool_blue")).scalars().first()

    blue = await look(publish)
    await say(RUI, f"warnings:cause:{blue}:C02", kind="button")
    assert "C02 支部委员会会议每月至少一次（政治领导力）" in (await say(RUI, "看记录和凭证")).text
    await say(RUI, f"warnings:cause:{blue}:C02", kind="button")
    assert "怎么做：本月内开一次支委会" in (await say(RUI, "怎么整改")).text


async def test_before_the_first_publication_everything_is_provisional(say, look):
    assert (await say(ALICE, "组织力")).text.endswith("还没有组织力指数：还没有过完的月份，或没有记录。")
    assert (await say(ALICE, "组织力榜单")).text == "组织力榜单还没有公布。每月的结果在下月 16 日公布。"
    await look(lambda s: record_all(s, s.get(Organization, LIANGFENG), [MONTH]))
    await look(lambda s: refresh_city(s, NOON.date(), NOON))
    assert "暂定" in (await say(ALICE, "组织力")).text
    assert (await say(ALICE, "组织力榜单")).text.startswith("组织力榜单还没有公布")


async def test_what_the_walk_computes_is_what_the_refresh_has_stored(look, april):
    def both(session):
        for branch_id in (LIANGFENG, SHAZHOU):
            for month in ("2026-03", MONTH, "2026-05"):
                row = power_board.of(session, branch_id, month)
                found = power_of(session, session.get(Organization, branch_id), month)
                assert (found.score, ";".join(found.unmet), ";".join(found.hits)) == (
                    row.score,
                    row.unmet,
                    row.negatives,
                )

    await look(both)
