"""Two senders on PostgreSQL: killed, stopped past their lease, cut off, and their server restarted under them."""

from __future__ import annotations

import collections
import contextlib
import os
import random
import signal
import time
from pathlib import Path

import psycopg
import pytest

from bot.private_postgresql import Cluster, private_postgresql
from notices.delivery import CONTEND_S
from notices.lease import BEAT_S, TAKEOVER_S
from tests.chaos.births import Births, wait
from tests.chaos.conftest import Telling
from tests.chaos.platform import Provider, fill, judge, platform
from tests.chaos.proxy import SENT_TO, CuttingProxy
from tests.databases import fill as fill_cast
from tests.databases import postgresql_copy
from tests.day.service import alive

HEART_S = 0.15  # so a lease is held for 0.45 s, and followed after 0.9 s
HEARTS = 6  # without one before it is followed
SPAN_S = float(os.environ.get("HONGXIN_CHAOS_S", "0"))  # at least; `make chaos` asks for more
TROUBLES = ("kill", "stop", "restart")
OF_EACH = 3  # at least
PEOPLE = int(300 + 10 * SPAN_S)  # what can be sent meanwhile: 14/s were seen, with a trouble each second


class Two:
    """The two, each begun again whenever it was killed; they stay until `end`."""

    def __init__(self, births: Births, url: str, provider: Provider) -> None:
        self._births, self._url, self._path = births, url, provider.path
        self._stay = Path(provider.path + ".stay")
        self._stay.touch()
        self.pids = {run: self._begin(run) for run in ("one", "two")}

    def _begin(self, run: str) -> int:
        return self._births.begin(run, self._url, self._path, beat_s=HEART_S, stay=str(self._stay))

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
        self._stay.unlink()
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
    plan = [*TROUBLES] * OF_EACH
    dice.shuffle(plan)
    done: collections.Counter[str] = collections.Counter()
    replaced_s: list[float] = []
    with private_postgresql("fsync=off") as server, platform(tmp_path, dice) as provider:
        fill_cast(server.url)
        fill(server.url, PEOPLE)
        proxy = CuttingProxy(str(server.socket), dice, apart=(20, 80))
        through = f"postgresql://hongxin@{SENT_TO}:{proxy.port}/postgres?gssencmode=disable&sslmode=disable"
        two = Two(births, through, provider)
        until = time.monotonic() + SPAN_S
        while plan or time.monotonic() < until:
            time.sleep(dice.uniform(0.1, 0.4))
            trouble = plan.pop() if plan else dice.choice(TROUBLES)
            done[trouble] += 1
            _make(trouble, two, server, dice, replaced_s)
        proxy.cutting = False
        two.end()
        proxy.close()
        done["cut"] = proxy.cuts
        states = judge(server.url, provider.accepted, f"seed {seed}, {dict(done)}")
    ends = ", ".join(f"{one:.2f}" for one in sorted(replaced_s))
    telling(f"troubles {dict(done)}; replaced after {ends} s; {dict(states)}")
    assert done["cut"], done


def _make(trouble: str, two: Two, server: Cluster, dice: random.Random, replaced_s: list[float]) -> None:
    if trouble == "restart":
        server.restart("immediate")
        return
    owner = sends(server.url)
    run = next((one for one, pid in two.pids.items() if pid == owner), dice.choice(tuple(two.pids)))
    if trouble == "stop":
        two.stop_for(run, dice.uniform(0.3, 1.5))
        return
    began = time.monotonic()
    two.kill(run)
    if owner is not None:
        wait(lambda: sends(server.url) not in (owner, None), "the other one sends")
        replaced_s.append(time.monotonic() - began)


@pytest.mark.postgres
def test_a_sender_that_stands_still_is_followed_while_it_lives(
    births: Births, postgresql_server: str, tmp_path: Path, telling: Telling
) -> None:
    """With the proportions of the service, but quicker; what is told is how many heartbeats it took."""
    assert TAKEOVER_S + BEAT_S + CONTEND_S + 1 < 30
    dice = random.Random(1)
    with postgresql_copy(postgresql_server, f"still{os.getpid()}") as url, platform(tmp_path, dice) as provider:
        fill(url, 60)
        two = Two(births, url, provider)
        wait(lambda: sends(url) in two.pids.values(), "one of them sends")
        owner = sends(url)
        assert owner is not None
        began = time.monotonic()
        os.kill(owner, signal.SIGSTOP)
        wait(lambda: sends(url) not in (owner, None), "the other one sends")
        took = (time.monotonic() - began) / HEART_S
        assert alive(owner)
        assert took > HEARTS - 1, "it was followed before its lease could be over"
        os.kill(owner, signal.SIGCONT)
        two.end()
        judge(url, provider.accepted, "one stop")
    telling(f"followed after {took:.1f} heartbeats, in the service {took * BEAT_S:.0f} s")
