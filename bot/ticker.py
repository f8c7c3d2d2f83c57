"""The ticker: runs the jobs that are due, each in a transaction of its own; a job that fails stops no other."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger
from sqlmodel import Session

from bot.jobs import JOBS
from db import occurrences
from db.failpoints import reach
from notices import schedule
from notices.schedule import Moment, Poll, Task

log = logging.getLogger(__name__)
T = TypeVar("T")

TICK = timedelta(seconds=5)
ROUNDS_MAX = 100  # transactions of one poll in one tick: the rest comes with the next tick
TRIES_MAX = 5  # of one instant that fails; then it is recorded as failed and the next one has its turn
PLANNING = "planning"  # what a failure to read the occurrences is counted and logged under
RETRY_FIRST = timedelta(minutes=1)  # after a failure; twice as long after each further one


class Jobs:
    """Runs JOBS. `write` runs a work in a transaction of its own; `clock` gives the present instant in UTC.

    read: runs a work that only reads, beside the writer, so that long arithmetic makes nobody wait; None: in it.
    """

    def __init__(
        self,
        write: Callable[[Callable[[Session], Any]], Awaitable[Any]],
        clock: Callable[[], datetime],
        zone: ZoneInfo,
        jobs: Sequence[Task | Poll] = JOBS,
        read: Callable[[Callable[[Session], Any]], Awaitable[Any]] | None = None,
    ) -> None:
        self._write = write
        self._read = read or write
        self._clock = clock
        self._zone = zone
        self._tasks = [job for job in jobs if isinstance(job, Task)]
        self._polls = [job for job in jobs if isinstance(job, Poll)]
        self._next: dict[str, datetime] = {}  # per task: nothing is due before
        self._polled: dict[str, datetime] = {}
        self._failed: Counter[str] = Counter()  # tries of the task's present instant
        self._busy = asyncio.Lock()
        self._scheduler: AsyncIOScheduler | None = None
        self.runs: Counter[str] = Counter()  # per job since the start
        self.failures: Counter[str] = Counter()

    async def start(self) -> None:
        """Begin to tick. What fell due while the service was down runs with the first tick."""
        logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a long tick is no news
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._scheduler.add_job(
            self._tick,
            IntervalTrigger(seconds=int(TICK.total_seconds()), timezone=UTC),
            id="tick",
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
            next_run_time=datetime.now(UTC),
        )
        self._scheduler.start()

    async def stop(self) -> None:
        """Stop ticking; a tick that is under way is finished first."""
        if self._scheduler is None:
            return
        self._scheduler.pause()
        async with self._busy:
            self._scheduler.shutdown(wait=False)
        self._scheduler = None

    async def _tick(self) -> None:
        await self.run_due(self._clock())

    async def run_due(self, now: datetime) -> int:
        """Run everything that is due at `now`; how many instants of tasks ran. A job that fails stops no other."""
        count = 0
        async with self._busy:
            waiting = [task for task in self._tasks if now >= self._next.get(task.name, now)]
            for task, plan in await self._planned(waiting, now):
                count += await self._run_task(task, plan, now)
            for poll in self._polls:
                if self._poll_due(poll, now) and await self._run_poll(poll, now):
                    self._polled[poll.name] = now
        return count

    def _poll_due(self, poll: Poll, now: datetime) -> bool:
        last = self._polled.get(poll.name)
        return last is None or now < last or now - last >= poll.every - TICK / 2

    async def _planned(self, waiting: Sequence[Task], now: datetime) -> Sequence[tuple[Task, schedule.Plan]]:
        """What each task has to do, read in one transaction; when that fails, all are asked again later."""
        if not waiting:
            return ()
        found = await self._attempt(PLANNING, lambda session: schedule.plans(session, waiting, now, self._zone))
        if found is None:
            self._next.update(dict.fromkeys((task.name for task in waiting), now + RETRY_FIRST))
        return found or ()

    async def _run_task(self, task: Task, plan: schedule.Plan, now: datetime) -> int:
        if plan.skipped:
            await self._attempt(task.name, lambda s: schedule.give_up(s, task, plan.skipped, now))
        count = 0
        for instant in plan.run:
            ran = await self._run_instant(task, instant, now)
            if ran is None and not await self._given_up(task, instant, now):
                return count  # the later instants wait, so that none is passed over
            count += bool(ran)
            self.runs[task.name] += bool(ran)
            self._failed.pop(task.name, None)
        self._next[task.name] = plan.then or datetime.max.replace(tzinfo=UTC)
        return count

    async def _run_instant(self, task: Task, instant: datetime, now: datetime) -> bool | None:
        """Run one instant: whether it ran here; None when it failed."""
        prepare = task.prepare
        if prepare is not None:
            moment = Moment(instant, now, self._zone)
            run = await self._attempt(task.name, lambda session: prepare(session, moment), self._read)
            if run is None:
                return None
            task = replace(task, run=run, prepare=None)
        ran = await self._attempt(task.name, _one(task, instant, now, self._zone))
        reach("schedule.after_commit")
        return ran

    async def _given_up(self, task: Task, instant: datetime, now: datetime) -> bool:
        """After a failure: try again later, or record that it failed for good."""
        self._failed[task.name] += 1
        tries = self._failed[task.name]
        self._next[task.name] = now + RETRY_FIRST * 2 ** (tries - 1)
        if tries < TRIES_MAX:
            return False
        recorded = await self._attempt(
            task.name,
            lambda session: occurrences.record(session, task.name, instant, ran_at=now, state="failed"),
        )
        return recorded is not None

    async def _run_poll(self, poll: Poll, now: datetime) -> bool:
        """Run until nothing is left, or it fails; False when there is more than one tick may do."""
        for _ in range(ROUNDS_MAX):
            handled = await self._attempt(poll.name, lambda session: poll.run(session, now, self._zone))
            if not handled:
                return True
            self.runs[poll.name] += 1
        return False

    async def _attempt(
        self,
        name: str,
        work: Callable[[Session], T],
        way: Callable[[Callable[[Session], Any]], Awaitable[Any]] | None = None,
    ) -> T | None:
        """What `work` gives, committed; None when it failed, which is logged and counted."""
        try:
            result: T = await (way or self._write)(work)
        except Exception:
            self.failures[name] += 1
            log.exception("job %s failed", name)
            return None
        return result


def _one(task: Task, instant: datetime, now: datetime, zone: ZoneInfo) -> Callable[[Session], bool]:
    return lambda session: schedule.run_one(session, task, instant, now, zone)
