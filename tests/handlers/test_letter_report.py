"""The report of a letter: figures, reasons, branches, once more to the failed, tables without formulas."""

from __future__ import annotations

import io
import json
import re

import pytest
from python_calamine import CalamineWorkbook
from sqlmodel import Session, col, delete, select
from typer.testing import CliRunner

from bot import letter_tables
from bot.__main__ import app
from db import addressing_parts, letter_counts, receipts
from db.accounts import Chat
from db.audit import AuditEvent
from db.deliveries import Delivery
from db.letter_counts import LetterPart
from db.letters import Letter
from db.members import Member
from notices import addressing, letter_reports
from notices.wording import wording
from tests.cast import ALICE, BOB, CITY, DAY, LIANGFENG, MO, NOON, OLGA, QIAN, RUI, SUN
from tests.conftest import ZONE
from tests.notices.sending import FakeChannel, engine, queued, rows
from tests.sent_letters import BLOCKED, DOUBT, SENT, WAITING, end

FAILED, POISON = ("failed", "web", "not_found"), ("failed", "web", "poison")


def to_city(session):
    """A letter of Olga's to the whole city."""
    return queued(session, author_id=OLGA, organization_id=CITY, audience={"node": CITY, "who": "all"}, lane=2)


async def test_the_report_says_how_far_it_is_and_why_some_did_not_get_it(say, look):
    letter_id = await look(queued)
    await look(
        lambda s: end(s, letter_id, [SENT, SENT, ("sent", "telegram", ""), DOUBT, BLOCKED, WAITING, FAILED])
    )
    await look(lambda s: receipts.note(s, letter_id, ALICE, "ack", NOON))
    message = await say(SUN, f"report:show:{letter_id}")
    assert message.text.split("\n") == [
        "关于做好防汛值守的通知：正在发送 85%（6 / 7）",
        "送达 3（Telegram 1，网页 2）。",
        "已读 1，收到 1，有困难 0。",
        "未送达 3（1 位不确定是否送到，1 位没有送出，1 位已屏蔽）。",
        "送达率 42%：范围内共 7 人，其中未绑定 0 人。",
    ]
    missed = await say(SUN, f"report:missed:{letter_id}")
    assert "1. 孙书记，不确定是否送到\n2. 芮审核，已屏蔽" in missed.text
    assert ALICE not in [one.member_id for one in await look(lambda s: receipts.missed(s, letter_id, DAY, most=9))]
    for other, verb in ((QIAN, "show"), (ALICE, "show"), (QIAN, "missed"), (QIAN, "again"), (QIAN, "branches")):
        answer = await say(other, f"report:{verb}:{letter_id}")
        assert "防汛" not in answer.text
        assert (await say(other, f"report:{verb}:999")).text == answer.text, "as unknown as one that never was"


async def test_who_has_no_chat_is_named_and_a_stop_is_no_end(say, look):
    letter_id = await look(queued)
    no_row = [ALICE, BOB]
    off, moved, stopped = ("suppressed", None, "left"), ("suppressed", None, "moved"), ("cancelled", None, "")

    def ended(session):
        end(session, letter_id, [SENT, SENT, SENT, off, moved, stopped, stopped])
        for member_id in no_row:
            session.exec(delete(Delivery).where(col(Delivery.member_id) == member_id))
            session.exec(delete(Chat).where(col(Chat.member_id) == member_id))
        letter = session.get(Letter, letter_id)
        letter.recipients, letter.unbound, letter.state = 5, 2, "stopped"

    await look(ended)
    shown = await say(SUN, f"report:show:{letter_id}")
    assert shown.text.startswith("关于做好防汛值守的通知：已停止，到 60%（3 / 5）")
    assert "送达率 14%：范围内共 7 人，其中未绑定 2 人。" in shown.text
    named = (await say(SUN, f"report:missed:{letter_id}")).text
    assert named.split("\n")[1:3] == ["1. 艾丽丝，未绑定", "2. 鲍勃，未绑定"]
    assert [line.partition("，")[2] for line in named.split("\n")[3:]] == [
        "已不在册",
        "已转到别的支部",
        "停止后没有送",
        "停止后没有送",
    ]


async def test_once_more_goes_to_certain_failures_alone(say, look, writer, clock):
    letter_id = await look(queued)
    people = await look(lambda s: end(s, letter_id, [SENT, DOUBT, BLOCKED, FAILED, POISON, WAITING, WAITING]))
    assert "没有可以再发的" in (await say(SUN, f"report:again:{letter_id}")).text, "it is still going out"
    no_chat = ("queued", "mailbox", "no_chat")
    await look(lambda s: end(s, letter_id, [SENT, DOUBT, BLOCKED, FAILED, POISON, no_chat, SENT]))
    shown = await say(SUN, f"report:again:{letter_id}")
    assert shown.text.startswith("再发给确定没有送成的 2 位。不确定是否送到的 1 位不会再发")
    assert len(await look(rows)) == 7
    assert (await say(SUN, "1")).text.startswith("已再发给 2 位")
    again = [row for row in await look(rows) if ":again:" in row.key]
    assert sorted(row.member_id for row in again) == sorted(people[2:4])
    web = FakeChannel()
    while await engine(writer, clock, web).drain_once():
        pass
    assert {address for address, _ in web.sent} == {f"member:{one}" for one in people[2:4]}
    found = await look(lambda s: letter_reports.report(s, s.get(Letter, letter_id), wording("zh")))
    assert (found.people, found.sent, found.ambiguous, found.not_sent, found.mailbox) == (7, 4, 1, 1, 1)
    await look(lambda s: end(s, letter_id, [SENT] * 6 + [FAILED]))
    await say(SUN, f"report:again:{letter_id}")
    assert "今天已经再发过一次" in (await say(SUN, "1")).text
    log = await look(lambda s: s.exec(select(AuditEvent)).all())
    assert [(line.action, json.loads(line.detail)["people"]) for line in log] == [("letter.sent_again", 2)]


async def test_branches_from_above_are_figures_with_the_lowest_reach_first(say, look):
    letter_id = await look(to_city)
    await look(lambda s: end(s, letter_id, [SENT] * 6 + [BLOCKED, BLOCKED, SENT]))
    branches = await say(OLGA, f"report:branches:{letter_id}")
    assert branches.text.split("\n")[1:] == ["梁丰社区党支部 71%（5 / 7）", "沙洲村党支部 100%（2 / 2）"]
    for dead_end in (f"report:missed:{letter_id}", f"receipts:all:{letter_id}"):
        told = await say(OLGA, dead_end)
        assert ("跨支部的红信只看数字" in told.text, told.labels()[0]) == (True, "1 在网页上看")
    assert f"report:page:{letter_id}" in [one.action for one in (await say(OLGA, "回执")).buttons]
    assert (
        f"加上这一段，会一直更新：\n/letters/{letter_id}?as={OLGA}\n"
        in (await say(OLGA, f"report:page:{letter_id}")).text
    )
    assert (await say(OLGA, "发送报告")).labels()[0] == "1 关于做好防汛值守的通知"


async def test_a_large_letter_is_counted_in_parts_and_says_since_when(say, look, monkeypatch, clock):
    monkeypatch.setattr(letter_counts, "DIRECT_MAX", 3)
    monkeypatch.setattr(addressing_parts, "PEOPLE_MAX", {"sqlite": 8, "postgresql": 8})
    monkeypatch.setattr(addressing_parts, "PART", 1)
    letter_id = await look(to_city)
    written = []
    while await look(lambda s: addressing.write_part(s, clock.now, ZONE)):
        told = re.search("名单已写 ([0-9]+) 人", (await say(OLGA, f"report:show:{letter_id}")).text)
        written.append(int(told[1]) if told else None)
    *counts, last = written
    assert counts == sorted(counts)
    assert (counts[0] < 9, counts[-1], last) == (True, 9, None)
    before = await say(OLGA, f"report:show:{letter_id}")
    assert "正在发送 0%（0 / 9）" in before.text
    assert "截至 12:00:00" in before.text
    await look(lambda s: end(s, letter_id, [SENT] * 4 + [DOUBT, BLOCKED, WAITING, SENT, SENT]))
    await look(lambda s: receipts.note(s, letter_id, ALICE, "read", NOON))
    counted = 0
    soon = NOON + letter_reports.WHILE_SENDING
    while await look(lambda s: letter_reports.count_next(s, soon, ZONE)):
        counted += 1
    assert counted == len(await look(lambda s: s.exec(select(LetterPart)).all())) == 2

    def both(session: Session):
        letter = session.get(Letter, letter_id)
        stored = letter_reports.report(session, letter, wording("zh"))
        lines = letter_counts.branches(session, letter_id, most=9)
        session.execute(LetterPart.__table__.delete())
        now = letter_reports.report(session, letter, wording("zh"))
        return stored, now, lines, letter_counts.branches(session, letter_id, most=9)

    stored, now, lines, lines_now = await look(both)
    assert stored.as_of == soon
    assert letter_reports.figures_json(stored) | {"as_of": None} == letter_reports.figures_json(now)
    assert list(lines) == list(lines_now)
    assert (now.sent, now.read, now.waiting) == (6, 1, 1)


async def test_tables_hold_no_formula_and_names_only_where_they_may(look):
    letter_id = await look(queued)
    await look(lambda s: end(s, letter_id, [SENT] + [BLOCKED] * 6))
    await look(lambda s: setattr(s.get(Member, BOB), "name", "=HYPERLINK(1)"))

    def tables(session, names):
        letter = session.get(Letter, letter_id)
        say = wording("zh")
        return letter_tables.sheets(
            session, letter, letter_reports.report(session, letter, say), say, named_on=names
        )

    named, nameless = await look(lambda s: tables(s, DAY)), await look(lambda s: tables(s, None))
    assert "'=HYPERLINK(1),已屏蔽" in letter_tables.as_csv(named).decode("utf-8-sig")
    book = CalamineWorkbook.from_filelike(io.BytesIO(letter_tables.as_xlsx(named)))
    assert ["'=HYPERLINK(1)", "已屏蔽"] in book.get_sheet_by_name("谁没收到").to_python()
    assert book.sheet_names == [
        "到哪一步了",
        "从哪里送到的",
        "为什么没收到",
        "各支部送达率",
        "谁没收到",
        "谁还没读",
    ]
    assert book.get_sheet_by_name("从哪里送到的").to_python() == [["渠道", "人"], ["网页", 1.0]]
    assert ["送达", 1.0] in book.get_sheet_by_name("到哪一步了").to_python()
    assert book.get_sheet_by_name("各支部送达率").to_python()[1][-1] == 0.14
    assert "孙书记" not in letter_tables.as_csv(nameless).decode("utf-8-sig")
    assert list(nameless) == book.sheet_names[:4]


async def test_the_command_line_shows_the_same_figures(look, database_url, monkeypatch, tmp_path):
    letter_id = await look(queued)
    await look(lambda s: end(s, letter_id, [SENT] * 3 + [BLOCKED] * 4))
    monkeypatch.setenv("HONGXIN_DATABASE_URL", database_url)
    run = CliRunner().invoke
    assert str(letter_id) in run(app, ["letters"]).output
    shown = json.loads(run(app, ["letters", str(letter_id), "--json"]).stdout)
    assert (shown["sent"], shown["mailbox"], shown["reach_percent"]) == (3, 4, 42)
    assert "reach_percent: 42" in run(app, ["letters", str(letter_id)]).output
    file = tmp_path / "letter.csv"
    assert run(app, ["letters", str(letter_id), "--csv", str(file)]).exit_code == 0
    assert "梁丰社区党支部,7,3,0,0,4,0,0,0,42%" in file.read_text("utf-8-sig")
    assert "艾丽丝" not in file.read_text("utf-8-sig")
    assert run(app, ["letters", "999"]).exit_code == 1


@pytest.mark.parametrize("member_id", [RUI, MO])
async def test_a_letter_of_a_branch_is_seen_from_above_without_names(say, look, member_id):
    letter_id = await look(queued)
    await look(lambda s: end(s, letter_id, [SENT] + [BLOCKED] * 6))
    text = (await say(member_id, f"report:show:{letter_id}")).text
    assert ("送达 1" in text) == (member_id == RUI)
    assert "艾丽丝" not in (await say(member_id, f"report:missed:{letter_id}")).text
    assert await look(lambda s: s.exec(select(Delivery.counts_for).distinct()).all()) == [LIANGFENG]
    assert await look(lambda s: s.exec(select(col(Delivery.id))).first()) is not None
