"""The disk is full while a letter is on its way; when it has room again, everything goes on."""

from __future__ import annotations

import contextlib
import random
import resource
import shutil
import sqlite3
import time
from pathlib import Path

from sqlalchemy import func, select
from sqlmodel import Session, col

from db.deliveries import Delivery
from db.engine import write_engine
from tests.chaos.births import Births, wait
from tests.chaos.conftest import PEOPLE
from tests.chaos.platform import judge, platform


def test_a_full_disk_stops_the_sending_and_repeats_nothing(births: Births, filled: Path, tmp_path: Path) -> None:
    database = tmp_path / "hongxin.db"
    shutil.copy(filled, database)
    url, dice = f"sqlite:///{database}", random.Random(5)
    with platform(tmp_path, dice) as provider:
        child = births.begin("full", url, provider.server_address)
        wait(lambda: len(provider.accepted) > 20, "the letter is being sent")
        _, hard = resource.prlimit(child, resource.RLIMIT_FSIZE)
        resource.prlimit(child, resource.RLIMIT_FSIZE, (4096, hard))  # no file may grow: not the log, not the data
        time.sleep(0.7)  # it tries again and again
        taken = list(provider.accepted)
        assert set(taken) <= intended(database), "without an intent on the disk nothing may be sent"
        assert len(taken) < PEOPLE / 2, "it was stopped in the middle"
        resource.prlimit(child, resource.RLIMIT_FSIZE, (hard, hard))
        assert not births.killed("full")
        states = judge(url, provider.accepted, "disk full")
    assert states["ambiguous"] <= 0.2 * sum(states.values())
    engine = write_engine(url)
    with Session(engine) as session:
        assert session.execute(select(func.max(col(Delivery.died)))).scalar_one() == 0
    engine.dispose()


def intended(database: Path) -> set[str]:
    """Of which messages it stands in the file that they were about to be sent."""
    statement = "SELECT key || ':' || member_id || ':' || part FROM delivery WHERE attempts > 0"
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return {key for (key,) in connection.execute(statement)}
