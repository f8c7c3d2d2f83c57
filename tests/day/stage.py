"""Sets the stage: a filled database, the stand-in of a platform, the service, and the phones that go with it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlmodel import Session

from db.engine import write_engine
from tests.bot.telegram.server import TelegramServer
from tests.bot.wechat.server import AES_KEY, APP_ID, APP_SECRET, TOKEN, WeChatServer, over_http
from tests.day.people import City, populate
from tests.day.phones import Phone, TelegramPhone, WebPhone, WeChatPhone, reaching
from tests.day.service import Service, Starter, serving
from tests.day.truth import Truth

CHANNELS = ("web", "telegram polling", "telegram webhook", "wechat")
TELEGRAM_TOKEN = "70001:CANARY-telegram-token-of-the-scripted-day"


@dataclass
class Stage:
    """One channel with everybody on it."""

    service: Service
    phone: Phone
    truth: Truth
    city: City


def fill(url: str) -> City:
    """Write the people of the day into the migrated, empty database at `url`."""
    engine = write_engine(url)
    with Session(engine) as session:
        city = populate(session, now())
        session.commit()
    engine.dispose()
    return city


def now() -> datetime:
    """The present instant: the service is a process of its own and has the clock of the machine."""
    return datetime.now(UTC)


@contextlib.asynccontextmanager
async def stage(channel: str, url: str, folder: Path, starter: Starter, **more: str) -> AsyncIterator[Stage]:
    """The service with one channel switched on, ready. `more`: further settings."""
    city = fill(url)
    truth = Truth(url)
    settings = {
        "database_url": url,
        "timezone": city.zone,
        "cookie_secret": "canary-cookie-secret",
        "web_chat": "false",
        **more,
    }
    service = Service(folder, settings, starter)
    opening = {"web": _web, "wechat": _wechat}.get(channel, _telegram)
    async with opening(channel, service, truth) as phone, serving(service):
        yield Stage(service, phone, truth, city)


@contextlib.asynccontextmanager
async def _web(_: str, service: Service, truth: Truth) -> AsyncIterator[Phone]:
    service.settings.update(demo="true", web_chat="true")
    yield WebPhone(service.url)


@contextlib.asynccontextmanager
async def _telegram(channel: str, service: Service, truth: Truth) -> AsyncIterator[Phone]:
    webhook = channel == "telegram webhook"
    carry = reaching(lambda: service.url, "/telegram")
    async with TelegramServer(TELEGRAM_TOKEN, carry=carry, date=_seconds) as server:
        full_names = service.settings.pop("full_names", "true")
        service.settings.update(
            telegram_token=TELEGRAM_TOKEN, telegram_api_url=server.url, telegram_full_names=full_names
        )
        if webhook:
            service.settings.update(
                telegram_mode="webhook", telegram_secret="canary-webhook-secret", public_url=service.url
            )
        yield TelegramPhone(server, truth, webhook)


@contextlib.asynccontextmanager
async def _wechat(_: str, service: Service, truth: Truth) -> AsyncIterator[Phone]:
    async with WeChatServer(clock=now, keeps_windows=True) as server:
        service.settings.update(
            wechat_app_id=APP_ID,
            wechat_app_secret=APP_SECRET,
            wechat_token=TOKEN,
            wechat_aes_key=AES_KEY,
            wechat_api_url=server.url,
        )
        server.webhook = over_http(service.url)
        yield WeChatPhone(server, truth)


def _seconds() -> int:
    return int(now().timestamp())


Template = Callable[[Path], str]
"""Makes a migrated, empty database in a folder; its URL."""
