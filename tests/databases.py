"""Databases for tests: a filled template of each kind, copied for every test.

PostgreSQL runs as a private cluster in a temporary folder, started once per session, when its programs are
found; without them the PostgreSQL half is skipped with one line, and with CI=true that is a failure.
"""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlmodel import Session

from db import schema
from db.engine import write_engine
from tests import cast

IN_CI = os.environ.get("CI") == "true"
IN_MEMORY = Path("/dev/shm")
ROOM_BYTES = 4 << 30  # more than a run needs at once
NO_CHROMIUM = "Chromium is not installed: the tests of the page are skipped"
NO_POSTGRESQL = "PostgreSQL is not installed: its half of the tests is skipped"


def stay_in_memory() -> None:
    """Let temporary files of this process and its children lie in memory, where Linux has the room.

    They are thrown away anyway, and on a disk a new PostgreSQL database costs ten times more.
    """
    if "TMPDIR" not in os.environ and IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free > ROOM_BYTES:
        os.environ["TMPDIR"] = str(IN_MEMORY)
        tempfile.tempdir = None  # it is looked up anew


def postgresql_programs() -> Path | None:
    """The folder with initdb and pg_ctl, or None."""
    folders = [*sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True), "/usr/local/bin", "/usr/bin"]
    return next((Path(f) for f in folders if Path(f, "initdb").exists() and Path(f, "pg_ctl").exists()), None)


def missing_programs() -> list[tuple[str, str]]:
    """(marker of the tests that need it, what to say) of every program that this machine lacks."""
    missing = []
    if postgresql_programs() is None:
        missing.append(("postgres", NO_POSTGRESQL))
    if not any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")):
        missing.append(("browser", NO_CHROMIUM))
    return missing


def _as_nobody(folder: Path) -> list[str]:
    """The words before a command that let it run as another user: PostgreSQL refuses root."""
    if os.getuid() != 0:
        return []
    shutil.chown(folder, "nobody", "nogroup")
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]


@contextlib.contextmanager
def postgresql_cluster() -> Iterator[str]:
    """The URL (without a database) of a private cluster that lives as long as the context."""
    programs = postgresql_programs()
    assert programs is not None
    # Directly under the temporary folder: a socket's path may have at most 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="hx-pg-"))
    before = _as_nobody(folder)
    data = folder / "data"
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT, "cwd": "/"}
    initdb = ["initdb", "-D", str(data), "-U", "hongxin", "-A", "trust", "--encoding=UTF8", "--locale=C", "-N"]
    subprocess.run([*before, str(programs / initdb[0]), *initdb[1:]], **quiet)  # type: ignore[call-overload]
    options = (
        f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off -c full_page_writes=off "
        "-c synchronous_commit=off -c max_connections=60 -c log_min_messages=fatal"
    )
    control = [*before, str(programs / "pg_ctl"), "-D", str(data)]
    subprocess.run([*control, "-w", "-l", str(folder / "log"), "-o", options, "start"], **quiet)  # type: ignore[call-overload]
    try:
        yield f"postgresql://hongxin@/{{name}}?host={folder}"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], **quiet)  # type: ignore[call-overload]
        shutil.rmtree(folder, ignore_errors=True)


def fill(url: str) -> None:
    """Make all tables and write the cast."""
    engine = write_engine(url)
    schema.create(engine)
    with Session(engine) as session:
        cast.populate(session)
        schema.count_on(session)
        session.commit()
    engine.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the cast."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    fill(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The cluster's URL with a place for the database's name; holds the database `template_cast`."""
    if postgresql_programs() is None:
        if IN_CI:
            pytest.fail(NO_POSTGRESQL)
        pytest.skip(NO_POSTGRESQL)
    with postgresql_cluster() as url:
        with psycopg.connect(url.format(name="postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE template_cast")
        fill(url.format(name="template_cast"))
        yield url


@contextlib.contextmanager
def postgresql_copy(server: str, name: str, template: str = "template_cast") -> Iterator[str]:
    """The URL of a copy of `template`, dropped at the end."""
    with psycopg.connect(server.format(name="postgres"), autocommit=True) as connection:
        knows_others = connection.info.server_version >= 150_000
        by_files = "STRATEGY file_copy" if knows_others else ""
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" {by_files}')
        yield server.format(name=name)
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
