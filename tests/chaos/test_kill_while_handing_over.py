"""The process that hands batches to WeChat is killed again and again; nobody gets a letter twice."""

from __future__ import annotations

import collections
import contextlib
import os
import random
import signal
import socketserver
import threading
import time
from pathlib import Path

from tests.chaos.batches import PEOPLE, fill, judge, report
from tests.chaos.births import Births

FAILPOINTS = ("mass.after_intent", "mass.after_response")
ROUNDS = 7
PAUSED, REFUSED, AGAIN_TOO_SOON = -1, 45028, 45066


class Platform(socketserver.ThreadingUnixStreamServer):
    """WeChat: what it took stands in `taken` by key, and a key that it knows is answered with its first id.

    It kills its client around some requests: before it takes the batch, after that, or after its answer.
    """

    daemon_threads = True

    def __init__(self, path: str, dice: random.Random) -> None:
        super().__init__(path, Answering)
        self.path = path
        self.dice = dice
        self.taken: dict[str, list[str]] = {}
        self.refused: set[str] = set()
        self.lock = threading.Lock()
        self.victim: int | None = None

    def shoot(self) -> None:
        if self.victim is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.victim, signal.SIGKILL)
            self.victim = None


class Answering(socketserver.StreamRequestHandler):
    server: Platform

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError, ValueError):
            key, people = self.rfile.readline().decode().split()
            with self.server.lock:
                self.answer(key, people.split(","))

    def answer(self, key: str, people: list[str]) -> None:
        platform, dice = self.server, self.server.dice
        moment = dice.choice(["before", "between", "after"])
        if moment == "before":
            platform.shoot()
        known, chance = key in platform.taken, dice.random()
        if not known and chance < 0.15:
            said = f"no {PAUSED if chance < 0.1 else REFUSED}"
        elif known and chance < 0.3:
            said = f"no {AGAIN_TOO_SOON}"
        else:
            platform.taken.setdefault(key, people)
            said = f"ok {list(platform.taken).index(key)}" if chance < 0.8 else ""
        if moment == "between":
            platform.shoot()
        self.wfile.write(f"{said}\n".encode() if said else b"")
        self.wfile.flush()
        if moment == "after":
            platform.shoot()


def test_killed_between_request_and_outcome_nobody_gets_a_letter_twice(
    births: Births, database_url: str, tmp_path: Path
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    dice = random.Random(seed)
    fill(database_url)
    platform = Platform(str(tmp_path / "platform"), dice)
    serving = threading.Thread(target=platform.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    try:
        kills = hand_over(births, database_url, platform, dice)
    finally:
        platform.shutdown()
        serving.join()
        platform.server_close()
    told = f"seed {seed}, kills {dict(kills)}"
    states = judge(database_url, platform.taken, told)
    assert states["sent"] > PEOPLE, f"{told}: {states}"
    assert sum(kills.values()) >= ROUNDS - 2, told
    assert all(kills[name] for name in FAILPOINTS), told


def hand_over(births: Births, url: str, platform: Platform, dice: random.Random) -> collections.Counter[str]:
    """Kill whoever hands over until everything is; how often, by what did it."""
    run, kills = f"mass {url}", collections.Counter[str]()

    def begin(failpoint: str = "") -> int:
        return births.begin(run, url, platform.path, failpoint=failpoint, mass=True, began=began)

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
