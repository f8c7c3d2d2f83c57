"""Every task of the table after outages, through leap days, month ends and zones: exactly what it declares."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.jobs import JOBS
from db import occurrences
from notices.schedule import ON_TIME, Plan, Task, plan, run_due
from tests.conftest import ZONE

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OUTAGES = (MINUTE, HOUR, DAY, 10 * DAY, 100 * DAY)
TASKS = [job for job in JOBS if isinstance(job, Task)]
DOWN_AT = datetime(2027, 12, 25, 0, 0, 30, tzinfo=UTC)  # a year's end and a 29 February lie in a hundred days

WRITTEN_DOWN = {
    "once": {
        *(f"topic:{one}" for one in ("superior_spirit", "party_constitution", "law_corner", "member_focus")),
        *("topic:current_affairs", "observed", "appraisal_propose", "warnings", "pool", "declarations_due"),
        *(
            "declarations_waiting",
            "dues_reminders",
            "duties",
            "economy_reminders",
            "index_day_end",
            "index_refresh",
        ),
        *("index_year_end", "clear_away"),
    },
    "all": {"birthdays", "appeals_undecided"},
    "skip": {"group_topics"},
}


def instants(cron: str, after: datetime, until: datetime) -> list[datetime]:
    """Every instant of a cron line in (after, until], found by looking at each minute: no library, no trigger."""
    minute, hour, days, months, weekdays = (_wanted(part) for part in cron.split())
    found, now = [], after.replace(second=0, microsecond=0) + MINUTE
    while now <= until:
        here = now.astimezone(ZONE)
        fits = (here.minute in minute, here.hour in hour, here.day in days, here.month in months)
        if all(fits) and f"{here:%a}".lower() in weekdays:
            found.append(now)
        now += MINUTE if here.minute in minute or len(minute) > 1 else MINUTE * ((min(minute) - here.minute) % 60)
    return found


class _Any:
    def __contains__(self, _: object) -> bool:
        return True

    def __len__(self) -> int:
        return 60


def _wanted(part: str):
    if part == "*":
        return _Any()
    wanted: set = set()
    for piece in part.split(","):
        first, _, last = piece.partition("-")
        wanted |= set(range(int(first), int(last or first) + 1)) if first.isdigit() else {piece}
    return wanted


def test_what_becomes_of_every_task_after_an_outage_is_written_down():
    assert {policy: {one.name for one in TASKS if one.policy == policy} for policy in WRITTEN_DOWN} == WRITTEN_DOWN


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_every_task_does_exactly_what_it_declares_after_every_outage(task):
    missed = instants(task.cron, DOWN_AT, DOWN_AT + OUTAGES[-1])
    for outage in OUTAGES:
        now = DOWN_AT + outage
        found = plan(task, DOWN_AT, now, ZONE)
        gone = [one for one in missed if one <= now]
        grace = task.grace or (ON_TIME if task.policy == "skip" else timedelta.max)
        kept = [one for one in gone if now - one <= grace]
        expected = kept[-1:] if task.policy == "once" else kept
        assert list(found.run) == expected, outage
        assert list(found.skipped) == [one for one in gone if one not in expected], outage
        assert found.then is None or found.then > now
    assert missed or task.cron.split()[3] != "*", "a hundred days without an instant prove little"


def test_a_hundred_days_are_planned_in_less_than_a_second_of_work():
    hourly = Task("hourly", "5 * * * *", lambda session, moment: None, "all")
    assert len(plan(hourly, DOWN_AT, DOWN_AT + 100 * DAY, ZONE).run) == 2400


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Pacific/Kiritimati"])
def test_day_after_day_every_task_keeps_the_wall_clock_of_its_zone(zone):
    here = ZoneInfo(zone)
    start = datetime(2028, 2, 1, tzinfo=UTC)  # a leap year; the clocks of Berlin and New York go on in March
    for task in TASKS:
        ran, last = [], start
        for n in range(1, 62):
            found = plan(task, last, start + n * DAY, here)
            ran += [*found.run, *found.skipped]
            last = max([last, *found.run, *found.skipped])
        whole = plan(task, start, start + 61 * DAY, here)
        assert sorted(ran) == sorted([*whole.run, *whole.skipped]), task.name  # none twice, none lost
        hour = task.cron.split()[1]
        if hour.isdigit():
            assert {one.astimezone(here).hour for one in ran} <= {int(hour)}, task.name


def test_month_ends_and_the_leap_day_come_when_the_calendar_has_them():
    last_day = Task("last", "0 9 29 2 *", lambda session, moment: None, "all")
    found = plan(last_day, datetime(2026, 1, 1, tzinfo=UTC), datetime(2033, 1, 1, tzinfo=UTC), ZONE)
    assert [one.astimezone(ZONE).date() for one in found.run] == [date(2028, 2, 29), date(2032, 2, 29)]
    thirty_first = Task("end", "0 9 31 * *", lambda session, moment: None, "all")
    found = plan(thirty_first, datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC), ZONE)
    assert [one.astimezone(ZONE).month for one in found.run] == [1, 3, 5, 7, 8, 10, 12]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_steps_of_the_clock_run_every_instant_of_every_task_once(look):
    """Forwards by minutes, hours, days; backwards in between; a restart at every step."""
    ran = []

    def noting(task):
        return Task(task.name, task.cron, lambda _, moment: ran.append((task.name, moment.scheduled_for)), "all")

    daily = [noting(task) for task in TASKS if task.cron.split()[1].isdigit()]
    now, steps = DOWN_AT, (MINUTE, HOUR, -HOUR, DAY, -DAY, 3 * DAY, -2 * DAY, -timedelta(seconds=1), 10 * DAY)
    await look(lambda s: run_due(s, daily, now, ZONE))
    latest = now
    for step in steps:
        now += step
        latest = max(latest, now)
        await look(lambda s, now=now: run_due(s, daily, now, ZONE))
    expected = {(task.name, at) for task in daily for at in instants(task.cron, DOWN_AT, latest)}
    assert len(ran) == len(set(ran))
    assert set(ran) == expected
    states = await look(lambda s: {row.state for task in daily for row in occurrences.recorded(s, task.name)})
    assert states == {"begun", "done"}
    assert plan(daily[0], latest, latest - DAY, ZONE) == Plan()
