"""Engines and sessions: one that writes, one that only reads, the same on SQLite and PostgreSQL."""

from __future__ import annotations

import sqlite3
from typing import Any

import orjson
import psycopg
from sqlalchemy import BigInteger, Integer, MetaData, create_engine, event
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel import SQLModel

BigId = BigInteger().with_variant(Integer, "sqlite")
"""Type of ids that may pass 2^31; SQLite numbers only INTEGER keys by itself."""

BEAT_TIMEOUT_S = 5
NOTICED = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,  # milliseconds, the others seconds
}
"""How soon a connection whose other end is gone without a word is given up; the system alone takes hours."""

OUT_OF_ORDER = (
    OperationalError,
    InterfaceError,
    InternalError,
    NoConnection,
    sqlite3.OperationalError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.InternalError,
)
"""The database does not answer, or has no room: nobody's mistake, and the same work may succeed later."""

# Names for every constraint, so that a migration can find and change them on both databases.
SQLModel.metadata.naming_convention = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
).naming_convention


def _serialize(value: Any) -> str:
    """JSON as people read it: Chinese as Chinese."""
    return orjson.dumps(value).decode()


def database_url(url: str) -> str:
    """`url` with the driver that we use: psycopg 3 for PostgreSQL, the standard library for SQLite."""
    parsed = make_url(url)
    drivers = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg", "sqlite": "sqlite"}
    name = drivers.get(parsed.get_backend_name())
    if name is None:
        raise ValueError("HONGXIN_DATABASE_URL must begin with sqlite:/// or postgresql://")
    return parsed.set(drivername=name).render_as_string(hide_password=False)


def write_engine(url: str, *, workers: int = 1, idle_s: float | None = None) -> Engine:
    """The engine that writes. On SQLite one connection, every transaction opened with BEGIN IMMEDIATE.

    A transaction that reads and then writes in SQLite's default mode loses updates or fails at once.
    idle_s: after so long without a statement PostgreSQL ends a transaction, so that a process that stands still
    keeps no other from going on; None: never.
    """
    url = database_url(url)
    if url.startswith("sqlite"):
        engine = create_engine(
            url,
            pool_size=1,
            max_overflow=0,
            connect_args={"check_same_thread": False, "timeout": 30, "cached_statements": 512},
            json_serializer=_serialize,
            hide_parameters=True,  # an error text must not carry what a person wrote
        )
        event.listen(engine, "connect", _connect_to_write)
        event.listen(engine, "begin", _begin_immediate)
        return engine
    engine = create_engine(
        url,
        pool_size=workers + 1,
        max_overflow=4,
        pool_pre_ping=True,
        connect_args=NOTICED,
        json_serializer=_serialize,
        hide_parameters=True,
    )
    if idle_s is not None:
        _set_on_connect(engine, f"idle_in_transaction_session_timeout = {int(1000 * idle_s)}")
    return engine


def read_engine(url: str) -> AsyncEngine:
    """The engine for pages, reports and look-ups. It cannot write."""
    url = database_url(url)
    if url.startswith("sqlite"):
        engine = create_async_engine(
            url.replace("sqlite", "sqlite+aiosqlite", 1),
            pool_size=4,
            json_serializer=_serialize,
            hide_parameters=True,
        )
        event.listen(engine.sync_engine, "connect", _connect_to_read)
        return engine
    return create_async_engine(
        url,
        pool_size=4,
        pool_pre_ping=True,
        connect_args=NOTICED,
        json_serializer=_serialize,
        hide_parameters=True,
        execution_options={"postgresql_readonly": True},
    )


def report_engine(url: str) -> Engine:
    """The engine for long arithmetic in a thread of its own. It cannot write, and keeps nobody from writing."""
    url = database_url(url)
    if url.startswith("sqlite"):
        engine = create_engine(
            url,
            pool_size=2,  # points are read beside everything else
            connect_args={"check_same_thread": False},
            json_serializer=_serialize,
            hide_parameters=True,
        )
        event.listen(engine, "connect", _connect_to_read)
        return engine
    return create_engine(
        url,
        pool_size=2,
        pool_pre_ping=True,
        connect_args=NOTICED,
        json_serializer=_serialize,
        hide_parameters=True,
        execution_options={"postgresql_readonly": True},
    )


def heartbeat_engine(url: str) -> Engine:
    """The engine of the sender's heartbeat: one connection, on which nothing may take long."""
    url = database_url(url)
    if url.startswith("sqlite"):
        return write_engine(url)
    quick = {**NOTICED, "connect_timeout": BEAT_TIMEOUT_S, "tcp_user_timeout": 1000 * BEAT_TIMEOUT_S}
    engine = create_engine(
        url, pool_size=1, max_overflow=0, pool_pre_ping=True, hide_parameters=True, connect_args=quick
    )
    _set_on_connect(engine, f"statement_timeout = '{BEAT_TIMEOUT_S}s'")
    return engine


def turn_engine(url: str) -> AsyncEngine:
    """The engine on which processes ask each other for a turn: every statement is committed by itself.

    A turn that a crash of the database forgets costs nothing, so none waits for the disk.
    """
    engine = create_async_engine(
        database_url(url),
        pool_size=2,
        max_overflow=2,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
        connect_args={**NOTICED, "connect_timeout": BEAT_TIMEOUT_S, "tcp_user_timeout": 1000 * BEAT_TIMEOUT_S},
    )
    _set_on_connect(engine.sync_engine, f"statement_timeout = '{BEAT_TIMEOUT_S}s'", "synchronous_commit = off")
    return engine


def is_file_url(url: str) -> bool:
    """Whether `url` is a SQLite database: one file, one writer."""
    return database_url(url).startswith("sqlite")


def is_sqlite(connection: Connection) -> bool:
    """Whether this connection speaks to SQLite."""
    return connection.dialect.name == "sqlite"


def _set_on_connect(engine: Engine, *settings: str) -> None:
    """Let every new connection to PostgreSQL begin with these settings."""

    @event.listens_for(engine, "connect")
    def _set(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for setting in settings:
            cursor.execute(f"SET {setting}")
        cursor.close()
        connection.commit()


def _connect_to_write(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")  # a booked point survives a power cut
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA wal_autocheckpoint=10000")  # pages
    connection.execute("PRAGMA temp_store=MEMORY")
    connection.execute("PRAGMA cache_size=-65536")  # KiB


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _connect_to_read(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only=ON")
    cursor.execute("PRAGMA busy_timeout=30000")  # milliseconds
    cursor.close()
