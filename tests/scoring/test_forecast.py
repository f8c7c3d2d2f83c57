"""The veto forecast: so far, to go, and at this pace."""

from __future__ import annotations

from datetime import date

import pytest

from scoring.catalogue import shipped
from scoring.forecast import VetoForecast, forecast

CATALOGUE = shipped()


def seen(day: date, activities: int, founded_on: date | None = None) -> VetoForecast:
    return forecast(CATALOGUE, founded_on=founded_on, activities=activities, as_of=day)


def test_four_of_six_in_october_says_how_the_year_will_end() -> None:
    told = seen(date(2026, 10, 5), 4)
    assert (told.activities, told.needed, told.missing, told.days_left, told.expected) == (4, 6, 2, 87, 5)
    assert (told.due, told.behind, told.next_checkpoint) == (5, True, date(2026, 12, 1))


@pytest.mark.parametrize(
    ("day", "activities", "due", "behind"),
    [
        (date(2026, 6, 29), 0, 0, False),
        (date(2026, 6, 30), 2, 3, True),
        (date(2026, 6, 30), 3, 3, False),
        (date(2026, 9, 29), 3, 3, False),
        (date(2026, 9, 30), 4, 5, True),
        (date(2026, 9, 30), 5, 5, False),
        (date(2026, 12, 1), 5, 6, True),
        (date(2026, 12, 1), 6, 6, False),
    ],
)
def test_a_warning_is_due_from_each_checkpoint_on(day: date, activities: int, due: int, behind: bool) -> None:
    told = seen(day, activities)
    assert (told.due, told.behind) == (due, behind)


@pytest.mark.parametrize(
    ("founded_on", "day", "due"),
    [
        (date(2026, 4, 10), date(2026, 6, 30), 2),
        (date(2026, 8, 1), date(2026, 9, 30), 2),
        (date(2026, 10, 1), date(2026, 10, 2), 0),
        (date(2026, 12, 1), date(2026, 12, 1), 1),
        (date(2025, 12, 31), date(2026, 6, 30), 3),
    ],
)
def test_a_young_branch_is_asked_for_its_months_only(founded_on: date, day: date, due: int) -> None:
    assert seen(day, 0, founded_on).due == due


def test_the_pace_of_a_young_branch_runs_from_its_founding() -> None:
    told = seen(date(2026, 12, 1), 1, date(2026, 11, 1))
    assert (told.needed, told.expected, told.missing) == (1, 1, 0)


def test_the_first_and_the_last_day_of_the_year_have_a_forecast() -> None:
    first, last = seen(date(2026, 1, 1), 0), seen(date(2026, 12, 31), 6)
    assert (first.days_left, first.expected, first.next_checkpoint) == (364, 0, date(2026, 6, 30))
    assert (last.days_left, last.expected, last.next_checkpoint) == (0, 6, None)


@pytest.mark.parametrize(
    ("day", "activities", "founded_on", "expected"),
    [
        (date(2026, 1, 1), 1, None, 365),
        (date(2026, 1, 2), 1, None, 182),
        (date(2026, 1, 31), 1, None, 11),
        (date(2026, 3, 1), 2, date(2026, 3, 1), 612),
        (date(2026, 2, 1), 0, date(2026, 3, 1), 0),
    ],
)
def test_the_pace_counts_today_and_begins_with_the_year_or_the_branch(
    day: date, activities: int, founded_on: date | None, expected: int
) -> None:
    assert seen(day, activities, founded_on).expected == expected


@pytest.mark.parametrize(
    ("day", "coming"),
    [
        (date(2026, 6, 29), date(2026, 6, 30)),
        (date(2026, 6, 30), date(2026, 9, 30)),
        (date(2026, 9, 30), date(2026, 12, 1)),
        (date(2026, 11, 30), date(2026, 12, 1)),
        (date(2026, 12, 1), None),
    ],
)
def test_on_the_day_of_a_checkpoint_the_next_one_is_announced(day: date, coming: date | None) -> None:
    assert seen(day, 0).next_checkpoint == coming
