"""The running service under a load of check-ins: WeChat's webhook in safe mode, and Telegram's.

The service is `python -m bot run` on a SQLite file; this process plays both platforms on loopback. First so many
messages a second (`paced`: waiting counts from the moment at which a message was due), then as many as go over a
fixed number of connections (`full`). Printed are milliseconds until the webhook's answer, which follows the
commit, and microseconds of the service's CPU per message with its reply: inside the answer on WeChat, a call of
the Bot API on Telegram. Ends by itself within two minutes. Telegram's own
limit of 30 messages a second is lifted here: it would be all that one sees.

    python -m benchmarks.webhook [--rate 500] [--paced-s 10] [--full-s 5] [--connections 64]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import orjson
from aiohttp import web

from benchmarks.crowd import FIRST, city
from tests.bot.wechat.server import AES_KEY, APP_ID, APP_SECRET, TOKEN, WeChatServer
from tests.day.people import OWN_CODE
from tests.day.service import Command, Service, serving

FULL_MAX = 15_000  # messages of one full run: no machine of ours needs more in its seconds
DONE = "签到成功"
WORDS = f"签到 {OWN_CODE}"
SECRET, TELEGRAM_TOKEN = "webhook-secret-of-the-benchmark", "70002:token-of-the-benchmark-0123456789abc"
TICK_S = 1 / os.sysconf("SC_CLK_TCK")

Send = Callable[[int], Awaitable[bool]]
"""Brings message `number` to the webhook; whether the answer was right."""

Settled = Callable[[], Awaitable[None]]
"""Waits until every reply has gone out."""

Figures = dict[str, float]


@dataclass
class Platforms:
    """Answers for both platforms; counts the replies that were pushed to Telegram."""

    url: str = ""
    pushed: int = 0

    async def answer(self, request: web.Request) -> web.Response:
        """Yes to everything."""
        if request.path.endswith("/stable_token"):
            return web.json_response({"access_token": "token", "expires_in": 7200})
        method = request.match_info["path"].rpartition("/")[2]
        self.pushed += method == "sendMessage"
        me = {"id": 1, "is_bot": True, "first_name": "Hongxin", "username": "HongxinBot"}
        result = {"getMe": me, "sendMessage": {"message_id": self.pushed, "date": 1}}.get(method, True)
        return web.Response(body=orjson.dumps({"ok": True, "result": result}), content_type="application/json")


@contextlib.asynccontextmanager
async def platforms() -> AsyncIterator[Platforms]:
    """Both platforms on loopback."""
    made = Platforms()
    app = web.Application()
    app.router.add_route("*", "/{path:.+}", made.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


def updates(count: int) -> list[bytes]:
    """Telegram's updates, the first for each of so many members."""
    now_s = int(time.time())
    return [
        orjson.dumps(
            {
                "update_id": number + 1,
                "message": {
                    "message_id": number + 1,
                    "from": {"id": FIRST + number, "is_bot": False, "first_name": "X"},
                    "chat": {"id": FIRST + number, "type": "private", "first_name": "X"},
                    "date": now_s,
                    "text": WORDS,
                },
            }
        )
        for number in range(count)
    ]


@dataclass
class Load:
    """What one run measured."""

    waited_ms: list[float] = field(default_factory=list)
    wrong: int = 0
    took_s: float = 0.0

    def figures(self, cpu_s: float) -> Figures:
        """Rounded, for printing. Raises RuntimeError when an answer was wrong."""
        if self.wrong or not self.waited_ms:
            raise RuntimeError(f"{self.wrong} of {len(self.waited_ms)} answers were wrong")
        waited, count = sorted(self.waited_ms), len(self.waited_ms)
        return {
            "messages": count,
            "per_s": round(count / self.took_s, 1),
            "p50_ms": round(waited[count // 2], 2),
            "p99_ms": round(waited[int(count * 0.99)], 2),
            "cpu_us": round(cpu_s / count * 1e6),
        }


async def paced(send: Send, numbers: Sequence[int], rate: float) -> Load:
    """Each message at its moment, whatever became of the others."""
    load = Load()
    begun = time.perf_counter()

    async def one(number: int, due: float) -> None:
        load.wrong += not await send(number)
        load.waited_ms.append((time.perf_counter() - due) * 1000)

    sent: list[asyncio.Task[None]] = []
    for place, number in enumerate(numbers):
        due = begun + place / rate
        if (early := due - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        sent.append(asyncio.create_task(one(number, due)))
    await asyncio.gather(*sent)
    load.took_s = time.perf_counter() - begun
    return load


async def full(send: Send, numbers: Iterator[int], seconds: float, connections: int) -> Load:
    """As many as go."""
    load = Load()
    begun = time.perf_counter()

    async def client() -> None:
        for number in numbers:
            since = time.perf_counter()
            load.wrong += not await send(number)
            load.waited_ms.append((time.perf_counter() - since) * 1000)
            if time.perf_counter() - begun > seconds:
                return

    await asyncio.gather(*(client() for _ in range(connections)))
    load.took_s = time.perf_counter() - begun
    return load


def cpu_s(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_S


async def measured(service: Service, load: Awaitable[Load], settled: Settled) -> Figures:
    """A run with the CPU that the service used for it, up to the last reply."""
    assert service.pid is not None
    before = cpu_s(service.pid)
    done = await load
    await settled()
    return done.figures(cpu_s(service.pid) - before)


async def both_runs(
    service: Service, send: Send, given: argparse.Namespace, settled: Settled
) -> dict[str, Figures]:
    """Paced, then full, after a few to warm up; every message of another member."""
    warm, count = 100, int(given.rate * given.paced_s)
    await full(send, iter(range(warm)), 60, 8)
    await settled()
    numbers = range(warm, warm + count)
    rest = iter(range(warm + count, warm + count + FULL_MAX))
    return {
        "paced": await measured(service, paced(send, numbers, given.rate), settled),
        "full": await measured(service, full(send, rest, given.full_s, given.connections), settled),
    }


async def on_wechat(url: str, folder: Path, given: argparse.Namespace, count: int) -> dict[str, Figures]:
    """Safe mode: every request is sealed and signed, and so is every answer."""
    async with platforms() as platform, connected(given) as client:
        settings = {
            "wechat_app_id": APP_ID,
            "wechat_app_secret": APP_SECRET,
            "wechat_token": TOKEN,
            "wechat_aes_key": AES_KEY,
            "wechat_api_url": platform.url,
        }
        service = Service(folder, {**common(url), **settings}, Command())
        seals = WeChatServer(clock=lambda: datetime.now(UTC))
        requests = [seals.sealed(seals.typed(str(FIRST + n), WORDS).document) for n in range(count)]

        async def send(number: int) -> bool:
            query, body = requests[number]
            async with client.post(f"{service.url}/wechat?{query}", data=body) as answer:
                answered = await answer.read()
            if number % 100:  # opening costs this process much more than the service
                return answer.status == 200 and len(answered) > len("success")
            return DONE in seals.opened(answered)["Content"]

        async with serving(service):
            return await both_runs(service, send, given, nothing)


class Unpaced(Command):
    """The service without Telegram's limit on what a bot sends."""

    words = (
        "-c",
        "from notices import pacing; pacing.PACES['telegram'] = pacing.Pace(100_000); "
        "from bot.__main__ import app; app(['run'])",
    )


async def on_telegram(url: str, folder: Path, given: argparse.Namespace, count: int) -> dict[str, Figures]:
    """Every update is answered with 200 after the commit; its reply is a request of its own."""
    async with platforms() as platform, connected(given) as client:
        settings = {
            "telegram_token": TELEGRAM_TOKEN,
            "telegram_api_url": platform.url,
            "telegram_mode": "webhook",
            "telegram_secret": SECRET,
        }
        service = Service(folder, {**common(url), **settings}, Unpaced())
        service.settings["public_url"] = service.url
        bodies, headers = updates(count), {"X-Telegram-Bot-Api-Secret-Token": SECRET}
        sent = 0

        async def send(number: int) -> bool:
            nonlocal sent
            sent += 1
            async with client.post(f"{service.url}/telegram", data=bodies[number], headers=headers) as answer:
                return answer.status == 200

        async def all_pushed() -> None:
            async with asyncio.timeout(60):
                while platform.pushed < sent:  # noqa: ASYNC110 - the replies come from another process
                    await asyncio.sleep(0.01)

        async with serving(service):
            return await both_runs(service, send, given, all_pushed)


async def nothing() -> None:
    """On WeChat the answer was the reply."""


def common(url: str) -> dict[str, str]:
    """Settings of both services."""
    return {"database_url": url, "web_chat": "false", "log_level": "WARNING"}


@contextlib.asynccontextmanager
async def connected(given: argparse.Namespace) -> AsyncIterator[aiohttp.ClientSession]:
    """A client that keeps its connections."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=2 * given.connections)) as client:
        yield client


def main() -> None:
    """Measure both and print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=500, help="messages a second of the paced run")
    parser.add_argument("--paced-s", type=float, default=10)
    parser.add_argument("--full-s", type=float, default=5)
    parser.add_argument("--connections", type=int, default=64)
    given = parser.parse_args()
    count = 100 + int(given.rate * given.paced_s) + FULL_MAX
    found: dict[str, object] = {"benchmark": "webhook", "rate": given.rate, "connections": given.connections}
    for name, run in (("wechat", on_wechat), ("telegram", on_telegram)):
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            found[name] = asyncio.run(run(city(folder / "hongxin.db", count), folder, given, count))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
