"""The pacer against a clock that the test moves: nothing is sent faster than the platform allows."""

from __future__ import annotations

import bisect
import random

import pytest

from notices.pacing import MINUTE_S, PACES, Pace, Pacer, at_most, pacer

GROUP, OTHER_GROUP = "-1001", "-1002"


class Seconds:
    """A monotonic clock."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


def run(paced, seconds, addresses, *, late_by=lambda: 0.0, **more):
    """When each message goes out if somebody looks at every ready time, a little late."""
    sent = []
    for address in addresses:
        seconds.now += paced.wait_s(address, **more) + late_by()
        while wait_s := paced.wait_s(address, **more):  # the clock rounds
            seconds.now += wait_s
        paced.take(address, **more)
        sent.append(seconds.now)
    return sent


def most_in(sent, span_s):
    """The most within any span, both its ends included."""
    return max(bisect.bisect_right(sent, at + span_s) - place for place, at in enumerate(sent))


def chats(count):
    return [f"chat{number}" for number in range(count)]


@pytest.mark.parametrize(("pace", "most"), [(PACES["telegram"], 30), (at_most(1000), 1000), (at_most(100), 100)])
def test_never_more_than_the_platform_allows_in_any_second(seconds, pace, most):
    dice = random.Random(7)
    lateness = [0, 0, 0.001, 0.02, 0.06, 0.5]
    sent = run(Pacer(pace, clock=seconds), seconds, chats(3 * most), late_by=lambda: dice.choice(lateness) / most)
    assert most - 3 <= most_in(sent, 1.0) <= most


def test_the_full_rate_is_reached_though_every_look_is_late(seconds):
    sent = run(pacer("telegram", clock=seconds), seconds, chats(291), late_by=lambda: 0.003)
    assert 9.9 < sent[-1] - sent[0] < 10.2


def test_after_a_long_silence_there_is_no_burst(seconds):
    paced = Pacer(Pace(10), clock=seconds)
    run(paced, seconds, ["a"])
    seconds.now += 3600
    sent = run(paced, seconds, chats(5))
    assert sent[-1] - sent[0] >= 0.4 - 1e-6


def test_what_leaves_later_than_it_was_taken_keeps_the_next_one_at_its_distance(seconds):
    paced = Pacer(Pace(10, 1.0), clock=seconds)
    paced.take("a")
    seconds.now += 3  # the database took its time over the intent
    paced.left("a")
    assert paced.wait_s("b") == pytest.approx(0.1)
    assert paced.wait_s("a") == pytest.approx(1.0)


def test_one_chat_gets_one_a_second_while_others_go_on(seconds):
    paced = pacer("telegram", clock=seconds)
    paced.take("a")
    assert paced.wait_s("a") == pytest.approx(1.05)
    assert paced.wait_s("b") < 0.04


def test_a_group_gets_twenty_a_minute_while_others_go_on(seconds):
    paced = pacer("telegram", clock=seconds)
    sent = run(paced, seconds, [GROUP] * 20)
    assert paced.wait_s(GROUP) == pytest.approx(sent[0] + MINUTE_S - seconds.now)
    assert paced.wait_s(OTHER_GROUP) < 0.04
    assert most_in(run(paced, seconds, [GROUP] * 50), 60.0) == 20


def test_a_reply_goes_before_the_letters_that_wait(seconds):
    paced = pacer("telegram", clock=seconds)
    paced.take("a")
    paced.waiting = 2
    gap_s = 1 / 29
    assert paced.wait_s("reply", reply=True) < gap_s
    assert paced.wait_s("letter") == pytest.approx(paced.wait_s("reply", reply=True) + 2 * gap_s)


def test_a_paid_letter_waits_for_its_own_bucket_and_for_its_chat_alone(seconds):
    paced = pacer("telegram", paid_per_s=1000, clock=seconds)
    paced.take("a")
    paced.waiting = 5
    assert paced.wait_s("b", paid=True) == 0
    assert paced.wait_s("a", paid=True) == pytest.approx(1.05)
    assert not pacer("telegram", clock=seconds).sells


def test_a_pause_only_moves_forward_and_halts_its_own_bucket(seconds):
    paced = pacer("telegram", paid_per_s=1000, clock=seconds)
    paced.pause(30, "a")
    paced.pause(5, "b")  # told later by a request that began earlier
    assert paced.paused_s("c") == paced.wait_s("c") == 30
    assert paced.paused_s("c", paid=True) == 0
    paced.pause(40, "a", paid=True)
    seconds.now += 31
    assert (paced.wait_s("c"), paced.wait_s("c", paid=True)) == (0, 9)


def test_a_pause_of_a_group_halts_this_group_alone(seconds):
    paced = pacer("telegram", clock=seconds)
    paced.pause(30, GROUP)
    assert (paced.paused_s(GROUP), paced.wait_s(GROUP)) == (30, 30)
    assert paced.wait_s(OTHER_GROUP) == paced.wait_s("a") == 0


def test_a_refused_account_is_silent_altogether(seconds):
    paced = pacer("telegram", paid_per_s=1000, clock=seconds)
    paced.halt(600)
    assert paced.wait_s("a") == paced.wait_s("a", paid=True) == 600


def test_what_holds_nothing_back_any_more_is_forgotten(seconds, monkeypatch):
    monkeypatch.setattr("notices.pacing.REMEMBERED_MAX", 3)
    paced = pacer("telegram", clock=seconds)
    paced.take("old")
    paced.take(GROUP)
    paced.pause(5, OTHER_GROUP)
    seconds.now += 2
    run(paced, seconds, chats(5))
    assert paced.wait_s("chat4") > 1
    assert (len(paced._chats), len(paced._groups), len(paced._halted)) == (5, 1, 1)
    seconds.now += 70
    run(paced, seconds, ["new"])
    assert (len(paced._chats), len(paced._groups), len(paced._halted)) == (1, 0, 0)
