"""Copies of the database, made while it is written to, and put back."""

from __future__ import annotations

import os
import sqlite3
from datetime import timedelta

import pytest
from sqlmodel import Session

from bot import backup
from bot.backup import DEAD_AFTER
from db import ledger, migrate
from db.engine import write_engine
from tests import cast
from tests.cast import ALICE, DAY, NOON


@pytest.fixture
def live(tmp_path):
    """A migrated database with the cast and a point for Alice."""
    url = f"sqlite:///{tmp_path / 'live.db'}"
    migrate.upgrade(url)
    engine = write_engine(url)
    with Session(engine) as session:
        cast.populate(session)
        ledger.book(session, member_id=ALICE, rule_id="PB1", cause="x", points=2, day=DAY, booked_at=NOON)
        session.commit()
    yield url, engine
    engine.dispose()


def balance(url):
    engine = write_engine(url)
    with Session(engine) as session:
        found = ledger.balance(session, ALICE)
    engine.dispose()
    return found


def test_a_copy_is_made_under_a_writer_and_restored_over_later_points(live, tmp_path):
    url, engine = live
    copy = backup.make(url, tmp_path / "copies", NOON)
    assert copy.name == "hongxin-20260615T040000Z.db"
    with Session(engine) as session:
        ledger.book(session, member_id=ALICE, rule_id="PB1", cause="y", points=5, day=DAY, booked_at=NOON)
        session.commit()
    engine.dispose()
    kept = backup.restore(url, copy, NOON)
    assert balance(url) == 2
    assert balance(f"sqlite:///{kept}") == 7


def test_a_database_in_use_is_not_replaced(live, tmp_path):
    url, engine = live
    copy = backup.make(url, tmp_path / "copy.db", NOON)
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
        with pytest.raises(backup.NotPossible, match="stop the service"):
            backup.restore(url, copy, NOON)
    assert balance(url) == 2


def test_what_is_not_an_intact_copy_is_refused_and_nothing_is_touched(live, tmp_path):
    url, engine = live
    engine.dispose()
    strange, text = tmp_path / "strange.db", tmp_path / "text.db"
    sqlite3.connect(strange).execute("CREATE TABLE t (a)").connection.close()
    text.write_text("not a database at all, only words" * 100)
    for path in (strange, text, tmp_path / "missing.db"):
        with pytest.raises(backup.NotPossible):
            backup.restore(url, path, NOON)
    assert balance(url) == 2


def test_an_existing_copy_is_never_overwritten(live, tmp_path):
    url, _ = live
    backup.make(url, tmp_path / "copy.db", NOON)
    with pytest.raises(backup.NotPossible, match="exists already"):
        backup.make(url, tmp_path / "copy.db", NOON)


def test_a_database_that_cannot_be_read_is_no_copy_and_leaves_nothing(tmp_path):
    broken = tmp_path / "broken.db"
    broken.write_text("not a database at all, only words" * 100)
    with pytest.raises(backup.NotPossible, match="cannot be copied"):
        backup.make(f"sqlite:///{broken}", tmp_path / "copies", NOON)
    assert list((tmp_path / "copies").iterdir()) == []


def test_a_damaged_database_and_one_of_a_restore_that_died_are_kept(live, tmp_path):
    url, engine = live
    copy = backup.make(url, tmp_path / "copy.db", NOON)
    engine.dispose()
    (tmp_path / "live.former").write_text("the one before")  # its restore died when it had put a copy in its place
    (tmp_path / "live.former-wal").write_text("its log")
    (tmp_path / "live.db").write_text("not a database at all" * 100)
    kept = backup.restore(url, copy, NOON)
    assert kept == tmp_path / "live-before-20260615T040000Z-2.db"
    assert balance(url) == 2
    texts = {one.name: one.read_text()[:14] for one in tmp_path.glob("live-before-*")}
    assert texts == {
        "live-before-20260615T040000Z.db": "the one before",
        "live-before-20260615T040000Z.db-wal": "its log",
        "live-before-20260615T040000Z-2.db": "not a database",
    }
    left = {one.name for one in tmp_path.iterdir()} - set(texts)
    assert left <= {"live.db", "live.db-wal", "live.db-shm", "copy.db"}


def test_what_a_backup_left_that_died_goes_after_a_day(live, tmp_path):
    url, _ = live
    for name, age in (("hongxin-1.db.part", DEAD_AFTER), ("hongxin-2.db.part", DEAD_AFTER + timedelta(seconds=1))):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, times=((NOON - age).timestamp(),) * 2)
    made = backup.make(url, tmp_path / "new.db", NOON)
    assert {one.name for one in tmp_path.iterdir()} >= {made.name, "hongxin-1.db.part"}
    assert not (tmp_path / "hongxin-2.db.part").exists()
