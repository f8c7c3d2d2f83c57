"""The power goes off at random moments of the day, and comes back."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.day.screen import Screen
from tests.day.script import Comes, Says
from tests.day.service import Service
from tests.day.telling import Act

TALK_S = 0.04  # within this a message is read, committed and answered
POST_S = 0.8  # within this a letter is claimed, sent and noted
START_S = 0.5  # within this a process begins to serve
AT_START = 0.2  # share of the cuts that are followed by another while the service starts


@dataclass
class PowerCuts:
    """Kills the service with SIGKILL in the middle of `count` steps drawn from a seed."""

    service: Service
    rng: random.Random
    steps: set[int]
    moments: list[str] = field(default_factory=list)  # what was going on at each kill, for the report of a failure
    _place: int = -1

    @classmethod
    def drawn(cls, service: Service, day: Sequence[Says | Comes], count: int, seed: str) -> PowerCuts:
        """Draw the steps: as many that send letters as there are in the day's share of the drawn."""
        rng = random.Random(seed)
        return cls(service, rng, set(rng.sample(range(len(day)), min(count, len(day)))))

    async def around(self, step: Says | Comes, act: Act) -> Screen | None:
        """Do the step, and kill the service meanwhile when the lot fell on it."""
        self._place += 1
        if self._place not in self.steps:
            return await act()
        cutting = asyncio.ensure_future(self._cut(step))
        try:
            return await act()
        finally:
            await cutting

    async def _cut(self, step: Says | Comes) -> None:
        span_s = POST_S if step.letters and self.rng.random() < 0.7 else TALK_S
        await self._kill_after(self.rng.uniform(0, span_s), step)
        if self.rng.random() < AT_START:
            await self._kill_after(self.rng.uniform(0, START_S), step)
        await self.service.ready()

    async def _kill_after(self, delay_s: float, step: Says | Comes) -> None:
        await asyncio.sleep(delay_s)
        await self.service.kill()
        self.moments.append(f"{1000 * delay_s:.0f} ms after {step}")
        await self.service.start()
