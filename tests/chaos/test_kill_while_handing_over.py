"""The process that hands batches to WeChat is killed again and again; nobody gets a letter twice."""

from __future__ import annotations

import collections
import random
import time
from pathlib import Path

from tests.chaos.batches import PEOPLE, fill, judge, report
from tests.chaos.births import Births
from tests.chaos.conftest import Telling
from tests.chaos.killing import told
from tests.chaos.platform import Shooter, served

FAILPOINTS = ("mass.after_intent", "mass.after_response")
ROUNDS = 7
PAUSED, REFUSED, AGAIN_TOO_SOON = -1, 45028, 45066


class Platform(Shooter):
    """WeChat: what it took stands in `taken` by key, and a key that it knows is answered with its first id."""

    def __init__(self, path: str, dice: random.Random) -> None:
        super().__init__(path, dice)
        self.taken: dict[str, list[str]] = {}

    def shoots(self) -> bool:
        return True

    def take(self, asked: str) -> str:
        key, people = asked.split()
        known, chance = key in self.taken, self.dice.random()
        if not known and chance < 0.15:
            return f"no {PAUSED if chance < 0.1 else REFUSED}"
        if known and chance < 0.3:
            return f"no {AGAIN_TOO_SOON}"
        self.taken.setdefault(key, people.split(","))
        return f"ok {list(self.taken).index(key)}" if chance < 0.8 else ""


def test_killed_between_request_and_outcome_nobody_gets_a_letter_twice(
    births: Births, database_url: str, tmp_path: Path, telling: Telling
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    dice = random.Random(seed)
    fill(database_url)
    with served(Platform(str(tmp_path / "platform"), dice)) as platform:
        kills = hand_over(births, database_url, platform, dice)
    words = f"seed {seed}, kills {dict(kills)}"
    states = judge(database_url, platform.taken, words)
    assert states["sent"] > PEOPLE, f"{words}: {states}"
    assert sum(kills.values()) >= ROUNDS - 2, words
    assert all(kills[name] for name in FAILPOINTS), words
    telling(told("batches", kills))


def hand_over(births: Births, url: str, platform: Platform, dice: random.Random) -> collections.Counter[str]:
    """Kill whoever hands over until everything is; how often, by what did it."""
    run, kills = f"mass {url}", collections.Counter[str]()

    def begin(failpoint: str = "") -> int:
        return births.begin(run, url, platform.path, failpoint=failpoint, what="mass", began=began)

    began = time.time()
    for number in range(ROUNDS):
        failpoint = f"{FAILPOINTS[number % 4]}:{dice.randint(1, 2)}" if number % 4 < len(FAILPOINTS) else ""
        child = begin(failpoint)
        platform.victim = None if failpoint else child
        kills[failpoint.partition(":")[0] or "platform"] += births.killed(run)
    platform.victim = None
    begin()
    assert not births.killed(run), "the last but one was to hand over all that was left"
    report(url, platform.taken)
    begin()
    assert not births.killed(run)
    return kills
