"""Working days in China, around weekends, holidays and weekends that are worked."""

from __future__ import annotations

from datetime import date

import pytest

from notices.working_days import is_working_day, working_day_after, working_days_since


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 4, 17), True),  # Friday
        (date(2026, 4, 18), False),
        (date(2026, 2, 14), True),  # a Saturday, worked for the Spring Festival
        (date(2026, 2, 16), False),
        (date(2026, 10, 1), False),
    ],
)
def test_offices_keep_the_calendar_of_the_country(day, works):
    assert is_working_day(day) is works


def test_the_days_are_counted_from_the_next_one():
    thursday = date(2026, 4, 16)
    assert working_days_since(thursday, thursday) == 0
    assert working_days_since(thursday, date(2026, 4, 19)) == 1
    assert (working_days_since(thursday, date(2026, 4, 22)), working_days_since(thursday, date(2026, 4, 23))) == (
        4,
        5,
    )
    assert working_days_since(date(2026, 9, 30), date(2026, 10, 7)) == 0


def test_the_nth_working_day_and_the_count_agree():
    for count in (1, 5, 10):
        end = working_day_after(date(2026, 9, 28), count)
        assert working_days_since(date(2026, 9, 28), end) == count
        assert is_working_day(end)
