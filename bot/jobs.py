"""What the service does on its own: the table of jobs, and the ticker that runs what is due.

A Task has instants on the calendar, each with a row of its own (`db.occurrences`), so that several processes,
restarts and outages neither double nor lose one. A Poll looks after rows that know by themselves when they are
due; it may run at any time and any number of times.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger
from sqlmodel import Session

from db import activity_drafts, inbound, occurrences, web
from notices import birthdays, closing, holds, presence, reminders, schedule, topics, warnings
from notices.schedule import Moment, Task
from scoring import update

log = logging.getLogger(__name__)
T = TypeVar("T")

TICK = timedelta(seconds=5)
ROUNDS_MAX = 100  # transactions of one poll in one tick: the rest comes with the next tick
TRIES_MAX = 5  # of one instant that fails; then it is recorded as failed and the next one has its turn
RETRY_FIRST = timedelta(minutes=1)  # after a failure; twice as long after each further one

INBOUND_KEPT = timedelta(days=7)  # platforms deliver again within a day
WEB_LINES_KEPT = timedelta(days=30)  # as the privacy note says
REMINDERS_KEPT = timedelta(days=30)
OCCURRENCES_KEPT = timedelta(days=400)
CODES_KEPT = timedelta(days=60)  # of check-in; late records end after 30


@dataclass(frozen=True, slots=True)
class Poll:
    """Work on rows that are due. `run` does a bounded part and says how much; 0 means that nothing is left."""

    name: str
    every: timedelta
    run: Callable[[Session, datetime, ZoneInfo], int]


def _letter_of(topic_id: str) -> Callable[[Session, Moment], object]:
    def write(session: Session, moment: Moment) -> object:
        return topics.write_letter(session, topic_id, moment.scheduled_for, moment.now, moment.zone)

    return write


def _greet(session: Session, moment: Moment) -> object:
    day = moment.scheduled_for.astimezone(moment.zone).date()
    return birthdays.greet(session, day, moment.now)


def _begin(session: Session, moment: Moment) -> object:
    """Only the row counts: a poll does the work of the day in parts."""
    return None


def _nothing(session: Session, moment: Moment) -> object:
    return None


def _refresh(session: Session, moment: Moment) -> schedule.Run:
    """The indices of today."""
    ready = update.prepare(session, moment.now.astimezone(moment.zone).date(), zone=moment.zone)
    return lambda writing, _moment: update.store(writing, ready)


def _close_day(session: Session, moment: Moment) -> schedule.Run:
    """The last figures of the day before; only soon after midnight, for the totals go on."""
    today = moment.now.astimezone(moment.zone).date()
    if moment.scheduled_for.astimezone(moment.zone).date() != today:
        return _nothing
    ready = update.prepare(session, today - timedelta(days=1), zone=moment.zone)
    return lambda writing, _moment: update.store(writing, ready)


def _remind_of_economy(session: Session, moment: Moment) -> object:
    now, zone = moment.now, moment.zone
    return (
        holds.remind_of_pick_ups(session, now, zone=zone)
        + holds.remind_claimers(session, now, zone=zone)
        + holds.chase_stale_wishes(session, now, zone=zone)
    )


def _clear_away(session: Session, moment: Moment) -> object:
    now = moment.now
    return (
        inbound.forget(session, now - INBOUND_KEPT)
        + occurrences.forget_reminders(session, now - REMINDERS_KEPT)
        + occurrences.forget(session, now - OCCURRENCES_KEPT)
        + web.forget(session, now - WEB_LINES_KEPT)
        + activity_drafts.retire_codes(session, now - CODES_KEPT)
    )


def _close(session: Session, now: datetime, zone: ZoneInfo) -> int:
    closed = closing.close_ended(session, now, zone)
    if closed:  # what was held may end a warning: its secretary hears of it now, not tomorrow
        warnings.check_warnings(session, now, zone, sorted({one.organization_id for one in closed}))
    return len(closed)


JOBS: tuple[Task | Poll, ...] = (
    *(Task(f"topic:{one.id}", one.cron, _letter_of(one.id), "once") for one in topics.COLUMNS),
    Task("birthdays", "30 8 * * *", _greet, "all", grace=birthdays.KEPT_FOR),
    Task(warnings.TASK, "0 9 * * *", _begin, "once"),
    Task("economy_reminders", "15 10 * * *", _remind_of_economy, "once"),
    Task("index_day_end", "1 0 * * *", _nothing, "once", prepare=_close_day),
    Task("index_refresh", "5 * * * *", _nothing, "once", prepare=_refresh),
    Task("clear_away", "20 3 * * *", _clear_away, "once"),
    Poll("presence", timedelta(seconds=15), lambda session, now, zone: presence.ask_due(session, now)),
    Poll("reminders_planned", timedelta(minutes=1), reminders.plan_activities),
    Poll("reminders", timedelta(minutes=1), reminders.tell_due),
    Poll("warnings_checked", timedelta(minutes=1), warnings.check_next),
    Poll("closing", timedelta(minutes=1), _close),
    Poll(
        "redemptions_expired",
        timedelta(hours=1),
        lambda session, now, zone: holds.expire_redemptions(session, now, zone=zone),
    ),
    Poll(
        "claims_released",
        timedelta(hours=1),
        lambda session, now, zone: holds.release_idle_claims(session, now),
    ),
)
"""Every job: what, when, and what becomes of it after an outage. Names are stored: never renamed."""


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
            for task in self._tasks:
                if now >= self._next.get(task.name, now):
                    count += await self._run_task(task, now)
            for poll in self._polls:
                if self._poll_due(poll, now) and await self._run_poll(poll, now):
                    self._polled[poll.name] = now
        return count

    def _poll_due(self, poll: Poll, now: datetime) -> bool:
        last = self._polled.get(poll.name)
        return last is None or now < last or now - last >= poll.every - TICK / 2

    async def _run_task(self, task: Task, now: datetime) -> int:
        found = await self._attempt(task.name, lambda session: schedule.due(session, [task], now, self._zone))
        if found is None:
            self._next[task.name] = now + RETRY_FIRST
            return 0
        plan = found[0][1] if found else schedule.Plan()
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
        self._next[task.name] = schedule.next_after(task, now, self._zone) or datetime.max.replace(tzinfo=UTC)
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
        return await self._attempt(task.name, _one(task, instant, now, self._zone))

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
