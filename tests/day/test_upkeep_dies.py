"""Migrating, backing up and restoring die in the middle: the old stands or the new, and never a mix of both."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine
from sqlmodel import Session

from bot import backup
from db import ledger, migrate, verify
from db.engine import database_url as dialect_url
from db.engine import write_engine
from tests.cast import ALICE, DAY, NOON
from tests.databases import postgresql_copy
from tests.day.conftest import MakeDatabase
from tests.day.nursery import ENDED, MIGRATE, Nursery
from tests.day.people import EARNED
from tests.day.service import ROOT, alive
from tests.day.stage import fill
from tests.day.waiting import until

ROUNDS = max(1, int(os.environ.get("HONGXIN_CHAOS_KILLS", "200")) // 200)
OLD = "0001"
MONTHS = 9
COPIES = {"sqlite": 5, "postgresql": 2}  # of rows from table to table, on the way from OLD


async def run(nursery: Nursery, folder: Path, url: str, *words: str, dies_at: str = "") -> str:
    """Run a command to its end; what it printed. Fails unless it was killed at `dies_at`, or, without it, not."""
    log = folder / "log.txt"
    log.unlink(missing_ok=True)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HONGXIN_DATABASE_URL": url}
    pid = await nursery.begin(environment | {"HONGXIN_FAILPOINT": dies_at}, folder, *words)
    await until(lambda: not alive(pid), f"{words[0]} has ended")
    printed = log.read_text(encoding="utf-8")
    assert (ENDED in printed) == (not dies_at), printed
    return printed


POSTGRESQL = (  # all that it says of our tables
    "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns"
    " WHERE table_schema = 'public'",
    "SELECT conrelid::regclass, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid > 0",
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
)


def read(url: str) -> list[str]:
    """Everything that stands in a database: its tables, and their rows. Their order is left out."""
    if url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
            found = ["\n".join(sorted(line.strip(" \t,") for line in one.split("\n"))) for one in file.iterdump()]
            return sorted(found)
    with psycopg.connect(url) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        questions = [*POSTGRESQL, *(f"SELECT '{name}', one::text FROM \"{name}\" one" for (name,) in names)]
        found = [str(row) for question in questions for row in connection.execute(question).fetchall()]  # type: ignore[arg-type]
    return sorted(found)


def make_old(url: str) -> None:
    """A database of long ago, with values that a later migration copies into their log."""
    migrate.upgrade(url, to=OLD)
    engine = create_engine(dialect_url(url))
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO organization (id, code, name, level, path, place) VALUES (10, 'B', 'b', 'branch', '/10/', '')"
        )
        for month in range(1, MONTHS + 1):
            connection.exec_driver_sql(
                "INSERT INTO indicator_value (organization_id, indicator_id, period, value, recorded_at)"
                f" VALUES (10, 'C02', '2026-0{month}', '1', '2026-10-05 02:00:00')"
            )
    engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """(url, twin): two equal databases of long ago."""
    if request.param == "sqlite":
        url, twin = (f"sqlite:///{tmp_path / name}" for name in ("old.db", "twin.db"))
        make_old(url)
        shutil.copy(tmp_path / "old.db", tmp_path / "twin.db")
        yield url, twin
        return
    server, name = request.getfixturevalue("postgresql_server"), f"old{uuid.uuid4().hex[:12]}"
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(postgresql_copy(server, name, "template0"))
        make_old(url)
        twin = stack.enter_context(postgresql_copy(server, f"{name}t", name))
        yield url, twin


async def test_a_migration_that_dies_leaves_the_old_schema_and_the_next_one_ends_as_if_nothing_had_been(
    old: tuple[str, str], nursery: Nursery, tmp_path: Path
) -> None:
    url, twin = old
    before, copies = read(url), COPIES[url.partition(":")[0]]
    for number in random.sample(range(1, copies + 1), min(copies, 2 * ROUNDS)):
        await run(nursery, tmp_path, url, MIGRATE, "upgrade", url, dies_at=f"migrate.after_copy:{number}")
        await until(lambda: read(url) == before, f"nothing is left of the death at copy {number}")
    await run(nursery, tmp_path, url, MIGRATE, "upgrade", url)
    migrate.upgrade(twin)
    after = read(url)
    assert after == read(twin)
    assert sum("before_the_log" in line for line in after) == MONTHS


def points(url: str) -> int:
    """What Alice has."""
    engine = write_engine(url)
    with Session(engine) as session:
        found = ledger.balance(session, ALICE)
        assert not [one for one in verify.run(session) if one.broken]
    engine.dispose()
    return found


def names(folder: Path) -> set[str]:
    """What is in the folder."""
    return {one.name for one in folder.iterdir()}


def earn(url: str, cause: str) -> None:
    """One more point for Alice."""
    engine = write_engine(url)
    with Session(engine) as session:
        ledger.book(session, member_id=ALICE, rule_id="PB1", cause=cause, points=1, day=DAY, booked_at=NOON)
        session.commit()
    engine.dispose()


async def test_a_backup_that_dies_is_none_and_a_restore_that_dies_has_not_begun(
    nursery: Nursery, sqlite: MakeDatabase, tmp_path: Path
) -> None:
    url, copies = sqlite(tmp_path), tmp_path / "copies"
    fill(url)
    await run(nursery, tmp_path, url, "backup", str(copies / "good.db"))
    earn(url, "later")
    for _ in range(ROUNDS):
        await run(nursery, tmp_path, url, "backup", str(copies / "next.db"), dies_at="backup.before_rename")
        assert names(copies) == {"good.db", "next.db.part"}
        with pytest.raises(backup.NotPossible, match="never finished"):
            backup.restore(url, copies / "next.db.part", NOON)
        await run(nursery, tmp_path, url, "restore", str(copies / "good.db"), dies_at="restore.before_unfreeze")
        assert points(url) == EARNED + 1, "it is the one that was there"
    await run(nursery, tmp_path, url, "backup", str(copies / "next.db"))
    await run(nursery, tmp_path, url, "restore", str(copies / "good.db"))
    assert names(copies) == {"good.db", "next.db"}
    databases = names(tmp_path) - {"log.txt", "copies"}
    (kept,) = databases - {"hongxin.db"}
    assert kept.startswith("hongxin-before-"), "nothing else is left of it"
    assert [points(f"sqlite:///{one}") for one in (tmp_path / "hongxin.db", tmp_path / kept)] == [
        EARNED,
        EARNED + 1,
    ]
