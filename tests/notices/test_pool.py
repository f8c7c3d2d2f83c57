"""The pool of three colours: published once after the lock, routed to its owners, continued, cleared, taken up."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlmodel import Session

from db import occurrences, values
from db import pool as stored
from db.engine import write_engine
from db.members import Role
from db.organizations import Organization
from db.warnings import BranchWarning, acknowledge
from notices import pool
from notices.pool_routes import FILE as ROUTES
from notices.pool_routes import pool_notices, read
from notices.working_days import working_day_after
from tests.cast import ALICE, CITY, COMMITTEE, DING, OLGA, QIAN, RUI, SHAZHOU, SUN
from tests.conftest import ZONE
from tests.notices.pool_days import evaluate, nine, rows, told, walk

DAY = timedelta(days=1)


@pytest.fixture
def city(look):
    """`await city(f, ...)` runs f(session, ...)."""

    def run(work, *args, **more):
        return look(lambda session: work(session, *args, **more))

    return run


def test_a_month_is_published_the_day_after_its_lock():
    assert pool.locked_month(date(2026, 4, 15)) == "2026-02"
    assert pool.locked_month(date(2026, 4, 16)) == "2026-03"
    assert pool.locked_month(date(2026, 4, 30)) == "2026-03"
    assert pool.locked_month(date(2026, 1, 15)) == "2025-11"
    assert pool.locked_month(date(2026, 1, 16)) == "2025-12"


async def test_before_the_lock_nobody_hears_of_march(city):
    await city(evaluate, "2026-02")
    await city(evaluate, "2026-03", blue="C02")
    await city(walk, nine(4, 15))
    assert await city(rows) == []
    await city(walk, nine(4, 16))
    assert await city(rows) == [("pool_blue", "2026-03", "open")]


@pytest.mark.parametrize(("colour", "owner"), [("blue", RUI), ("yellow", OLGA), ("red", DING)])
async def test_each_colour_goes_to_its_owner_and_to_the_branchs_own_secretary(city, colour, owner):
    causes = {"blue": "C02;N03", "yellow": "bottom_10", "red": "C02"}[colour]
    for month in ("2026-01", "2026-02"):
        await city(evaluate, month)
    await city(evaluate, "2026-03", rank=10, **{colour: causes})
    await city(walk, nine(4, 16))
    heard = {person: len(await city(told, person)) for person in (SUN, QIAN, RUI, OLGA, DING, ALICE)}
    assert heard == {**dict.fromkeys((QIAN, RUI, OLGA, DING, ALICE), 0), SUN: 1, owner: 1}
    digest = (await city(told, owner))[0].splitlines()
    assert digest[0] == "【三色预警】2026年3月，您负责的支部："
    assert digest[1] == {"blue": "新增：蓝色1个", "yellow": "新增：黄色1个", "red": "新增：红色1个"}[colour]
    assert digest[2].startswith("· 梁丰社区党支部：")
    assert {
        "blue": "· 2026年3月未达标：C02 支部委员会会议每月至少一次\n· 2026年3月负面清单有记录：N03 组织生活、台账、申报弄虚作假",
        "yellow": "· 2026年3月在城市社区领域10个支部中排第10（末位10%，1个）",
        "red": "· 2026年1月、2月、3月，连续3个月未达标：C02 支部委员会会议每月至少一次",
    }[colour] in (await city(told, SUN))[0]
    assert "怎么办：\n· " in (await city(told, SUN))[0]


async def test_a_rank_over_three_months_names_every_month(city):
    for month, rank, size in (("2025-12", 41, 42), ("2026-01", 42, 42), ("2026-02", 42, 43)):
        await city(evaluate, month, rank=rank, size=size, **({"red": "bottom_5"} if month == "2026-02" else {}))
    await city(walk, nine(3, 16))
    assert (
        "在城市社区领域2025年12月排第41（共42个）、2026年1月排第42（共42个）、2026年2月排第42（共43个），连续3个月在末位5%"
        in (await city(told, SUN))[0]
    )


async def test_all_colours_are_kept_and_the_most_severe_stands_first(city):
    await city(evaluate, "2026-03", rank=10, blue="C02;C04;C16", yellow="bottom_10", red="C02")
    await city(walk, nine(4, 16))
    assert {kind for kind, _, _ in await city(rows)} == {"pool_blue", "pool_yellow", "pool_red"}
    lines = (await city(told, SUN))[0].splitlines()
    assert [line for line in lines if line.startswith("2026")] == [
        "2026年3月 红色预警",
        "2026年3月 黄色预警",
        "2026年3月 蓝色预警",
    ]
    assert "· 还有1项，看预警里的全部。" in lines
    for owner in (RUI, OLGA, DING):
        assert len(await city(told, owner)) == 1


async def test_a_colour_that_continues_is_the_same_matter_and_is_acknowledged_anew(city, look):
    await city(evaluate, "2026-03", blue="C02")
    await city(walk, nine(4, 16))
    await look(lambda s: acknowledge(s, s.execute(select(BranchWarning.id)).scalar(), RUI, nine(4, 17)))
    await city(evaluate, "2026-04", blue="C02")
    await city(walk, nine(5, 16))
    assert await city(rows) == [("pool_blue", "2026-03", "ended"), ("pool_blue", "2026-04", "open")]
    assert (await city(told, RUI))[1].splitlines()[1] == "上月也有、还没有好：蓝色1个"
    assert "2026年4月 蓝色预警（上月也有，还没有好）" in (await city(told, SUN))[1]
    proof = await look(lambda s: s.execute(select(BranchWarning.proof).order_by(BranchWarning.id.desc())).scalar())
    assert json.loads(proof)["since"] == "2026-03"


async def test_a_colour_clears_at_the_first_month_without_it_and_both_are_told(city):
    await city(evaluate, "2026-03", blue="C02")
    await city(walk, nine(4, 16))
    await city(evaluate, "2026-04")
    await city(walk, nine(5, 15))
    assert await city(rows) == [("pool_blue", "2026-03", "open")]
    await city(walk, nine(5, 16))
    assert await city(rows) == [("pool_blue", "2026-03", "cleared")]
    assert (await city(told, RUI))[-1].splitlines()[1] == "解除：蓝色1个"
    assert (await city(told, SUN))[1] == "【解除】2026年3月的蓝色预警已经解除。辛苦了。"


async def test_a_late_change_is_told_with_its_reason(city, look):
    await city(evaluate, "2026-03", blue="C02")
    await city(walk, nine(4, 16))
    await look(
        lambda s: values.record(
            s,
            organization_id=SHAZHOU,
            indicator_id="C02",
            period="2026-03",
            value="0",
            collect="declare",
            cause="clawback:declaration:7",
            recorded_at=nine(4, 20),
        )
    )
    await city(evaluate, "2026-03")
    await city(evaluate, "2026-03", SHAZHOU, blue="C02")
    await city(walk, nine(4, 21))
    assert await city(rows) == [("pool_blue", "2026-03", "corrected"), ("pool_blue", "2026-03", "open")]
    assert (await city(told, SUN))[1] == "【更正】2026年3月的蓝色预警取消，因为数据有改动。"
    assert "2026年3月 蓝色预警（更正后新增）" in (await city(told, QIAN))[0]
    assert "更正原因：复核没有通过，收回了得分。" in (await city(told, QIAN))[0]
    assert (await city(told, RUI))[1].splitlines()[1:3] == ["更正后新增：蓝色1个", "更正后取消：蓝色1个"]
    await city(walk, nine(4, 22))
    assert len(await city(told, RUI)) == 2


async def test_a_late_change_of_an_earlier_month_is_told_and_asks_for_nothing(city):
    await city(evaluate, "2026-03")
    await city(walk, nine(4, 16))
    await city(evaluate, "2026-04")
    await city(walk, nine(5, 16))
    await city(evaluate, "2026-03", yellow="bottom_10")
    await city(walk, nine(5, 17))
    assert await city(rows) == [("pool_yellow", "2026-03", "ended")]
    assert "更正原因：其他支部的数据改了，名次重排。" in (await city(told, SUN))[0]


async def test_who_does_not_acknowledge_is_asked_again_and_then_the_role_above_is_told(city):
    await city(evaluate, "2026-03", blue="C02")
    await city(walk, nine(4, 16))
    fifth, tenth = working_day_after(date(2026, 4, 16), 5), working_day_after(date(2026, 4, 16), 10)
    heard = {}
    day = date(2026, 4, 17)
    while day <= tenth:
        await city(walk, nine(day.month, day.day))
        heard[day] = (len(await city(told, RUI)), len(await city(told, OLGA)))
        day += DAY
    assert heard[fifth - DAY] == (1, 0)
    assert heard[fifth] == heard[tenth - DAY] == (2, 0)
    assert heard[tenth] == (2, 1)
    assert "5个工作日没有确认，请您确认：蓝色1个" in (await city(told, RUI))[1]
    assert "10个工作日没有人确认，转给您：蓝色1个" in (await city(told, OLGA))[0]


async def test_acknowledged_in_time_means_no_reminder(city, look):
    await city(evaluate, "2026-03", red="C02")
    await city(walk, nine(4, 16))
    await look(lambda s: acknowledge(s, s.execute(select(BranchWarning.id)).scalar(), DING, nine(4, 22)))
    for day in (23, 24, 30):
        await city(walk, nine(4, day))
    assert len(await city(told, DING)) == 1


async def test_where_nobody_holds_the_role_the_next_above_hears_of_it_and_why(city, look):
    await look(lambda s: [s.delete(r) for r in s.execute(select(Role).where(Role.member_id == RUI)).scalars()])
    await city(evaluate, "2026-03", blue="C02")
    await city(walk, nine(4, 16))
    assert "其中1个本来不归您管，但那个职责没有人，先请您管。" in (await city(told, OLGA))[0]
    assert await city(told, DING) == []


async def test_red_goes_up_to_the_secretary_of_the_city(city, look):
    await look(
        lambda s: s.add(Role(member_id=ALICE, organization_id=CITY, role="secretary", from_day=date(2026, 1, 1)))
    )
    await city(evaluate, "2026-03", red="C02")
    await city(walk, nine(4, 16))
    assert await city(told, ALICE) == []
    await city(walk, nine(4, 30))
    assert "转给您：红色1个" in (await city(told, ALICE))[0]
    assert len(await city(told, SUN)) == 1


async def test_a_month_waits_for_the_refresh_of_the_day(city):
    await city(evaluate, "2026-03", blue="C02")
    assert await city(walk, nine(4, 16), refreshed=False) == 0
    assert await city(rows) == []
    await city(walk, nine(4, 16))
    assert len(await city(rows)) == 1


async def test_two_hundred_branches_are_one_digest(city, look):
    def many(session):
        for number in range(1000, 1200):
            path = f"/1/2/{number}/"
            session.add(
                Organization(
                    id=number,
                    code=f"X{number}",
                    name=f"第{number}支部",
                    level="branch",
                    field="soe",
                    parent_id=COMMITTEE,
                    path=path,
                )
            )
        session.flush()
        for number in range(1000, 1200):
            evaluate(session, "2026-03", number, size=200, rank=number - 999, blue="C02")

    await look(many)
    parts = await city(walk, nine(4, 16))
    assert parts > 3
    digest = await city(told, RUI)
    assert len(digest) == 1
    assert digest[0].splitlines() == [
        "【三色预警】2026年3月，您负责的支部：",
        "新增：蓝色200个",
        *(
            f"· 第{number}支部：蓝色预警（2026年3月）：C02 支部委员会会议每月至少一次"
            for number in (1000, 1001, 1002)
        ),
        "还有197个，请看预警。",
    ]
    assert await look(lambda s: s.get(stored.PoolMonth, "2026-03").published_at) == nine(4, 16)
    assert (
        await look(lambda s: len(s.execute(select(stored.WarningEvent.id).where(stored.WarningEvent.news)).all()))
        == 0
    )


async def test_two_processes_publish_a_month_once(city, look, database_url):
    await city(evaluate, "2026-03", blue="C02", yellow="bottom_10")
    now = nine(4, 16)
    await look(lambda s: [occurrences.record(s, name, now, ran_at=now) for name in (pool.REFRESH, pool.TASK)])
    barrier = threading.Barrier(2)

    def work():
        engine = write_engine(database_url, workers=1)
        barrier.wait()
        for _ in range(8):
            with Session(engine) as session:
                pool.check_next(session, now, ZONE)
                session.commit()
        engine.dispose()

    with ThreadPoolExecutor(2) as threads:
        for process in [threads.submit(work) for _ in range(2)]:
            process.result()
    assert sorted(await city(rows)) == [("pool_blue", "2026-03", "open"), ("pool_yellow", "2026-03", "open")]
    assert [len(await city(told, person)) for person in (SUN, RUI, OLGA)] == [1, 1, 1]
    assert await look(lambda s: occurrences.unfinished(s, pool.TASK)) is None


async def test_after_an_outage_the_latest_month_alone_is_published(city):
    await city(evaluate, "2026-02", blue="C02")
    await city(walk, nine(3, 16))
    await city(evaluate, "2026-03", red="C02")
    await city(evaluate, "2026-04", blue="C02")
    await city(walk, nine(5, 16))
    assert await city(rows) == [("pool_blue", "2026-02", "ended"), ("pool_blue", "2026-04", "open")]


def test_who_is_asked_is_data_and_a_mistake_in_it_is_told():
    assert pool_notices().chain_of("department") == ("department", "district_org_department", "city_secretary")
    text = ROUTES.read_text(encoding="utf-8")
    for old, new in (
        ("= 10", "= 5"),
        ('["department", "district', '["departement", "district'),
        ('["district_org_department", "city_secretary"]\n', '["city_secretary"]\n'),
        ("remind_after", "remind_when"),
    ):
        with pytest.raises(ValueError, match=r"pool_owners\.toml"):
            read(text.replace(old, new, 1))
