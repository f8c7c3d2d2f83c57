"""A department's spreadsheet through the chat: looked at, confirmed once, all of it or nothing."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from bot.sheets.incoming import IncomingSheets
from bot.sheets.web import router
from db import negatives, periods_locked, sheets, values
from db.audit import AuditEvent
from db.deliveries import Delivery
from db.sheets import Sheet, SheetFile
from db.values import ValueRecord
from notices.channel import SendError
from tests.cast import ALICE, COMMITTEE, DING, LIANGFENG, OLGA, SHAZHOU
from tests.conftest import ZONE

HEADER = "组织编号,指标编号,期间,数值,备注\n"
GOOD = HEADER + "B10,UC04,2026-05,0.96,热线\nB20,F15,2026-05,是,\n"


@pytest.fixture(autouse=True)
def before_the_lock(clock):
    clock.now = datetime(2026, 6, 10, 4, 0, tzinfo=UTC)


@pytest.fixture
def reader(writer, clock):
    """Looks at files the way the service does; Telegram gives what `fetched` holds."""

    async def fetch(reference):
        if reference == "big":
            raise SendError("permanent", "too_large")
        return GOOD.encode()

    return IncomingSheets(writer.write, writer.write, {"telegram": fetch}, clock=clock, zone=ZONE, site="")


@pytest.fixture
def send(say, look, clock, reader):
    """`await send(OLGA, text)` sends a file over the web and has it looked at; the sheet as it is then."""
    count = iter(range(1, 100))

    async def sending(person, content, name="五月.csv"):
        reference = f"file{next(count)}"
        raw = content if isinstance(content, bytes) else content.encode()
        await look(lambda s: sheets.keep_file(s, "web", reference, raw, clock()))
        message = await say(person, "", kind="file", file=reference, file_name=name)
        await reader.read_open()
        return message, await look(lambda s: s.execute(select(Sheet).order_by(Sheet.id.desc())).scalars().first())

    return sending


def value(look, branch, value_id, period="2026-05"):
    return look(lambda session: values.latest(session, branch, value_id, period))


async def told(look):
    """The last thing that Olga was told."""
    found = await look(
        lambda s: (
            s.execute(select(Delivery).where(Delivery.member_id == OLGA).order_by(Delivery.id.desc()))
            .scalars()
            .first()
        )
    )
    return found.content["text"]


async def test_a_sheet_is_judged_confirmed_once_and_recorded_as_a_whole(say, send, look):
    assert "sheet" in [button.action for button in (await say(OLGA, "工作")).buttons]
    message, sheet = await send(OLGA, GOOD)
    assert "正在逐行核对" in message.text
    assert "新增 2 行，更改 0 行，不变 0 行，不能用 0 行" in await told(look)
    assert await value(look, LIANGFENG, "UC04") is None
    waiting = await say(OLGA, "报数据")
    assert [button.action for button in waiting.buttons[:2]] == [f"sheet:yes:{sheet.id}", f"sheet:no:{sheet.id}"]
    done = await say(OLGA, "1")
    assert "已经全部录入" in done.text
    assert [await value(look, LIANGFENG, "UC04"), await value(look, SHAZHOU, "F15")] == ["0.96", "true"]
    after = await look(lambda s: sheets.get(s, sheet.id))
    assert (after.state, after.lines, after.content) == ("confirmed", None, None)
    log = select(AuditEvent).where(AuditEvent.action == "sheet.confirmed")
    assert len(await look(lambda s: s.execute(log).all())) == 1
    again = await say(OLGA, f"sheet:yes:{sheet.id}", kind="button")
    assert "已经处理过" in again.text
    assert len(await look(lambda s: values.history(s, LIANGFENG, "UC04", "2026-05"))) == 1
    mine = await say(OLGA, "我报过的表")
    assert "五月.csv：已录入" in mine.text


async def test_one_refused_row_stops_all_of_them(say, send, look):
    _, sheet = await send(OLGA, GOOD + "B20,UC04,2026-05,0.9,\nB10,UC06,2026H1,0.9,\n")
    text = await told(look)
    assert "第 4 行：指标 UC04 不是这个领域的" in text
    assert "第 5 行：2026H1 还没有结束" in text
    assert "整张表都没有录入" in text
    assert sheet.state == "refused"
    await say(OLGA, f"sheet:yes:{sheet.id}", kind="button")
    assert await look(lambda s: s.execute(select(ValueRecord)).all()) == []


async def test_a_second_sheet_corrects_the_first_and_the_same_again_changes_nothing(say, send, look):
    await send(OLGA, GOOD)
    await say(OLGA, "报数据")
    await say(OLGA, "1")
    _, sheet = await send(OLGA, HEADER + "B10,UC04,2026-05,0.94,查错\nB20,F15,2026-05,true,\n")
    assert (sheet.new, sheet.changed, sheet.same) == (0, 1, 1)
    await say(OLGA, "报数据")
    await say(OLGA, "1")
    assert await value(look, LIANGFENG, "UC04") == "0.94"
    lines = await look(lambda s: values.history(s, LIANGFENG, "UC04", "2026-05"))
    assert [(line.value, line.reason, line.recorded_by) for line in lines] == [
        ("0.96", "热线", OLGA),
        ("0.94", "查错", OLGA),
    ]
    _, sheet = await send(OLGA, HEADER + "B10,UC04,2026-05,0.940,\n")
    assert sheet.state == "same"
    assert "没有要录入的" in await told(look)


async def test_cases_of_the_negative_list_are_counted_by_day_and_taken_back_by_a_zero(say, send, look):
    async def hand_in(count):
        await send(OLGA, HEADER + f"B10,N02,2026-05-30,{count},\n")
        await say(OLGA, "报数据")
        await say(OLGA, "1")
        first, last = datetime(2026, 5, 1).date(), datetime(2026, 5, 31).date()  # noqa: DTZ001
        return await look(lambda s: sum(one.count for one in negatives.lines(s, LIANGFENG, first, last)))

    assert [await hand_in(2), await hand_in(1), await hand_in(0)] == [2, 1, 0]


async def test_a_period_that_was_locked_after_the_dry_run_stops_the_sheet(say, send, look, clock):
    _, sheet = await send(OLGA, GOOD)
    await look(lambda s: periods_locked.lock(s, "2026-05", clock()))
    reply = await say(OLGA, f"sheet:yes:{sheet.id}", kind="button")
    assert "第 2 行：2026-05 已经锁定" in reply.text
    assert "整张表都没有录入" in reply.text
    assert await value(look, LIANGFENG, "UC04") is None


async def test_two_confirmations_at_once_record_once(say, send, look):
    _, sheet = await send(OLGA, GOOD + "B10,N02,2026-05-30,2,\n")
    action = f"sheet:yes:{sheet.id}"
    other = await look(lambda s: _second_chat(s))
    replies = await asyncio.gather(
        say(OLGA, action, kind="button"),
        say(other, action, kind="button"),
        say(OLGA, action, kind="button"),
    )
    assert sum("已经全部录入" in reply.text for reply in replies) == 1
    assert len(await look(lambda s: values.history(s, LIANGFENG, "UC04", "2026-05"))) == 1
    lines = await look(lambda s: s.execute(select(negatives.Negative.count)).scalars().all())
    assert list(lines) == [2]


def _second_chat(session):
    from db.accounts import Chat

    session.add(Chat(channel="web", address="phone:olga", member_id=OLGA, choices={}))
    session.flush()
    return "phone:olga"


async def test_only_the_last_sheet_waits(say, send, look):
    _, first = await send(OLGA, GOOD)
    _, second = await send(OLGA, GOOD)
    assert (await look(lambda s: sheets.get(s, first.id))).state == "cancelled"
    assert "已经处理过" in (await say(OLGA, f"sheet:yes:{first.id}", kind="button")).text
    assert "没有录入" in (await say(OLGA, f"sheet:no:{second.id}", kind="button")).text
    assert "已经处理过" in (await say(OLGA, f"sheet:yes:{second.id}", kind="button")).text
    assert await value(look, LIANGFENG, "UC04") is None


async def test_a_file_from_somebody_else_is_neither_read_nor_kept(say, look, clock, reader):
    await look(lambda s: sheets.keep_file(s, "web", "f", b"x", clock()))
    reply = await say(ALICE, "", kind="file", file="f", file_name="x.csv")
    assert "没有哪件事需要文件" in reply.text
    assert await reader.read_open() == 0
    assert await look(lambda s: s.execute(select(Sheet)).all()) == []
    assert "需要相应的职责" in (await say(ALICE, "报数据")).text


async def test_somebody_elses_sheet_cannot_be_confirmed_or_seen(say, send, look):
    _, sheet = await send(OLGA, GOOD)
    await look(lambda s: setattr(s.get(Sheet, sheet.id), "member_id", DING))
    for step in ("yes", "no", "show"):
        assert "不是您的" in (await say(OLGA, f"sheet:{step}:{sheet.id}", kind="button")).text


async def test_a_department_that_moved_to_another_node_cannot_confirm(say, send, look):
    _, sheet = await send(OLGA, GOOD)
    await look(lambda s: setattr(s.get(Sheet, sheet.id), "organization_id", COMMITTEE))
    assert "已经处理过" in (await say(OLGA, f"sheet:yes:{sheet.id}", kind="button")).text
    assert await value(look, LIANGFENG, "UC04") is None


async def test_a_file_that_cannot_be_read_is_told_with_its_reason(send, look):
    _, sheet = await send(OLGA, b"PK\x03\x04oops", "坏的.xlsx")
    assert (sheet.state, sheet.content) == ("unread", None)
    assert "“坏的.xlsx”不能用：打不开" in await told(look)


async def test_telegram_is_asked_for_the_bytes_and_a_large_file_is_refused(say, look, reader):
    def bind(session):
        from db.accounts import Chat

        session.add(Chat(channel="telegram", address="7", member_id=OLGA, choices={}))

    await look(bind)
    for reference in ("small", "big"):
        await say(OLGA, "", kind="file", channel="telegram", address="7", file=reference, file_name="x.csv")
        await reader.read_open()
    states = await look(lambda s: s.execute(select(Sheet.state, Sheet.why).order_by(Sheet.id)).all())
    assert [tuple(row) for row in states] == [("planned", ""), ("unread", "文件超过 5 MB。")]


async def test_wechat_says_that_files_come_by_another_way(say, look):
    def bind(session):
        from db.accounts import Chat

        session.add(Chat(channel="wechat", address="o1", member_id=OLGA, choices={}))

    await look(bind)
    reply = await say(OLGA, "报数据", channel="wechat", address="o1")
    assert "微信里不能发文件" in reply.text


async def test_words_in_the_place_of_a_file_are_answered(say):
    await say(OLGA, "报数据")
    assert "不是文字" in (await say(OLGA, "五月的热线是百分之九十六")).text


async def test_what_nobody_confirms_is_gone_after_a_day(say, send, look, clock):
    _, sheet = await send(OLGA, GOOD)
    clock.now += timedelta(days=1, seconds=1)
    await look(lambda s: sheets.keep_file(s, "web", "left", b"x", clock.now - timedelta(days=2)))
    day, month = clock.now - timedelta(days=1), clock.now - timedelta(days=30)
    assert await look(lambda s: sheets.forget(s, day, month)) == 1
    after = await look(lambda s: sheets.get(s, sheet.id))
    assert (after.state, after.lines) == ("expired", None)
    assert await look(lambda s: s.execute(select(SheetFile)).all()) == []
    assert "已经处理过" in (await say(OLGA, f"sheet:yes:{sheet.id}", kind="button")).text


async def test_verdicts_and_the_empty_form_are_fetched_by_their_addresses(say, send, look, writer, clock):
    await look(lambda s: sheets.set_remit(s, OLGA, ["UC04", "N02"]))
    _, sheet = await send(OLGA, HEADER + "B10,UC04,2026-05,0.9,=1+1\nB20,F15,2026-05,是,-x\n")
    app = FastAPI()
    app.include_router(router(writer.write, clock=clock, zone=ZONE))
    form = re.search(r"/web/form/\S+", (await say(OLGA, "sheet:form", kind="button")).text)[0]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://chat.test") as http:
        verdicts = await http.get(f"/web/sheet/{sheet.token}")
        table = await http.get(form)
        missing = [(await http.get(f"/web/{one}/{'x' * 22}")).status_code for one in ("sheet", "form")]
        await look(lambda s: sheets.set_remit(s, OLGA, []))
        whole = await http.get(form)
    lines = verdicts.content.decode("utf-8-sig").splitlines()
    assert lines[1] == "2,B10,UC04,2026-05,0.9,'=1+1,不能用,单元格是公式，请换成数字"
    assert lines[2] == "3,B20,F15,2026-05,是,'-x,不能用,指标 F15 不归您的部门报"
    assert table.content.startswith(b"PK")
    assert len(whole.content) > len(table.content)
    assert missing == [404, 404]
