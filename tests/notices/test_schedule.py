"""Planning: what is due after an outage, a clock that steps, and a first start."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from db import occurrences
from notices.schedule import ON_TIME, Moment, Plan, Task, next_after, plan, run_due

ZONE = ZoneInfo("Asia/Shanghai")
NINE = datetime(2026, 6, 15, 1, 0, tzinfo=UTC)  # 09:00 on Monday 15 June 2026 in Shanghai
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def task(policy="once", cron="0 9 * * *", run=lambda session, moment: None, grace=None):
    return Task("daily", cron, run, policy, grace)


def due_after(outage, policy, cron="0 9 * * *", grace=None):
    """The plan of a service that ran last at nine and is away for `outage` from then on."""
    return plan(task(policy, cron, grace=grace), NINE, NINE + outage, ZONE)


def test_an_instant_is_due_from_its_second_on():
    before = NINE - HOUR
    assert plan(task(), before, NINE - timedelta(microseconds=1), ZONE) == Plan()
    assert plan(task(), before, NINE, ZONE) == Plan(run=(NINE,))


@pytest.mark.parametrize(
    ("outage", "ran", "skipped"),
    [
        (MINUTE, 0, 0),
        (HOUR, 0, 0),
        (DAY, 1, 0),
        (DAY + ON_TIME, 1, 0),
        (DAY + ON_TIME + timedelta(seconds=1), 0, 1),
        (10 * DAY, 1, 9),
        (10 * DAY + HOUR, 0, 10),
        (100 * DAY + HOUR, 0, 100),
    ],
)
def test_skip_makes_up_for_nothing(outage, ran, skipped):
    found = due_after(outage, "skip")
    assert (len(found.run), len(found.skipped)) == (ran, skipped)


@pytest.mark.parametrize(("days", "skipped"), [(1, 0), (10, 9), (100, 99)])
def test_once_runs_the_latest_missed_instant_and_counts_the_others(days, skipped):
    found = due_after(days * DAY + HOUR, "once")
    assert found.run == (NINE + days * DAY,)
    assert len(found.skipped) == skipped


@pytest.mark.parametrize("days", [1, 10, 100])
def test_all_runs_every_missed_instant_in_order(days):
    found = due_after(days * DAY + HOUR, "all")
    assert found.run == tuple(NINE + (n + 1) * DAY for n in range(days))
    assert found.skipped == ()


def test_a_grace_bounds_how_late_all_may_be_to_the_second():
    late = 10 * DAY
    assert len(due_after(late, "all", grace=3 * DAY).run) == 4  # the instant three days ago to the second, too
    assert len(due_after(late + timedelta(seconds=1), "all", grace=3 * DAY).run) == 3
    assert len(due_after(late, "all", grace=3 * DAY).skipped) == 6


def test_once_with_a_grace_gives_up_what_is_too_late():
    assert due_after(DAY + HOUR, "once", grace=HOUR).run == (NINE + DAY,)
    assert due_after(DAY + HOUR + timedelta(seconds=1), "once", grace=HOUR).run == ()


def test_weekdays_are_named_and_mean_what_they_say():
    monday = task(cron="30 9 * * mon")
    assert next_after(monday, NINE, ZONE) == NINE + 30 * MINUTE  # 15 June 2026 is a Monday
    for wrong in ("30 9 * * 1", "30 9 * *", "* * * * * *"):
        with pytest.raises(ValueError, match="five cron fields"):
            task(cron=wrong)


def test_a_daily_task_keeps_its_wall_clock_through_summer_time():
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
    first = next_after(task(), start, berlin)
    second = next_after(task(), first, berlin)
    assert [first.hour, second.hour] == [7, 7]  # 09:00 is 07:00 UTC from 29 March on
    assert next_after(task(), start - DAY, berlin).hour == 8


def test_every_hour_of_a_hundred_days_is_accounted_for():
    found = due_after(100 * DAY, "once", cron="7 * * * *")
    assert (len(found.run), len(found.skipped)) == (1, 2399)


async def recorded(look):
    rows = await look(lambda s: [(r.scheduled_for, r.state) for r in occurrences.recorded(s, "daily")])
    return [(at, state) for at, state in rows if state != "begun"]


async def test_nothing_is_due_for_the_time_before_the_first_start(look):
    ran = []
    tasks = [task("all", run=lambda session, moment: ran.append(moment))]
    assert await look(lambda s: run_due(s, tasks, NINE + HOUR)) == 0
    assert await look(lambda s: run_due(s, tasks, NINE + DAY)) == 1
    assert ran == [Moment(NINE + DAY, NINE + DAY, ZONE)]


async def test_a_service_first_started_on_the_instant_runs_it(look):
    assert await look(lambda s: run_due(s, [task()], NINE)) == 1


@pytest.mark.parametrize("step", [timedelta(seconds=1), HOUR, DAY])
async def test_a_clock_that_steps_backwards_repeats_nothing(look, step):
    ran = Counter()
    tasks = [task("all", run=lambda session, moment: ran.update([moment.scheduled_for]))]
    for now in (NINE - HOUR, NINE, NINE - step, NINE, NINE + step, NINE, NINE + DAY):
        await look(lambda s, now=now: run_due(s, tasks, now))
    assert ran == {NINE: 1, NINE + DAY: 1}


async def test_two_processes_run_an_instant_once(look):
    ran = []
    tasks = [task(run=lambda session, moment: ran.append(moment.scheduled_for))]
    await look(lambda s: run_due(s, tasks, NINE - HOUR))
    for _ in range(2):
        await look(lambda s: run_due(s, tasks, NINE))
    assert ran == [NINE]
    assert await recorded(look) == [(NINE, "done")]


async def test_every_skipped_instant_is_recorded(look):
    await look(lambda s: run_due(s, [task()], NINE))
    await look(lambda s: run_due(s, [task()], NINE + 3 * DAY))
    assert await recorded(look) == [
        (NINE, "done"),
        (NINE + DAY, "skipped"),
        (NINE + 2 * DAY, "skipped"),
        (NINE + 3 * DAY, "done"),
    ]


async def test_a_task_that_fails_leaves_no_row_and_is_due_again(look):
    def fail(session, moment):
        raise RuntimeError("broken")

    await look(lambda s: run_due(s, [task()], NINE - HOUR))
    with pytest.raises(RuntimeError, match="broken"):
        await look(lambda s: run_due(s, [task(run=fail)], NINE))
    assert await recorded(look) == []
    assert await look(lambda s: run_due(s, [task()], NINE)) == 1


async def test_clearing_away_keeps_the_last_occurrence_of_a_task(look):
    await look(lambda s: run_due(s, [task("all")], NINE))
    await look(lambda s: run_due(s, [task("all")], NINE + 3 * DAY))
    assert await look(lambda s: occurrences.forget(s, NINE + 100 * DAY)) == 4  # three instants and the beginning
    assert await recorded(look) == [(NINE + 3 * DAY, "done")]
    assert await look(lambda s: run_due(s, [task("all")], NINE + 4 * DAY)) == 1
