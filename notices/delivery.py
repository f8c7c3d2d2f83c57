"""The delivery engine: takes what is due from the outbox, sends it at the channel's pace, writes what came of it.

Per message: claim (lease and fence) -> intent -> request -> outcome, each committed before the next. Whatever
dies in between leaves a row that says how far it got; see `db.sending`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import deliveries, letters, sending
from db.sending import Claimed
from notices.channel import Channels, SendError
from notices.outbox import CITY
from notices.outcomes import Choices, Outcome, by_number, record
from notices.pacing import Pacer, pacer
from notices.planner import Parcel, plan

log = logging.getLogger(__name__)
T = TypeVar("T")

LEASE_S = 20.0  # a claim that is older belongs to nobody
HAND_MAX = 64  # deliveries claimed and not yet sent: a new branch letter waits behind no more than these
IN_FLIGHT_MAX = 64  # requests at once
NEAR_S = 5.0  # what may go out sooner than this is kept in hand, the rest goes back with its time
POLL_S = 0.5  # between two looks at an idle outbox
STOP_S = 10.0  # how long a stop waits for requests under way


class Write(Protocol):
    """Runs a function with a session of the writer and commits it; `Dispatcher.write` is one."""

    def __call__(self, work: Callable[[Session], T], /) -> Awaitable[T]:
        """The function's result."""
        ...


class Failpoint:
    """Ends the process at a named place: `HONGXIN_FAILPOINT=send.after_intent:3` at the third time. For tests."""

    def __init__(self, armed: str) -> None:
        self._name, _, times = armed.partition(":")
        self._left = int(times or 1)

    def __call__(self, name: str) -> None:
        if name == self._name:
            self._left -= 1
            if not self._left:
                os.kill(os.getpid(), signal.SIGKILL)


@dataclass(slots=True)
class _InHand:
    parcel: Parcel
    lease_until: datetime


class Engine:
    """Sends what is in the outbox. Exactly one engine may run for an account of a channel.

    write: runs a function in the writer. clock: the present instant, aware, in UTC. pacers: by channel name; a
    missing one is made. sleep: waits some seconds. choices: what picks a button of what was sent when it is typed.
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
    ) -> None:
        self._write = write
        self._channels = channels
        self._clock = clock
        self._zone = zone
        self._pacers = {} if pacers is None else pacers
        self._sleep = sleep
        self._lease = timedelta(seconds=lease_s)
        self._sweep_every = self._lease / 2  # between two looks for leases that are over and letters that are done
        self._hand_max = hand_max
        self._choices = choices
        self._hand: list[_InHand] = []
        self._in_flight: set[asyncio.Task[None]] = set()
        self._outcomes: list[tuple[Parcel, Outcome]] = []
        self._recording = asyncio.Lock()
        self._sweep_at: datetime | None = None
        self._stopping = False
        self._stopped = asyncio.Event()
        self._stopped.set()
        self._failpoint = Failpoint(os.environ.get("HONGXIN_FAILPOINT", ""))

    async def run(self) -> None:
        """Recover what a dead process left behind, then send until `stop` is called."""
        self._stopping = False
        self._stopped.clear()
        try:
            await self.recover()
            while not self._stopping:
                wait_s = await self._turn()
                if wait_s:
                    await self._sleep(wait_s)
            await self._put_down()
        finally:
            self._stopped.set()

    async def stop(self) -> None:
        """Let `run` end: requests under way are waited for, everything else goes back into the outbox."""
        self._stopping = True
        await self._stopped.wait()

    async def recover(self) -> None:
        """Show what a dead process of this account left in doubt, and take back what it had only claimed."""
        now = self._clock()
        keyed = frozenset(self._channels.keyed)
        doubtful, back = await self._write(
            lambda session: sending.recover(session, now, starting=True, keyed=keyed)
        )
        if doubtful or back:
            log.warning("outbox: %s deliveries are in doubt, %s came back", doubtful, back)

    async def drain_once(self) -> int:
        """Claim one handful, send what of it is to be sent, and write every outcome; how many were claimed.

        Waits (with `sleep`) for the pace; for tests and for the command line.
        """
        claimed = await self._claim()
        while self._hand or self._in_flight:
            if not await self._send_ready():
                if self._in_flight:
                    await asyncio.wait(self._in_flight, return_when=asyncio.FIRST_COMPLETED)
                else:
                    await self._sleep(max(0.001, self._until_ready_s()))
        await self._write(letters.finish)
        return claimed

    async def _turn(self) -> float:
        """One round of work; how many seconds nothing is to be done, 0 to go on at once."""
        await self._sweep()
        claimed = await self._claim() if len(self._hand) <= self._hand_max // 2 else 0
        sent = await self._send_ready()
        if sent or (claimed and self._hand):
            return 0.0
        return min(POLL_S, max(0.001, self._until_ready_s()))

    async def _sweep(self) -> None:
        now = self._clock()
        if self._sweep_at is not None and now < self._sweep_at:
            return
        self._sweep_at = now + self._sweep_every

        def sweep(session: Session) -> None:
            sending.recover(session, now, starting=False)
            deliveries.expire_mailbox(session, now)
            letters.finish(session)

        await self._write(sweep)

    async def _claim(self) -> int:
        """Take what is due into the hand; how many rows were claimed."""
        now = self._clock()
        lease_until = now + self._lease
        most = self._hand_max - len(self._hand)
        alone = not self._hand and not self._in_flight
        rows = await self._write(
            lambda session: sending.claim(session, now=now, lease_until=lease_until, most=most, alone=alone)
        )
        if not rows:
            return 0
        self._failpoint("claim.after_commit")
        # Planned in a transaction of its own: a row that breaks the planner is already counted as claimed.
        parcels = await self._write(lambda session: self._plan(session, list(rows), now))
        self._hand += [_InHand(parcel, lease_until) for parcel in parcels]
        return len(rows)

    def _plan(self, session: Session, rows: list[Claimed], now: datetime) -> list[Parcel]:
        """The parcels that can go out soon; those whose channel is paused for longer are put back."""
        kept: list[Parcel] = []
        for parcel in plan(session, rows, channels=self._channels, now=now, zone=self._zone):
            paused_until = self._pacer(parcel.channel).paused_until
            if paused_until is not None and paused_until > now + timedelta(seconds=NEAR_S):
                sending.hold(session, parcel.row, until=paused_until)
            else:
                kept.append(parcel)
        return kept

    def _until_ready_s(self) -> float:
        """Seconds until the first parcel in hand may go out; a poll's length when the hand is empty."""
        now = self._clock()
        moments = [self._pacer(one.parcel.channel).ready_at(one.parcel.address, now) for one in self._hand]
        return (min(moments) - now).total_seconds() if moments else POLL_S

    async def _send_ready(self) -> int:
        """Commit the intents of what may go out now and begin the requests; how many."""
        now = self._clock()
        ready: list[Parcel] = []
        kept: list[_InHand] = []
        room = IN_FLIGHT_MAX - len(self._in_flight)
        for one in self._hand:
            pace = self._pacer(one.parcel.channel)
            if len(ready) < room and pace.ready_at(one.parcel.address, now) <= now:
                pace.take(one.parcel.address, now)
                ready.append(one.parcel)
            elif one.lease_until > now:  # else somebody else may have it by now
                kept.append(one)
        self._hand = kept
        if not ready:
            return 0
        ours = await self._write(lambda session: [parcel for parcel in ready if _intend(session, parcel, now)])
        if ours:
            self._failpoint("send.after_intent")
        for parcel in ours:
            task = asyncio.create_task(self._send(parcel))
            self._in_flight.add(task)
            task.add_done_callback(self._landed)
        return len(ready)

    async def _send(self, parcel: Parcel) -> None:
        """One request, and its outcome into the outbox. Whatever else goes wrong in a channel is a doubt."""
        channel = self._channels.get(parcel.channel)
        assert channel is not None
        outcome = Outcome("ambiguous", "broken_channel")
        try:
            platform_id = await channel.send(parcel.address, parcel.message, key=parcel.key)
            self._failpoint("send.after_response")
            outcome = Outcome("sent", platform_id=platform_id)
        except SendError as error:
            outcome = Outcome.of(error)
            if error.retry_after_s is not None:
                self._pacer(parcel.channel).pause(self._clock() + timedelta(seconds=error.retry_after_s))
        finally:
            self._outcomes.append((parcel, outcome))
            await self._record()

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Only its kind: the text of a foreign error may hold an address with a token in it.
            log.error("outbox: a channel or the database failed in its own way: %s", type(error).__name__)

    async def _record(self) -> None:
        """Write the outcomes that are there: those that come while a write is under way go with the next one."""
        async with self._recording:
            if not self._outcomes:
                return
            batch, self._outcomes = self._outcomes, []
            self._failpoint("send.before_outcome")
            now = self._clock()
            try:
                choices = self._choices
                await self._write(
                    lambda session: [record(session, *one, now=now, choices=choices) for one in batch]
                )
            except BaseException:
                self._outcomes = batch + self._outcomes  # the next one writes them
                raise

    async def _put_down(self) -> None:
        """Give back what is in hand and wait for what is under way."""
        now = self._clock()
        rows = [one.parcel.row for one in self._hand]
        self._hand = []
        await self._write(lambda session: [sending.hold(session, row, until=now) for row in rows])
        if self._in_flight:
            await asyncio.wait(self._in_flight, timeout=STOP_S)

    def _pacer(self, channel: str) -> Pacer:
        if channel not in self._pacers:
            self._pacers[channel] = pacer(channel)
        return self._pacers[channel]


def _intend(session: Session, parcel: Parcel, now: datetime) -> bool:
    row = parcel.row
    return sending.intend(
        session,
        delivery_id=row.id,
        fence=row.fence,
        channel=parcel.channel,
        address=parcel.address,
        cost=parcel.cost,
        now=now,
    )
