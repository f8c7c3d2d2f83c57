"""One sender at a time: who may send, who follows, and what a sender that was overtaken can still do."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from datetime import timedelta

import pytest
from sqlmodel import Session

from db import senders
from db.engine import OUT_OF_ORDER, write_engine
from notices import lease as leases
from notices.channel import SendError
from notices.delivery import Engine
from notices.lease import HOLD_S, TAKEOVER_S, SenderLease, is_gone, name_of_this_process
from notices.tenure import Overtaken
from tests.cast import ALICE, BOB, NOON
from tests.notices.sending import FakeChannel, engine, note, rows


class Hands:
    """A monotonic clock."""

    def __init__(self) -> None:
        self.s = 1000.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def leased(writer, clock, hands):
    """`leased("a", channel)`: an engine with a lease under this name, as on a machine of its own."""

    def make(name: str, *channels: FakeChannel) -> Engine:
        lease = SenderLease(alone=False, clock=hands, owner=name)
        return engine(writer, clock, *channels, lease=lease)

    return make


async def beat(look, sender: Engine) -> None:
    lease = sender._tenure.lease
    began = lease.now()
    assert await look(lambda s: senders.renew(s, lease.owner)) == 1
    lease.renewed(began)


async def test_the_first_sends_and_the_second_waits_as_long_as_the_heart_beats(leased, look, hands):
    first, second = leased("a", FakeChannel()), leased("b", FakeChannel())
    assert await first.recover()
    for _ in range(4):
        assert not await second.recover()
        hands.s += TAKEOVER_S - 1
        await beat(look, first)
    assert first._tenure.lease.holds()


async def test_a_silent_sender_stops_by_itself_before_it_is_followed(leased, look, hands):
    first, second = leased("a", FakeChannel()), leased("b", FakeChannel())
    assert await first.recover()
    assert not await second.recover()
    hands.s += HOLD_S - 0.1
    assert first._tenure.lease.holds()
    hands.s += 0.2
    assert not first._tenure.lease.holds()
    assert await first._step() > 0  # and sends nothing, while nobody has followed it yet
    hands.s += TAKEOVER_S - HOLD_S - 0.2
    assert not await second.recover()
    hands.s += 0.2
    assert await second.recover()
    assert second._tenure.lease.fences == {"web": 2}


async def test_one_that_was_only_late_goes_on_when_its_heart_beats_again(leased, look, hands):
    web = FakeChannel()
    sender = leased("a", web)
    await look(lambda s: note(s, ALICE))
    await sender.recover()
    hands.s += HOLD_S + 1
    await sender._step()
    assert web.calls == 0
    assert not sender.tenure.owning.is_set()
    await beat(look, sender)
    await sender._step()
    await asyncio.gather(*sender._in_flight)
    assert web.calls == 1
    assert sender.tenure.owning.is_set()


async def test_a_sender_that_wakes_up_after_it_was_followed_finalises_nothing(leased, look, hands, clock):
    slow, web = FakeChannel(), FakeChannel()
    gate = asyncio.Event()
    sends = slow.send

    async def stalls(address, message, *, key):
        await gate.wait()
        return await sends(address, message, key=key)

    slow.send = stalls
    stalled, follower = leased("a", slow), leased("b", web)
    await look(lambda s: note(s, ALICE))
    await stalled.recover()
    await follower.recover()
    await stalled._hand.claim(alone=True)
    assert await stalled._send_ready() == 1  # the intent is committed, the request hangs
    await look(lambda s: note(s, BOB, key="n2"))
    await stalled._hand.claim(alone=False)  # and this one is in its hand
    hands.s += TAKEOVER_S
    assert await follower.recover()
    assert next((row.state, row.reason) for row in await look(rows)) == ("ambiguous", "process_died")
    gate.set()
    clock.now += timedelta(seconds=5)  # its pace would let the second one go
    hands.s -= TAKEOVER_S / 2  # the worst: it still believes that it may
    assert stalled._tenure.lease.holds()
    await asyncio.gather(*stalled._in_flight, return_exceptions=True)
    await stalled._step()
    assert not stalled._tenure.lease.fences
    assert [row.state for row in await look(rows)] == ["ambiguous", "queued"]
    assert slow.calls == 1
    await follower.drain_once()
    assert [row.state for row in await look(rows)] == ["ambiguous", "sent"]
    assert [address for address, _ in web.sent] == [f"member:{BOB}"]


async def test_what_was_given_back_is_taken_at_once(leased, look):
    first, second = leased("a", FakeChannel()), leased("b", FakeChannel())
    await first.recover()
    await first._put_down()
    assert await second.recover()


async def test_of_two_that_see_the_same_only_one_follows(writer, look, hands):
    one, two = (SenderLease(alone=False, clock=hands, owner=name) for name in "ab")
    seen = await look(lambda s: senders.look(s, [("web", "")]))
    assert await look(lambda s: senders.take_over(s, seen, one.owner)) == {"web": 1}
    assert await look(lambda s: senders.take_over(s, seen, two.owner)) == {}


async def test_accounts_are_taken_together_or_not_at_all(writer, clock, look, hands):
    def sender(name):
        lease = SenderLease(alone=False, clock=hands, owner=name)
        lease.accounts = {"telegram": "70001"}
        return engine(writer, clock, FakeChannel(), FakeChannel("telegram"), lease=lease)

    first, second = sender("a"), sender("b")
    await first.recover()
    seen = await look(lambda s: senders.look(s, [("web", ""), ("telegram", "70001")]))
    assert {one.owner for one in seen.values()} == {"a"}
    await look(lambda s: setattr(s.get(senders.Sender, ("web", "")), "owner", ""))
    assert not await second.recover()
    with pytest.raises(Overtaken):
        await first._hand.claim(alone=True)  # half of them is not enough for it, either


async def test_the_silence_that_a_platform_asked_for_outlives_its_sender(leased, look, clock, hands):
    busy, web = FakeChannel("web", SendError("retry", "429", retry_after_s=600)), FakeChannel()
    first, second = leased("a", busy), leased("b", web)
    await look(lambda s: note(s, ALICE))
    await first.drain_once()
    await second.recover()
    hands.s += TAKEOVER_S
    await look(lambda s: note(s, BOB, key="n2"))
    clock.now = NOON + timedelta(seconds=590)
    await second.drain_once()
    assert web.calls == 0
    clock.now = NOON + timedelta(seconds=601)
    await second.drain_once()
    assert web.calls == 2


async def test_after_the_database_was_away_nothing_is_in_doubt_that_was_not_sent(writer, clock, look):
    web = FakeChannel()
    sender = engine(writer, clock, web)
    await look(lambda s: note(s, ALICE))
    await sender.recover()
    await sender._hand.claim(alone=True)
    write, gone = sender._tenure._write, OUT_OF_ORDER[3]("the connection is closed")

    async def committed_and_not_heard(work):
        result = await write(work)
        if "sending" in {row.state for row in await look(rows)}:
            raise gone
        return result

    sender._tenure._write = committed_and_not_heard
    await sender._step()  # the intent stands, and its commit was never heard of
    sender._tenure._write = write
    assert [(row.state, row.attempts) for row in await look(rows)] == [("sending", 1)]
    clock.now += timedelta(seconds=1)
    await sender._step()
    await asyncio.gather(*sender._in_flight)
    row = (await look(rows))[0]
    assert (row.state, row.attempts, row.died, web.calls) == ("sent", 1, 0, 1)


async def test_an_outcome_whose_write_failed_is_written_later(writer, clock, look):
    web = FakeChannel()
    sender = engine(writer, clock, web)
    await look(lambda s: note(s, ALICE))
    await sender.recover()
    await sender._hand.claim(alone=True)
    await sender._send_ready()
    write = sender._tenure._write

    async def down(work):
        raise OUT_OF_ORDER[3]("disk full")

    sender._tenure._write = down
    await asyncio.gather(*sender._in_flight, return_exceptions=True)
    await sender._step()
    sender._tenure._write = write
    assert (await look(rows))[0].state == "sending"
    await sender._step()
    assert (await look(rows))[0].state == "sent"
    assert web.calls == 1


@pytest.mark.postgres
def test_a_take_over_waits_for_what_the_owner_is_committing(postgresql_server: str) -> None:
    """Else an intent could be committed behind the back of whoever follows."""
    from tests.databases import postgresql_copy

    with postgresql_copy(postgresql_server, "takeover") as url:
        made = write_engine(url, workers=3)
        with Session(made) as setting_up:
            seen = senders.look(setting_up, [("web", "")])
            senders.take_over(setting_up, seen, "a")
            seen = senders.look(setting_up, [("web", "")])
            setting_up.commit()
        with Session(made) as owner, Session(made) as heart, Session(made) as follower:
            assert senders.held(owner, "a") == {"web": 1}
            heart.connection().exec_driver_sql("SET lock_timeout = '2s'")
            assert senders.renew(heart, "a") == 1  # the heart passes
            heart.rollback()
            follower.connection().exec_driver_sql("SET lock_timeout = '50ms'")
            with pytest.raises(OUT_OF_ORDER, match="lock timeout"):
                senders.take_over(follower, seen, "b")
            follower.rollback()
            owner.commit()
            assert senders.take_over(follower, seen, "b") == {"web": 2}
        made.dispose()


def test_a_name_tells_whether_its_process_has_ended():
    assert not is_gone(name_of_this_process())
    child = subprocess.run(
        [sys.executable, "-c", "from notices.lease import *; print(name_of_this_process())"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert is_gone(child.stdout.strip())
    place, _, rest = name_of_this_process().partition("/")
    assert not is_gone(f"another-machine/{rest}")  # there we cannot look
    assert is_gone(f"{place}/{os.getpid()}/1/reused")  # the number is another process's now
    assert not is_gone("")


def test_an_engine_that_hangs_renews_no_more(hands):
    one = SenderLease(alone=False, clock=hands, owner="a")
    one.taken({"web": 1}, hands())
    assert one.beats()
    hands.s += leases.HUNG_S + 1
    assert not one.beats()
    one.alive()
    assert one.beats()
