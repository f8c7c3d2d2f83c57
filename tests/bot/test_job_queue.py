"""Several workers share the jobs on PostgreSQL: each instant once, a dead worker's job taken up again."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlmodel import Session

from bot import job_queue
from bot.job_queue import SCHEMA, QueuedJobs, make_schema
from bot.writer import Writer
from db import occurrences
from db.engine import write_engine
from notices.schedule import Poll, Task
from tests import databases
from tests.conftest import ZONE
from tests.day.waiting import PATIENCE_S, until

pytestmark = pytest.mark.postgres


@pytest.fixture
def url(postgresql_server: str) -> Iterator[str]:
    with databases.postgresql_copy(postgresql_server, f"queue{os.getpid()}") as url:
        yield url


@pytest.fixture
def writer(url: str) -> Iterator[Writer]:
    made = Writer(write_engine(url, workers=2), workers=2)
    yield made
    made.close()


def now() -> datetime:
    return datetime.now(UTC)


async def test_two_workers_do_each_thing_once(url, writer, monkeypatch):
    monkeypatch.setattr(job_queue, "TICK", timedelta(seconds=0.1))
    monkeypatch.setattr(job_queue, "LOOK_S", 0.2)
    ran: Counter[str] = Counter()
    at_once: Counter[str] = Counter()

    def task(session: Session, moment: object) -> None:
        ran["task"] += 1

    def poll(session: Session, instant: datetime, zone: object) -> int:
        at_once["most"] = max(at_once["most"], at_once["now"] + 1)
        at_once["now"] += 1
        time.sleep(0.05)  # long enough for another worker to run it beside this one, if it could
        at_once["now"] -= 1
        ran["poll"] += 1
        return 0

    minute = Task("every_minute", "* * * * *", task, "once")
    engine = write_engine(url)
    with Session(engine) as session:  # due now, once: what was missed in an hour
        occurrences.record(session, minute.name, now() - timedelta(hours=1), ran_at=now())
        session.commit()
    engine.dispose()
    jobs = [minute, Poll("often", timedelta(seconds=1), poll)]
    both = [QueuedJobs(url, writer.write, now, ZONE, jobs) for _ in range(2)]
    before = now()
    await asyncio.gather(*(one.start() for one in both))
    await until(lambda: ran["task"] and ran["poll"] >= 4, "the jobs run")
    await asyncio.gather(*(one.stop() for one in both))
    seconds = (now() - before).total_seconds()
    assert ran["task"] <= 1 + seconds // 60 + 1
    assert ran["poll"] <= seconds + 2  # once at the start, then once a second, however many look
    assert at_once["most"] == 1
    with psycopg.connect(url) as connection:
        done = connection.execute("SELECT count(*) FROM occurrence WHERE state = 'done'").fetchone()
        left = connection.execute(
            f"SELECT count(*) FROM {SCHEMA}.procrastinate_jobs WHERE status <> 'todo'"
        ).fetchone()
    assert done == (ran["task"] + 1,)
    assert left == (0,)


DYING = """
    import asyncio, sys
    from datetime import UTC, datetime, timedelta
    from bot import job_queue
    from bot.job_queue import QueuedJobs
    from bot.writer import Writer
    from db.engine import write_engine
    from notices.schedule import Poll
    from tests.conftest import ZONE

    async def main(url):
        writer = Writer(write_engine(url))
        jobs = QueuedJobs(url, writer.write, lambda: datetime.now(UTC), ZONE, [Poll("often", timedelta(hours=1), never)])
        await jobs.start()
        await asyncio.sleep(60)

    def never(session, now, zone):
        raise AssertionError("it dies before")

    asyncio.run(main(sys.argv[1]))
"""


async def test_what_a_dead_worker_had_begun_is_done_by_another(url, writer, monkeypatch):
    monkeypatch.setattr(job_queue, "TICK", timedelta(seconds=0.1))
    monkeypatch.setattr(job_queue, "STALLED_S", 1.0)
    monkeypatch.setattr(job_queue, "BEAT_S", 0.2)
    monkeypatch.setattr(job_queue, "LOOK_S", 0.2)
    words = [sys.executable, "-c", textwrap.dedent(DYING), url]
    dying = subprocess.Popen(  # noqa: ASYNC220 - it is waited for in a thread
        words, env={**os.environ, "HONGXIN_FAILPOINT": "job.started", "PYTHONPATH": "."}
    )
    assert await asyncio.to_thread(dying.wait, PATIENCE_S) == -signal.SIGKILL
    ran: list[datetime] = []

    def poll(session: Session, instant: datetime, zone: object) -> int:
        ran.append(instant)
        return 0

    jobs = QueuedJobs(url, writer.write, now, ZONE, [Poll("often", timedelta(seconds=1), poll)])
    await jobs.start()
    await until(lambda: ran, "it is done")
    await jobs.stop()


def test_the_tables_of_another_version_go(url):
    with psycopg.connect(url) as connection:
        connection.execute("CREATE SCHEMA hongxin_jobs_0_0_1")
    make_schema(url)
    make_schema(url)
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'hongxin%'").fetchall()
    assert found == [(SCHEMA,)]
