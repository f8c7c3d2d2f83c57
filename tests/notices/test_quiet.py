"""Quiet hours, second by second, at home and abroad."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from notices.quiet import until

HOME, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")


def at(text: str, zone: ZoneInfo = HOME) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-06-15T21:29:59", None),
        ("2026-06-15T21:30:00", "2026-06-16T07:30:00"),
        ("2026-06-15T23:59:59", "2026-06-16T07:30:00"),
        ("2026-06-16T00:00:00", "2026-06-16T07:30:00"),
        ("2026-06-16T07:29:59", "2026-06-16T07:30:00"),
        ("2026-06-16T07:30:00", None),
        ("2026-06-15T12:00:00", None),
        ("2026-12-31T22:00:00", "2027-01-01T07:30:00"),
    ],
)
def test_the_city_is_quiet_from_half_past_nine_to_half_past_seven(now, end):
    assert until(at(now), HOME) == (at(end) if end else None)


def test_own_hours_replace_those_of_the_city():
    evening, morning = 20 * 60, 9 * 60
    assert until(at("2026-06-15T20:00:00"), HOME, evening, morning) == at("2026-06-16T09:00:00")
    assert until(at("2026-06-15T19:59:59"), HOME, evening, morning) is None
    assert until(at("2026-06-16T08:59:59"), HOME, evening, morning) == at("2026-06-16T09:00:00")


def test_own_hours_may_lie_within_one_day():
    noon, two = 12 * 60, 14 * 60
    assert until(at("2026-06-15T11:59:59"), HOME, noon, two) is None
    assert until(at("2026-06-15T12:00:00"), HOME, noon, two) == at("2026-06-15T14:00:00")
    assert until(at("2026-06-15T14:00:00"), HOME, noon, two) is None
    assert until(at("2026-06-15T23:00:00"), HOME, noon, two) is None


def test_the_same_minute_twice_means_no_quiet_hours():
    assert until(at("2026-06-15T03:00:00"), HOME, 0, 0) is None


def test_abroad_the_night_is_the_local_one():
    now = at("2026-06-15T12:00:00")  # midnight in New York
    assert until(now, HOME) is None
    assert until(now, NEW_YORK) == at("2026-06-15T07:30:00", NEW_YORK)
    assert until(at("2026-06-15T22:00:00"), NEW_YORK) is None  # ten in the morning there


def test_the_night_in_which_the_clocks_change_ends_at_the_wall_clock():
    night = at("2026-10-31T22:00:00", NEW_YORK)  # at two o'clock the clocks go back by an hour
    end = until(night, NEW_YORK)
    assert end == at("2026-11-01T07:30:00", NEW_YORK)
    assert (end - night).total_seconds() == 10.5 * 3600
