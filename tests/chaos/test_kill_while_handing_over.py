"""The process that hands batches to WeChat is killed again and again; nobody gets a letter twice."""

from __future__ import annotations

import collections
import contextlib
import os
import random
import signal
import socketserver
import threading
import time
from datetime import date
from pathlib import Path

from sqlalchemy import update
from sqlmodel import Session, col, select

from db import mass
from db.accounts import Chat
from db.deliveries import Delivery
from db.engine import write_engine
from db.mass import MASS_LANE, MassBatch, MassReport, MassSeat
from db.members import Member, Membership
from notices.outbox import queue_letter
from tests.cast import NOON, SHAZHOU
from tests.chaos.births import Births
from tests.notices.sending import letter

PEOPLE = 60
FAILPOINTS = ("mass.after_intent", "mass.after_response")
ROUNDS = 7
PAUSED, REFUSED, AGAIN_TOO_SOON = -1, 45028, 45066


class Platform(socketserver.ThreadingUnixStreamServer):
    """WeChat: what it took stands in `taken` by key, and a key that it knows is answered with its first id.

    It kills its client around some requests: before it takes the batch, after that, or after its answer.
    """

    daemon_threads = True

    def __init__(self, path: str, dice: random.Random) -> None:
        super().__init__(path, Answering)
        self.path = path
        self.dice = dice
        self.taken: dict[str, list[str]] = {}
        self.refused: set[str] = set()
        self.lock = threading.Lock()
        self.victim: int | None = None

    def shoot(self) -> None:
        if self.victim is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.victim, signal.SIGKILL)
            self.victim = None


class Answering(socketserver.StreamRequestHandler):
    server: Platform

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError, ValueError):
            key, people = self.rfile.readline().decode().split()
            with self.server.lock:
                self.answer(key, people.split(","))

    def answer(self, key: str, people: list[str]) -> None:
        platform, dice = self.server, self.server.dice
        moment = dice.choice(["before", "between", "after"])
        if moment == "before":
            platform.shoot()
        known, chance = key in platform.taken, dice.random()
        if not known and chance < 0.15:
            said = f"no {PAUSED if chance < 0.1 else REFUSED}"
        elif known and chance < 0.3:
            said = f"no {AGAIN_TOO_SOON}"
        else:
            platform.taken.setdefault(key, people)
            said = f"ok {list(platform.taken).index(key)}" if chance < 0.8 else ""
        if moment == "between":
            platform.shoot()
        self.wfile.write(f"{said}\n".encode() if said else b"")
        self.wfile.flush()
        if moment == "after":
            platform.shoot()


def fill(url: str) -> None:
    """Two letters to PEOPLE members, gathered."""
    engine = write_engine(url)
    with Session(engine) as session:
        for number in range(PEOPLE):
            session.add(Member(id=1000 + number, code=f"X{number}", name=f"群众{number}"))
        session.flush()
        for number in range(PEOPLE):
            session.add(Membership(member_id=1000 + number, organization_id=SHAZHOU, from_day=date(2020, 1, 1)))
            session.add(Chat(channel="wechat", address=f"x{number}", member_id=1000 + number, choices={}))
        for title in ("第一封", "第二封"):
            made = letter(author_id=None, audience={"node": SHAZHOU, "who": "all"}, title=title, lane=2)
            queue_letter(session, made, NOON)
        address = select(Chat.address).where(col(Chat.member_id) == Delivery.member_id).scalar_subquery()
        session.execute(
            update(Delivery)
            .where(col(Delivery.member_id) >= 1000)
            .values(lane=MASS_LANE, channel="wechat", address=address)
            .execution_options(synchronize_session=False)
        )
        session.commit()
    engine.dispose()


def report(url: str, platform: Platform) -> None:
    """WeChat's word on all that it took."""
    engine = write_engine(url)
    with Session(engine) as session:
        for place, people in enumerate(platform.taken.values()):
            many = {"total": len(people), "sent": len(people)}
            word = MassReport(
                channel="wechat", platform_id=str(place), status="send success", reported_at=NOON, **many
            )
            mass.book(session, word)
        session.commit()
    engine.dispose()


def test_killed_between_request_and_outcome_nobody_gets_a_letter_twice(
    births: Births, database_url: str, tmp_path: Path
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    dice = random.Random(seed)
    fill(database_url)
    platform = Platform(str(tmp_path / "platform"), dice)
    serving = threading.Thread(target=platform.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    try:
        kills = hand_over(births, database_url, platform, dice)
    finally:
        platform.shutdown()
        serving.join()
        platform.server_close()
    judge(database_url, platform, kills, seed)


def hand_over(births: Births, url: str, platform: Platform, dice: random.Random) -> collections.Counter[str]:
    """Kill whoever hands over until everything is; how often, by what did it."""
    run, kills = f"mass {url}", collections.Counter[str]()

    def begin(failpoint: str = "") -> int:
        return births.begin(run, url, platform.path, failpoint=failpoint, mass=True, began=began)

    began = time.time()
    for number in range(ROUNDS):
        failpoint = f"{FAILPOINTS[number % 4]}:{dice.randint(1, 2)}" if number % 4 < len(FAILPOINTS) else ""
        child = begin(failpoint)
        platform.victim = None if failpoint else child
        kills[failpoint.partition(":")[0] or "platform"] += births.killed(run)
    platform.victim = None
    begin()
    assert not births.killed(run), "the last but one was to hand over all that was left"
    report(url, platform)
    begin()
    assert not births.killed(run)
    return kills


def judge(url: str, platform: Platform, kills: collections.Counter[str], seed: int) -> None:
    """Hold the outbox against what the platform has really taken."""
    told = f"seed {seed}, kills {dict(kills)}"
    engine = write_engine(url)
    with Session(engine) as session:
        rows = session.exec(select(Delivery).where(Delivery.member_id >= 1000)).all()
        letter_of = dict(session.exec(select(MassBatch.key, MassBatch.letter_id)).all())
        seats = session.exec(select(MassSeat.batch_id)).all()
    engine.dispose()
    seen = collections.Counter((letter_of[key], one) for key, people in platform.taken.items() for one in people)
    assert [one for one, times in seen.items() if times > 1] == [], told
    allowed = {"sent": {1}, "ambiguous": {0, 1}, "queued": {0}}
    address = {1000 + number: f"x{number}" for number in range(PEOPLE)}
    for row in rows:
        assert seen[row.letter_id, address[row.member_id]] in allowed[row.state], f"{told}: {row}"
        assert row.state != "queued" or (row.lane, row.channel) == (2, None), f"{told}: {row}"
    states = collections.Counter(row.state for row in rows)
    assert len(rows) == 2 * PEOPLE == len(seats), told
    assert states["sent"] > PEOPLE, f"{told}: {states}"
    assert sum(kills.values()) >= ROUNDS - 2, told
    assert all(kills[name] for name in FAILPOINTS), told
