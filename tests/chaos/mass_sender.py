"""A process to be killed: the real sender of mass letters on a SQLite file, handing over to a socket of the test.

Its time runs faster, so that pauses of a minute pass at once.
"""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlmodel import Session, col

from bot.writer import Writer
from db.deliveries import Delivery
from db.mass import MASS_LANE, MassBatch
from notices import mass, mass_reports
from notices.channel import Channels, SendError
from notices.lease import SenderLease
from notices.mass_rules import mass_rules
from notices.tenure import Tenure
from tests.cast import NOON
from tests.chaos.orders import Order, opened

FASTER = 20_000
RULES = mass_rules("wechat")
assert RULES is not None
SMALL = replace(RULES, at_most=10, calls_a_day=10**6, calls_a_minute=10**6, same_key_s=10**7, report_s=10**7)

ANSWERS = {  # as `bot.channels.wechat.codes` has them, whose package takes longer to load than the test runs
    "-1": SendError("retry", "busy", 5.0),
    "45028": SendError("permanent", "mass_quota"),
    "45066": SendError("retry", "same_key_too_soon", 60.0),
}


class SocketWeChat:
    """Asks the test for every batch: it answers `ok ID`, `no CODE`, or hangs up."""

    name = "wechat"

    def __init__(self, path: str) -> None:
        self._path = path

    def parts(self, text: str) -> list[str]:
        return [text]

    async def send(self, address: str, message: Any, *, key: str) -> str:
        raise AssertionError("only batches here")

    async def send_mass(self, addresses: Any, message: Any, *, key: str) -> str:
        reader, writer = await asyncio.open_unix_connection(self._path)
        try:
            writer.write(f"{key} {','.join(addresses)}\n".encode())
            answer = (await reader.readline()).decode().split()
        except ConnectionError:
            answer = []
        finally:
            writer.close()
        if not answer:
            raise SendError("ambiguous", "hung_up")
        if answer[0] == "no":
            raise ANSWERS[answer[1]]
        return answer[1]


def left(session: Session) -> int:
    """What is still to be handed over."""
    gathered = (col(Delivery.state) == "queued", col(Delivery.lane) == MASS_LANE)
    waiting = session.execute(select(func.count()).select_from(Delivery).where(*gathered)).scalar_one()
    trying = select(func.count()).select_from(MassBatch).where(col(MassBatch.state) == "trying")
    return int(waiting) + int(session.execute(trying).scalar_one())


async def send_all(order: Order) -> None:
    """Hand over until nothing is left."""

    def clock() -> datetime:
        return NOON + timedelta(seconds=(time.time() - order.began) * FASTER)

    mass.mass_rules = mass_reports.mass_rules = lambda _channel: SMALL  # type: ignore[attr-defined]
    writer = Writer(opened(order.url))
    channels = Channels({"wechat": SocketWeChat(order.path)})
    tenure = Tenure(writer.write, SenderLease(alone=True, hold_s=math.inf), channels, clock)
    sender = mass.MassSender(tenure, channels, clock, ZoneInfo("Asia/Shanghai"))
    await tenure.begin()
    while await writer.write(left):
        if not await sender.step():
            await asyncio.sleep(0.02)
    await sender.step()  # what the platform has reported
    await tenure.end()
    writer.close()
