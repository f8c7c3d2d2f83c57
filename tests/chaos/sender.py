"""Processes to be killed: the real engine, lease and writer on a real database, sending to a socket of the test."""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlalchemy import select as sql_select
from sqlmodel import Session, col

from bot.heartbeat import Heartbeat
from bot.writer import Writer
from db import groups, schema  # noqa: F401 - all tables, as the service has them
from db.cards import way
from db.deliveries import Delivery
from db.engine import OUT_OF_ORDER
from notices import group_posts
from notices.channel import Channels, Message, SendError
from notices.delivery import Engine
from notices.lease import SenderLease
from notices.outbox import CITY
from notices.pacing import Pace, Pacer
from tests.cast import NOON
from tests.chaos.orders import Order, opened

TEMPLATE = "T1"


class SocketChannel:
    """Asks the test for every message: it answers `ok`, `no`, `later`, or hangs up."""

    def __init__(self, name: str, path: str) -> None:
        self.name = name
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


class SocketCards(SocketChannel):
    """Cards of one template beside a chat, each of which costs a consent."""

    def __init__(self, beside: str, path: str) -> None:
        super().__init__(way(beside, "subscription"), path)
        self.beside = beside

    def templates(self, key: str, message: Message) -> list[str]:
        return [TEMPLATE]


def channels(order: Order) -> Channels:
    """Those over which the child sends."""
    made: list[SocketChannel] = [SocketChannel("web", order.path)]
    if order.what == "ways":
        made += [SocketChannel("wechat", order.path), SocketCards("wechat", order.path)]
    return Channels({one.name: one for one in made})


def left(session: Session) -> int:
    """Deliveries that are still to be sent."""
    waiting = col(Delivery.state).in_(("queued", "retry", "claimed", "sending"))
    statement = sql_select(func.count()).where(waiting, func.coalesce(Delivery.channel, "") != "mailbox")
    return int(session.execute(statement).scalar_one()) + len(groups.topics_due(session, 1))


async def post_topics(writer: Writer, now: datetime) -> None:
    """Write what is due in groups, as the job does."""
    while await writer.write(lambda session: group_posts.post_topics(session, now, CITY)):
        pass


async def send_all(order: Order) -> None:
    """Run the engine until nothing is left."""

    def clock() -> datetime:
        return NOON + timedelta(seconds=time.time() - order.began)

    beat_s = order.beat_s
    writer = Writer(opened(order.url, idle_s=4 * beat_s or None))
    lease = SenderLease(alone=False, hold_s=3 * beat_s, takeover_s=6 * beat_s) if beat_s else None
    heart = Heartbeat(order.url, lease, every_s=beat_s) if lease else None
    over = channels(order)
    engine = Engine(
        write=writer.write,
        channels=over,
        clock=clock,
        pacers={
            name: Pacer(Pace(60, slack_s=0.2) if beat_s else Pace(3000, slack_s=0.05)) for name in over.by_name
        },
        sleep=lambda seconds: asyncio.sleep(min(seconds, beat_s or 0.005)),
        lease_s=0.1,
        hand_max=8 if beat_s else 4,
        lease=lease,
    )
    if heart:
        heart.start()
    running = asyncio.create_task(engine.run())
    if order.what == "ways":
        await post_topics(writer, clock())
    count = 1
    while (count or order.stays()) and not running.done():
        await asyncio.sleep(0.02)
        with contextlib.suppress(*OUT_OF_ORDER):
            count = await writer.write(left)
    await engine.stop()
    await running
    if heart:
        heart.stop()
    writer.close()
