"""Two senders on PostgreSQL: killed, stopped past their lease, cut off, and their server restarted under them."""

from __future__ import annotations

import collections
import contextlib
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from bot.private_postgresql import Cluster, private_postgresql
from notices.delivery import CONTEND_S
from notices.lease import BEAT_S, TAKEOVER_S
from tests.chaos.births import Births
from tests.chaos.conftest import Telling
from tests.chaos.platform import fill, judge, platform
from tests.chaos.proxy import SENT_TO, CuttingProxy
from tests.databases import fill as fill_cast
from tests.day.service import alive

HEART_S = 0.15  # so a lease is held for 0.45 s, and followed after 0.9 s
SPAN_S = float(os.environ.get("HONGXIN_CHAOS_S", "8"))
PEOPLE = int(75 * SPAN_S)  # at 60 a second more than can be sent while there is trouble
TROUBLES = ("kill", "stop", "restart")


class Two:
    """The two, each begun again whenever it has ended."""

    def __init__(self, births: Births, url: str, path: str) -> None:
        self._births, self._url, self._path = births, url, path
        self.pids = {run: self._begin(run) for run in ("one", "two")}

    def _begin(self, run: str) -> int:
        return self._births.begin(run, self._url, self._path, beat_s=HEART_S)

    def kill(self, run: str) -> None:
        """SIGKILL, and another in its place."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pids[run], signal.SIGKILL)
        self._births.killed(run)
        self.pids[run] = self._begin(run)

    def stop_for(self, run: str, span_s: float) -> None:
        """It stands still, and then goes on as if nothing had been."""
        os.kill(self.pids[run], signal.SIGSTOP)
        time.sleep(span_s)
        os.kill(self.pids[run], signal.SIGCONT)

    def end(self) -> None:
        """Wait until both have found that nothing is left."""
        for run in self.pids:
            assert not self._births.killed(run)


def sends(url: str) -> int | None:
    """The process that holds the accounts; None while the server is away."""
    with contextlib.suppress(psycopg.Error), psycopg.connect(url) as connection:
        row = connection.execute("SELECT owner FROM sender").fetchone()
        return int(row[0].split("/")[1]) if row and row[0] else None
    return None


@pytest.mark.postgres
def test_two_senders_under_every_trouble_lose_nothing_and_repeat_nothing(
    births: Births, tmp_path: Path, telling: Telling
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    dice = random.Random(seed)
    done: collections.Counter[str] = collections.Counter()
    replaced_s: list[float] = []
    with private_postgresql("fsync=off") as server, platform(tmp_path, dice) as provider:
        fill_cast(server.url)
        fill(server.url, PEOPLE)
        proxy = CuttingProxy(str(server.socket), dice, chance=0.01)
        through = f"postgresql://hongxin@{SENT_TO}:{proxy.port}/postgres?gssencmode=disable&sslmode=disable"
        two = Two(births, through, provider.server_address)
        until = time.monotonic() + SPAN_S
        while time.monotonic() < until:
            time.sleep(dice.uniform(0.2, 0.6))
            trouble = dice.choice(TROUBLES)
            done[trouble] += 1
            _make(trouble, two, server, dice, replaced_s)
        proxy.chance = 0
        two.end()
        proxy.close()
        done["cut"] = proxy.cuts
        states = judge(server.url, provider.accepted, f"seed {seed}, {dict(done)}")
    ends = ", ".join(f"{one:.2f}" for one in sorted(replaced_s))
    telling(f"troubles {dict(done)}; replaced after {ends} s; {dict(states)}")
    assert all(done[one] for one in (*TROUBLES, "cut")), done
    assert replaced_s, "the sender itself was among the killed and stopped"


def _make(trouble: str, two: Two, server: Cluster, dice: random.Random, replaced_s: list[float]) -> None:
    if trouble == "restart":
        server.restart("immediate")
        return
    owner = sends(server.url)
    run = next((one for one, pid in two.pids.items() if pid == owner), dice.choice(tuple(two.pids)))
    if trouble == "stop":
        two.stop_for(run, dice.uniform(0.3, 2.0))
        return
    began = time.monotonic()
    two.kill(run)
    if owner is not None:
        _wait(lambda: sends(server.url) not in (owner, None))
        replaced_s.append(time.monotonic() - began)


def _wait(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < until, "nobody has followed"
        time.sleep(0.02)


@pytest.mark.postgres
def test_a_sender_that_stands_still_is_followed_within_thirty_seconds(
    births: Births, tmp_path: Path, telling: Telling
) -> None:
    """With the spans of the service, but quicker: what is measured is how many heartbeats it takes."""
    worst_s = TAKEOVER_S + BEAT_S + CONTEND_S + 1
    assert worst_s < 30
    dice = random.Random(1)
    with private_postgresql("fsync=off") as server, platform(tmp_path, dice) as provider:
        fill_cast(server.url)
        fill(server.url, 300)
        two = Two(births, server.url, provider.server_address)
        _wait(lambda: sends(server.url) in two.pids.values())
        owner = sends(server.url)
        assert owner is not None
        began = time.monotonic()
        os.kill(owner, signal.SIGSTOP)
        _wait(lambda: sends(server.url) != owner)
        took = time.monotonic() - began
        assert alive(owner)
        os.kill(owner, signal.SIGCONT)
        two.end()
        judge(server.url, provider.accepted, "one stop")
    telling(f"followed after {took / HEART_S:.1f} heartbeats, in the service {took / HEART_S * BEAT_S:.0f} s")
    assert took / HEART_S * BEAT_S < 30
