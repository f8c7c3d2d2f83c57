"""The platform, and what it has really taken: the truth against which the outbox is held."""

from __future__ import annotations

import collections
import contextlib
import os
import random
import signal
import socketserver
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path

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

ALLOWED = {"sent": {1}, "ambiguous": {0, 1}, "failed": {0}, "queued": {0}}
"""How often the platform may have taken a row, by its state in the end."""


class Provider(socketserver.ThreadingUnixStreamServer):
    """What it took stands in `accepted`, in order, and is never taken back.

    It kills its client around a message of its choice: before it takes it, after it took it, or after its answer.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, path: str, dice: random.Random) -> None:
        super().__init__(path, Answering)
        self.path = path
        self.dice = dice
        self.accepted: list[str] = []
        self.lock = threading.Lock()
        self.victim: int | None = None
        self.spares = 0  # messages until it kills

    def aim(self, victim: int | None, spares: int) -> None:
        with self.lock:
            self.victim, self.spares = victim, spares

    def shoot(self) -> None:
        if self.victim is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.victim, signal.SIGKILL)
            self.victim = None


class Answering(socketserver.StreamRequestHandler):
    server: Provider

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            key = self.rfile.readline().decode().strip()
            if key:
                self.answer(key)

    def answer(self, key: str) -> None:
        server = self.server
        with server.lock:
            server.spares -= 1
            moment = server.dice.choice(["before", "between", "after"]) if server.spares == 0 else ""
            chance = server.dice.random()
            if moment == "before":
                server.shoot()
            if chance < 0.90:  # taken; sometimes nobody hears of it
                server.accepted.append(key)
            if moment == "between":
                server.shoot()
            if chance < 0.85:
                self.wfile.write(b"ok\n")
            elif chance >= 0.95:
                self.wfile.write(b"later\n")
            elif chance >= 0.90:
                self.wfile.write(b"no\n")
            self.wfile.flush()
            if moment == "after":
                server.shoot()


@contextlib.contextmanager
def platform(folder: Path, dice: random.Random) -> Iterator[Provider]:
    """The platform, serving at `folder`/provider."""
    provider = Provider(str(folder / "provider"), dice)
    serving = threading.Thread(target=provider.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    try:
        yield provider
    finally:
        provider.shutdown()
        serving.join()
        provider.server_close()


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
