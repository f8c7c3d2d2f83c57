"""A large letter gets its rows in parts: whatever comes between two parts, nobody is lost and nobody has two."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session, select

from db import addressing as open_lists
from db import addressing_parts, letter_counts, receipts
from db.addressing import Addressing
from db.audit import AuditEvent
from db.letters import Letter
from db.members import Role
from notices import addressing
from notices.letter_corrections import got_by
from notices.letter_deadlines import keep_next
from notices.letter_reports import WHILE_SENDING, count_next, send_again
from notices.outbox import chase
from tests.cast import ALICE, BOB, CHARLIE, CITY, NOON, OLGA
from tests.conftest import ZONE
from tests.notices.sending import FakeChannel, engine, queued, rows
from tests.sent_letters import DOUBT, SENT, end

CITY_LETTER = {"author_id": OLGA, "organization_id": CITY, "audience": {"node": CITY, "who": "all"}, "lane": 2}
PEOPLE = 9  # of the cast's city
UNTIL = NOON + timedelta(days=2)


@pytest.fixture(autouse=True)
def _small_is_large(monkeypatch):
    monkeypatch.setattr(letter_counts, "DIRECT_MAX", 3)
    monkeypatch.setattr(addressing_parts, "PEOPLE_MAX", {"sqlite": 4, "postgresql": 4})
    monkeypatch.setattr(addressing_parts, "UNITS_MAX", 1)


def part(session: Session) -> bool:
    return addressing.write_part(session, NOON, ZONE)


async def all_parts(look) -> int:
    count = 0
    while await look(part):
        count += 1
    return count


async def test_parts_go_on_where_they_stopped_and_what_is_written_twice_stands_once(look, writer):
    letter_id = await look(lambda s: queued(s, **CITY_LETTER))
    assert await look(rows) == [], "the confirmation writes no row itself"
    await look(part)
    written = {row.member_id for row in await look(rows)}
    assert 0 < len(written) < PEOPLE

    def cut_off(session: Session) -> None:
        part(session)
        raise RuntimeError("its process died before the commit")

    with pytest.raises(RuntimeError):
        await look(cut_off)
    assert {row.member_id for row in await look(rows)} == written

    def overtaken(session: Session) -> bool:
        one, _ = addressing_parts.next_open(session, ()) or pytest.fail("nothing is open")
        session.expunge(one)
        part(session)
        return open_lists.advance(session, one, 999)

    assert not await look(overtaken), "who looked before somebody else wrote may write nothing"
    await all_parts(look)
    found = await look(lambda s: s.get(Letter, letter_id))
    people = [row.member_id for row in await look(rows)]
    assert len(people) == len(set(people)) == PEOPLE == found.recipients
    assert await look(lambda s: letter_counts.count_branches(s, letter_id)) == 2
    logged = await look(lambda s: [one.action for one in s.exec(select(AuditEvent)).all()])
    assert logged == ["letter.addressed"]
    assert await all_parts(look) == 0


@pytest.mark.parametrize("how", ["stop", "role"])
async def test_between_two_parts_a_stop_and_a_lost_role_end_it(look, say, how):
    letter_id = await look(lambda s: queued(s, **CITY_LETTER))
    await look(part)
    before = len(await look(rows))
    if how == "stop":
        answer = await say(OLGA, "停止")
        assert "名单还没写完" in answer.text
    else:
        await look(lambda s: [setattr(role, "to_day", NOON.date()) for role in s.exec(select(Role)).all()])
    await all_parts(look)
    found = [row for row in await look(rows) if row.letter_id == letter_id]
    assert (len(found), {row.state for row in found}) == (before, {"cancelled"})
    stopped = await look(lambda s: s.get(Letter, letter_id))
    assert (stopped.state, stopped.recipients) == ("stopped", before)
    while await look(lambda s: count_next(s, NOON + WHILE_SENDING, ZONE)):
        pass
    tally = await look(lambda s: receipts.tally(s, letter_id))
    assert (tally.waiting, tally.not_sent) == (0, {"cancelled": before}), "nobody waits for it in the report"
    assert await look(lambda s: s.exec(select(Addressing)).all()) == []


async def test_a_list_that_fails_keeps_nobody_else_waiting_and_a_letter_is_not_done_before_its_list(
    look, writer, clock, monkeypatch
):
    broken = await look(lambda s: queued(s, **CITY_LETTER))
    whole = await look(lambda s: queued(s, **CITY_LETTER, title="第二封"))
    right = addressing.audience

    def fails(stored):
        return 1 / 0 if stored.get("broken") else right(stored)

    await look(lambda s: setattr(s.get(Letter, broken), "audience", {"node": CITY, "who": "all", "broken": 1}))
    await look(lambda s: setattr(s.get(Letter, broken), "content_hash", ""))
    monkeypatch.setattr(addressing, "audience", fails)
    web = FakeChannel()
    sender = engine(writer, clock, web)
    await sender.recover()
    while await look(lambda s: open_lists.is_open(s, f"letter:{whole}")):
        await sender._addresser.step()
    while await sender.drain_once():
        pass
    assert len(web.sent) == PEOPLE
    assert {one.id: one.state for one in await look(lambda s: s.exec(select(Letter)).all())} == {
        broken: "sending",
        whole: "done",
    }


async def test_reminders_and_corrections_of_a_large_letter_go_in_parts_to_the_same_people(look, writer, clock):
    letter_id = await look(lambda s: queued(s, **CITY_LETTER, answer_until=UNTIL))
    await all_parts(look)
    sender = engine(writer, clock, FakeChannel())
    while await sender.drain_once():
        pass
    await look(lambda s: receipts.note(s, letter_id, ALICE, "ack", NOON))
    await look(lambda s: receipts.note(s, letter_id, BOB, "read", NOON))
    soon = NOON + WHILE_SENDING
    while await look(lambda s: count_next(s, soon, ZONE)):
        pass
    assert await look(lambda s: chase(s, s.get(Letter, letter_id), NOON, ZONE)) == PEOPLE - 2
    assert await look(lambda s: chase(s, s.get(Letter, letter_id), NOON, ZONE)) is None, "once a day"
    while await look(lambda s: keep_next(s, UNTIL - timedelta(minutes=1), ZONE)):
        pass
    got = got_by(await look(lambda s: s.get(Letter, letter_id))).to_json()
    await look(lambda s: queued(s, **CITY_LETTER | {"audience": got}, corrects=letter_id))
    assert await all_parts(look) > 6, "each of them in parts"
    keys: dict[str, set[int]] = {}
    for row in await look(rows):
        keys.setdefault(row.key.replace("2026-06-15", "day"), set()).add(row.member_id)
    everybody = keys[f"letter:{letter_id}"]
    assert keys[f"letter:{letter_id}:chase:day"] == everybody - {ALICE, BOB}
    assert keys[f"letter:{letter_id}:chase:deadline"] == everybody - {ALICE}
    assert keys[f"letter:{letter_id + 1}"] == everybody
    assert CHARLIE in everybody


async def test_once_more_to_those_whom_a_large_letter_did_not_reach_goes_in_parts_until_it_is_stopped(look, say):
    letter_id = await look(lambda s: queued(s, **CITY_LETTER))
    await all_parts(look)
    failed = ("failed", "web", "not_found")
    ends = [failed, SENT, failed, DOUBT, SENT, failed, failed, failed, failed]
    people = await look(lambda s: end(s, letter_id, ends))

    def begin(session: Session) -> int | None:
        letter = session.get(Letter, letter_id)
        assert letter is not None
        while count_next(session, NOON + WHILE_SENDING, ZONE):
            pass
        return send_again(session, letter, by=OLGA, now=NOON, zone=ZONE)

    assert await look(begin) == 6, "as many as were counted"
    assert await look(begin) is None, "once a day"
    assert [row for row in await look(rows) if ":again:" in row.key] == []
    await look(part)
    written = [row for row in await look(rows) if ":again:" in row.key]
    assert 0 < len(written) < 6
    assert {row.member_id for row in written} <= {
        one for one, how in zip(people, ends, strict=True) if how is failed
    }
    counted = [row.member_id for row in await look(rows) if row.counts_for is not None]
    assert sorted(counted) == sorted(people), "everybody counts once"
    await say(OLGA, "停止")
    await all_parts(look)
    after = [row for row in await look(rows) if ":again:" in row.key]
    assert [row.id for row in after] == [row.id for row in written]
    assert {row.state for row in after} == {"cancelled"}
