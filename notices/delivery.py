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
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import deliveries, letters, recovering, sending
from db.engine import OUT_OF_ORDER
from db.failpoints import reach
from db.sending import Claimed
from notices.acknowledging import Acknowledgements
from notices.addressing import Addresser
from notices.channel import Channels, PaidChannel, SendError
from notices.decisions import Parcel
from notices.lease import SenderLease
from notices.outbox import CITY
from notices.outcomes import Choices, Outcome, begin, by_number
from notices.paces import Paces
from notices.pacing import Pacer
from notices.planner import plan
from notices.tenure import Overtaken, Tenure, Write

log = logging.getLogger(__name__)

LEASE_S = 20.0  # a claim that is older belongs to nobody
HAND_MAX = 64  # deliveries claimed and not yet sent: a new branch letter waits behind no more than these
PAID_HANDS = 4  # what is paid for leaves so fast that four times as much is in hand for as short a time
IN_FLIGHT_MAX = 256  # requests at once: 1,000 a second, each a quarter of a second under way
NEAR_S = 5.0  # what may go out sooner than this is kept in hand, the rest goes back with its time
POLL_S = 0.5  # between two looks at an idle outbox
TICK_S = 0.02  # what may go out within it shares one commit: a fast account would else write for every message
STOP_S = 10.0  # how long a stop waits for requests under way
CONTEND_S = 2.0  # between two looks at accounts for which another process sends
AGAIN_S = 0.5  # after a round that failed


@dataclass(slots=True)
class _InHand:
    parcel: Parcel
    lease_until: datetime


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
        self._zone = zone
        self._paces = Paces(channels, pacers, seconds)
        self._sleep = sleep
        self._claimed_for = timedelta(seconds=lease_s)
        self._sweep_every = self._claimed_for / 2  # looks for old claims, and letters that are done
        self._hand_max = hand_max
        self._hand: list[_InHand] = []
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
        paused = await self._tenure.begin()
        if paused is None:
            return False
        self._hand, self._shaken = [], False
        now = self._clock()
        for channel, until in paused.items():
            self._paces.of(channel).pause((until - now).total_seconds())
        return True

    def _known(self) -> set[int]:
        """The deliveries that this process has in hand, under way, or has sent without having written it yet."""
        in_hand = {one.parcel.row.id for one in self._hand}
        return in_hand | set(self._in_flight.values()) | self._acknowledgements.ids()

    async def drain_once(self) -> int:
        """Claim one handful, send what of it is to be sent, and write every outcome; how many were claimed.

        Waits (with `sleep`) for the pace; for tests and for the command line.
        """
        if not self._tenure.lease.holds():
            await self.recover()
        claimed = await self._claim()
        while self._hand or self._in_flight:
            if not await self._send_ready():
                if self._in_flight:
                    await asyncio.wait(self._in_flight, return_when=asyncio.FIRST_COMPLETED)
                else:
                    await self._sleep(max(0.001, self._until_ready_s()))
        await self._tenure.write(letters.finish)
        return claimed

    async def _turn(self) -> float:
        """One round of work; how many seconds nothing is to be done, 0 to go on at once."""
        await self._acknowledgements.flush()  # those whose own write failed
        await self._sweep()
        addressed = await self._addresser.step()
        claimed = await self._claim() if len(self._hand) <= self._most_in_hand() // 2 else 0
        sent = await self._send_ready()
        if claimed and self._hand and not sent:
            return 0.0
        if addressed or (claimed and not self._hand):
            return TICK_S  # there may be more: a row that a dying process held comes alone
        return max(TICK_S, self._until_ready_s())

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

    async def _claim(self) -> int:
        """Take what is due into the hand; how many rows were claimed."""
        now = self._clock()
        lease_until = now + self._claimed_for
        most = self._most_in_hand() - len(self._hand)
        alone = not self._hand and not self._in_flight
        rows = await self._tenure.write(
            lambda session: sending.claim(session, now=now, lease_until=lease_until, most=most, alone=alone)
        )
        if not rows:
            return 0
        reach("claim.after_commit")
        # Planned in a transaction of its own: a row that breaks the planner is already counted as claimed.
        parcels = await self._tenure.write(lambda session: self._plan(session, list(rows), now))
        self._hand += [_InHand(parcel, lease_until) for parcel in parcels]
        self._hand.sort(key=lambda one: one.parcel.row.lane)  # a branch's letter overtakes what is in hand, too
        return len(rows)

    def _most_in_hand(self) -> int:
        return self._hand_max * PAID_HANDS if self._paces.sells() else self._hand_max

    def _plan(self, session: Session, rows: list[Claimed], now: datetime) -> list[Parcel]:
        """The parcels that can go out soon; those whose channel is paused for longer are put back."""
        kept: list[Parcel] = []
        for parcel in plan(session, rows, channels=self._channels, now=now, zone=self._zone):
            paused_s = self._paces.paused_s(parcel)
            if paused_s > NEAR_S:
                sending.hold(session, parcel.row, until=now + timedelta(seconds=paused_s))
            else:
                kept.append(parcel)
        return kept

    def _until_ready_s(self) -> float:
        """Seconds until the first parcel in hand may go out; a poll's length when the hand is empty."""
        return self._paces.next_s((one.parcel for one in self._hand), soon_s=0.001, most_s=POLL_S)

    async def _send_ready(self) -> int:
        """Commit the intents of what may go out now and begin the requests; how many."""
        now = self._clock()
        goes = self._paces.take([one.parcel for one in self._hand], IN_FLIGHT_MAX - len(self._in_flight))
        ready = [one.parcel for one, at_once in zip(self._hand, goes, strict=True) if at_once]
        # What was claimed too long ago may be somebody else's by now.
        self._hand = [
            one for one, at_once in zip(self._hand, goes, strict=True) if not at_once and one.lease_until > now
        ]
        if not ready:
            return 0
        ours = await self._tenure.write(lambda session: begin(session, ready, now))
        if ours:
            reach("send.after_intent")
        for parcel in ours:
            self._paces.left(parcel)
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
        now = self._clock()
        rows = [one.parcel.row for one in self._hand]
        self._hand = []
        if not self._tenure.lease.fences:
            return
        try:
            await self._tenure.write(lambda session: [sending.hold(session, row, until=now) for row in rows])
            if self._in_flight:
                await asyncio.wait(self._in_flight, timeout=STOP_S)
            await self._tenure.end()
        except (Overtaken, *OUT_OF_ORDER) as error:
            log.warning("outbox: stopped without giving the accounts back: %s", type(error).__name__)
