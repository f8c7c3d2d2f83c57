"""Above the own branch a letter needs two persons."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import select

from bot.dispatch import Dispatcher
from db import letter_rights
from db.audit import AuditEvent
from db.deliveries import Delivery
from db.letters import Letter
from db.members import Member, Membership, Role
from db.organizations import Organization
from tests.cast import ALICE, BOB, CHARLIE, CITY, COMMITTEE, LIANGFENG, NOON, OLGA, RUI, SUN
from tests.conftest import ZONE, Voice
from tests.handlers.broadcast.conftest import BODY, the_letter
from tests.notices.sending import FakeChannel, bind, engine, rows


@pytest.fixture
async def to_city(say, look):
    """Olga of the district department has submitted a letter to committee 2; Rui reviews there."""
    await look(lambda s: None)
    await say.all(OLGA, "发红信", "4")
    return await say.all(OLGA, f"broadcast:topic:{COMMITTEE}:all:superior_spirit", BODY, "9")


async def test_a_letter_above_the_branch_waits_for_a_second_person(say, look, to_city, writer, clock):
    assert to_city.text.startswith("已提交，等待复核（已通知 1 位）")
    assert [row.member_id for row in await look(rows)] == [RUI]
    shown = await say.all(RUI, "审红信", "1")
    assert "【红信·上级精神】关于做好防汛值守的通知" in shown.text
    assert "发信人：欧部门，以“港城市委”的名义。\n范围：杨舍党工委全体。\n将发给 9 人" in shown.text
    await look(lambda s: bind(s, RUI, "telegram"))
    outside = Voice(Dispatcher(writer, zone=ZONE, clock=clock, abroad=frozenset({"telegram"})), clock)
    letter = await the_letter(look)
    at = {"channel": "telegram", "address": f"telegram:{RUI}", "key": "abroad"}
    abroad = await outside(RUI, f"approvals:show:{letter.id}", **at)
    assert "欧部门" not in abroad.text
    assert "发信人：欧" in abroad.text
    assert (await say(RUI, "1")).text == "已同意，开始发给 9 人。"
    letter = await the_letter(look)
    assert (letter.state, letter.approved_by, letter.recipients, letter.lane) == ("sending", RUI, 9, 2)
    assert "不在等您复核" in (await say(RUI, f"approvals:yes:{letter.id}:9:{letter.content_hash[:12]}")).text
    actions = await look(lambda s: s.exec(select(AuditEvent.action).order_by(AuditEvent.id)).all())
    assert actions == ["letter.submitted", "letter.approved", "letter.approval_denied"]


async def test_a_letter_to_one_field_or_region_is_counted_so_and_told_to_whoever_approves(say, look):
    def party_group(session):
        session.add(
            Organization(id=29, code="G29", name="小组", level="party_group", parent_id=20, path="/1/2/20/29/")
        )
        session.flush()
        session.exec(select(Membership).where(Membership.member_id == CHARLIE)).one().organization_id = 29

    await look(party_group)
    asked = await say.all(OLGA, "发红信", "只发一部分支部…")
    assert asked.labels()[:3] == ["1 行政村", "2 城市社区", "3 按区域…"]
    assert "全体（2 人）" in " ".join((await say(OLGA, "1")).labels())
    counted = await say.all(OLGA, f"broadcast:part:{COMMITTEE}", "3", "1")
    assert (counted.text, counted.labels()[0]) == ("发给谁？（杨舍党工委·沙洲湖区域）", "1 全体（9 人）")
    await say(OLGA, f"broadcast:whom:{COMMITTEE}:all.field.admin_village")
    shown = await say.all(OLGA, "1", "1", BODY)
    assert "范围：杨舍党工委·行政村全体。\n将发给 2 人" in shown.text
    await say(OLGA, "2")
    asked = await say.all(RUI, "审红信", "1")
    assert "范围：杨舍党工委·行政村全体。" in asked.text
    assert (await say(RUI, "1")).text == "已同意，开始发给 2 人。"
    assert {row.member_id for row in await look(rows)} & {ALICE, SUN, CHARLIE} == {CHARLIE}
    assert "只发一部分" not in " ".join((await say(SUN, "发红信")).labels())
    for stale in (
        f"whom:{COMMITTEE}:all.field.none",
        f"topic:{COMMITTEE}:all.region.99:superior_spirit",
        f"part:{LIANGFENG}",
    ):
        assert "没有这个发送范围" in (await say(OLGA, f"broadcast:{stale}")).text, stale
    assert "没有这个发送范围" in (await say(SUN, f"broadcast:topic:{COMMITTEE}:all.region.1:superior_spirit")).text


async def test_nobody_approves_their_own(say, look, to_city):
    await look(
        lambda s: s.add(
            Role(member_id=OLGA, organization_id=CITY, role="committee_reviewer", from_day=date(2026, 1, 1))
        )
    )
    letter = await the_letter(look)
    for action in (f"approvals:show:{letter.id}", f"approvals:yes:{letter.id}:9:{letter.content_hash[:12]}"):
        assert "不在等您复核" in (await say(OLGA, action)).text
    assert not await look(
        lambda s: letter_rights.approve(
            s, s.get(Letter, letter.id), by=OLGA, content_hash=letter.content_hash, at=NOON
        )
    )


async def test_a_reviewer_of_another_part_of_the_tree_cannot_approve(say, look, to_city):
    letter = await the_letter(look)
    assert "不在等您复核" in (await say(SUN, f"approvals:show:{letter.id}")).text


async def test_an_approval_is_bound_to_the_words_and_the_number(say, look, to_city):
    await say(RUI, "审红信")
    await say(RUI, "1")
    await look(lambda s: setattr(s.get(Member, BOB), "status", "left"))
    assert "内容或人数有变化" in (await say(RUI, "1")).text
    await look(lambda s: setattr(s.get(Letter, 1), "body", "换了一句"))
    letter = await the_letter(look)
    assert "不在等您复核" in (await say(RUI, f"approvals:yes:{letter.id}:8:{letter.content_hash[:12]}")).text
    assert [row for row in await look(rows) if row.letter_id] == []


async def test_an_edit_voids_the_submission(say, look, to_city):
    letter = await the_letter(look)
    await say.all(OLGA, f"broadcast:text:{letter.id}", "换成这一句。")
    assert (await the_letter(look)).state == "draft"
    assert "不在等您复核" in (await say(RUI, f"approvals:show:{letter.id}")).text
    assert "已提交" in (await say(OLGA, "9")).text


@pytest.mark.parametrize(
    ("later", "approved"), [(timedelta(hours=24, seconds=-1), True), (timedelta(hours=24), False)]
)
async def test_an_approval_is_possible_for_a_day(say, look, clock, to_city, later, approved):
    letter = await the_letter(look)
    clock.now += later
    message = await say(RUI, f"approvals:yes:{letter.id}:9:{letter.content_hash[:12]}")
    assert ("已同意" in message.text) == approved


async def test_a_letter_that_is_given_back_sends_nothing_and_tells_its_author(say, look, to_city):
    letter = await the_letter(look)
    await say(RUI, f"approvals:show:{letter.id}")
    assert (await say(RUI, "2")).text == "已退回给发信人，没有发送。"
    assert (await the_letter(look)).state == "draft"
    told = [row.member_id for row in await look(rows)]
    assert told == [RUI, OLGA]


async def test_without_a_second_person_nothing_is_sent(say, look):
    message = await say.all(OLGA, "发红信", "1", "1", BODY, "9")
    assert "还没有登记可以复核的人。没有发送。" in message.text
    assert await look(rows) == []


async def test_an_urgent_letter_of_a_branch_needs_a_second_person_and_passes_at_night(
    say, look, writer, clock, previewed
):
    letter = await the_letter(look)
    clock.now = datetime(2026, 6, 15, 15, 0, tzinfo=UTC)  # 23:00
    urgent = await say(SUN, f"broadcast:urgent:{letter.id}")
    assert "紧急：勿扰时间也送。" in urgent.text
    assert "提交" in (await say(SUN, "7")).text
    letter = await the_letter(look)
    await say(RUI, f"approvals:yes:{letter.id}:7:{letter.content_hash[:12]}")
    web = FakeChannel()
    await engine(writer, clock, web).drain_once()
    assert sum("防汛" in text and "等您复核" not in text for text in web.texts) == 7


async def test_an_ordinary_letter_at_night_waits_for_the_morning(say, look, writer, clock):
    clock.now = datetime(2026, 6, 15, 13, 30, tzinfo=UTC)  # 21:30
    preview = await say.all(SUN, "发红信", "1", "1", BODY)
    assert "现在是勿扰时间，07:30 后再送。" in preview.text
    await say(SUN, "7")
    web = FakeChannel()
    await engine(writer, clock, web).drain_once()
    assert web.sent == []
    clock.now = datetime(2026, 6, 15, 23, 29, 59, tzinfo=UTC)
    assert await engine(writer, clock, web).drain_once() == 0
    clock.now = datetime(2026, 6, 15, 23, 30, tzinfo=UTC)
    await engine(writer, clock, web).drain_once()
    assert len(web.sent) == 7


async def test_a_node_with_children_offers_them_and_a_party_group_is_written_to_alone(say, look):
    def group(session):
        session.add(
            Organization(
                id=11, code="G1", name="第一党小组", level="party_group", parent_id=LIANGFENG, path="/1/2/10/11/"
            )
        )
        session.flush()
        session.exec(select(Membership).where(Membership.member_id == ALICE)).one().organization_id = 11

    await look(group)
    assert (await say(SUN, "发红信")).labels()[3] == "4 下级组织或党小组…"
    assert (await say(SUN, "4")).labels()[0] == "1 第一党小组"
    preview = await say.all(SUN, "1", "1", "1", BODY)
    assert "将发给 1 人" in preview.text
    await say(SUN, "1")
    assert [row.member_id for row in await look(rows)] == [ALICE]
    letter = await the_letter(look)
    assert (letter.organization_id, letter.audience) == (LIANGFENG, {"node": 11, "who": "all"})


async def test_every_row_names_its_letter_and_lane(say, look, previewed):
    await say(SUN, "7")
    letter = await the_letter(look)
    found = await look(lambda s: s.exec(select(Delivery.key, Delivery.lane, Delivery.letter_id).distinct()).all())
    assert found == [(f"letter:{letter.id}", 1, letter.id)]
