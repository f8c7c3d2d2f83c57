"""Writes what came of each try, in small groups: never later than the write before takes, never many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlmodel import Session

from db import senders
from db.failpoints import reach
from notices.outcomes import Choices, Outcome, record
from notices.planner import Parcel
from notices.tenure import Overtaken, Tenure

OUTCOMES_MAX = 64  # in one write


class Acknowledgements:
    """Outcomes that are not written yet. `choices`: what picks a button of what was sent when it is typed."""

    def __init__(self, tenure: Tenure, clock: Callable[[], datetime], choices: Choices) -> None:
        self._tenure = tenure
        self._clock = clock
        self._choices = choices
        self._waiting: list[tuple[Parcel, Outcome]] = []
        self._turn = asyncio.Lock()

    def add(self, parcel: Parcel, outcome: Outcome) -> None:
        """Note an outcome for the next `flush`."""
        self._waiting.append((parcel, outcome))

    def ids(self) -> set[int]:
        """The deliveries whose outcome is not written yet."""
        return {parcel.row.id for parcel, _ in self._waiting}

    async def flush(self) -> None:
        """Write what is there: what comes while a write is under way goes with the next one.

        Raises Overtaken: it came too late to count. After any other error the next flush writes it again.
        """
        async with self._turn:
            while self._waiting:
                batch = self._waiting[:OUTCOMES_MAX]
                reach("send.before_outcome")
                try:
                    await self._tenure.write(self._recorder(batch))
                except Overtaken:
                    self._waiting.clear()
                    raise
                del self._waiting[: len(batch)]

    def _recorder(self, batch: list[tuple[Parcel, Outcome]]) -> Callable[[Session], None]:
        now, owner = self._clock(), self._tenure.lease.owner

        def write(session: Session) -> None:
            for parcel, outcome in batch:
                record(session, parcel, outcome, now=now, choices=self._choices)
                if outcome.retry_after_s is not None:
                    until = now + timedelta(seconds=outcome.retry_after_s)
                    senders.pause(session, parcel.channel, owner, until)

        return write
