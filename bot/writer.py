"""The writer: threads that own the database's write side and commit whatever waits in one go.

One thread on SQLite, a few on PostgreSQL. What is submitted for one person goes to one thread, in order.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, InvalidRequestError, PendingRollbackError
from sqlmodel import Session

from db.prepared import driver_of

T = TypeVar("T")
GROUP_MAX = 256  # works in one commit: more gains nothing and makes the first one wait
TRIES_MAX = 5  # for one work that meets a deadlock or a serialization failure on PostgreSQL
_RETRY_STATES = {"40P01", "40001"}  # deadlock detected, serialization failure


@dataclass(slots=True)
class _Work:
    run: Callable[[Session], Any]
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None

    def settle(self) -> None:
        if self.done.cancelled():
            return  # the caller has gone; what was committed stands
        if self.error is not None:
            self.done.set_exception(self.error)
        else:
            self.done.set_result(self.result)


class Writer:
    """Runs works in the writer threads, each behind a savepoint, many in one commit (group commit)."""

    def __init__(self, engine: Engine, *, workers: int = 1) -> None:
        self.engine = engine
        self._queues: list[queue.SimpleQueue[_Work | None]] = [queue.SimpleQueue() for _ in range(workers)]
        self._threads = [
            threading.Thread(target=self._serve, args=(waiting,), name=f"writer-{number}", daemon=True)
            for number, waiting in enumerate(self._queues)
        ]
        self.commits = 0
        self.works = 0
        for thread in self._threads:
            thread.start()

    async def write(self, run: Callable[[Session], T], *, person: str = "") -> T:
        """The result of `run(session)`, once it is committed. Raises what `run` or the commit raised.

        Works of the same `person` run in the order in which they were submitted.
        """
        loop = asyncio.get_running_loop()
        work = _Work(run, loop, loop.create_future())
        place = zlib.crc32(person.encode()) % len(self._queues) if len(self._queues) > 1 else 0
        self._queues[place].put(work)
        result: T = await work.done
        return result

    def close(self) -> None:
        """Finish what was submitted, then stop the threads and let go of the database."""
        for waiting in self._queues:
            waiting.put(None)
        for thread in self._threads:
            thread.join()
        self.engine.dispose()

    def _serve(self, waiting: queue.SimpleQueue[_Work | None]) -> None:
        closing = False
        while not closing:
            first = waiting.get()
            group: list[_Work] = []
            while first is not None:
                group.append(first)
                if len(group) == GROUP_MAX or waiting.empty():
                    break
                first = waiting.get()
            closing = first is None
            if group:
                self._commit_group(group)
                self._settle(group)

    def _commit_group(self, group: list[_Work]) -> None:
        """Run all in one transaction; when the transaction as a whole fails, each in its own."""
        self.works += len(group)
        try:
            with Session(self.engine, expire_on_commit=False) as session:
                driver, _ = driver_of(session, keep=True)
                for work in group:
                    _run_behind_savepoint(session, driver, work)
                session.commit()
            self.commits += 1
        except BaseException as error:  # noqa: BLE001 - a thread has no one above it to tell; every work gets it
            if len(group) > 1:
                for work in group:
                    self._commit_alone(work)
            else:
                self._commit_alone(group[0], first_error=error)

    def _commit_alone(self, work: _Work, first_error: BaseException | None = None) -> None:
        work.result, work.error = None, None
        error = first_error
        for attempt in range(TRIES_MAX):
            if error is not None and not _may_pass(error):
                break
            if error is not None or attempt == 0:
                error = self._try_alone(work)
            if error is None:
                return
        work.error = error

    def _try_alone(self, work: _Work) -> BaseException | None:
        try:
            with Session(self.engine, expire_on_commit=False) as session:
                work.result = work.run(session)
                session.commit()
            self.commits += 1
        except BaseException as error:  # noqa: BLE001 - handed to the caller of `write`
            return error
        return None

    @staticmethod
    def _settle(group: list[_Work]) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[_Work]] = {}
        for work in group:
            by_loop.setdefault(work.loop, []).append(work)
        for loop, works in by_loop.items():
            try:
                loop.call_soon_threadsafe(_settle_all, works)
            except RuntimeError:  # that loop is closed: nobody waits any more
                continue


def _settle_all(works: list[_Work]) -> None:
    for work in works:
        work.settle()


def _run_behind_savepoint(session: Session, driver: Any, work: _Work) -> None:
    """Run one work; its own error undoes it alone. Raises when the whole transaction is lost."""
    driver.execute("SAVEPOINT work")  # straight to the driver: 3 instead of 130 microseconds
    try:
        work.result = work.run(session)
        session.flush()
    except Exception as error:
        given_up = isinstance(error, (DBAPIError, InvalidRequestError, PendingRollbackError))
        if given_up or not session.is_active or _may_pass(error):
            raise  # SQLAlchemy has given up the whole transaction, or each is tried again in its own
        driver.execute("ROLLBACK TO SAVEPOINT work")
        work.error = error
    driver.execute("RELEASE SAVEPOINT work")
    session.expunge_all()


def _may_pass(error: BaseException) -> bool:
    """Whether the same work may succeed when it is tried again: it lost against another transaction."""
    state = getattr(getattr(error, "orig", error), "sqlstate", None)
    return state in _RETRY_STATES
