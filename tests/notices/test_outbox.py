"""The outbox: what is to be said is written once, whoever asks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import select

from db.accounts import chat_at
from db.audiences import Audience, audience, count, members_in
from db.deliveries import Delivery
from db.letters import Letter
from db.members import Membership
from db.organizations import Organization
from notices.channel import Button, Message, message_from_json
from notices.outbox import queue_letter, tell
from tests.cast import ALICE, BOB, CHARLIE, DAY, LIANGFENG, MO, NOON, QIAN, SHAZHOU
from tests.notices.sending import letter, queued, rows

CLAIMED = Message("有人认领了您的心愿。", (Button("看看", "wishes:12"),))


async def test_a_note_is_written_once_for_each_member(look):
    def note(session, member_id):
        return tell(session, member_id=member_id, key="wish:12:claimed", message=CLAIMED, now=NOON)

    assert await look(lambda s: note(s, ALICE))
    assert not await look(lambda s: note(s, ALICE))
    assert await look(lambda s: note(s, BOB))
    rows = await look(lambda s: s.exec(select(Delivery).order_by(Delivery.id)).all())
    assert [(row.member_id, row.state, row.lane) for row in rows] == [(ALICE, "queued", 0), (BOB, "queued", 0)]
    assert message_from_json(rows[0].content) == CLAIMED


async def test_a_note_keeps_its_end_and_its_urgency(look):
    ends = NOON + timedelta(minutes=5)

    def prompt(session):
        tell(
            session,
            member_id=ALICE,
            key="prompt:1",
            message=Message("还在吗？"),
            now=NOON,
            expires_at=ends,
            urgent=True,
        )
        return session.exec(select(Delivery)).one()

    row = await look(prompt)
    assert (row.not_before, row.expires_at, row.urgent) == (NOON, ends, True)


async def test_a_letter_is_written_for_everybody_with_a_chat_and_counts_the_others(look):
    def queue(session):
        session.delete(chat_at(session, "web", f"member:{ALICE}"))
        session.flush()
        made = letter()
        return made, queue_letter(session, made, NOON)

    made, added = await look(queue)
    assert (added, made.recipients, made.unbound, made.state, made.sent_at) == (6, 6, 1, "sending", NOON)
    found = await look(rows)
    assert ALICE not in {row.member_id for row in found}
    assert {(row.lane, row.state, row.expires_at) for row in found} == {(1, "queued", NOON + timedelta(days=30))}


async def test_queueing_a_letter_again_adds_nobody_twice(look):
    letter_id = await look(queued)
    again = await look(lambda s: queue_letter(s, s.get(Letter, letter_id), NOON))
    assert (again, len(await look(rows))) == (0, 7)
    made = await look(lambda s: s.get(Letter, letter_id))
    assert (made.recipients, made.unbound) == (7, 0)


async def test_an_audience_is_those_who_belong_to_the_node_on_that_day(look):
    def move(session):
        membership = session.exec(select(Membership).where(Membership.member_id == BOB)).one()
        membership.to_day = DAY
        session.flush()
        session.add(Membership(member_id=BOB, organization_id=SHAZHOU, from_day=DAY))
        session.flush()
        node = Audience(LIANGFENG)
        return [set(session.scalars(members_in(session, node, day))) for day in (DAY - timedelta(days=1), DAY)]

    before, after = await look(move)
    assert BOB in before
    assert BOB not in after


async def test_a_node_whose_number_begins_alike_is_another_node(look):
    def add(session):
        session.add(
            Organization(id=100, code="B100", name="别的支部", level="branch", parent_id=2, path="/1/2/100/")
        )
        session.flush()
        session.exec(select(Membership).where(Membership.member_id == ALICE)).one().organization_id = 100
        session.flush()
        return [count(session, Audience(node), DAY) for node in (LIANGFENG, 100, 1, 999)]

    assert await look(add) == [6, 1, 9, 0]


@pytest.mark.parametrize(
    ("whom", "people"),
    [
        (Audience(1, "mobile"), {MO}),
        (Audience(1, field="admin_village"), {CHARLIE, QIAN}),
        (Audience(LIANGFENG, field="admin_village"), set()),
        (Audience(SHAZHOU, region_id=1), {CHARLIE, QIAN}),
        (Audience(1, region_id=9), set()),
    ],
)
async def test_audiences_by_word_field_and_region(look, whom, people):
    assert await look(lambda s: set(s.scalars(members_in(s, whom, DAY)))) == people
    assert audience(whom.to_json()) == whom


async def test_an_audience_nobody_knows_is_an_error_and_not_everybody(look):
    with pytest.raises(ValueError, match="none of all, mobile, dues_unpaid"):
        await look(lambda s: members_in(s, Audience(1, "everybody"), DAY))
