"""The delivery engine: takes what is due from the outbox, sends it at the channel's pace, writes what came of it.

Per message: claim (lease and fence) -> intent -> request -> outcome, each committed before the next. Whatever
dies in between leaves a row that says how far it got; see `db.sending`. Each of these transactions first asks
whether the accounts are still this process's own; see `notices.lease`.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import deliveries, letters, recovering, sending
from db.engine import OUT_OF_ORDER
from db.failpoints import reach
from notices.acknowledging import Acknowledgements
from notices.addressing import Addresser
from notices.channel import Channels, PaidChannel, SendError
from notices.decisions import Parcel
from notices.hand import HAND_MAX, Hand
from notices.lease import SenderLease
from notices.outbox import CITY
from notices.outcomes import Choices, Outcome, begin, by_number
from notices.paces import Paces
from notices.pacing import Pacer
from notices.tenure import Overtaken, Tenure, Write

log = logging.getLogger(__name__)

LEASE_S = 20.0  # a claim that is older belongs to nobody
IN_FLIGHT_MAX = 256  # requests at once: 1,000 a second, each a quarter of a second under way
POLL_S = 0.5  # between two looks at an idle outbox
TICK_S = 0.04  # what may go out within it shares one commit: a fast account would else write for every message
SOON_S = 0.001  # the least wait: something else gets its turn, too
STOP_S = 10.0  # how long a stop waits for requests under way
CONTEND_S = 2.0  # between two looks at accounts for which another process sends
AGAIN_S = 0.5  # after a round that failed


class Engine:
    """Sends what is in the outbox while it holds the lease on the accounts; without the lease it waits for it.

    write: runs a function in the writer. clock: the present instant, aware, in UTC. pacers: by channel name; a
    missing one is made, on the clock `seconds`. sleep: waits some seconds. choices: what picks a button of what
    was sent when it is typed. lease: renewed by a heartbeat; None: this engine is the only one.
    """

    def __init__(
        self,
        *,
        write: Write,
        channels: Channels,
        clock: Callable[[], datetime],
        zone: ZoneInfo = CITY,
        pacers: dict[str, Pacer] | None = None,
        sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
        lease_s: float = LEASE_S,
        hand_max: int = HAND_MAX,
        choices: Choices = by_number,
        lease: SenderLease | None = None,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        lease = lease or SenderLease(alone=True, hold_s=math.inf)
        self._tenure = Tenure(write, lease, channels, clock)
        self._addresser = Addresser(self._tenure, clock, zone)
        self._acknowledgements = Acknowledgements(self._tenure, clock, choices)
        self._channels = channels
        self._clock = clock
        self._paces = Paces(channels, pacers, seconds)
        self._sleep = sleep
        self._seconds = seconds
        claimed_for = timedelta(seconds=lease_s)
        self._sweep_every = claimed_for / 2  # looks for old claims, and letters that are done
        self._hand = Hand(
            self._tenure, channels, self._paces, clock=clock, zone=zone, claimed_for=claimed_for, hand_max=hand_max
        )
        self._in_flight: dict[asyncio.Task[None], int] = {}  # with the delivery's id
        self._shaken = False  # a commit may stand of which nothing was heard
        self._sweep_at: datetime | None = None
        self._stopping = False
        self._stopped = asyncio.Event()
        self._stopped.set()

    @property
    def tenure(self) -> Tenure:
        """What else sends for these accounts writes through it, too."""
        return self._tenure

    async def run(self) -> None:
        """Wait for the lease, recover what the former sender left behind, send; until `stop` is called."""
        self._stopping = False
        self._stopped.clear()
        try:
            while not self._stopping:
                wait_s = await self._step()
                if wait_s:
                    await self._sleep(wait_s)
            await self._put_down()
        finally:
            self._stopped.set()

    async def stop(self) -> None:
        """Let `run` end: requests under way are waited for, everything else goes back into the outbox."""
        self._stopping = True
        await self._stopped.wait()

    async def _step(self) -> float:
        """One round; seconds until the next. A round that fails is logged and made again: sending never ends."""
        tenure = self._tenure
        try:
            if not tenure.goes_on():
                if tenure.lease.fences:
                    return AGAIN_S  # the heart is late, and may beat again
                if not await self.recover():
                    return CONTEND_S
            if self._shaken:
                await self._hand.settle()
                await tenure.put_straight(self._known())
                self._shaken = False
            return await self._turn()
        except Overtaken:
            tenure.lost()
        except OUT_OF_ORDER as error:
            log.warning("outbox: the database does not answer: %s", type(error).__name__)
            self._shaken = True
        except Exception:
            log.exception("outbox: a round failed; what it had claimed comes back later")
        return AGAIN_S

    async def recover(self) -> bool:
        """Become the sender, and see to what the former one left. False: it sends still."""
        await self._hand.settle()
        paused = await self._tenure.begin()
        if paused is None:
            return False
        self._hand.clear()
        self._shaken = False
        now = self._clock()
        for channel, until in paused.items():
            self._paces.of(channel).pause((until - now).total_seconds())
        return True

    def _known(self) -> set[int]:
        """The deliveries that this process has in hand, under way, or has sent without having written it yet."""
        return self._hand.ids() | set(self._in_flight.values()) | self._acknowledgements.ids()

    async def drain_once(self) -> int:
        """Claim one handful, send what of it is to be sent, and write every outcome; how many were claimed.

        Waits (with `sleep`) for the pace; for tests and for the command line.
        """
        if not self._tenure.lease.holds():
            await self.recover()
        claimed = await self._hand.claim(alone=not self._hand and not self._in_flight)
        while self._hand or self._in_flight:
            if not await self._send_ready():
                if self._in_flight:
                    await asyncio.wait(self._in_flight, return_when=asyncio.FIRST_COMPLETED)
                else:
                    await self._sleep(max(SOON_S, self._hand.until_ready_s(POLL_S)))
        await self._tenure.write(letters.finish)
        return claimed

    async def _turn(self) -> float:
        """One round of work; how many seconds nothing is to be done, 0 to go on at once."""
        began = self._seconds()
        await self._acknowledgements.flush()  # those whose own write failed
        await self._sweep()
        addressed = await self._addresser.step()
        claimed = await self._hand.fill(alone=not self._in_flight)
        sent = await self._send_ready()
        if claimed and self._hand and not sent:
            return 0.0
        if addressed or ((claimed or sent) and not self._hand):
            return TICK_S  # there may be more: a row that a dying process held comes alone
        return max(SOON_S, began + TICK_S - self._seconds(), self._hand.until_ready_s(POLL_S))

    async def _sweep(self) -> None:
        now = self._clock()
        if self._sweep_at is not None and now < self._sweep_at:
            return
        self._sweep_at = now + self._sweep_every

        def sweep(session: Session) -> None:
            recovering.expire(session, now)
            deliveries.expire_mailbox(session, now)
            letters.finish(session)

        await self._tenure.write(sweep)

    async def _send_ready(self) -> int:
        """Commit the intents of what may go out now and begin the requests; how many."""
        ready = await self._hand.take(IN_FLIGHT_MAX - len(self._in_flight))
        if not ready:
            return 0
        now = self._clock()
        try:
            ours = await self._tenure.write(lambda session: begin(session, ready, now))
        finally:
            for parcel in ready:
                self._paces.left(parcel)
        if ours:
            reach("send.after_intent")
        for parcel in ours:
            task = asyncio.create_task(self._send(parcel))
            self._in_flight[task] = parcel.row.id
            task.add_done_callback(self._landed)
        return len(ready)

    async def _send(self, parcel: Parcel) -> None:
        """One request, and its outcome into the outbox. Whatever else goes wrong in a channel is a doubt."""
        channel = self._channels.get(parcel.channel)
        assert channel is not None
        outcome, paid = Outcome("ambiguous", "broken_channel"), self._paces.is_paid(parcel)
        try:
            send = channel.send_paid if paid and isinstance(channel, PaidChannel) else channel.send
            platform_id = await send(parcel.address, parcel.message, key=parcel.key)
            reach("send.after_response")
            outcome = Outcome("sent", platform_id=platform_id)
        except SendError as error:
            outcome = Outcome.of(error)
            if error.retry_after_s is not None:
                self._paces.pause(parcel, error.retry_after_s)
        finally:
            self._acknowledgements.add(parcel, outcome)
            await self._acknowledgements.flush()

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._in_flight.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._shaken = True
            # Only its kind: the text of a foreign error may hold an address with a token in it.
            log.error("outbox: a channel or the database failed in its own way: %s", type(error).__name__)

    async def _put_down(self) -> None:
        """Give back what is in hand and wait for what is under way."""
        await self._hand.settle()
        rows, now = self._hand.clear(), self._clock()
        if not self._tenure.lease.fences:
            return
        try:
            await self._tenure.write(lambda session: [sending.hold(session, row, until=now) for row in rows])
            if self._in_flight:
                await asyncio.wait(self._in_flight, timeout=STOP_S)
            await self._tenure.end()
        except (Overtaken, *OUT_OF_ORDER) as error:
            log.warning("outbox: stopped without giving the accounts back: %s", type(error).__name__)
