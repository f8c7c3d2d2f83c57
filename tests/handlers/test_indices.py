"""Indices and boards, as a member sees them."""

from __future__ import annotations

import pytest

from db import ledger
from scoring.update import refresh_city
from tests.cast import ALICE, CHARLIE, DAY, NOON, OWN_CODE


@pytest.fixture
async def fresh(look):
    """The city's indices, refreshed."""
    await look(lambda s: refresh_city(s, DAY, NOON))


async def book(look, rule_id, points, cause="c", hundredths=100):
    def write(session):
        ledger.book(
            session, member_id=ALICE, rule_id=rule_id, cause=cause, points=points, hundredths=hundredths,
            day=DAY, booked_at=NOON, reason="测试",
        )  # fmt: skip

    await look(write)


async def test_the_figure_its_parts_and_what_would_move_it(say, look):
    await book(look, "PB1", 2)
    message = await say(ALICE, "指数")
    assert message.text.startswith(
        "先锋指数（2026）：22.00 分，一星。基础 2.00 / 60，加分 0.00 / 20，作风 20.00 / 20。"
    )
    assert "离二星还差 38.00 分：" in message.text
    assert message.labels() == ["1 为什么是这个分", "2 支部的堡垒指数", "3 组织力指数", "4 榜单", "0 菜单"]


async def test_why_goes_down_to_rule_source_and_line(say, look):
    await say(ALICE, f"签到 {OWN_CODE}")
    why = await say.all(ALICE, "指数", "1")
    assert "2.00 / 30（1）" in why.text
    rule = await say(ALICE, "1")
    assert "PB1" in rule.text
    assert "依据：" in rule.text
    assert "6月15日 +2 主题党日：重温入党誓词" in rule.text
    assert (await say(ALICE, "1")).text.startswith("6月15日 +2 参加本支部活动")
    assert (await say(ALICE, "9")).text == rule.text
    assert (await say(ALICE, "9")).text == why.text


async def test_a_long_why_is_read_page_by_page(say, look):
    moved = (("PB1", 2), ("PB2", 1), ("PP1", 3), ("PP4", 2), ("PN1", -2), ("PN3", -1))
    for rule, points in moved:
        await book(look, rule, points)
    pages = [await say.all(ALICE, "指数", "1")]
    while any("更多" in label for label in pages[-1].labels()):
        pages.append(await say(ALICE, "更多"))
    assert len(pages) == 2
    assert max(len(page.text.splitlines()) for page in pages) == 6
    assert {f"index:rule:{rule}" for rule, _ in moved} <= {one.action for page in pages for one in page.buttons}
    assert pages[1].text.splitlines()[0].startswith("加分 "), "a page that begins within a part says which"
    assert "扣 2.00 分" in pages[1].text
    assert (await say(ALICE, "index:why:99", kind="button")).text == pages[0].text, "no such page: the first"


async def test_what_stands_below_study_is_said_in_hours(say, look):
    await book(look, "PB3", 0, hundredths=750)
    assert "· 6月15日 +7.5 学时" in (await say(ALICE, "index:rule:PB3", kind="button")).text


async def test_a_cleared_index_says_so(say, look):
    await book(look, "PZ1", 0)
    assert "清零" in (await say(ALICE, "指数")).text


async def test_the_branch_index_counts_its_activities(say, fresh):
    message = await say(ALICE, "index:fortress")
    assert message.text.startswith("梁丰社区党支部 堡垒指数（2026）：")
    assert "今年活动 0 次（少于 6 次一票否决）" in message.text
    assert "同领域第 1 名" in message.text


async def test_the_radar_says_in_words_what_it_shows(say, fresh):
    message = await say(ALICE, "index:radar")
    assert message.picture.kind == "chart"
    assert "本支部" in message.picture.alt
    lines = message.text.splitlines()
    assert sum("/" in line for line in lines[1:6]) == 5
    assert [line.split(" 0.00（F")[0] for line in lines[6:]] == ["较弱：领导班子", "较弱：党员队伍"]


async def test_gaps_are_listed_with_their_standing(say, fresh):
    message = await say(ALICE, "index:fortress_why")
    assert "失分最多的几项" in message.text
    assert message.text.count("·") >= 6


async def test_the_board_names_the_best_and_ones_own_place_only(say, fresh):
    message = await say(CHARLIE, "榜单")
    assert message.text.splitlines()[0] == "行政村 堡垒指数 TOP10（2026）："
    assert "您的支部：第 1 名（共 1）" in message.text
    other = await say(CHARLIE, "城市社区")
    assert other.text.splitlines()[0] == "城市社区 堡垒指数 TOP10（2026）："
    assert "您的支部" not in other.text


async def test_the_board_as_a_picture_marks_the_own_branch(say, fresh):
    message = await say(ALICE, "board:urban_community:picture")
    assert "梁丰社区党支部（本支部）" in message.picture.alt


async def test_before_the_first_refresh_the_board_says_so(say):
    assert (await say(ALICE, "榜单")).text == "榜单还没有算出来，请稍后再看。"


@pytest.mark.parametrize("action", ["index:rule:XX", "index:rule:", "index:nonsense", "board:nowhere", "board:::"])
async def test_forged_buttons_get_a_plain_answer(say, action):
    assert (await say(ALICE, action)).buttons
