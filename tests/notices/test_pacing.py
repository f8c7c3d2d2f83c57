"""The pacer against a clock that the test moves: nothing is sent faster than the platform allows."""

from __future__ import annotations

import random
from datetime import timedelta

from notices.pacing import Pace, Pacer
from tests.cast import NOON

SECOND = timedelta(seconds=1)


def run(pacer, addresses, *, late_by=lambda: timedelta(0)):
    """When each message goes out if somebody looks at every ready time, a little late."""
    now, sent = NOON, []
    for address in addresses:
        now = pacer.ready_at(address, now) + late_by()
        pacer.take(address, now)
        sent.append(now)
    return sent


def most_in_a_second(sent):
    return max(sum(1 for other in sent if at <= other < at + SECOND) for at in sent)


def test_never_more_than_thirty_in_any_second():
    dice = random.Random(7)
    sent = run(
        Pacer(Pace(29, 1.0)),
        [f"chat{n}" for n in range(300)],
        late_by=lambda: timedelta(milliseconds=dice.choice([0, 0, 1, 20, 60])),
    )
    assert most_in_a_second(sent) <= 30


def test_the_full_rate_is_reached():
    sent = run(Pacer(Pace(29, 1.0)), [f"chat{n}" for n in range(291)])
    assert timedelta(seconds=9.9) < sent[-1] - sent[0] < timedelta(seconds=10.1)


def test_after_a_long_silence_there_is_no_burst():
    pacer = Pacer(Pace(10))
    run(pacer, ["a"])
    now, sent = NOON + timedelta(hours=1), []
    for number in range(5):
        now = pacer.ready_at(f"chat{number}", now)
        pacer.take(f"chat{number}", now)
        sent.append(now)
    assert sent[-1] - sent[0] >= timedelta(seconds=0.3)


def test_one_chat_gets_one_a_second_while_others_go_on():
    pacer = Pacer(Pace(29, 1.0))
    pacer.take("a", NOON)
    assert pacer.ready_at("a", NOON) == NOON + SECOND
    assert pacer.ready_at("b", NOON) < NOON + timedelta(milliseconds=40)


def test_a_pause_only_moves_forward():
    pacer = Pacer(Pace(29, 1.0))
    pacer.pause(NOON + 30 * SECOND)
    pacer.pause(NOON + 5 * SECOND)  # told later by a request that began earlier
    assert pacer.ready_at("a", NOON) == NOON + 30 * SECOND
    pacer.pause(NOON + 31 * SECOND)
    assert pacer.ready_at("a", NOON) == NOON + 31 * SECOND
    assert pacer.ready_at("a", NOON + 40 * SECOND) == NOON + 40 * SECOND
