"""One letter (or whatever else waits) sent by one child after the other, each of which is killed."""

from __future__ import annotations

import collections
import concurrent.futures
import itertools
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

from tests.chaos.births import Births
from tests.chaos.orders import What
from tests.chaos.platform import platform

FAILPOINTS = (
    "take_over.after_commit",
    "claim.after_commit",
    "send.after_intent",
    "send.after_response",
    "send.before_outcome",
)
KILLS = int(os.environ.get("HONGXIN_CHAOS_KILLS", "200"))  # over all runs; `make chaos` asks for more
AT_ONCE = 2  # runs side by side
Kills = collections.Counter[str]
Judge = Callable[[str, list[str], str], None]
"""Given the database's URL, what the platform took, and words for a failure."""


def rounds(dice: random.Random, kills: int, at_each: int) -> list[str]:
    """What ends each child: a failpoint at its n-th time, or nothing, and then the platform kills."""
    armed = []
    for name in FAILPOINTS:
        for _ in range(at_each):
            armed.append(f"{name}:{1 if name.startswith('take_over') else dice.randint(1, 3)}")
    plan = armed + [""] * (kills - len(armed))
    dice.shuffle(plan)
    return plan


class Killing:
    """Runs of one kind. filled: the file that each begins with. kills: of a run; at_each: of them at each failpoint."""

    def __init__(
        self, births: Births, filled: Path, judge: Judge, *, kills: int, at_each: int, what: What = "letters"
    ) -> None:
        self._births = births
        self._filled = filled
        self._judge = judge
        self._kills = kills
        self._at_each = at_each
        self._what = what

    def many(self, folder: Path, total: int) -> Kills:
        """Runs until there were so many kills; how often, by what did it."""
        seed = random.SystemRandom().randrange(10**6)
        names = (f"{self._what}-{seed}-{number}" for number in itertools.count())
        done, runs = Kills(), 0
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            while done.total() < total:  # everything may be through before the last child dies
                runs += AT_ONCE
                assert runs <= 3 * total / self._kills + AT_ONCE, done
                for one in pool.map(lambda run: self.run(run, folder / run), itertools.islice(names, AT_ONCE)):
                    done += one
        assert all(done[name] for name in FAILPOINTS), done
        return done

    def run(self, run: str, folder: Path) -> Kills:
        """Kill the sender until everything is through; how often, by what did it."""
        dice = random.Random(run)
        folder.mkdir()
        database = folder / "hongxin.db"
        shutil.copy(self._filled, database)
        url, done = f"sqlite:///{database}", Kills()
        with platform(folder, dice) as provider:
            for failpoint in rounds(dice, self._kills, self._at_each):
                child = self._births.begin(run, url, provider.path, failpoint=failpoint, what=self._what)
                provider.aim(None if failpoint else child, dice.randint(1, 6))
                done[failpoint.partition(":")[0] or "provider"] += self._births.killed(run)
                provider.aim(None, 0)
            self._births.begin(run, url, provider.path, what=self._what)
            assert not self._births.killed(run), "the last child was to send all that was left"
            self._judge(url, provider.accepted, f"run {run}, kills {dict(done)}")
        database.unlink()
        return done


def told(what: str, kills: Kills) -> str:
    """The kills in words, by what did it."""
    return f"{what}: {kills.total()} kills, " + ", ".join(f"{name} {kills[name]}" for name in sorted(kills))
