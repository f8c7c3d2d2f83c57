"""Several processes on one machine, for a trial: a PostgreSQL of their own, two for the web, two workers."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

ROLES = ("web", "web", "worker", "worker")
STOP_S = 30.0  # how long an ordinary end may take
AGAIN_S = 1.0  # before one that ended is started again
LOOK_S = 0.2

Tell = Callable[[str], None]


@dataclass
class Process:
    """One of them. name: web-1; port: where it answers /healthz, and the pages if it is a web process."""

    name: str
    role: str
    port: int
    running: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self, environment: Mapping[str, str]) -> None:
        """Begin `python -m bot run`."""
        own = {**environment, "HONGXIN_ROLE": self.role, "HONGXIN_PORT": str(self.port)}
        # In a session of its own: Ctrl+C is for us, who then ask each of them to end.
        self.running = subprocess.Popen([sys.executable, "-m", "bot", "run"], env=own, start_new_session=True)

    @property
    def ended(self) -> bool:
        """Whether it has to be started again."""
        return self.running is None or self.running.poll() is not None


def processes(first_port: int) -> list[Process]:
    """The processes of a cluster, not started, on ports one after the other."""
    return [
        Process(f"{role}-{ROLES[: place + 1].count(role)}", role, first_port + place)
        for place, role in enumerate(ROLES)
    ]


def environment(url: str) -> dict[str, str]:
    """What every process of the cluster sees: our own settings, and the same secret for the pages' cookies."""
    secret = os.environ.get("HONGXIN_COOKIE_SECRET") or secrets.token_hex(32)
    return {**os.environ, "HONGXIN_DATABASE_URL": url, "HONGXIN_COOKIE_SECRET": secret}


def run(members: list[Process], seen: Mapping[str, str], tell: Tell) -> None:
    """Keep all of them running until Ctrl+C or SIGTERM; one that ends is started again."""
    ending = threading.Event()
    with _ended_by(ending):
        for member in members:
            member.start(seen)
        try:
            while not ending.wait(LOOK_S):
                for member in (one for one in members if one.ended):
                    tell(f"{member.name} has ended; it starts again")
                    if not ending.wait(AGAIN_S):
                        member.start(seen)
        finally:
            _end(members, tell)


def _end(members: list[Process], tell: Tell) -> None:
    """Ask all to end, the web first: what they have just taken in can still be sent."""
    for member in sorted(members, key=lambda one: one.role):
        if member.running is not None:
            member.running.terminate()
    for member in members:
        if member.running is None:
            continue
        try:
            member.running.wait(STOP_S)
        except subprocess.TimeoutExpired:
            tell(f"{member.name} does not end: it is killed")
            member.running.kill()
            member.running.wait()


@contextlib.contextmanager
def _ended_by(ending: threading.Event) -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda *_: ending.set())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
