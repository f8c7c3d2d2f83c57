"""Commands that prove, copy, put back or refuse a whole database."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from db.engine import write_engine
from scoring.catalogue import RULES
from tests import databases
from tests.bot.commands import CANARY, MEMBERS, alter, rows, run
from tests.bot.conftest import populate
from tests.cast import ALICE, NAMES
from tests.conftest import ZONE


def test_verify_proves_a_healthy_database_and_names_what_is_broken(city):
    told = run("verify")
    assert told.exit_code == 0
    assert re.fullmatch(r"(V\d+ ok [^\n]+\n){15,}", told.stdout)
    alter(city, "UPDATE wallet SET balance = balance + 1", "DROP TRIGGER entry_no_update")
    before = city.read_bytes()
    broken = run("verify")
    assert broken.exit_code == 1
    assert [line.split(":")[0] for line in broken.stdout.splitlines() if "BROKEN" in line] == [
        "V2 BROKEN wallets equal the wallet lines",
        "V17 BROKEN the ledger and the audit log refuse changes",
    ]
    assert city.read_bytes() == before


def test_verify_needs_a_database_of_this_program(city):
    city.rename(city.with_name("kept.db"))
    city.write_text("no database " * 100)
    assert run("verify").exit_code == 3
    shutil.copy(city.with_name("kept.db"), city)
    alter(city, "DROP TABLE attempt")
    told = run("verify")
    assert told.exit_code == 3
    assert "the schema differs from the models" in told.stderr
    assert "attempt" in told.stderr


READING = (
    ("verify",),
    ("export", "--scoring", "out"),
    ("replay", "--as-of", "2026-06-15"),
    ("rules", "try", str(RULES / "pioneer.toml"), "--year", "2026"),
)


@pytest.mark.parametrize("words", READING, ids=lambda words: words[0])
def test_who_only_reads_says_why_it_cannot(city, monkeypatch, words):
    alter(city, "DROP TABLE membership")
    told = run(*words)
    assert (told.exit_code, told.stdout.count("rows")) == (3, 0)
    assert "the schema differs from the models" in told.stderr
    monkeypatch.setenv("HONGXIN_DATABASE_URL", f"postgresql://hongxin:{CANARY}@127.0.0.1:1/x")
    told = run(*words)
    assert (told.exit_code, told.stderr) == (3, "the database cannot be reached; see HONGXIN_DATABASE_URL\n")


WORKING = (
    *READING,
    ("rebuild",),
    ("backup", "copies"),
    ("spot-check", "--period", "2026-03"),
    ("invite", "M101"),
    ("sheet", "values.csv", "--by", "M304"),
    ("remit", "--by", "M304"),
)


@pytest.mark.parametrize("what", ["nothing", "an empty file", "no table"])
def test_who_works_on_what_is_stored_makes_no_database(place, what):
    path = place / "city.db"
    if what == "an empty file":
        path.touch()
    elif what == "no table":
        alter(path, "CREATE TABLE t (a)", "DROP TABLE t")
    before = path.read_bytes() if path.exists() else None
    for words in WORKING:
        told = run(*words)
        assert (told.exit_code, told.stdout) == (2, ""), words
        assert told.stderr.startswith("there is no database yet: `run`, `sample` or `import` makes it\n"), words
        assert (path.read_bytes() if path.exists() else None) == before, words
    assert {one.name for one in place.iterdir()} <= {"city.db"}


def test_a_day_to_come_cannot_be_replayed(city):
    today = datetime.now(ZONE).date()
    told = run("replay", "--as-of", str(today + timedelta(days=2)))
    assert (told.exit_code, told.stdout) == (2, "")
    assert "is still to come" in told.stderr
    assert run("replay", "--as-of", str(today)).exit_code == 0


def test_a_copy_is_made_proven_and_put_back(city):
    made = run("backup", "copies")
    assert made.exit_code == 0
    copy = re.fullmatch(r"(copies/hongxin-\d{8}T\d{6}Z\.db) \(verified\)\n", made.stdout)
    assert copy
    alter(city, "UPDATE member SET name = 'changed' WHERE id = 101")
    back = run("restore", copy[1])
    assert back.exit_code == 0
    kept = re.fullmatch(r"restored; the former database is (.+)\n", back.stdout)
    assert kept
    assert rows(city, "SELECT name FROM member WHERE id = 101") == [(NAMES[ALICE],)]
    assert rows(Path(kept[1]), "SELECT name FROM member WHERE id = 101") == [("changed",)]
    assert run("verify").exit_code == 0


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("backup", "city.db"), "exists already"),
        (("backup", "city.db/copies"), "Not a directory"),
        (("restore", "missing.db"), "missing.db is not a file"),
        (("restore", "text.db"), "not an intact copy"),
    ],
)
def test_a_copy_that_cannot_be_made_or_put_back_says_why_and_changes_nothing(city, words, why):
    (city.parent / "text.db").write_text("no copy " * 100)
    before = city.read_bytes()
    told = run(*words)
    assert told.exit_code == 2
    assert why in told.stderr
    assert city.read_bytes() == before


@pytest.mark.postgres
def test_the_same_on_postgresql(place, postgresql_server, monkeypatch):
    programs = databases.postgresql_programs()
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    with databases.postgresql_copy(postgresql_server, f"c{uuid.uuid4().hex[:12]}", "template1") as url:
        monkeypatch.setenv("HONGXIN_DATABASE_URL", url)
        populate(url)
        assert run("check").exit_code == 0
        assert run("verify").exit_code == 0
        assert run("invite", "M101").exit_code == 0
        assert run("backup", "copy.dump").stdout == "copy.dump (verified)\n"
        engine = write_engine(url)
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE wallet SET balance = balance + 1")
        engine.dispose()
        assert run("verify").exit_code == 1
        assert run("restore", "copy.dump").stdout == "restored\n"
        assert run("verify").exit_code == 0
        assert run("restore", "city.db").exit_code == 2


def test_a_newer_database_is_refused_by_every_command_that_would_write(city):
    alter(city, "UPDATE alembic_version SET version_num = '9999'")
    for words in (("invite", "M101"), ("sample",), ("import", "members.csv")):
        (city.parent / "members.csv").write_text(MEMBERS, encoding="utf-8")
        told = run(*words)
        assert told.exit_code == 3, words
        assert "it was used by a newer version" in told.stderr
