"""Copies of the database, made while it is written to, and put back."""

from __future__ import annotations

import sqlite3

import pytest
from sqlmodel import Session

from bot import backup
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
