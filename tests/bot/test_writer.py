"""Group commit: many works in one transaction, each alone in its failure."""

from __future__ import annotations

import asyncio
import sqlite3
import threading

import pytest
from sqlalchemy import text

from bot.writer import Writer
from db.engine import write_engine
from db.letters import Topic
from db.prepared import driver_of


def _add(name):
    return lambda session: session.add(Topic(id=name, title=name, title_en=name))


def _names(session):
    return {row[0] for row in session.execute(text("SELECT id FROM topic")).all()}


async def test_what_waits_is_committed_together(writer, look):
    started, go = threading.Event(), threading.Event()

    def hold(session):
        started.set()
        go.wait(10)

    first = asyncio.create_task(writer.write(hold, person="a"))
    await asyncio.to_thread(started.wait, 10)
    before = writer.commits
    rest = [asyncio.create_task(writer.write(_add(f"t{n}"), person="a")) for n in range(50)]
    await asyncio.sleep(0)
    go.set()
    await asyncio.gather(first, *rest)
    assert writer.commits - before == 2
    assert {f"t{n}" for n in range(50)} <= await look(_names)


async def test_one_failure_among_many_is_told_to_its_own_caller_alone(writer, look):
    def fail(session):
        _add("gone")(session)
        session.flush()
        raise KeyError("mine")

    results = await asyncio.gather(
        writer.write(_add("left")), writer.write(fail), writer.write(_add("right")), return_exceptions=True
    )
    assert [type(result) for result in results] == [type(None), KeyError, type(None)]
    names = await look(_names)
    assert {"left", "right"} <= names
    assert "gone" not in names


async def test_a_broken_statement_does_not_lose_its_neighbours(writer, look):
    results = await asyncio.gather(
        writer.write(_add("one")), writer.write(_add("one")), writer.write(_add("two")), return_exceptions=True
    )
    assert sum(isinstance(result, Exception) for result in results) == 1
    assert {"one", "two"} <= await look(_names)


async def test_a_caller_who_went_away_does_not_undo_the_work(writer, look):
    task = asyncio.create_task(writer.write(_add("kept")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert "kept" in await look(_names)


async def test_closing_finishes_what_was_submitted(engine):
    made = Writer(engine)
    tasks = [asyncio.create_task(made.write(_add(f"c{n}"))) for n in range(20)]
    await asyncio.sleep(0)
    await asyncio.to_thread(made.close)
    assert await asyncio.gather(*tasks) == [None] * 20


def test_a_transaction_on_sqlite_takes_the_write_lock_before_it_reads(tmp_path):
    """A read before the lock would be stale; the second connection must find it taken."""
    database_url = f"sqlite:///{tmp_path / 'one.db'}"
    first, second = write_engine(database_url), write_engine(database_url)
    with first.connect() as holder:
        holder.exec_driver_sql("SELECT 1")
        waiting = second.raw_connection()
        waiting.driver_connection.execute("PRAGMA busy_timeout=0")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            waiting.driver_connection.execute("BEGIN IMMEDIATE")
        waiting.close()
    first.dispose()
    second.dispose()


async def test_what_lost_against_another_transaction_is_tried_again(writer, look):
    """A deadlock, as the driver itself raises it under a prepared statement; SQLite knows none and gets its like."""
    tries = []

    class DeadlockDetected(Exception):
        sqlstate = "40P01"

    def lose_once(session):
        tries.append(session)
        _add("second try")(session)
        session.flush()
        if len(tries) < 3:
            driver, dialect = driver_of(session)
            if dialect.name == "postgresql":
                driver.execute("DO $$ BEGIN RAISE EXCEPTION 'blocked' USING ERRCODE = '40P01'; END $$")
            raise DeadlockDetected

    results = await asyncio.gather(writer.write(_add("beside")), writer.write(lose_once))
    assert results == [None, None]
    assert len(tries) == 3
    assert {"second try", "beside"} <= await look(_names)
