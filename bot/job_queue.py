"""The jobs of several processes on PostgreSQL: the same functions as in one process, handed out by procrastinate.

Every worker looks what is due and queues it under a lock of the job's name, so that it waits once and runs once at
a time. What a job did stands in its own rows (`db.occurrences`), never in the queue: a job whose worker died is
thrown away, and whoever looks next finds it due again. So the queue's tables hold nothing worth keeping; they
live in a schema of their own, which the first process of another version of procrastinate makes anew.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ProcrastinateException
from procrastinate.jobs import Status
from psycopg.sql import SQL, Identifier
from sqlalchemy.engine import make_url
from sqlmodel import Session

from bot.jobs import JOBS
from bot.ticker import TICK, Jobs
from db.engine import OUT_OF_ORDER
from db.failpoints import reach
from notices import schedule
from notices.schedule import Poll, Task

log = logging.getLogger(__name__)

SCHEMAS = "hongxin_jobs_"  # how the queue's schemas begin
SCHEMA = SCHEMAS + version("procrastinate").replace(".", "_")
LOCK = 0x484F4E48  # PostgreSQL's advisory lock of whoever makes the schema
AT_ONCE = 2  # jobs that one worker runs at a time: a long one lets the short ones pass
LOOK_S = 5.0  # between two looks at the queue for what was queued for later
BEAT_S = 5.0  # between two signs of life of a worker
STALLED_S = 20.0  # without one: its jobs are somebody else's
STOP_S = 20.0  # how long a stop waits for the jobs under way
AGAIN_S = 2.0  # before the next try after the database was away
TROUBLE = (*OUT_OF_ORDER, ProcrastinateException, TimeoutError)

Work = Callable[[Callable[[Session], Any]], Awaitable[Any]]


class _One(Jobs):
    """One job by itself."""

    def unfinished(self, now: datetime) -> bool:
        """Whether it is a poll that has more to do than one run may."""
        return any(self._polled.get(poll.name) != now and self._poll_due(poll, now) for poll in self._polls)


class QueuedJobs:
    """Queues JOBS and runs what is queued; any number of processes may do so. `start` and `stop` as of `Jobs`."""

    def __init__(
        self,
        url: str,
        write: Work,
        clock: Callable[[], datetime],
        zone: ZoneInfo,
        jobs: Sequence[Task | Poll] = JOBS,
        read: Work | None = None,
    ) -> None:
        self._conninfo = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._write = write
        self._clock = clock
        self._zone = zone
        self._tasks = [job for job in jobs if isinstance(job, Task)]
        self._polls = [job for job in jobs if isinstance(job, Poll)]
        self._each = {job.name: _One(write, clock, zone, [job], read) for job in jobs}
        self._next: dict[str, datetime] = {}  # per task: nothing is due before
        self._app = App(connector=self._connector())
        self._job = self._app.task(name="job", queue="jobs")(self.run)
        self._running: list[asyncio.Task[None]] = []

    def _connector(self) -> PsycopgConnector:
        place = {"options": f"-c search_path={SCHEMA}", "connect_timeout": 5}
        return PsycopgConnector(
            conninfo=self._conninfo, kwargs=place, min_size=1, max_size=AT_ONCE + 2, timeout=10
        )

    async def start(self) -> None:
        """Begin. What fell due while no worker ran is queued at once."""
        await asyncio.to_thread(make_schema, self._conninfo)
        await self._app.open_async()
        await self._queue_polls(at_once=True)
        loops = (self._work, lambda: self._every(TICK, self._queue_due), lambda: self._every(TICK, self._rescue))
        self._running = [asyncio.create_task(loop()) for loop in loops]

    async def stop(self) -> None:
        """Queue nothing more; jobs that are under way are finished first."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._app.close_async()

    async def run(self, name: str) -> None:
        """The job function of the queue: runs the job of this name, if anything of it is due."""
        one = self._each.get(name)
        if one is None:
            return  # another version queued it
        reach("job.started")
        while True:
            now = self._clock()
            await one.run_due(now)
            if not one.unfinished(now):
                return

    async def _work(self) -> None:
        """Be a worker; one that ends because the database went away begins again."""
        while True:
            try:
                await self._app.run_worker_async(
                    concurrency=AT_ONCE,
                    fetch_job_polling_interval=LOOK_S,
                    install_signal_handlers=False,
                    delete_jobs="always",
                    update_heartbeat_interval=BEAT_S,
                    stalled_worker_timeout=STALLED_S,
                    shutdown_graceful_timeout=STOP_S,
                )
            except TROUBLE as error:
                log.warning("jobs: the worker begins again: %s", type(error).__name__)
            except Exception:
                log.exception("jobs: the worker begins again")
            await asyncio.sleep(AGAIN_S)

    async def _every(self, pause: timedelta, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            try:
                await work()
            except TROUBLE as error:
                log.warning("jobs: the database does not answer: %s", type(error).__name__)
            except Exception:
                log.exception("jobs: could not be looked after")
            await asyncio.sleep(pause.total_seconds())

    async def _queue_due(self) -> None:
        """Queue the tasks that are due, and the next turn of every poll."""
        now = self._clock()
        waiting = [task for task in self._tasks if now >= self._next.get(task.name, now)]
        due = await self._write(lambda session: schedule.due(session, waiting, now, self._zone)) if waiting else []
        names = {task.name for task, _ in due}
        for task in waiting:
            if task.name in names:  # asked again until somebody has done it
                await self._queue(task.name)
            else:
                then = schedule.next_after(task, now, self._zone)
                self._next[task.name] = then or datetime.max.replace(tzinfo=UTC)
        await self._queue_polls()

    async def _queue_polls(self, *, at_once: bool = False) -> None:
        queued = {job.queueing_lock for job in await self._app.job_manager.list_jobs_async(status="todo")}
        for poll in self._polls:
            if poll.name not in queued:
                await self._queue(poll.name, None if at_once else _turn_after(datetime.now(UTC), poll.every))

    async def _queue(self, name: str, at: datetime | None = None) -> None:
        waits = self._job.configure(queueing_lock=name, lock=name, schedule_at=at)
        try:
            await waits.defer_async(name=name)
        except AlreadyEnqueued:
            return  # another process was first

    async def _rescue(self) -> None:
        """Throw away what workers that died had begun: its lock would keep the job from ever running again."""
        manager = self._app.job_manager
        for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_S):
            assert job.id is not None, "it comes out of the database"
            try:
                await manager.finish_job_by_id_async(job_id=job.id, status=Status.FAILED, delete_job=True)
                log.warning("jobs: %s was begun by a worker that died; it is queued anew", job.queueing_lock)
            except ProcrastinateException:
                continue  # another process has just done so


def _turn_after(now: datetime, every: timedelta) -> datetime:
    """The next of the poll's regular instants, the same for every process."""
    span_s = every.total_seconds()
    return datetime.fromtimestamp((now.timestamp() // span_s + 1) * span_s, UTC)


def make_schema(conninfo: str) -> None:
    """Make the queue's tables unless they are there, in place of those of another version."""
    with psycopg.connect(conninfo) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        found = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE %s", [f"{SCHEMAS}%"])
        standing = {row[0] for row in found.fetchall()}
        if SCHEMA in standing:
            return
        for name in standing:
            connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(name)))
        connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(SCHEMA)))
        connection.execute(SQL("SET LOCAL search_path = {}").format(Identifier(SCHEMA)))
        connection.execute(App(connector=PsycopgConnector()).schema_manager.get_schema())
