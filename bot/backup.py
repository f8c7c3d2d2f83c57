"""Copies of the database: made while the service runs, proven readable, and put back."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import URL, make_url

from db.engine import database_url


class NotPossible(Exception):
    """The copy cannot be made or put back; the text says why and what to do."""


def make(url: str, to: Path, now: datetime) -> Path:
    """Copy the database to `to` (a file, or a folder that gets a dated one); the copy's path.

    The copy appears under its name only when it is complete and its integrity is checked.
    """
    database = make_url(database_url(url))
    sqlite = database.get_backend_name() == "sqlite"
    ending = "db" if sqlite else "dump"
    if to.suffix != f".{ending}":
        to.mkdir(parents=True, exist_ok=True)
        to = to / f"hongxin-{now:%Y%m%dT%H%M%SZ}.{ending}"
    if to.exists():
        raise NotPossible(f"{to} exists already")
    to.parent.mkdir(parents=True, exist_ok=True)
    part = to.with_name(f"{to.name}.part")
    part.unlink(missing_ok=True)
    if sqlite:
        _copy_sqlite(Path(str(database.database)), part)
    else:
        _run("pg_dump", database, "--format=custom", f"--file={part}")
        _run("pg_restore", None, "--list", str(part))
    os.replace(part, to)
    return to


def restore(url: str, source: Path, now: datetime) -> Path | None:
    """Put the copy in the place of the database; where the former one is kept, None when there was none."""
    database = make_url(database_url(url))
    if not source.is_file():
        raise NotPossible(f"{source} is not a file")
    if database.get_backend_name() != "sqlite":
        _run("pg_restore", database, "--clean", "--if-exists", "--single-transaction", "--no-owner", str(source))
        return None
    _prove(source)
    place = Path(str(database.database))
    place.parent.mkdir(parents=True, exist_ok=True)
    kept = _set_aside(place, now) if place.exists() else None
    shutil.copyfile(source, place.with_suffix(".restoring"))
    os.replace(place.with_suffix(".restoring"), place)
    return kept


def _copy_sqlite(database: Path, part: Path) -> None:
    if not database.exists():
        raise NotPossible(f"there is no database at {database}")
    # VACUUM INTO reads one snapshot and lets writers go on; a page-wise copy would begin anew at each commit.
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        connection.execute("VACUUM INTO ?", (str(part),))
    except sqlite3.DatabaseError as error:
        part.unlink(missing_ok=True)
        raise NotPossible(f"{database} cannot be copied: {error}") from None
    finally:
        connection.close()
    _prove(part)


def _prove(path: Path) -> None:
    """Raise NotPossible unless the file is an intact database of ours."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        intact = connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        ours = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
    except sqlite3.DatabaseError:
        intact, ours = False, None
    finally:
        connection.close()
    if not intact or not ours:
        raise NotPossible(f"{path} is not an intact copy of a Hongxin database")


def _set_aside(place: Path, now: datetime) -> Path:
    """Move the present database away, all its changes in one file. Refuses while somebody has it open to write."""
    connection = sqlite3.connect(place, timeout=0.2, isolation_level=None)
    try:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.OperationalError:
        raise NotPossible("the database is in use: stop the service first") from None
    except sqlite3.DatabaseError:
        pass  # a damaged file is what a restore is for; it is kept as it is
    finally:
        connection.close()
    kept = place.with_name(f"{place.stem}-before-{now:%Y%m%dT%H%M%SZ}{place.suffix}")
    os.replace(place, kept)
    for rest in ("-wal", "-shm"):
        place.with_name(place.name + rest).unlink(missing_ok=True)
    return kept


def _run(program: str, database: URL | None, *words: str) -> None:
    """Run one of PostgreSQL's own programs; the password goes through the environment, not the process list."""
    environment = dict(os.environ)
    if database is not None:
        parts = {"PGHOST": database.host or database.query.get("host"), "PGPORT": database.port}
        parts |= {"PGUSER": database.username, "PGPASSWORD": database.password, "PGDATABASE": database.database}
        environment |= {name: str(value) for name, value in parts.items() if value}
        if program == "pg_restore":
            words = (f"--dbname={database.database}", *words)
    try:
        subprocess.run([program, *words], env=environment, check=True, capture_output=True)
    except FileNotFoundError:
        raise NotPossible(f"{program} is not installed (PostgreSQL's client programs)") from None
    except subprocess.CalledProcessError as error:
        raise NotPossible(f"{program} failed: {error.stderr.decode(errors='replace').strip()[-300:]}") from None
