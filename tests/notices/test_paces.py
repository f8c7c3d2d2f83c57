"""Which of what is in hand goes out of which bucket."""

from __future__ import annotations

import itertools

import pytest

from db.sending import Claimed
from notices.channel import Channels, Message
from notices.decisions import Parcel
from notices.paces import Paces
from notices.pacing import Pace, Pacer

NUMBERS = itertools.count(1)


class Account:
    def __init__(self, name, pacer):
        self.name, self.pacer = name, pacer


def parcel(channel, address, *, lane=2, letter_id=None):
    row = Claimed(next(NUMBERS), 1, "key", 1, letter_id, 1, None, lane, False, channel, address, None, 0, "")
    return Parcel(row, channel, address, Message("words"), 0)


@pytest.fixture
def paces():
    """Telegram: one free message and two paid ones at this moment. The web: one."""

    def pacer(**more):
        return Pacer(Pace(1, chat_gap_s=1), clock=lambda: 1000.0, **more)

    accounts = {"telegram": Account("telegram", pacer(paid=Pace(10, slack_s=0.1))), "web": Account("web", pacer())}
    return Paces(Channels(accounts), None, lambda: 1000.0)


def test_an_empty_bucket_holds_up_no_other(paces):
    in_hand = [parcel("telegram", str(number), letter_id=1) for number in range(3)]  # to the city: paid
    in_hand += [parcel("telegram", "10"), parcel("telegram", "11", lane=0, letter_id=2)]  # both free
    in_hand += [parcel("web", "20", letter_id=1), parcel("web", "21", letter_id=1)]
    assert paces.take(in_hand, 100) == [True, True, False, True, False, True, False]


def test_a_chat_that_waits_leaves_the_bucket_to_the_next(paces):
    in_hand = [parcel("telegram", address, letter_id=1) for address in ("7", "7", "8")]
    assert paces.take(in_hand, 100) == [True, False, True]


def test_no_more_goes_out_than_may_be_under_way(paces):
    in_hand = [parcel("telegram", "1", letter_id=1), parcel("telegram", "2", letter_id=1), parcel("web", "3")]
    assert paces.take(in_hand, 2) == [True, True, False]
    assert paces.take(in_hand[2:], 0) == [False]
    assert paces.take(in_hand[2:], 1) == [True]
