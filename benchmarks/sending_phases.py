"""The phases of `benchmarks.broadcast`, each in a process of its own; each prints one line."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp
import orjson
from sqlalchemy import func, select, text
from sqlmodel import Session, col
from telegram import Bot
from telegram.request import HTTPXRequest

from benchmarks import letter_city
from benchmarks.bot_api import TOKEN
from benchmarks.memory import memory_mb
from bot import event_loop
from bot.channels.telegram.api import Api
from bot.channels.telegram.send import TelegramChannel
from bot.dispatch import choices_of
from bot.writer import Writer
from db.deliveries import Delivery
from db.engine import write_engine
from notices.addressing import write_part
from notices.channel import Channels
from notices.delivery import Engine
from notices.hand import HAND_MAX, PAID_HANDS
from notices.outbox import CITY
from notices.pacing import Pacer, at_most, pacer
from notices.wording import wording

POOL = 256
WORDS = f"{letter_city.heading('全市通知')}\n{letter_city.TEXT}"
KEYS = [
    [{"text": "1 收到", "callback_data": "letters:ack:1"}],
    [{"text": "2 退订", "callback_data": "letters:leave:1"}],
]
LEFT = text("SELECT 1 FROM delivery WHERE state IN ('queued','claimed','sending','retry') LIMIT 1")
BEGUN = text("SELECT coalesce(max(id), 0) FROM attempt")
WARM = 1000  # messages before the measuring begins: connections stand and statements are compiled
Send = Callable[[int], Awaitable[object]]


class Measured:
    """Seconds and CPU seconds since it was made."""

    def __init__(self) -> None:
        self._began, self._busy = time.perf_counter(), time.process_time()

    def figures(self, messages: int) -> dict[str, Any]:
        """Per message and per second."""
        took_s, cpu_s = time.perf_counter() - self._began, time.process_time() - self._busy
        return {
            "per_s": round(messages / took_s),
            "core": round(cpu_s / took_s, 3),
            "cpu_us": round(cpu_s / messages * 1e6),
            "memory_mb": memory_mb(),
        }


async def at_pace(send: Send, messages: int, rate: float) -> dict[str, Any]:
    """Each message at its moment; with a rate of 0 as many at once as there are connections."""
    if not rate:
        return await at_once(send, messages)
    measured, began = Measured(), time.perf_counter()
    sending: set[asyncio.Task[object]] = set()
    for number in range(1, messages + 1):
        if number == WARM + 1:
            measured = Measured()
        if (early_s := began + number / rate - time.perf_counter()) > 0:
            await asyncio.sleep(early_s)
        task: asyncio.Task[object] = asyncio.ensure_future(send(number))  # type: ignore[arg-type]
        sending.add(task)
        task.add_done_callback(sending.discard)
    await asyncio.gather(*sending)
    return measured.figures(messages - WARM)


async def at_once(send: Send, messages: int) -> dict[str, Any]:
    """As fast as it goes, with POOL requests under way."""
    measured, numbers = Measured(), iter(range(1, messages + 1))

    async def client() -> None:
        for number in numbers:
            await send(number)

    await asyncio.gather(*(client() for _ in range(POOL)))
    return measured.figures(messages)


async def raw(given: argparse.Namespace) -> dict[str, Any]:
    """aiohttp alone: the same body, the answer read, nothing else."""
    address = f"{given.url}/bot{TOKEN}/sendMessage"
    body = {"text": WORDS, "reply_markup": {"inline_keyboard": KEYS}}
    headers = {"Content-Type": "application/json"}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=POOL)) as session:

        async def send(number: int) -> object:
            data = orjson.dumps({"chat_id": str(number), **body})
            async with session.post(address, data=data, headers=headers) as response:
                return orjson.loads(await response.read())

        return await at_pace(send, given.messages, given.rate)


async def library(given: argparse.Namespace) -> dict[str, Any]:
    """python-telegram-bot as it comes, with its own request, as fast as it goes with 64 at once."""
    request = HTTPXRequest(connection_pool_size=64, pool_timeout=60.0)
    async with Bot(TOKEN, base_url=f"{given.url}/bot", request=request) as bot:
        numbers = iter(range(1, given.messages + 1))
        measured = Measured()

        async def client() -> None:
            for number in numbers:
                await bot.send_message(number, WORDS, reply_markup={"inline_keyboard": KEYS})  # type: ignore[arg-type]

        await asyncio.gather(*(client() for _ in range(64)))
        return measured.figures(given.messages)


async def engine(given: argparse.Namespace) -> dict[str, Any]:
    """The service's own way, from the outbox to the outcome. messages 0: until it is killed."""
    writer = Writer(write_engine(given.database))
    fast = given.rate > 100
    own_pacer = Pacer(at_most(int(given.rate))) if fast else pacer("telegram")
    api = Api(token=TOKEN, api_url=given.url, own_pacer=own_pacer)
    await api.open()
    channel = TelegramChannel(api, draw=None, say=wording("zh"))  # type: ignore[arg-type]
    sender = Engine(
        write=writer.write,
        channels=Channels({"telegram": channel}),
        clock=lambda: datetime.now(UTC),
        choices=choices_of,
        **({"hand_max": HAND_MAX * PAID_HANDS} if fast else {}),
    )
    running = asyncio.create_task(sender.run())
    while (warm := await writer.write(lambda session: session.execute(BEGUN).scalar_one())) < WARM:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    measured = Measured()
    while await writer.write(lambda session: session.execute(LEFT).first()):  # noqa: ASYNC110 - the rows say it
        await asyncio.sleep(0.05)
    found = measured.figures(given.messages - warm)
    await sender.stop()
    await running
    await api.close()
    writer.close()
    return found


async def plan(given: argparse.Namespace) -> dict[str, Any]:
    """Every row of a letter to the whole city, part by part, each up to the end of its commit."""
    made = write_engine(given.database)
    with Session(made) as session:
        session.execute(text("SELECT 1"))
    began, busy = time.perf_counter(), time.process_time()
    with Session(made) as session:
        letter_id = letter_city.queue(session, letter_city.ROOT, "全市通知", 2)
        session.commit()
    waits, more = [time.perf_counter() - began], True
    while more:
        since = time.perf_counter()
        with Session(made) as session:
            more = write_part(session, datetime.now(UTC), CITY)
            session.commit()
        waits.append(time.perf_counter() - since)
    took_s, cpu_s = time.perf_counter() - began, time.process_time() - busy
    with Session(made) as session:
        rows = session.execute(select(func.count()).where(col(Delivery.letter_id) == letter_id)).scalar_one()
    made.dispose()
    waits.sort()
    return {
        "rows": rows,
        "s": round(took_s, 2),
        "cpu_s": round(cpu_s, 2),
        "parts": len(waits),
        "part_p50_ms": round(1000 * waits[len(waits) // 2]),
        "part_max_ms": round(1000 * waits[-1]),
        "memory_mb": memory_mb(),
    }


PHASES = {"raw": raw, "library": library, "engine": engine, "plan": plan}


def main() -> None:
    """Run one phase."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("phase", choices=PHASES)
    parser.add_argument("--url")
    parser.add_argument("--database")
    parser.add_argument("--messages", type=int)
    parser.add_argument("--rate", type=float)
    given = parser.parse_args()
    print(json.dumps(event_loop.run(PHASES[given.phase](given))))


if __name__ == "__main__":
    main()
