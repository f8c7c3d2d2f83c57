"""The web server: webhooks, the chat page, health and figures, and the run of the whole service."""

from __future__ import annotations

import logging
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Response
from sqlalchemy import text

from bot import metrics
from bot.app import Service, secret
from bot.channels.web.pictures import router as picture_router
from bot.channels.web.say import router as say_router
from bot.channels.web.upload import router as upload_router
from bot.memory import give_back_large
from bot.pages import live
from bot.pages.board import router as board_router
from bot.pages.chat import attach
from bot.pages.letters import attach as attach_letters
from bot.sample import people
from bot.settings import Settings
from bot.sheets.web import router as sheet_router
from db import accounts

log = logging.getLogger(__name__)
COOKIE_KEY = Path("var/cookie.key")
SECRET_BYTES = 32
NOISY = ("httpx", "httpcore", "aiohttp", "apscheduler", "uvicorn", "telegram", "nicegui", "procrastinate")


def web_app(service: Service) -> FastAPI:
    """The web server's application: webhooks, pages, health and figures. Channels must be open."""
    settings = service.settings

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await service.start()
        try:
            yield
        finally:
            await service.stop()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/healthz")
    async def healthz() -> Response:
        """200 while the database takes writes and every configured channel hears; else 503 with the reason."""
        problem = service.telegram.problem if service.telegram else None
        await service.dispatcher.write(lambda session: session.execute(text("SELECT 1")))
        return Response(problem or "ok", status_code=503 if problem else 200, media_type="text/plain")

    app.include_router(metrics.router(service.writer, service.read))
    if settings.role != "worker":
        _front(app, service)
    return app


def _front(app: FastAPI, service: Service) -> None:
    """What people and platforms reach: webhooks, pages, the chat."""
    settings = service.settings
    for channel in (service.telegram, service.wechat):
        if channel is not None and channel.router is not None:
            app.include_router(channel.router)
    # Not only for the chat page: who sent a table over Telegram fetches its verdicts here, too.
    app.include_router(sheet_router(service.read, clock=service.clock, zone=settings.zone))
    app.include_router(live.router())
    if settings.board_page:
        app.include_router(
            board_router(
                service.read,
                service.drawing.png,
                clock=service.clock,
                zone=settings.zone,
                title=settings.city_name,
            )
        )
    if settings.web_chat:
        _chat(app, service)


def _chat(app: FastAPI, service: Service) -> None:
    """Everything of the web chat."""
    settings, sample = service.settings, _sample_people(service)
    app.include_router(picture_router(service.web))
    app.include_router(upload_router(service.web))
    if settings.demo:
        app.include_router(say_router(service.web, sample))
    attach_letters(app, service.web, sample, read=service.read, demo=settings.demo)
    attach(
        app,
        service.web,
        sample,
        secret=cookie_secret(settings),
        demo=settings.demo,
        title=settings.city_name,
        https_only=settings.public_url.startswith("https://"),
    )


def _sample_people(service: Service) -> dict[str, int]:
    """The sample people by role in the demo; nobody in a database that is no sample city."""
    if not service.settings.demo:
        return {}
    try:
        return {one.role: one.id for one in people(service.writer.engine).all()}
    except LookupError:
        return {}


def cookie_secret(settings: Settings) -> str:
    """What signs the cookie of the chat page: the setting, or a file that the first start makes."""
    if settings.cookie_secret:
        return secret(settings.cookie_secret)
    path = COOKIE_KEY
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(SECRET_BYTES), encoding="ascii")
    return path.read_text(encoding="ascii").strip()


async def serve(settings: Settings) -> None:
    """Run the service until it is told to stop (SIGTERM, Ctrl+C)."""
    quiet_logs(settings.log_level)
    give_back_large()
    service = Service(settings)
    await service.open_channels()
    accounts_known = await service.dispatcher.write(accounts.count_chats)
    log.info("serving http://%s:%s, %s chats known", settings.host, settings.port, accounts_known)
    config = uvicorn.Config(
        web_app(service),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,  # a query string may carry a signature
        server_header=False,
        timeout_graceful_shutdown=10,  # seconds
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or None,
    )
    await uvicorn.Server(config).serve()


def quiet_logs(level: str) -> None:
    """One line per event on stderr; libraries that print addresses with tokens only from WARNING on."""
    form = "%(asctime)s %(levelname)s %(name)s %(message)s"
    logging.basicConfig(level=level, format=form, stream=sys.stderr, force=True)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
