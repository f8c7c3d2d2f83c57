"""When a task is due: cron instants on the city's wall clock, and what becomes of those that were missed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger
from sqlmodel import Session

from db import occurrences
from db.duties import CITY
from db.failpoints import reach

Policy = Literal["skip", "once", "all"]
"""After an outage: `skip` runs nothing that is later than its grace, `once` the latest missed instant,
`all` every missed instant in order. With a grace, `once` and `all` leave out what is later than that, too."""

ON_TIME = timedelta(minutes=5)  # a `skip` task without a grace of its own: a restart takes less
_WEEKDAY = re.compile(r"\*|[a-z]{3}([,-][a-z]{3})*")


@dataclass(frozen=True, slots=True)
class Moment:
    """One run of one task. scheduled_for: the planned instant, in UTC; now: when it really runs."""

    scheduled_for: datetime
    now: datetime
    zone: ZoneInfo


Run = Callable[[Session, Moment], object]


@dataclass(frozen=True, slots=True)
class Task:
    """What to do and when. `name` is permanent: stored occurrences refer to it.

    cron: minute, hour, day of month, month, day of week. Weekdays by name (mon..sun) only: their numbers mean
    another day to APScheduler than to cron. grace: how late a run may be; None: any time (`skip`: ON_TIME).
    prepare: for long arithmetic; reads what it needs, writes nothing, and gives the `run` that is left to do.
    """

    name: str
    cron: str
    run: Run
    policy: Policy = "once"
    grace: timedelta | None = None
    prepare: Callable[[Session, Moment], Run] | None = None

    def __post_init__(self) -> None:
        fields = self.cron.split()
        if len(fields) != 5 or not _WEEKDAY.fullmatch(fields[4]):
            raise ValueError(f"task {self.name}: five cron fields, the weekday by name, not {self.cron!r}")


@dataclass(frozen=True, slots=True)
class Poll:
    """Work on rows that are due. `run` does a bounded part and says how much; 0 means that nothing is left."""

    name: str
    every: timedelta
    run: Callable[[Session, datetime, ZoneInfo], int]


@dataclass(frozen=True, slots=True)
class Plan:
    """Instants of one task that are due, each in UTC and in order: to be run, and given up by its policy.

    then: the first instant that is not due yet; None when there is none any more.
    """

    run: tuple[datetime, ...] = ()
    skipped: tuple[datetime, ...] = ()
    then: datetime | None = field(default=None, compare=False)


@lru_cache(maxsize=256)
def _trigger(cron: str, zone: ZoneInfo) -> CronTrigger:
    return CronTrigger.from_crontab(cron, timezone=zone)


def next_after(task: Task, instant: datetime, zone: ZoneInfo) -> datetime | None:
    """The first instant of the task after `instant`, in UTC; None when there is none any more."""
    found = _trigger(task.cron, zone).get_next_fire_time(None, instant + timedelta(microseconds=1))
    return found.astimezone(UTC) if found is not None else None


def plan(task: Task, last: datetime, now: datetime, zone: ZoneInfo) -> Plan:
    """What is due in (last, now]. Nothing when the clock stands before `last`: what ran is not run again."""
    missed: list[datetime] = []
    instant = next_after(task, last, zone)
    while instant is not None and instant <= now:
        missed.append(instant)
        instant = next_after(task, instant, zone)
    grace = task.grace if task.grace is not None else (ON_TIME if task.policy == "skip" else None)
    run = [one for one in missed if grace is None or now - one <= grace]
    if task.policy == "once":
        run = run[-1:]
    chosen = set(run)
    return Plan(tuple(run), tuple(one for one in missed if one not in chosen), instant)


def begin(session: Session, tasks: Sequence[Task], now: datetime) -> Mapping[str, datetime]:
    """The last recorded occurrence of every task. One that never ran begins now: nothing is due before that."""
    known = occurrences.last_of(session, [task.name for task in tasks])
    for task in tasks:
        if task.name not in known:
            # A hair earlier, so that the instant at which the service starts for the first time is not lost.
            start = now - timedelta(microseconds=1)
            occurrences.record(session, task.name, start, ran_at=now, state="begun")
            known[task.name] = start
    return known


def plans(
    session: Session, tasks: Sequence[Task], now: datetime, zone: ZoneInfo = CITY
) -> list[tuple[Task, Plan]]:
    """The plan of every task at `now`, in the order of the tasks; most have nothing to run."""
    known = begin(session, tasks, now)
    return [(task, plan(task, known[task.name], now, zone)) for task in tasks]


def due(session: Session, tasks: Sequence[Task], now: datetime, zone: ZoneInfo = CITY) -> list[tuple[Task, Plan]]:
    """Tasks with anything to run or to give up at `now`."""
    return [(task, found) for task, found in plans(session, tasks, now, zone) if found.run or found.skipped]


def give_up(session: Session, task: Task, skipped: Sequence[datetime], now: datetime) -> int:
    """Record missed instants as skipped; how many were recorded here and not by another process."""
    return sum(occurrences.record(session, task.name, one, ran_at=now, state="skipped") for one in skipped)


def run_one(session: Session, task: Task, instant: datetime, now: datetime, zone: ZoneInfo = CITY) -> bool:
    """Run one instant with its row in the same transaction; False when another process has it."""
    if not occurrences.record(session, task.name, instant, ran_at=now, state="done"):
        return False
    reach("schedule.after_occurrence")
    moment = Moment(instant, now, zone)
    run = task.prepare(session, moment) if task.prepare else task.run
    run(session, moment)
    reach("schedule.after_run")
    return True


def run_due(session: Session, tasks: Sequence[Task], now: datetime, zone: ZoneInfo = CITY) -> int:
    """Run everything that is due in this one transaction; how many instants ran. Errors are the caller's."""
    count = 0
    for task, found in due(session, tasks, now, zone):
        give_up(session, task, found.skipped, now)
        count += sum(run_one(session, task, instant, now, zone) for instant in found.run)
    return count
