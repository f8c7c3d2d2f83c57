"""The sending process is killed again and again; in the end nothing is lost and nothing came twice."""

from __future__ import annotations

import collections
import concurrent.futures
import itertools
import os
import random
import shutil
from pathlib import Path

from tests.chaos.births import Births
from tests.chaos.conftest import PEOPLE
from tests.chaos.platform import judge, platform

FAILPOINTS = (
    "take_over.after_commit",
    "claim.after_commit",
    "send.after_intent",
    "send.after_response",
    "send.before_outcome",
)
KILLS = int(os.environ.get("HONGXIN_CHAOS_KILLS", "200"))  # over all runs; `make chaos` asks for more
AT_ONCE = 2  # runs side by side
KILLS_OF_A_RUN = 40
AT_EACH_FAILPOINT = 3  # of a run's kills


def rounds(dice: random.Random) -> list[str]:
    """What ends each child: a failpoint at its n-th time, or nothing, and then the provider kills."""
    armed = []
    for name in FAILPOINTS:
        for _ in range(AT_EACH_FAILPOINT):
            armed.append(f"{name}:{1 if name.startswith('take_over') else dice.randint(1, 3)}")
    plan = armed + [""] * (KILLS_OF_A_RUN - len(armed))
    dice.shuffle(plan)
    return plan


def one_run(run: str, births: Births, filled: Path, folder: Path) -> collections.Counter[str]:
    """Kill the sender of one letter until it is through; how often, by what did it."""
    dice = random.Random(run)
    folder.mkdir()
    database = folder / "hongxin.db"
    shutil.copy(filled, database)
    url, kills = f"sqlite:///{database}", collections.Counter[str]()
    with platform(folder, dice) as provider:
        for failpoint in rounds(dice):
            child = births.begin(run, url, provider.server_address, failpoint=failpoint)
            provider.aim(None if failpoint else child, dice.randint(1, 6))
            kills[failpoint.partition(":")[0] or "provider"] += births.killed(run)
            provider.aim(None, 0)
        births.begin(run, url, provider.server_address)
        assert not births.killed(run), "the last child was to send all that was left"
        states = judge(url, provider.accepted, f"run {run}, kills {dict(kills)}")
    assert sum(states.values()) == PEOPLE + 2  # Charlie and Qian belong to the branch, too
    assert states["failed"] <= PEOPLE / 10, f"run {run}: {states}"
    database.unlink()
    return kills


def test_many_kills_lose_nothing_and_repeat_nothing(births: Births, filled: Path, tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(10**6)
    names = (f"{seed}-{number}" for number in itertools.count())
    kills, runs = collections.Counter[str](), 0
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        while kills.total() < KILLS:  # a letter may be through before its last child dies
            runs += AT_ONCE
            assert runs <= 3 * KILLS / KILLS_OF_A_RUN + AT_ONCE, kills
            for one in pool.map(
                lambda run: one_run(run, births, filled, tmp_path / run), itertools.islice(names, AT_ONCE)
            ):
                kills += one
    assert all(kills[name] for name in FAILPOINTS), kills
