"""The platform, and what it has really taken: the truth against which the outbox is held."""

from __future__ import annotations

import collections
import contextlib
import os
import random
import signal
import socketserver
import threading
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import TypeVar

from sqlmodel import Session, select

from db.accounts import Chat
from db.deliveries import Attempt, Delivery
from db.engine import write_engine
from db.letters import Letter
from db.members import Member, Membership
from db.recovering import DEATHS_MAX
from notices.outbox import queue_letter
from tests.cast import NOON, SHAZHOU
from tests.notices.sending import letter

S = TypeVar("S", bound="Shooter")
ALLOWED = {"sent": {1}, "ambiguous": {0, 1}, "failed": {0}, "queued": {0}}
"""How often the platform may have taken a row, by its state in the end."""


class Shooter(socketserver.ThreadingUnixStreamServer):
    """A platform on a socket: one line is one request. What it took is never taken back.

    It kills its client around a request of its choice: before it takes it, after that, or after its answer.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, path: str, dice: random.Random) -> None:
        super().__init__(path, _Line)
        self.path = path
        self.dice = dice
        self.lock = threading.Lock()
        self.victim: int | None = None

    def shoots(self) -> bool:
        """Whether it kills around the request that has just come."""
        raise NotImplementedError

    def take(self, asked: str) -> str:
        """What it answers to a request, empty: it hangs up."""
        raise NotImplementedError

    def answer(self, asked: str, say: Callable[[str], None]) -> None:
        """Take one request."""
        with self.lock:
            moment = self.dice.choice(["before", "between", "after"]) if self.shoots() else ""
            if moment == "before":
                self._shoot()
            said = self.take(asked)
            if moment == "between":
                self._shoot()
            say(said)
            if moment == "after":
                self._shoot()

    def _shoot(self) -> None:
        if self.victim is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.victim, signal.SIGKILL)
            self.victim = None


class _Line(socketserver.StreamRequestHandler):
    server: Shooter

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            asked = self.rfile.readline().decode().strip()
            if asked:
                self.server.answer(asked, self._say)

    def _say(self, words: str) -> None:
        self.wfile.write(f"{words}\n".encode() if words else b"")
        self.wfile.flush()


class Provider(Shooter):
    """Takes one message with a request. What it took stands in `accepted`, in order."""

    def __init__(self, path: str, dice: random.Random) -> None:
        super().__init__(path, dice)
        self.accepted: list[str] = []
        self._spares = 0  # messages until it kills

    def aim(self, victim: int | None, spares: int) -> None:
        """Kill this process around the message that comes after so many others."""
        with self.lock:
            self.victim, self._spares = victim, spares

    def shoots(self) -> bool:
        self._spares -= 1
        return self._spares == 0

    def take(self, asked: str) -> str:
        chance = self.dice.random()
        if chance < 0.90:  # taken; sometimes nobody hears of it
            self.accepted.append(asked)
            return "ok" if chance < 0.85 else ""
        return "later" if chance >= 0.95 else "no"


@contextlib.contextmanager
def served(one: S) -> Iterator[S]:
    """The platform, serving."""
    serving = threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    try:
        yield one
    finally:
        one.shutdown()
        serving.join()
        one.server_close()


def platform(folder: Path, dice: random.Random) -> contextlib.AbstractContextManager[Provider]:
    """A Provider at `folder`/provider."""
    return served(Provider(str(folder / "provider"), dice))


def fill(url: str, people: int) -> None:
    """A letter to so many members, queued."""
    engine = write_engine(url)
    with Session(engine) as session:
        for number in range(people):
            session.add(Member(id=1000 + number, code=f"X{number}", name=f"群众{number}"))
        session.flush()
        for number in range(people):
            session.add(Membership(member_id=1000 + number, organization_id=SHAZHOU, from_day=date(2020, 1, 1)))
            session.add(Chat(channel="web", address=f"x{number}", member_id=1000 + number, choices={}))
        queue_letter(session, letter(author_id=None, audience={"node": SHAZHOU, "who": "all"}), NOON)
        session.commit()
    engine.dispose()


def judge(url: str, accepted: list[str], told: str, *, by_address: bool = False) -> collections.Counter[str]:
    """Hold the outbox against what the platform has really taken; how many rows are in each state.

    accepted: keys of the engine, or (by_address) the addresses to which one letter went.
    """
    seen = collections.Counter(accepted)
    assert [key for key, times in seen.items() if times > 1] == [], told
    engine = write_engine(url)
    with Session(engine) as session:
        rows = session.exec(select(Delivery).where(Delivery.letter_id.is_not(None))).all()  # type: ignore[union-attr]
        unended = set(session.exec(select(Attempt.delivery_id).where(Attempt.outcome == "")).all())
        address = dict(session.exec(select(Chat.member_id, Chat.address)).all())
        state = session.exec(select(Letter.state)).one()
        if engine.dialect.name == "sqlite":
            assert session.connection().exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    engine.dispose()
    for row in rows:
        known = address.get(row.member_id, "") if by_address else f"{row.key}:{row.member_id}:{row.part}"
        assert seen[known] in ALLOWED[row.state], f"{told}: {row}"
        assert row.state != "queued" or row.channel == "mailbox", f"{told}: {row}"
        assert row.state == "ambiguous" or row.id not in unended, f"{told}: {row}"
        assert row.state != "failed" or row.died >= DEATHS_MAX, f"{told}: set aside without reason: {row}"
    states = collections.Counter(row.state for row in rows)
    assert states["sent"] > len(rows) / 4, f"{told}: {states}"
    assert state == ("sending" if states["queued"] else "done"), f"{told}: some wait in mailboxes"
    return states
