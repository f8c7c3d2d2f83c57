"""A process to be killed: the real engine and writer on a SQLite file, sending to a socket of the test.

`python -m tests.chaos.sender DATABASE_URL SOCKET BEGAN` (BEGAN: seconds of the epoch that count as noon) reads the
name of a failpoint (or an empty line) from its input, forks a child that sends until nothing is left, writes the
child's id and, once it has ended, its exit status. Forking saves the imports, which take longer than the sending.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlmodel import Session, col

from bot.writer import Writer
from db.deliveries import Delivery
from db.engine import write_engine
from notices.channel import Channels, Message, SendError
from notices.delivery import Engine
from notices.pacing import Pace, Pacer
from tests.cast import NOON


class SocketChannel:
    """Asks the test for every message: it answers `ok`, `no`, `later`, or hangs up."""

    name = "web"

    def __init__(self, path: str) -> None:
        self._path = path

    def parts(self, text: str) -> list[str]:
        return [text]

    async def send(self, address: str, message: Message, *, key: str) -> str:
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
    statement = select(func.count()).where(waiting, func.coalesce(Delivery.channel, "") != "mailbox")
    return int(session.execute(statement).scalar_one())


async def send_all(url: str, path: str, began: float) -> None:
    """Run the engine until nothing is left."""

    def clock() -> datetime:
        return NOON + timedelta(seconds=time.time() - began)

    writer = Writer(write_engine(url))
    engine = Engine(
        write=writer.write,
        channels=Channels({"web": SocketChannel(path)}),
        clock=clock,
        pacers={"web": Pacer(Pace(3000))},
        sleep=lambda seconds: asyncio.sleep(min(seconds, 0.005)),
        lease_s=0.1,
        hand_max=16,
    )
    running = asyncio.create_task(engine.run())
    while await writer.write(left) and not running.done():  # noqa: ASYNC110 - the rows say it, no event does
        await asyncio.sleep(0.01)
    await engine.stop()
    await running
    writer.close()


def main() -> None:
    url, path, began = sys.argv[1:]
    for line in sys.stdin:
        child = os.fork()
        if not child:
            os.environ["HONGXIN_FAILPOINT"] = line.strip()
            asyncio.run(send_all(url, path, float(began)))
            os._exit(0)
        print(child, flush=True)  # noqa: T201 - the answer to the test
        print(os.waitpid(child, 0)[1], flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
