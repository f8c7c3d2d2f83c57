"""The disk is full while a letter is on its way; when it has room again, everything goes on."""

from __future__ import annotations

import random
import resource
import shutil
import time
from pathlib import Path

from sqlalchemy import func, select
from sqlmodel import Session, col

from db.deliveries import Delivery
from db.engine import write_engine
from tests.chaos.births import Births
from tests.chaos.platform import judge, platform


def test_a_full_disk_stops_the_sending_and_repeats_nothing(births: Births, filled: Path, tmp_path: Path) -> None:
    database = tmp_path / "hongxin.db"
    shutil.copy(filled, database)
    url, dice = f"sqlite:///{database}", random.Random(5)
    with platform(tmp_path, dice) as provider:
        child = births.begin("full", url, provider.server_address)
        _wait_for(lambda: len(provider.accepted) > 20)
        _, hard = resource.prlimit(child, resource.RLIMIT_FSIZE)
        resource.prlimit(child, resource.RLIMIT_FSIZE, (4096, hard))  # no file may grow: not the log, not the data
        time.sleep(0.3)
        before = len(provider.accepted)
        time.sleep(0.7)
        assert len(provider.accepted) == before, "without an intent on the disk nothing may be sent"
        resource.prlimit(child, resource.RLIMIT_FSIZE, (hard, hard))
        assert not births.killed("full")
        states = judge(url, provider.accepted, "disk full")
    assert states["ambiguous"] <= 0.2 * sum(states.values())
    engine = write_engine(url)
    with Session(engine) as session:
        assert session.execute(select(func.max(col(Delivery.died)))).scalar_one() == 0
    engine.dispose()


def _wait_for(holds: object) -> None:
    until = time.monotonic() + 30
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.005)
