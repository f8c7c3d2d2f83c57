"""The place of a branch in its field: radar, boards, equal scores, and who is left out."""

from __future__ import annotations

from sqlalchemy import event, select

from db import power_board
from db.indices import FortressIndex, OrgPowerIndex, PoolColour
from db.organizations import Organization
from notices.boards import power_board_of
from notices.wording import wording
from scoring.branch_power import median_of
from tests.cast import ALICE, COMMITTEE, LIANGFENG, NOON
from tests.handlers.org_power.conftest import MONTH


async def test_the_radar_stands_against_the_median(say, april):
    message = await say(ALICE, "雷达图")
    assert "组织力指数 2026年4月" in str(message.picture.data)
    assert "同领域中位数" in message.picture.alt
    lines = message.text.splitlines()
    assert len(lines) == 7
    assert lines[-1].startswith("较弱：政治领导力 ")
    assert "C02 支部委员会会议每月至少一次；C04" in lines[-1]
    assert (median_of([1]), median_of([3, 1]), median_of([1, 2]), median_of([5, 1, 9])) == (1, 2, 2, 5)


def a_field(session, count, month=MONTH, field="soe"):
    """So many organisations, from 99.00 downwards, one hundredth apart."""
    for number in range(1, count + 1):
        session.add(Organization(id=1000 + number, code=f"S{number}", name=f"第{number}党支部", level="branch", field=field,
                                 parent_id=COMMITTEE, path=f"/1/2/{1000 + number}/"))  # fmt: skip
    session.flush()
    for number in range(1, count + 1):
        session.add(OrgPowerIndex(
            organization_id=1000 + number, month=month, field=field, political_leadership=2000, org_coverage=2000,
            mass_cohesion=2000, development_service=2000, basic_support=1900 - number, deduction=0,
            score=9900 - number, rank=number, field_size=count, as_of=NOON.date(), rules="org_power_v1",
        ))  # fmt: skip
    session.flush()


async def test_the_board_leaves_out_red_and_vetoed_and_tells_the_own_place_alone(say, april, look):
    def more(session):
        a_field(session, 24)
        session.add(PoolColour(organization_id=1002, month=MONTH, colour="red", owner="x", reason="C02"))
        session.add(PoolColour(organization_id=1003, month=MONTH, colour="yellow", owner="x", reason="bottom_10"))
        session.add(FortressIndex(
            organization_id=1004, year=2026, field="soe", common=0, specific=0, deductions=0, base=0, score=0,
            activities=0, veto=True, stars=0, rank=1, as_of=NOON.date(), rules="x",
        ))  # fmt: skip
        own = session.get(OrgPowerIndex, (LIANGFENG, MONTH))
        own.field, own.rank, own.field_size, own.score = "soe", 25, 25, 9000
        session.get(OrgPowerIndex, (LIANGFENG, "2026-03")).rank = 30
        session.get(OrgPowerIndex, (LIANGFENG, "2026-03")).field = "soe"
        session.get(Organization, LIANGFENG).field = "soe"

    await look(more)
    message = await say(ALICE, "组织力榜单")
    lines = message.text.splitlines()
    assert lines[0] == "国企 组织力指数 TOP10（2026年4月）："
    shown, own = [line.split()[0] for line in lines[1:5]], lines[5]
    assert own == "您的支部：第 25 名（共 25），比上月前进 5 名。离前 10 还差 8.88 分。"
    while any("更多" in label for label in message.labels()):
        message = await say(ALICE, "更多")
        first, *places, last = message.text.splitlines()
        assert (first, last, len(places) <= 4) == (lines[0], own, True), "six lines a message"
        shown += [line.split()[0] for line in places]
    assert shown == ["1", "3", "5", "6", "7", "8", "9", "10", "11", "12"]
    drawn = await say(ALICE, "看图")
    assert "第1党支部 98.99" in drawn.picture.alt
    assert len(drawn.text.splitlines()) == 12, "beside the picture stands all of it"
    assert (await say(ALICE, "堡垒榜单")).buttons


async def test_equal_scores_share_a_place_and_the_board_says_that_it_is_full(say, april, look):
    def equal(session):
        a_field(session, 12)
        for row in session.execute(select(OrgPowerIndex).where(OrgPowerIndex.field == "soe")).scalars():
            row.rank, row.score = 1, 10000

    await look(equal)
    lines = (await say(ALICE, "board:power:soe", kind="button")).text.splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["1"] * 3
    assert lines[4:] == ["还有同分并列的，这里列不下。", "这个领域共 12 个，只列前 6 名。"]


async def test_nobody_of_the_lower_half_fills_the_place_of_one_who_is_left_out(look, april):
    def places(session):
        a_field(session, 12)
        for number in (1, 2, 3):
            session.add(
                PoolColour(organization_id=1000 + number, month=MONTH, colour="red", owner="x", reason="C02")
            )
        session.flush()
        return [one.rank for one in power_board_of(session, wording("zh"), "soe", MONTH).places]

    assert await look(places) == [4, 5, 6]


async def test_places_and_boards_are_read_from_an_index(look, april, engine):
    """The plan of SQLite is exact; PostgreSQL reads a small table whole, so only its index is asked for."""
    if engine.dialect.name != "sqlite":
        return
    seen = []

    def watch(connection, cursor, statement, parameters, context, many):
        if statement.startswith("SELECT"):
            seen.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", watch)

    def ask(session):
        power_board.top(session, MONTH, "soe", 11, left_out=("red",))
        power_board.of(session, LIANGFENG, MONTH)
        power_board.last_month(session, LIANGFENG)
        power_board.colours_of(session, LIANGFENG, MONTH)
        event.remove(engine, "before_cursor_execute", watch)
        plans = [
            " ".join(row[3] for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", given))
            for text, given in seen
        ]
        assert "USING INDEX ix_org_power_index_board" in plans[0]
        assert not [plan for plan in plans if "SCAN" in plan or "TEMP B-TREE" in plan]

    await look(ask)
