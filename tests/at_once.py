"""Several acts on one database at one instant, each with an engine of its own, like a process of its own.

What an act raises is raised here: a race in which one of them fell over has shown nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlmodel import Session

from db.engine import write_engine

BARRIER_S = 60  # as long as one waits for the others to come
Act = Callable[[Session], Any]
Meet = Callable[[], None]


def at_once(url: str, *acts: Act) -> list[Any]:
    """What each act gave, in their order. All pass one barrier before any begins; each is committed by itself."""

    def behind(act: Act) -> Callable[[Session, Meet], Any]:
        def run(session: Session, meet: Meet) -> Any:
            meet()
            return act(session)

        return run

    return seen_at_once(url, *[behind(act) for act in acts])


def seen_at_once(url: str, *acts: Callable[[Session, Meet], Any]) -> list[Any]:
    """The same for acts that look first: each gets `meet`, and calls it once between what it reads and what it does.

    `meet` waits until all have read. It ends the transaction, for on SQLite the others could not read otherwise;
    what was read stays as it was read.
    """
    barrier = threading.Barrier(len(acts), timeout=BARRIER_S)

    def run(act: Callable[[Session, Meet], Any]) -> Any:
        engine = write_engine(url)
        try:
            engine.connect().close()  # who first has to connect comes too late for a race
            with Session(engine) as session:

                def meet() -> None:
                    session.expunge_all()
                    session.rollback()
                    barrier.wait()

                gave = act(session, meet)
                session.commit()
                return gave
        except BaseException:
            barrier.abort()  # nobody waits for one who will not come
            raise
        finally:
            engine.dispose()

    with ThreadPoolExecutor(len(acts)) as threads:
        futures = [threads.submit(run, act) for act in acts]
    raised = [error for future in futures if (error := future.exception())]
    raised.sort(key=lambda error: isinstance(error, threading.BrokenBarrierError))  # the cause comes first
    if raised:
        raise raised[0]
    return [future.result() for future in futures]
