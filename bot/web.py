"""The web server: health and figures, and the run of the whole service."""

from __future__ import annotations

import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI, Response
from sqlalchemy import text

from bot import metrics
from bot.app import Service
from bot.memory import give_back_large
from bot.settings import Settings
from db import accounts

log = logging.getLogger(__name__)
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
        from bot.front import open_front  # a worker, which has no pages, sends the sooner without them

        open_front(app, service)
    return app


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
