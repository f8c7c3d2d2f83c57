"""The engine among other processes of the same account: it asks for every turn, and waits for those it does not get."""

from __future__ import annotations

from datetime import timedelta

import pytest

from notices.pacing import pacer
from tests.cast import ALICE, BOB, SUN
from tests.notices.sending import FakeChannel, bind, engine, note, rows

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Others:
    """What other processes leave: a turn in every half second, the first in five seconds."""

    def __init__(self, own, clock):
        self.own, self.clock = own, clock
        self.free_s = clock().timestamp() + 5
        self.asked = 0

    async def letter(self, address):
        self.asked += 1
        wait_s = self.free_s - self.clock().timestamp()
        if wait_s > 1e-6:
            self.own.later(wait_s)
            return False
        self.free_s += 0.5
        return True


async def test_a_letter_waits_for_the_turns_that_other_processes_leave(writer, clock, look):
    telegram = FakeChannel("telegram")
    telegram.pacer = pacer("telegram", clock=lambda: clock().timestamp())
    others = telegram.pacer.common = Others(telegram.pacer, clock)
    people, began = (ALICE, BOB, SUN), clock.now
    await look(lambda s: [(bind(s, one, "telegram"), note(s, one, key=f"n{one}")) for one in people])
    sender = engine(writer, clock, telegram)
    while not all(row.state == "sent" for row in await look(rows)):
        assert clock.now - began < timedelta(minutes=1)
        await sender.drain_once()
    assert len(telegram.sent) == 3
    assert timedelta(seconds=6) <= clock.now - began < timedelta(seconds=9)
    assert others.asked < 15, "nobody asks all the time"
    assert {row.attempts for row in await look(rows)} == {1}
