"""Writes what came of each try, in small groups: hardly later than the write before takes, never many at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlmodel import Session

from db import senders
from db.failpoints import reach
from notices.decisions import Parcel
from notices.outcomes import Choices, Outcome, record_all, remembered
from notices.tenure import Overtaken, Tenure

OUTCOMES_MAX = 256  # in one write
GATHER_S = 0.04  # between two writes: a fast account would else commit for every message


class Acknowledgements:
    """Outcomes that are not written yet. `choices`: what picks a button of what was sent when it is typed."""

    def __init__(self, tenure: Tenure, clock: Callable[[], datetime], choices: Choices) -> None:
        self._tenure = tenure
        self._clock = clock
        self._choices = remembered(choices)
        self._waiting: list[tuple[Parcel, Outcome]] = []
        self._wrote_at = -GATHER_S  # monotonic seconds
        self._writing = False

    def add(self, parcel: Parcel, outcome: Outcome) -> None:
        """Note an outcome for the next `flush`."""
        self._waiting.append((parcel, outcome))

    def ids(self) -> set[int]:
        """The deliveries whose outcome is not written yet."""
        return {parcel.row.id for parcel, _ in self._waiting}

    async def flush(self) -> None:
        """Write what is there: what comes soon after the last write, or during one, goes together.

        Of many at once the first writes for all. Raises Overtaken: it came too late to count. After any other
        error the next flush writes it again.
        """
        if self._writing:
            return
        self._writing = True
        try:
            if self._waiting and (early_s := self._wrote_at + GATHER_S - time.monotonic()) > 0:
                await asyncio.sleep(early_s)
            while self._waiting:
                batch = self._waiting[:OUTCOMES_MAX]
                reach("send.before_outcome")
                try:
                    await self._tenure.write(self._recorder(batch))
                except Overtaken:
                    self._waiting.clear()
                    raise
                del self._waiting[: len(batch)]
                self._wrote_at = time.monotonic()
        finally:
            self._writing = False

    def _recorder(self, batch: list[tuple[Parcel, Outcome]]) -> Callable[[Session], None]:
        now, owner = self._clock(), self._tenure.lease.owner

        def write(session: Session) -> None:
            record_all(session, batch, now=now, choices=self._choices)
            for parcel, outcome in batch:
                if outcome.retry_after_s is not None:
                    until = now + timedelta(seconds=outcome.retry_after_s)
                    senders.pause(session, parcel.channel, owner, until)

        return write
