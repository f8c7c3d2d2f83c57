"""Copies of the database: made while the service runs, proven readable, and put back."""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.engine import URL, make_url

from db.engine import database_url
from db.failpoints import reach

UNFINISHED = ".part"  # the end of a copy's name until it is complete
LOGS = ("-wal", "-journal")  # what SQLite keeps beside a database, and plays into it
DEAD_AFTER = timedelta(days=1)  # since something was last written to an unfinished copy


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
    _sweep(to.parent, now)
    part = to.with_name(f"{to.name}{UNFINISHED}")
    part.unlink(missing_ok=True)
    if sqlite:
        _copy_sqlite(Path(str(database.database)), part)
    else:
        _run("pg_dump", database, "--format=custom", f"--file={part}")
        _run("pg_restore", None, "--list", str(part))
    _to_disk(part)
    reach("backup.before_rename")
    os.replace(part, to)
    _to_disk(to.parent)
    return to


def restore(url: str, source: Path, now: datetime) -> Path | None:
    """Put the copy in the place of the database; where the former one is kept, None when there was none.

    Whatever dies on the way, one of the two stands in the place: it changes hands in one step.
    """
    database = make_url(database_url(url))
    if not source.is_file():
        raise NotPossible(f"{source} is not a file")
    if source.suffix == UNFINISHED:
        raise NotPossible(f"{source} is a copy that was never finished")
    if database.get_backend_name() != "sqlite":
        _run("pg_restore", database, "--clean", "--if-exists", "--single-transaction", "--no-owner", str(source))
        return None
    _prove(source)
    place = Path(str(database.database))
    place.parent.mkdir(parents=True, exist_ok=True)
    _put_away(place, now)  # what a restore has left that died
    _close(place)
    coming = place.with_suffix(".restoring")
    try:
        shutil.copyfile(source, coming)
        _to_disk(coming)
        _set_aside(place)
    except (OSError, NotPossible):
        coming.unlink(missing_ok=True)
        raise
    reach("restore.before_unfreeze")
    os.replace(coming, place)
    _to_disk(place.parent)
    return _put_away(place, now)


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


def _close(place: Path) -> None:
    """Let all changes of the present database be in one file. Raises NotPossible while somebody has it open."""
    if not place.exists():
        return
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


def _set_aside(place: Path) -> None:
    """Give the present database a second name, and take away what SQLite keeps beside it."""
    if not place.exists():
        return
    _close(place)
    former = _former(place)
    try:
        os.link(place, former)
    except OSError:  # a file system without second names
        shutil.copyfile(place, former)
    for ending in LOGS:  # of a damaged one; they must not be taken for the copy's
        if _beside(place, ending).exists():
            os.replace(_beside(place, ending), _beside(former, ending))
    _beside(place, "-shm").unlink(missing_ok=True)


def _put_away(place: Path, now: datetime) -> Path | None:
    """Give the former database the name under which it is kept; None when there is none.

    A restore that died before its last step has left a second name of the database that still stands: it goes.
    """
    former = _former(place)
    kept = _free(place.with_name(f"{place.stem}-before-{now:%Y%m%dT%H%M%SZ}{place.suffix}"))
    for ending in LOGS:
        if _beside(former, ending).exists():
            os.replace(_beside(former, ending), _beside(kept, ending))
    if not former.exists():
        return None
    if place.exists() and former.samefile(place):
        former.unlink()
        return None
    os.replace(former, kept)
    return kept


def _free(path: Path) -> Path:
    """The path, or the next one like it under which nothing stands: no kept database is written over."""
    names = (path.with_stem(f"{path.stem}-{number}") for number in itertools.count(2))
    return next(one for one in itertools.chain([path], names) if not one.exists())


def _former(place: Path) -> Path:
    return place.with_suffix(".former")


def _beside(path: Path, ending: str) -> Path:
    """One of SQLite's own files of a database."""
    return path.with_name(path.name + ending)


def _sweep(folder: Path, now: datetime) -> None:
    """Delete what backups have left that died long ago."""
    for part in folder.glob(f"hongxin-*{UNFINISHED}"):
        if now.timestamp() - part.stat().st_mtime > DEAD_AFTER.total_seconds():
            part.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    """Let a file, or the names in a folder, survive a power cut, where a system can promise it."""
    if os.name != "posix":
        return
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


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
