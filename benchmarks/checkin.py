"""Check-ins per second through parse, dispatch, commit and reply, on SQLite with synchronous=FULL.

Beside the same work in a plain bot (python-telegram-bot's Application, a handler with the SQLModel ORM over
aiosqlite) and in raw `sqlite3`, one transaction each. The three take turns on fresh files; medians of the turns.

    python -m benchmarks.checkin [--members 4000] [--clients 256] [--turns 3]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import insert
from sqlmodel import Session

from benchmarks import plain_bot, raw_sqlite
from bot.channels.telegram.inbound import read
from bot.channels.telegram.render import calls
from bot.dispatch import Dispatcher
from bot.writer import Writer
from db import schema
from db.accounts import Chat
from db.engine import write_engine
from db.members import Member, Membership
from notices.wording import wording
from tests import cast

FIRST = 1_000_000  # id of the first member of the crowd


def update(number: int) -> bytes:
    """A Telegram update with `签到 8841` from the member with this number, as it comes over the wire."""
    person = {"id": FIRST + number, "is_bot": False, "first_name": "X", "language_code": "zh-hans"}
    return orjson.dumps(
        {
            "update_id": number,
            "message": {
                "message_id": number,
                "from": person,
                "chat": {"id": FIRST + number, "type": "private", "first_name": "X"},
                "date": int(cast.NOON.timestamp()),
                "text": f"签到 {cast.OWN_CODE}",
            },
        }
    )


def city(path: Path, members: int) -> str:
    """A database with the cast and a crowd bound to Telegram; its URL."""
    url = f"sqlite:///{path}"
    engine = write_engine(url)
    schema.create(engine)
    with Session(engine) as session:
        cast.populate(session)
        numbers = range(FIRST, FIRST + members)
        people = [{"id": n, "code": f"X{n}", "name": "某某", "created_at": cast.NOON} for n in numbers]
        session.execute(insert(Member), people)
        belongs = [{"member_id": n, "organization_id": cast.LIANGFENG, "from_day": cast.DAY} for n in numbers]
        session.execute(insert(Membership), belongs)
        chats = [{"channel": "telegram", "address": str(n), "member_id": n, "choices": {}} for n in numbers]
        session.execute(insert(Chat), chats)
        session.commit()
    engine.dispose()
    return url


async def crowd(members: int, clients: int, one: Callable[[int], Awaitable[None]]) -> dict[str, float]:
    """`one(number)` for every member, `clients` at a time: rate, milliseconds and CPU."""
    numbers = iter(range(members))
    waited_ms: list[float] = []

    async def client() -> None:
        for number in numbers:
            begun = time.perf_counter()
            await one(number)
            waited_ms.append((time.perf_counter() - begun) * 1000)

    begun, busy = time.perf_counter(), time.process_time()
    await asyncio.gather(*(client() for _ in range(clients)))
    took, cpu = time.perf_counter() - begun, time.process_time() - busy
    waited_ms.sort()
    return {
        "per_s": members / took,
        "cpu_us": cpu / members * 1e6,
        "p50_ms": waited_ms[len(waited_ms) // 2],
        "p99_ms": waited_ms[int(len(waited_ms) * 0.99)],
    }


def hongxin(folder: Path, members: int, clients: int) -> dict[str, float]:
    """The whole path of this service, but for the network."""
    writer = Writer(write_engine(city(folder / "hongxin.db", members)))
    dispatcher = Dispatcher(writer, zone=ZoneInfo("Asia/Shanghai"), clock=lambda: cast.NOON)
    say = wording("zh")

    async def one(number: int) -> None:
        arrival = read(orjson.loads(update(number)), me=None, now=cast.NOON)
        assert arrival
        assert arrival.incoming
        answer = await dispatcher.answer(arrival.incoming)
        assert answer.message
        assert "+2" in answer.message.text
        for _, arguments in calls(arrival.address, answer.message, None, say):
            orjson.dumps(arguments)

    try:
        return asyncio.run(crowd(members, clients, one))
    finally:
        writer.close()


def main() -> None:
    """Take turns and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=4000)
    parser.add_argument("--clients", type=int, default=256)
    parser.add_argument("--turns", type=int, default=3)
    given = parser.parse_args()
    runs: dict[str, list[dict[str, float]]] = {"hongxin": [], "plain": [], "raw": []}
    for _ in range(given.turns):
        with tempfile.TemporaryDirectory() as folder:
            runs["hongxin"].append(hongxin(Path(folder), given.members, given.clients))
            few = max(100, given.members // 10)  # the plain bot is slow: a tenth tells its rate as well
            runs["plain"].append(asyncio.run(plain_bot.run(Path(folder), few, given.clients, update, crowd)))
            runs["raw"].append(raw_sqlite.run(Path(folder), given.members))
    median = {
        name: {key: round(statistics.median(run[key] for run in turns), 2) for key in turns[0]}
        for name, turns in runs.items()
    }
    rate = {name: figures["per_s"] for name, figures in median.items()}
    ratios = {
        "to_plain": round(rate["hongxin"] / rate["plain"], 2),
        "to_raw": round(rate["hongxin"] / rate["raw"], 2),
    }
    print(
        json.dumps(
            {"benchmark": "checkin", "members": given.members, "clients": given.clients, **median, **ratios}
        )
    )


if __name__ == "__main__":
    main()
