"""The table of jobs and its ticker: once each, whatever fails, restarts or runs beside it."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select

from bot.jobs import JOBS
from bot.ticker import RETRY_FIRST, TRIES_MAX, Jobs
from db import inbound, occurrences
from db.activities import Activity
from db.deliveries import Delivery
from db.letters import Letter
from db.members import Member
from notices import topics
from notices.schedule import Poll, Task, next_after
from tests.cast import ALICE, BOB, FROM_ELSEWHERE, NAMES, NOON
from tests.conftest import ZONE

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NINE = datetime(2026, 6, 16, 1, 0, tzinfo=UTC)  # 09:00 on Tuesday 16 June 2026 in Shanghai


def noted(ran, name="daily", policy="all", cron="0 9 * * *"):
    return Task(name, cron, lambda session, moment: ran.append((name, moment.scheduled_for)), policy)


@pytest.fixture
def jobs_of(writer, clock):
    """A service with these jobs; every call is another process on the same database."""
    return lambda *jobs: Jobs(writer.write, clock, ZONE, jobs)


def test_every_job_has_a_name_of_its_own_and_comes_round():
    assert len({job.name for job in JOBS}) == len(JOBS)
    for job in JOBS:
        if isinstance(job, Task):
            first = next_after(job, NOON, ZONE)
            assert NOON < first <= NOON + 366 * DAY, job.name
        else:
            assert job.every >= timedelta(seconds=15), job.name


def test_the_table_says_when():
    when = {job.name: next_after(job, NOON, ZONE).astimezone(ZONE) for job in JOBS if isinstance(job, Task)}
    assert f"{when['birthdays']:%H:%M}" == "08:30"
    assert f"{when['warnings']:%H:%M}" == "09:00"
    assert f"{when['topic:law_corner']:%a %H:%M}" == "Wed 09:30"
    assert {f"{when[f'topic:{one.id}']:%a}" for one in topics.COLUMNS} == {"Mon", "Tue", "Wed", "Thu", "Fri"}


async def test_an_instant_runs_once_however_often_it_ticks(jobs_of):
    ran = []
    jobs = jobs_of(noted(ran))
    await jobs.run_due(NINE - HOUR)
    for second in range(0, 60, 5):
        await jobs.run_due(NINE + timedelta(seconds=second))
    assert ran == [("daily", NINE)]


async def test_two_processes_and_a_restart_run_it_once(jobs_of):
    ran = []
    first, second = jobs_of(noted(ran)), jobs_of(noted(ran))
    for jobs in (first, second):
        await jobs.run_due(NINE - HOUR)
    await asyncio.gather(first.run_due(NINE), second.run_due(NINE))
    await jobs_of(noted(ran)).run_due(NINE + MINUTE)
    assert ran == [("daily", NINE)]


async def test_what_fell_due_during_an_outage_runs_with_the_first_tick(jobs_of, look):
    ran = []
    await jobs_of(noted(ran), noted(ran, "weekly_once", "once")).run_due(NINE)
    await jobs_of(noted(ran), noted(ran, "weekly_once", "once")).run_due(NINE + 3 * DAY + HOUR)
    assert Counter(name for name, _ in ran) == {"daily": 4, "weekly_once": 2}
    states = await look(lambda s: Counter(r.state for r in occurrences.recorded(s, "weekly_once")))
    assert states == {"begun": 1, "done": 2, "skipped": 2}


async def test_a_clock_that_steps_back_repeats_nothing(jobs_of):
    ran = []
    jobs = jobs_of(noted(ran))
    for now in (NINE - HOUR, NINE, NINE - DAY, NINE, NINE + DAY, NINE + HOUR, NINE + DAY):
        await jobs.run_due(now)
    assert ran == [("daily", NINE), ("daily", NINE + DAY)]


async def test_a_job_that_fails_is_named_in_the_log_and_stops_no_other(jobs_of, caplog):
    ran = []

    def fail(*_):
        raise RuntimeError("broken")

    jobs = jobs_of(
        Task("broken_task", "0 9 * * *", fail, "once"),
        noted(ran),
        Poll("broken_poll", MINUTE, fail),
        Poll("sound_poll", MINUTE, lambda session, now, zone: ran.append(("poll", now)) or 0),
    )
    await jobs.run_due(NINE - HOUR)
    caplog.clear()
    with caplog.at_level(logging.ERROR, logger="bot.jobs"):
        await jobs.run_due(NINE)
    assert [record.getMessage() for record in caplog.records] == [
        "job broken_task failed",
        "job broken_poll failed",
    ]
    assert ("daily", NINE) in ran
    assert ("poll", NINE) in ran
    assert jobs.failures == {"broken_task": 1, "broken_poll": 2}


async def test_a_failing_instant_is_tried_again_later_and_later_and_then_given_up(jobs_of, look):
    tries = []

    def fail_on_the_first_day(session, moment):
        tries.append(moment)
        if moment.scheduled_for == NINE:
            raise RuntimeError("broken")

    jobs = jobs_of(Task("daily", "0 9 * * *", fail_on_the_first_day, "all"))
    await jobs.run_due(NINE - HOUR)
    now = NINE
    while now <= NINE + HOUR:
        await jobs.run_due(now)
        now += MINUTE
    waits = [(after.now - before.now) / RETRY_FIRST for before, after in pairwise(tries)]
    assert waits == [1, 2, 4, 8]
    assert len(tries) == TRIES_MAX
    await jobs.run_due(NINE + DAY)
    states = await look(lambda s: {r.scheduled_for: r.state for r in occurrences.recorded(s, "daily")})
    assert (states[NINE], states[NINE + DAY]) == ("failed", "done")


async def test_what_a_failing_job_wrote_is_gone(jobs_of, look):
    def half(session, moment):
        session.get(Member, ALICE).name = "改了"
        session.flush()
        raise RuntimeError("broken")

    jobs = jobs_of(Task("daily", "0 9 * * *", half, "once"))
    await jobs.run_due(NINE - HOUR)
    await jobs.run_due(NINE)
    assert await look(lambda s: s.get(Member, ALICE).name) == NAMES[ALICE]
    assert await look(lambda s: [r.state for r in occurrences.recorded(s, "daily")]) == ["begun"]


async def test_a_poll_runs_at_its_own_pace_until_nothing_is_left(jobs_of):
    left, seen = [3], []

    def run(session, now, zone):
        seen.append(now)
        left[0] -= 1
        return max(0, left[0])

    jobs = jobs_of(Poll("poll", MINUTE, run))
    await jobs.run_due(NINE)
    assert len(seen) == 3
    await jobs.run_due(NINE + timedelta(seconds=55))
    assert len(seen) == 3
    await jobs.run_due(NINE + MINUTE)
    assert len(seen) == 4


async def test_the_ticker_runs_what_is_due_and_stops(writer, clock):
    ticked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def run(session, now, zone):
        loop.call_soon_threadsafe(ticked.set)
        return 0

    jobs = Jobs(writer.write, clock, ZONE, [Poll("poll", MINUTE, run)])
    await jobs.stop()  # before it began: nothing to do
    await jobs.start()
    await asyncio.wait_for(ticked.wait(), 5)
    await jobs.stop()
    assert jobs.failures == {}


async def test_everything_that_is_due_is_cleared_away(look, jobs_of):
    for age in (6, 8):
        await look(
            lambda s, age=age: inbound.take_in(
                s, channel="web", key=f"old{age}", address="a", received_at=NOON - age * DAY, reply=None
            )
        )
    clear = next(job for job in JOBS if job.name == "clear_away")
    jobs = jobs_of(clear)
    await jobs.run_due(NOON - DAY)
    await jobs.run_due(NOON)
    assert await look(lambda s: [inbound.known(s, "web", f"old{age}") is not None for age in (6, 8)]) == [
        True,
        False,
    ]


async def test_an_activity_is_closed_after_its_end_by_itself(say, look, jobs_of):
    await say.all(ALICE, "签到 8841")
    closing = next(job for job in JOBS if job.name == "closing")
    ends = NOON + timedelta(hours=2, minutes=10)
    jobs = jobs_of(closing)
    await jobs.run_due(ends + 10 * MINUTE)
    assert await look(lambda s: s.get(Activity, 1).should_attend) is None
    await jobs.run_due(ends + 10 * MINUTE + timedelta(minutes=1))
    assert await look(lambda s: (s.get(Activity, 1).state, s.get(Activity, 1).attended)) == ("not_held", 1)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_whole_year_passes_in_seconds_and_does_everything_once(look, writer, clock):
    def birthdays(session):
        for member in session.execute(select(Member)).scalars():
            member.admitted_on = date(1998, 7, 1)
        session.get(Member, ALICE).admitted_on = date(1996, 2, 29)
        session.get(Member, BOB).status = "left"

    await look(birthdays)
    without_refresh = [job for job in JOBS if not job.name.startswith("index_")]  # they have tests of their own
    start = datetime(2026, 1, 1, 2, 0, tzinfo=UTC)  # 10:00: a quarter past, and everything of the day is done
    # Day by day where months and the year turn; else the service is up every third day, as long as greetings keep.
    # That no instant of the days between is lost or doubled, the table of outages proves for every task.
    turns = {date(2026, 2, 20) + n * DAY for n in range(14)} | {date(2026, 12, 25) + n * DAY for n in range(7)}
    moments = [start + n * DAY for n in range(365) if n % 3 == 0 or (start + n * DAY).date() in turns]
    jobs = Jobs(writer.write, clock, ZONE, without_refresh)
    for now in moments:
        await jobs.run_due(now)
    assert jobs.failures == {}
    letters = await look(lambda s: list(s.execute(select(Letter.topic_id, Letter.origin)).all()))
    assert Counter(topic for topic, _ in letters) == {one.id: 52 for one in topics.COLUMNS}
    keys = await look(lambda s: list(s.execute(select(Delivery.member_id, Delivery.key)).all()))
    greeted = Counter(member for member, key in keys if key.startswith("birthday:"))
    assert greeted == {member: 1 for member in NAMES if member != BOB}
    assert any(key.startswith("warnings:") for _, key in keys)
    closed = await look(lambda s: s.get(Activity, 1).should_attend)
    assert closed == len(NAMES) - len(FROM_ELSEWHERE) - 3  # without Bob, Charlie and Qian
