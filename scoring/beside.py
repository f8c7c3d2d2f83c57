"""A second connection that reads at the same time, where the engine has one to give."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy.engine import Engine
from sqlalchemy.pool import QueuePool
from sqlmodel import Session

T = TypeVar("T")


class Beside:
    """Does what it is given, in its order, in a thread of its own; without one, when the result is asked for."""

    def __init__(self, session: Session, pool: ThreadPoolExecutor | None) -> None:
        self._session, self._pool = session, pool

    def begin(self, work: Callable[[Session], T]) -> Callable[[], T]:
        """What tells the result; to be called once."""
        if self._pool is None:
            return lambda: work(self._session)

        def own() -> T:
            with Session(self._session.get_bind()) as other:
                return work(other)

        return self._pool.submit(own).result


@contextmanager
def beside(session: Session, *, on: bool = True) -> Iterator[Beside]:
    """For the block. Only for a session that has written nothing: the other one does not see it."""
    if not (on and _has_room(session)):
        yield Beside(session, None)
        return
    with ThreadPoolExecutor(1) as pool:
        try:
            yield Beside(session, pool)
        finally:
            pool.shutdown(cancel_futures=True)


def _has_room(session: Session) -> bool:
    """Whether the session's engine has another connection; to wait for one that this session holds never ends."""
    engine = session.get_bind()
    assert isinstance(engine, Engine)
    return not isinstance(engine.pool, QueuePool) or engine.pool.checkedout() < engine.pool.size()
