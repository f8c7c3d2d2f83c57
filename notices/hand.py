"""What the engine has in hand: deliveries that are claimed and planned, and not yet on their way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import sending
from db.failpoints import reach
from db.sending import Claimed
from notices.channel import Channels
from notices.decisions import Parcel
from notices.paces import Paces
from notices.planner import plan
from notices.tenure import Tenure

HAND_MAX = 64  # deliveries claimed and not yet sent: a new branch letter waits behind no more than these
PAID_HANDS = 8  # what is paid for leaves so fast that eight times as much is in hand for a shorter time
NEAR_S = 5.0  # what may go out sooner than this is kept in hand, the rest goes back with its time


@dataclass(frozen=True, slots=True)
class _Held:
    parcel: Parcel
    lease_until: datetime


class Hand:
    """At most `hand_max` deliveries of this process; what it holds longer than `claimed_for` is not its own."""

    def __init__(
        self,
        tenure: Tenure,
        channels: Channels,
        paces: Paces,
        *,
        clock: Callable[[], datetime],
        zone: ZoneInfo,
        claimed_for: timedelta,
        hand_max: int,
    ) -> None:
        self._tenure = tenure
        self._channels = channels
        self._paces = paces
        self._clock = clock
        self._zone = zone
        self._claimed_for = claimed_for
        self._hand_max = hand_max
        self._held: list[_Held] = []
        self._claiming: asyncio.Task[int] | None = None

    def __len__(self) -> int:
        """How many deliveries are held."""
        return len(self._held)

    def ids(self) -> set[int]:
        """The deliveries that are held."""
        return {one.parcel.row.id for one in self._held}

    async def fill(self, *, alone: bool) -> int:
        """See to it that there is something to send; how many rows were claimed since the last time.

        An empty hand waits for what it claims. One that is half empty claims while its rest is sent: at a
        thousand messages a second the pacer does not forgive as long as a claim takes. alone: nothing is under
        way.
        """
        claimed = 0
        if self._claiming is not None and (self._claiming.done() or not self._held):
            claiming, self._claiming = self._claiming, None
            claimed = await claiming
        if self._claiming is None and not claimed and not self._held:
            return await self.claim(alone=alone)
        if self._claiming is None and self._held and len(self._held) <= self._most() // 2:
            self._claiming = asyncio.create_task(self.claim(alone=False))
        return claimed

    async def settle(self) -> None:
        """Wait for a claim under way, however it ends."""
        claiming, self._claiming = self._claiming, None
        if claiming is not None:
            await asyncio.wait([claiming])
            if not claiming.cancelled():
                claiming.exception()  # of a database that is away: the round that follows meets it, too

    async def claim(self, *, alone: bool) -> int:
        """Take what is due into the hand; how many rows were claimed. alone: nothing is held or under way."""
        now = self._clock()
        lease_until = now + self._claimed_for
        most = self._most() - len(self._held)
        rows = await self._tenure.write(
            lambda session: sending.claim(session, now=now, lease_until=lease_until, most=most, alone=alone)
        )
        if not rows:
            return 0
        reach("claim.after_commit")
        # Planned in a transaction of its own: a row that breaks the planner is already counted as claimed.
        parcels = await self._tenure.write(lambda session: self._plan(session, list(rows), now))
        self._held += [_Held(parcel, lease_until) for parcel in parcels]
        self._held.sort(key=lambda one: one.parcel.row.lane)  # a branch's letter overtakes what is in hand, too
        return len(rows)

    async def take(self, most: int) -> list[Parcel]:
        """What may go out at this moment, no longer held.

        Where other processes send through the account, too, what has to let them go first is held on. Raises
        `db.engine.OUT_OF_ORDER`; then what was taken is held no more, though it is still claimed.
        """
        now = self._clock()
        goes = self._paces.take([one.parcel for one in self._held], most)
        ready = [one for one, at_once in zip(self._held, goes, strict=True) if at_once]
        # What was claimed too long ago may be somebody else's by now.
        self._held = [
            one for one, at_once in zip(self._held, goes, strict=True) if not at_once and one.lease_until > now
        ]
        goes = await self._paces.among_others([one.parcel for one in ready])
        self._held[:0] = [one for one, may in zip(ready, goes, strict=True) if not may]
        return [one.parcel for one, may in zip(ready, goes, strict=True) if may]

    def until_ready_s(self, most_s: float) -> float:
        """Seconds until the first parcel may go out, at most `most_s`, which it is for an empty hand."""
        return self._paces.next_s((one.parcel for one in self._held), soon_s=0.001, most_s=most_s)

    def clear(self) -> list[Claimed]:
        """Let go of everything; what was held, and is still claimed in the outbox."""
        rows, self._held = [one.parcel.row for one in self._held], []
        return rows

    def _most(self) -> int:
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
