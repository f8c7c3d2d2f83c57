"""How many customer messages a person may still get in WeChat."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from notices import quotas
from notices.quotas import heard, left, left_for, opened

NOON = datetime.fromisoformat("2026-06-15T04:00:00+00:00")
TICK = timedelta(microseconds=1)


@dataclass
class Chat:
    """What is remembered of a chat."""

    window_kind: str | None = None
    window_opened_at: datetime | None = None
    window_sent: int = 0


@pytest.mark.parametrize(
    ("event_kind", "count", "seconds"),
    [
        ("text", 5, 172_800),
        ("voice", 5, 172_800),
        ("image", 5, 172_800),
        ("button", 3, 60),
        ("scan", 3, 60),
        ("follow", 3, 60),
    ],
)
def test_each_act_opens_its_window_until_it_closes(event_kind: str, count: int, seconds: int) -> None:
    window = opened(event_kind, NOON)
    closes_at = NOON + timedelta(seconds=seconds)
    assert left([window], 0, NOON) == count
    assert left([window], 0, closes_at - TICK) == count
    assert left([window], 0, closes_at) == 0
    assert left([window], 0, NOON - TICK) == 0


@pytest.mark.parametrize("event_kind", ["unfollow", "location", "other", "unheard_of"])
def test_other_acts_open_none(event_kind: str) -> None:
    assert opened(event_kind, NOON) is None


@pytest.mark.parametrize(("sent", "remaining"), [(0, 5), (4, 1), (5, 0), (6, 0)])
def test_what_was_sent_is_taken_off(sent: int, remaining: int) -> None:
    assert left([opened("text", NOON)], sent, NOON) == remaining


def test_of_several_windows_the_widest_counts() -> None:
    windows = [opened("button", NOON), None, opened("text", NOON - timedelta(hours=1))]
    assert left(windows, 0, NOON) == 5
    assert left([], 0, NOON) == 0


def test_a_message_after_a_click_widens_the_window() -> None:
    chat = Chat()
    heard(chat, "button", NOON)
    chat.window_sent = 1
    assert left_for(chat, NOON) == 2
    heard(chat, "text", NOON + timedelta(seconds=30))
    assert (chat.window_kind, left_for(chat, NOON + timedelta(minutes=2))) == ("message", 5)


@pytest.mark.parametrize(("sent", "kind", "remaining"), [(1, "message", 4), (2, "message", 3), (3, "click", 3)])
def test_a_click_after_a_message_counts_only_when_it_leaves_more(sent: int, kind: str, remaining: int) -> None:
    chat = Chat()
    heard(chat, "text", NOON)
    chat.window_sent = sent
    at = NOON + timedelta(hours=1)
    heard(chat, "button", at)
    assert (chat.window_kind, left_for(chat, at)) == (kind, remaining)


def test_a_click_after_the_message_has_lapsed_opens_its_own_window() -> None:
    chat = Chat()
    heard(chat, "text", NOON)
    at = NOON + timedelta(hours=48)
    heard(chat, "button", at)
    assert (chat.window_kind, left_for(chat, at), left_for(chat, at + timedelta(seconds=60))) == ("click", 3, 0)


def test_a_second_message_begins_anew() -> None:
    chat = Chat()
    heard(chat, "text", NOON)
    chat.window_sent = 5
    heard(chat, "text", NOON + timedelta(minutes=1))
    assert left_for(chat, NOON + timedelta(minutes=1)) == 5


def test_who_leaves_can_be_sent_nothing() -> None:
    chat = Chat()
    heard(chat, "text", NOON)
    heard(chat, "unfollow", NOON)
    assert (chat.window_kind, left_for(chat, NOON)) == (None, 0)


def test_an_act_that_opens_nothing_leaves_the_window_alone() -> None:
    chat = Chat()
    heard(chat, "text", NOON)
    chat.window_sent = 2
    heard(chat, "location", NOON + timedelta(hours=1))
    assert left_for(chat, NOON + timedelta(hours=1)) == 3


def test_a_window_of_a_kind_that_is_gone_counts_nothing() -> None:
    assert left_for(Chat("payment", NOON), NOON) == 0


def test_every_quota_names_its_source_and_day() -> None:
    for quota in quotas.quotas().values():
        assert quota.source
        assert quota.checked.year >= 2026
