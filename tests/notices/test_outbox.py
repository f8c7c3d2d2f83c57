"""The outbox: what is to be said is written once, whoever asks."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import select

from db.deliveries import Delivery
from notices.channel import Button, Message, message_from_json
from notices.outbox import tell
from tests.cast import ALICE, BOB, NOON

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
