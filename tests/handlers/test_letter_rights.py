"""Whose right counts for a letter, and when: by person, bound to the content, asked for again with every batch."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from sqlmodel import select

from db import letter_rights, letters
from db.audit import AuditEvent
from db.letters import CONTENT, RUNNING, Letter
from db.members import Member, Role
from db.organizations import Organization
from notices import letter_stops
from tests.cast import BOB, COMMITTEE, LIANGFENG, NOON, OLGA, RUI, SUN
from tests.conftest import ZONE
from tests.notices.sending import FakeChannel, bind, engine, rows

BODY = "关于做好防汛值守的通知\n今晚有大雨，请各网格留人值守。"


async def log(look):
    lines = await look(lambda s: s.exec(select(AuditEvent).order_by(AuditEvent.id)).all())
    return [(line.actor_id, line.action, json.loads(line.detail).get("why", "")) for line in lines]


@pytest.fixture
async def submitted(say, look):
    """A letter of Olga's to committee 2 that waits for Rui: its id and the action that approves it."""
    await say.all(OLGA, f"broadcast:topic:{COMMITTEE}:all:superior_spirit", BODY, "9")
    found = await look(lambda s: s.exec(select(Letter)).one())
    assert found.state == "submitted"
    return found.id, f"approvals:yes:{found.id}:9:{found.content_hash[:12]}"


def test_every_column_of_a_letter_is_content_or_says_how_it_runs():
    assert set(Letter.model_fields) == CONTENT | RUNNING
    assert not CONTENT & RUNNING


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("topic_id", "law_corner"),
        ("title", "别的"),
        ("body", "别的"),
        ("ask", "none"),
        ("answer_until", NOON),
        ("urgent", True),
        ("organization_id", LIANGFENG),
        ("audience", {"node": COMMITTEE, "who": "mobile"}),
        ("corrects", 7),
        ("picture_id", 3),
    ],
)
def test_the_hash_covers_everything_that_a_reader_sees_and_who_reads_it(name, value):
    made = Letter(
        topic_id="superior_spirit",
        author_id=OLGA,
        organization_id=1,
        audience={"node": COMMITTEE},
        title="",
        body="",
        created_at=NOON,
    )
    before = letters.fingerprint(made)
    made.state, made.recipients, made.content_hash = "sending", 9, before
    assert letters.fingerprint(made) == before
    setattr(made, name, value)
    assert letters.fingerprint(made) != before


async def test_nobody_approves_their_own_through_a_second_chat_or_a_second_role(
    say, look, submitted, writer, clock
):
    _, yes = submitted

    def second_chat_and_role(session):
        bind(session, OLGA, "wechat")
        role = Role(
            member_id=OLGA, organization_id=COMMITTEE, role="committee_reviewer", from_day=date(2026, 1, 1)
        )
        session.add(role)

    await look(second_chat_and_role)
    for where in ({}, {"channel": "wechat", "address": f"wechat:{OLGA}"}):
        assert "您自己写的，要由另一位同志复核" in (await say(OLGA, yes, **where)).text
    assert [row for row in await look(rows) if row.letter_id] == []
    assert (await log(look))[1:] == [(OLGA, "letter.approval_denied", "own")] * 2


async def test_an_approval_pressed_again_or_by_a_stranger_changes_nothing_and_is_written_down(
    say, look, submitted
):
    letter_id, yes = submitted
    assert "可能已改动、已处理或已过期" in (await say(SUN, yes)).text
    assert "可能已改动、已处理或已过期" in (await say(RUI, yes.replace(f":{letter_id}:", ":999:"))).text
    assert "开始发给 9 人" in (await say(RUI, yes)).text
    assert "您已经同意过了，没有再发一遍" in (await say(RUI, yes)).text
    assert len([row for row in await look(rows) if row.letter_id]) == 9
    assert (await log(look))[1:] == [
        (SUN, "letter.approval_denied", "unknown"),
        (RUI, "letter.approval_denied", "unknown"),
        (RUI, "letter.approved", ""),
        (RUI, "letter.approval_denied", "done"),
    ]


async def test_what_is_changed_after_it_was_submitted_is_not_sent(say, look, submitted):
    letter_id, yes = submitted
    await look(lambda s: setattr(s.get(Letter, letter_id), "body", "换了一句"))  # past every conversation
    assert "提交以后有改动，没有发送" in (await say(RUI, yes)).text
    await say.all(OLGA, f"broadcast:text:{letter_id}", "换成这一句。")
    assert "可能已改动、已处理或已过期" in (await say(RUI, yes)).text
    assert [row for row in await look(rows) if row.letter_id] == []
    actions = [(actor, action) for actor, action, _ in await log(look)]
    assert (OLGA, "letter.voided") in actions


@pytest.mark.parametrize(("late", "state"), [(timedelta(0), "draft"), (timedelta(seconds=-1), "submitted")])
async def test_after_24_hours_it_is_its_authors_again(say, look, submitted, clock, late, state):
    letter_id, yes = submitted
    clock.now += timedelta(hours=24) + late
    await look(lambda s: letter_stops.give_back_overdue(s, clock.now, ZONE))
    assert await look(lambda s: s.get(Letter, letter_id).state) == state
    told = [row for row in await look(rows) if "没有人复核" in str(row.content)]
    assert [row.member_id for row in told] == ([OLGA] if state == "draft" else [])
    assert ("letter.overdue" in [action for _, action, _ in await log(look)]) == (state == "draft")
    answer = (await say(RUI, yes)).text
    assert ("开始发给" in answer) == (state == "submitted")


def _end_role(session, member_id):
    session.exec(select(Role).where(Role.member_id == member_id)).one().to_day = date(2026, 6, 15)


def _die(session, member_id):
    session.get(Member, member_id).status = "deceased"


def _move_committee(session, _member_id):
    session.get(Organization, COMMITTEE).path = "/90/2/"


def _alter(session, _member_id):
    session.exec(select(Letter)).one().body = "换了一句"


@pytest.mark.parametrize(
    ("happens", "to", "why"),
    [
        (_end_role, OLGA, "role_ended"),
        (_end_role, RUI, "approver_ended"),
        (_die, RUI, "approver_ended"),
        (_move_committee, 0, "role_ended"),
        (_alter, 0, "changed"),
    ],
)
async def test_the_rest_stops_with_the_next_batch(say, look, submitted, writer, clock, happens, to, why):
    letter_id, yes = submitted
    await say(RUI, yes)
    web = FakeChannel()
    await engine(writer, clock, web, hand_max=5).drain_once()
    before = sum("防汛" in text for _, text in [(a, m.text) for a, m in web.sent] if "复核" not in text)
    await look(lambda s: happens(s, to))
    sender = engine(writer, clock, web, hand_max=5)
    while await sender.drain_once():
        pass
    letter = await look(lambda s: s.get(Letter, letter_id))
    assert (letter.state, letter.stop_reason) == ("stopped", why)
    got = [row for row in await look(rows) if row.letter_id and row.state == "sent"]
    assert len(got) == before < 9
    told = {row.member_id for row in await look(rows) if row.key == f"letter_stopped:{letter_id}"}
    assert told >= {OLGA, RUI}
    assert (None, "letter.stopped", why) in await log(look)


async def test_a_mailbox_asks_for_the_right_again(say, look, writer, clock):
    await say.all(SUN, f"broadcast:topic:{LIANGFENG}:all:superior_spirit", BODY, "7")
    await engine(writer, clock, FakeChannel("other")).drain_once()  # none of their channels: all wait
    await look(lambda s: _end_role(s, SUN))
    assert "防汛" not in (await say(BOB, "菜单")).text
    assert await look(lambda s: s.exec(select(Letter)).one().stop_reason) == "role_ended"


async def test_watching_ends_with_the_role(look, submitted):
    letter_id, _ = submitted

    def may(session):
        found = session.get(Letter, letter_id)
        people = (OLGA, RUI, SUN)
        return [letter_rights.may_watch(session, found, one, date(2026, 6, 15)) for one in people]

    assert await look(may) == [True, False, False]
    await look(lambda s: _end_role(s, OLGA))
    assert await look(may) == [False, False, False]


async def test_whatever_is_refused_stands_in_the_audit_log(say, look, submitted):
    """Edits and confirmations that come too late, changed content, and people without the role or from elsewhere."""
    letter_id, yes = submitted
    for step in ("whom:2", "confirm:1:9:x:9"):
        assert "需要相应的职责" in (await say(BOB, f"broadcast:{step}")).text
    assert "需要相应的职责" in (await say(BOB, f"stop_letter:{letter_id}")).text
    await say(BOB, "群发")  # a word alone asks for nothing certain
    replayed = f"broadcast:confirm:{letter_id}:9:x:9"
    assert "已经提交，在等复核" in (await say(OLGA, replayed)).text
    await say.all(OLGA, f"broadcast:text:{letter_id}", BODY.replace("雨", "雪"), "9")  # submitted again
    assert "内容或人数有变化" in (await say(RUI, yes)).text
    new = (await look(lambda s: s.get(Letter, letter_id))).content_hash[:12]
    await say(RUI, f"approvals:yes:{letter_id}:9:{new}")
    for step in ("edit", "text", "confirm"):
        late = await say(OLGA, f"broadcast:{step}:{letter_id}:9:{new}:9")
        assert "已经发出，不能再改。发错了就发更正" in late.text
        assert late.labels()[:2] == ["1 看进度", "2 发更正给收到的人"]
    for asked in ("receipts:stop", "stop_letter", "report:show", "letter_correction:of"):
        await say(SUN, f"{asked}:{letter_id}")
    refused = [
        (line.actor_id, line.action, json.loads(line.detail).get("asked") or json.loads(line.detail).get("why"))
        for line in await look(lambda s: s.exec(select(AuditEvent).order_by(AuditEvent.id)).all())
        if "refused" in line.action or "denied" in line.action
    ]
    assert refused == [
        (BOB, "conversation.refused", "broadcast:whom:2"),
        (BOB, "conversation.refused", "broadcast:confirm:1:9:x:9"),
        (BOB, "conversation.refused", f"stop_letter:{letter_id}"),
        (OLGA, "letter.draft_refused", f"confirm:{letter_id}:9:x:9"),
        (RUI, "letter.approval_denied", "changed"),
        *((OLGA, "letter.draft_refused", f"{one}:{letter_id}:9:{new}:9") for one in ("edit", "text", "confirm")),
        (SUN, "letter.access_refused", f"stop:{letter_id}"),
        (SUN, "letter.access_refused", f"{letter_id}"),
        (SUN, "letter.access_refused", f"show:{letter_id}"),
        (SUN, "letter.access_refused", f"of:{letter_id}"),
    ]
