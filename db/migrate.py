"""Migrations: bring a database to the present schema, or refuse it in one line and leave it as it is.

`python -m db.migrate generate` writes the first revision anew from the models (as long as it is the only one),
`revision MESSAGE` writes the next one from what the models have more than the revisions so far,
`upgrade URL` and `check URL` do what their functions here say.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import create_engine, event, inspect
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import NullPool

from db import schema
from db.database_file import Refused, is_file, look_at, size
from db.engine import database_url, is_sqlite

FOLDER = Path(__file__).parent / "migrations"
VERSION_TABLE = "alembic_version"
LOCK = 0x484F4E47  # PostgreSQL's advisory lock of whoever migrates
FOREIGN_KEYS = "OFF"  # while SQLite changes tables; `connected` says why

_REFUSED_BY_SQLITE = {
    "malformed": "the database file is damaged; restore a backup",
    "readonly": "the database file or its folder is read-only",
    "locked": "another process holds the database; stop it and try again",
}

_GUARD_LINES = """
    # The ledger and the audit log refuse changes from the first day on.
    from db import schema

    schema.guard(op.get_bind())
"""


def upgrade(url: str, *, folder: Path = FOLDER, to: str = "head") -> str:
    """Bring the database to revision `to`, in one transaction; the revision that it has then.

    A database that is missing or empty gets every table. Raises Refused for one that is newer than this
    program, damaged, read-only, not reachable, or not ours.
    """
    look_at(url)
    database = make_url(database_url(url)).database
    if is_file(url) and database:
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    with connected(url) as connection:
        if not is_sqlite(connection):
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        _refuse_strangers(connection, folder)
        before = _revision(connection)
        command.upgrade(_config(folder, connection), to)
        if (after := _revision(connection)) != before:  # it reads every row: a start like all others need not wait
            _check_references(connection)
        if to == "head":
            schema.guard(connection)  # a table that was built anew has lost its triggers
        return after


DIFFERS = "the schema differs from the models"  # how a line of `examine` begins that no start puts right


def is_there(url: str) -> bool:
    """Whether any table stands in the database. True, too, for one that does not answer: its reader says why.

    Raises Refused when a folder stands in the place of the file. Writes nothing.
    """
    if is_file(url) and not size(url):
        return False
    engine = create_engine(database_url(url), poolclass=NullPool, hide_parameters=True)
    try:
        return bool(inspect(engine).get_table_names())
    except DatabaseError:
        return True
    finally:
        engine.dispose()


def examine(url: str, *, folder: Path = FOLDER, thorough: bool = True) -> list[str]:
    """What is wrong with the database's schema, one line each; an empty list when nothing is. Writes nothing.

    thorough: every column, too. Raises Refused for a database that cannot be used at all, as `upgrade` does.
    """
    look_at(url)
    if is_file(url) and not size(url):
        return ["the database is empty: it gets its tables at the first start"]
    with connected(url) as connection:
        _refuse_strangers(connection, folder)
        return list(_problems(connection, folder, thorough))


def check(url: str, *, folder: Path = FOLDER) -> list[str]:
    """Like `examine`, with the reason of a refusal as the only line."""
    try:
        return examine(url, folder=folder)
    except Refused as refusal:
        return [str(refusal)]


def differences(connection: Connection) -> list[str]:
    """What the models have otherwise than the database, as Alembic sees it."""
    context = MigrationContext.configure(connection, opts={"include_object": is_ours})
    return [repr(one)[:200] for one in compare_metadata(context, schema.metadata)]


def is_ours(_thing: object, name: str | None, kind: str, _reflected: bool, _counterpart: object) -> bool:
    """Alembic's question whether to compare a thing: tables of somebody else in our database are not ours."""
    return kind != "table" or name in schema.metadata.tables


def generate(*, folder: Path = FOLDER) -> Path:
    """Write revision 0001 anew from the models; its path. Raises Refused when later revisions stand on it."""
    versions = folder / "versions"
    versions.mkdir(exist_ok=True)
    later = [path.name for path in versions.glob("[0-9]*.py") if not path.name.startswith("0001_")]
    if later:
        raise Refused(f"0001 is in use: {later[0]} stands on it; write the next revision instead")
    for path in versions.glob("0001_*.py"):
        path.unlink()
    with _scratch(folder) as (config, _):
        config.attributes["after_upgrade"] = _GUARD_LINES
        return _write(config, "0001", "first tables")


def revision(message: str, *, folder: Path = FOLDER) -> Path | None:
    """Write the next revision from what the models have more than the revisions so far; its path.

    None when there is nothing to write. Read it before you commit it: a rename looks like a loss.
    """
    numbers = [int(path.name[:4]) for path in (folder / "versions").glob("[0-9][0-9][0-9][0-9]_*.py")]
    with _scratch(folder) as (config, connection):
        if not differences(connection):
            return None
        return _write(config, f"{max(numbers, default=0) + 1:04d}", message)


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A connection for changes of the schema, inside one transaction that commits at the end.

    On SQLite foreign keys are off from before BEGIN: with them on, building a parent table anew deletes its
    children (the old table is dropped, and ON DELETE acts). `_check_references` looks afterwards.
    Raises Refused when the database cannot be reached.
    """
    engine = create_engine(database_url(url), poolclass=NullPool, hide_parameters=True)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _connect(raw: sqlite3.Connection, _record: object) -> None:
            raw.isolation_level = None
            raw.execute("PRAGMA busy_timeout=30000")  # milliseconds: another process may be migrating
            raw.execute(f"PRAGMA foreign_keys={FOREIGN_KEYS}")

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    try:
        connection = engine.connect()
    except OperationalError:
        # The driver's text names host and user, and may be followed by the password in a URL: not ours to print.
        raise Refused("the database cannot be reached; see HONGXIN_DATABASE_URL") from None
    try:
        with connection, connection.begin():
            yield connection
    except DatabaseError as error:
        told = str(error.orig) if isinstance(error.orig, sqlite3.Error) else ""
        for sign, why in _REFUSED_BY_SQLITE.items():
            if sign in told:
                raise Refused(f"{why}. Nothing was changed") from None
        raise
    finally:
        engine.dispose()


def _revision(connection: Connection) -> str:
    """What stands in the database; empty when there is nothing."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def _config(folder: Path, connection: Connection) -> Config:
    config = Config(cmd_opts=Namespace(quiet=True, x=None))
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


@contextmanager
def _scratch(folder: Path) -> Iterator[tuple[Config, Connection]]:
    """A database of the revisions so far, with which the models are compared."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        connected(f"sqlite:///{scratch}/scratch.db") as connection,
    ):
        config = _config(folder, connection)
        command.upgrade(config, "head")
        yield config, connection


def _write(config: Config, number: str, message: str) -> Path:
    written = command.revision(config, message, autogenerate=True, rev_id=number)
    assert isinstance(written, Script), "one revision was asked for"
    return Path(written.path)


def _refuse_strangers(connection: Connection, folder: Path) -> None:
    """Raises Refused for a database of a newer program, or with our tables but without a version."""
    script = ScriptDirectory.from_config(_config(folder, connection))
    known = {one.revision for one in script.walk_revisions()}
    standing = MigrationContext.configure(connection).get_current_heads()
    unknown = [one for one in standing if one not in known]
    if unknown:
        raise Refused(
            f"the database has schema {unknown[0]}, this program knows up to {script.get_current_head()}: "
            "it was used by a newer version. Install that version; nothing was changed"
        )
    ours = set(schema.metadata.tables) & set(inspect(connection).get_table_names())
    if not standing and ours:
        raise Refused(
            f"the database holds tables ({min(ours)} ...) but no schema version: it was not made by a "
            "migration. Use an empty database; nothing was changed"
        )


def _check_references(connection: Connection) -> None:
    """Raises Refused (and so rolls back) when a row points to one that is not there."""
    if not is_sqlite(connection):
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchone()
    if broken is not None:
        raise Refused(
            f"after the change rows of {broken[0]} would point to nothing in {broken[2]}; nothing was changed"
        )


def _problems(connection: Connection, folder: Path, thorough: bool) -> Iterator[str]:
    head = ScriptDirectory.from_config(_config(folder, connection)).get_current_head()
    standing = MigrationContext.configure(connection).get_current_revision()
    if standing != head:
        yield f"the schema is {standing or 'empty'}, not {head}: the next start brings it there"
        return
    yield from (f"{DIFFERS}: {one}" for one in (differences(connection) if thorough else ()))
    missing = sorted(set(schema.APPEND_ONLY) - _guarded(connection))
    yield from (f"{table} has lost the trigger that keeps it append-only" for table in missing)


def _guarded(connection: Connection) -> set[str]:
    """Tables of which the database itself refuses changes of lines."""
    if is_sqlite(connection):
        rows = connection.exec_driver_sql("SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'").all()
        names = {name for _, name in rows}
        return {table for table, _ in rows if {f"{table}_no_update", f"{table}_no_delete"} <= names}
    rows = connection.exec_driver_sql(
        "SELECT event_object_table, trigger_name FROM information_schema.triggers"
    ).all()
    return {table for table, name in rows if name == f"{table}_append_only"}


def main(words: Sequence[str]) -> int:
    """The command line of this module; the exit status."""
    say = sys.stdout.write
    try:
        match list(words):
            case ["generate"]:
                say(f"{generate()}\n")
            case ["revision", message]:
                say(f"{revision(message) or 'nothing to write'}\n")
            case ["upgrade", url]:
                say(f"{upgrade(url)}\n")
            case ["check", url]:
                problems = check(url)
                say("\n".join([*problems, ""]) if problems else "ok\n")
                return 1 if problems else 0
            case _:
                say(__doc__ or "")
                return 2
    except Refused as refusal:
        say(f"{refusal}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
