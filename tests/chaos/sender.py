"""Processes to be killed: the real engine, lease and writer on a real database, sending to a socket of the test.

`python -m tests.chaos.sender` reads orders, one JSON object a line, and forks a child for each of them, which sends
until nothing is left. It writes `[run, "begun", pid]` and, when the child has ended, `[run, "ended", status]`.
Forking saves the imports, which take longer than the sending; one rehearsal before saves the first times of
everything else.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import json
import os
import select
import signal
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlalchemy import select as sql_select
from sqlmodel import Session, col

from bot.heartbeat import Heartbeat
from bot.writer import Writer
from db.deliveries import Delivery
from db.engine import OUT_OF_ORDER, write_engine
from notices.channel import Channels, Message, SendError
from notices.delivery import Engine
from notices.lease import SenderLease
from notices.pacing import Pace, Pacer
from tests.cast import NOON


@dataclass(frozen=True)
class Order:
    """What a child does. path: the platform's socket; began: seconds of the epoch that count as noon.

    beat_s: between two heartbeats of its lease, which is held for 3 of them and followed after 6; 0: it is alone.
    """

    run: str
    url: str
    path: str
    began: float
    failpoint: str = ""
    beat_s: float = 0.0


class SocketChannel:
    """Asks the test for every message: it answers `ok`, `no`, `later`, or hangs up."""

    name = "web"

    def __init__(self, path: str) -> None:
        self._path = path

    def parts(self, text: str) -> list[str]:
        return [text]

    async def send(self, address: str, message: Message, *, key: str) -> str:
        if not self._path:
            return "rehearsed"
        reader, writer = await asyncio.open_unix_connection(self._path)
        try:
            writer.write(f"{key}\n".encode())
            answer = (await reader.readline()).decode().strip()
        except ConnectionError:
            answer = ""
        finally:
            writer.close()
        if answer == "no":
            raise SendError("permanent", "refused")
        if answer == "later":
            raise SendError("retry", "busy", retry_after_s=0.005)
        if not answer:
            raise SendError("ambiguous", "hung_up")
        return answer


def left(session: Session) -> int:
    """Deliveries that are still to be sent."""
    waiting = col(Delivery.state).in_(("queued", "retry", "claimed", "sending"))
    statement = sql_select(func.count()).where(waiting, func.coalesce(Delivery.channel, "") != "mailbox")
    return int(session.execute(statement).scalar_one())


async def send_all(order: Order) -> None:
    """Run the engine until nothing is left."""

    def clock() -> datetime:
        return NOON + timedelta(seconds=time.time() - order.began)

    beat_s = order.beat_s
    writer = Writer(write_engine(order.url, idle_s=4 * beat_s or None))
    lease = SenderLease(alone=False, hold_s=3 * beat_s, takeover_s=6 * beat_s) if beat_s else None
    heart = Heartbeat(order.url, lease, every_s=beat_s) if lease else None
    engine = Engine(
        write=writer.write,
        channels=Channels({"web": SocketChannel(order.path)}),
        clock=clock,
        pacers={"web": Pacer(Pace(60, slack_s=0.2) if beat_s else Pace(3000, slack_s=0.05))},
        sleep=lambda seconds: asyncio.sleep(min(seconds, beat_s or 0.005)),
        lease_s=0.1,
        hand_max=8 if beat_s else 4,
        lease=lease,
    )
    if heart:
        heart.start()
    running = asyncio.create_task(engine.run())
    count = 1
    while count and not running.done():
        await asyncio.sleep(0.02)
        with contextlib.suppress(*OUT_OF_ORDER):
            count = await writer.write(left)
    await engine.stop()
    await running
    if heart:
        heart.stop()
    writer.close()


def tell(*words: object) -> None:
    """Answer the test."""
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def serve() -> None:
    """Fork for every order, and tell of every end."""
    woken, waking = os.pipe()
    os.set_blocking(waking, False)
    signal.set_wakeup_fd(waking)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    children: dict[int, str] = {}
    unread = b""
    while True:
        ready, _, _ = select.select([0, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            while children:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    break
                tell(children.pop(pid), "ended", status)
        if 0 in ready:
            got = os.read(0, 65536)
            if not got:
                return
            *lines, unread = (unread + got).split(b"\n")
            for order in (Order(**json.loads(line)) for line in lines):
                pid = os.fork()
                if not pid:
                    live(order)
                children[pid] = order.run
                tell(order.run, "begun", pid)


def live(order: Order) -> None:
    """Be the child."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    faulthandler.register(signal.SIGUSR1)  # a test that waits in vain asks where it stands
    os.environ["HONGXIN_FAILPOINT"] = order.failpoint
    asyncio.run(send_all(order))
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(send_all(Order("rehearsal", sys.argv[1], "", time.time())))
    from db.failpoints import _armed

    _armed.cache_clear()  # the children are armed otherwise
    serve()
