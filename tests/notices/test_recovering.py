"""What a sender leaves behind that died or was overtaken: it comes back, or is in doubt, and is never sent twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from db import recovering, sending
from db.failpoints import Failpoint
from db.sending_batches import Intent, intend_all
from tests.cast import ALICE, BOB, NOON
from tests.notices.sending import FakeChannel, claimed, drained, engine, note, rows


async def test_what_was_claimed_by_a_dead_process_comes_back_at_once(writer, clock, look):
    web = FakeChannel()
    await look(lambda s: note(s, ALICE))
    await claimed(engine(writer, clock, web))  # and then it dies
    successor = engine(writer, clock, web)
    assert await successor.recover()  # nobody waits until the claim's own lease is over
    assert await successor.drain_once() == 1
    assert len(web.sent) == 1


async def test_a_claim_that_its_living_process_forgot_comes_back_when_its_lease_is_over(writer, clock, look):
    web = FakeChannel()
    await look(lambda s: note(s, ALICE))
    sender = engine(writer, clock, web, lease_s=20)
    await claimed(sender)
    sender._hand.clear()  # a plan that failed by a mistake of ours
    clock.now = NOON + timedelta(seconds=19)
    await sender._sweep()
    assert await sender.drain_once() == 0
    clock.now = NOON + timedelta(seconds=30)
    await sender._sweep()
    assert await sender.drain_once() == 1
    assert [row.died for row in await look(rows)] == [1]


async def test_an_intent_without_an_outcome_is_in_doubt_after_a_restart_and_is_not_sent(writer, clock, look):
    web = FakeChannel()
    await look(lambda s: note(s, ALICE))
    row = await look(lambda s: sending.claim(s, now=NOON, lease_until=NOON, most=5, alone=True))
    await look(lambda s: intend_all(s, [Intent(row[0].id, 1, "web", "x", 0)], NOON))
    sender = engine(writer, clock, web)
    await sender.recover()
    await drained(sender)
    row = (await look(rows))[0]
    assert (row.state, row.reason, web.calls) == ("ambiguous", "process_died", 0)


async def test_an_intent_on_a_channel_that_knows_its_keys_is_made_again_after_a_restart(writer, clock, look):
    await look(lambda s: note(s, ALICE, "在网页上"))
    sender = engine(writer, clock, web := FakeChannel("web"))
    await claimed(sender)
    await look(lambda s: intend_all(s, [Intent(1, 1, "web", f"member:{ALICE}", 0)], clock.now))
    successor = engine(writer, clock, web)
    successor._channels.keyed.add("web")
    await successor.recover()
    await successor.drain_once()
    assert web.texts == ["在网页上"]
    assert [row.state for row in await look(rows)] == ["sent"]


async def test_an_outcome_with_an_old_fence_changes_nothing(writer, clock, look):
    await look(lambda s: note(s, ALICE))
    old = (await look(lambda s: sending.claim(s, now=NOON, lease_until=NOON, most=5, alone=True)))[0]
    await look(lambda s: recovering.expire(s, NOON))
    new = (await look(lambda s: sending.claim(s, now=NOON, lease_until=NOON, most=5, alone=True)))[0]
    assert new.fence == old.fence + 1

    def intends(fence):
        return lambda s: intend_all(s, [Intent(old.id, fence, "web", "x", 0)], NOON)

    assert await look(intends(old.fence)) == [False]
    assert await look(intends(new.fence)) == [True]
    end = {"delivery_id": old.id, "state": "failed", "outcome": "x", "reason": "x", "now": NOON}
    assert not await look(lambda s: sending.settle(s, fence=old.fence, **end))
    assert (await look(rows))[0].state == "sending"


async def test_a_row_that_kills_its_process_is_set_aside_and_takes_no_other_along(writer, clock, look):
    await look(lambda s: note(s, ALICE, key="poison"))
    for number in range(5):
        await look(lambda s, n=number: note(s, BOB, key=f"good{n}"))
    web, deaths = FakeChannel(), 0
    for _ in range(20):
        clock.now += timedelta(minutes=1)
        sender = engine(writer, clock, web)
        await sender.recover()
        while True:
            alone = not sender._hand
            claimed = await look(
                lambda s, a=alone: sending.claim(s, now=clock.now, lease_until=clock.now, most=64, alone=a)
            )
            if not claimed:
                break
            if any(row.key == "poison" for row in claimed):
                deaths += 1
                break  # the process dies with everything that it has claimed
            for row in claimed:
                await look(lambda s, r=row: sending.end(s, r, state="failed", reason="test", now=NOON))
    by_key = {row.key: row for row in await look(rows)}
    assert (by_key["poison"].state, by_key["poison"].reason, deaths) == ("failed", "poison", 3)
    assert {by_key[f"good{n}"].reason for n in range(5)} == {"test"}


@pytest.mark.parametrize(("name", "hits", "ended"), [("a.b", 1, False), ("a.b", 2, True), ("other", 5, False)])
def test_a_failpoint_ends_the_process_at_its_own_time_only(monkeypatch, name, hits, ended):
    killed = []
    monkeypatch.setattr("os.kill", lambda *args: killed.append(args))
    point = Failpoint("a.b:2")
    for _ in range(hits):
        point(name)
    assert bool(killed) == ended
