"""The sending process is killed again and again; in the end nothing is lost and nothing came twice."""

from __future__ import annotations

import collections
import contextlib
import os
import random
import shutil
import signal
import socketserver
import subprocess
import sys
import threading
import time
from datetime import date
from pathlib import Path

from sqlmodel import Session, select

from db.accounts import Chat
from db.deliveries import Attempt, Delivery
from db.engine import write_engine
from db.letters import Letter
from db.members import Member, Membership
from notices.outbox import queue_letter
from tests.cast import NOON, SHAZHOU
from tests.notices.sending import letter

ROOT = Path(__file__).parents[2]
PEOPLE = 300
FAILPOINTS = ("claim.after_commit", "send.after_intent", "send.after_response", "send.before_outcome")
RANDOM_KILLS, KILLS_AT_EACH_FAILPOINT = 24, 4
SIGKILLED = signal.SIGKILL  # the exit status of a process that was killed


class Provider(socketserver.ThreadingUnixStreamServer):
    """The platform: what it took stands in `accepted`, in order, and is never taken back.

    It kills its client around a message of its choice: before it takes it, after it took it, or after its answer.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, path: str, dice: random.Random) -> None:
        super().__init__(path, Answering)
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


class Sending:
    """The small program, and the ends of its children."""

    def __init__(self, url: str, path: str, program: str = "tests.chaos.sender") -> None:
        command = [sys.executable, "-m", program, url, path, str(time.time())]
        self._program = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.kills: collections.Counter[str] = collections.Counter()

    def begin(self, failpoint: str = "") -> int:
        """Start a child; its id."""
        assert self._program.stdin is not None
        self._program.stdin.write(f"{failpoint}\n")
        self._program.stdin.flush()
        return self._read()

    def end(self, what: str) -> bool:
        """Wait for the child; was it killed?"""
        status = self._read()
        assert status in (0, SIGKILLED), f"the child ended with {status}"
        self.kills[what] += status == SIGKILLED
        return status == SIGKILLED

    def _read(self) -> int:
        assert self._program.stdout is not None
        return int(self._program.stdout.readline())

    def close(self) -> None:
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.close()
        self._program.wait()
        self._program.stdout.close()


def fill(url: str) -> int:
    """A letter to PEOPLE members, queued; its id."""
    engine = write_engine(url)
    with Session(engine) as session:
        for number in range(PEOPLE):
            session.add(Member(id=1000 + number, code=f"X{number}", name=f"群众{number}"))
        session.flush()
        for number in range(PEOPLE):
            session.add(Membership(member_id=1000 + number, organization_id=SHAZHOU, from_day=date(2020, 1, 1)))
            session.add(Chat(channel="web", address=f"x{number}", member_id=1000 + number, choices={}))
        made = letter(author_id=None, audience={"node": SHAZHOU, "who": "all"})
        queue_letter(session, made, NOON)
        session.commit()
        letter_id = made.id
    engine.dispose()
    assert letter_id is not None
    return letter_id


def rounds(dice: random.Random) -> list[str]:
    """What ends each child: a failpoint at its n-th time, or nothing, and then the provider kills."""
    armed = [f"{name}:{dice.randint(2, 6)}" for name in FAILPOINTS for _ in range(KILLS_AT_EACH_FAILPOINT)]
    plan = armed + [""] * RANDOM_KILLS
    dice.shuffle(plan)
    return plan


def test_forty_kills_lose_nothing_and_repeat_nothing(sqlite_template: Path, tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(10**6)
    dice = random.Random(seed)
    database = tmp_path / "hongxin.db"
    shutil.copy(sqlite_template, database)
    url = f"sqlite:///{database}"
    letter_id = fill(url)
    provider = Provider(str(tmp_path / "provider"), dice)
    serving = threading.Thread(target=provider.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    sending = Sending(url, str(tmp_path / "provider"))
    try:
        for failpoint in rounds(dice):
            child = sending.begin(failpoint)
            provider.aim(None if failpoint else child, dice.randint(1, 9))
            sending.end(failpoint.partition(":")[0] or "provider")
            provider.aim(None, 0)
        sending.begin()
        assert not sending.end("nobody"), "the last child was to send all that was left"
    finally:
        sending.close()
        provider.shutdown()
        serving.join()
        provider.server_close()
    judge(url, letter_id, provider.accepted, sending.kills, seed)


def judge(url: str, letter_id: int, accepted: list[str], kills: collections.Counter[str], seed: int) -> None:
    """Hold the outbox against what the provider has really taken."""
    told = f"seed {seed}, kills {dict(kills)}"
    seen = collections.Counter(accepted)
    assert [key for key, times in seen.items() if times > 1] == [], told
    allowed = {"sent": {1}, "ambiguous": {0, 1}, "failed": {0}, "queued": {0}}
    engine = write_engine(url)
    with Session(engine) as session:
        rows = session.exec(select(Delivery).where(Delivery.letter_id == letter_id)).all()
        unended = set(session.exec(select(Attempt.delivery_id).where(Attempt.outcome == "")).all())
        state = session.exec(select(Letter.state)).one()
        assert session.connection().exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    engine.dispose()
    assert len(rows) == PEOPLE + 2, told  # Charlie and Qian belong to the branch, too
    for row in rows:
        assert seen[f"{row.key}:{row.member_id}:{row.part}"] in allowed[row.state], f"{told}: {row}"
        assert row.state != "queued" or row.channel == "mailbox", f"{told}: {row}"
        assert row.state == "ambiguous" or row.id not in unended, f"{told}: {row}"
    states = collections.Counter(row.state for row in rows)
    assert states["sent"] > PEOPLE / 2, f"{told}: {states}"
    assert states["failed"] <= 3, f"{told}: {states}"
    assert sum(kills.values()) >= 35, told
    assert all(kills[name] for name in FAILPOINTS), told
    assert state == "sending", "some wait in mailboxes"
