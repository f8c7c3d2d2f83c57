"""What people and platforms reach of the web server: webhooks, pages, the chat."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from fastapi import FastAPI

from bot.app import Service, secret
from bot.channels.web.pictures import router as picture_router
from bot.channels.web.say import router as say_router
from bot.channels.web.upload import router as upload_router
from bot.pages import live
from bot.pages.board import router as board_router
from bot.pages.chat import attach
from bot.pages.letters import attach as attach_letters
from bot.sample import people
from bot.settings import Settings
from bot.sheets.web import router as sheet_router

COOKIE_KEY = Path("var/cookie.key")
SECRET_BYTES = 32


def open_front(app: FastAPI, service: Service) -> None:
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
    attach_letters(app, service.web, sample, read=service.report, demo=settings.demo)
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
    if not path.exists() or not path.stat().st_size:  # a start that died has once left an empty one
        _make_secret(path)
    return path.read_text(encoding="ascii").strip()


def _make_secret(path: Path) -> None:
    """Write a new secret: the file is there with all of it, or not at all, for its words sign every cookie."""
    path.parent.mkdir(parents=True, exist_ok=True)
    own = path.with_name(f"{path.name}.{os.getpid()}")
    own.unlink(missing_ok=True)
    own.touch(mode=0o600)
    own.write_text(secrets.token_hex(SECRET_BYTES), encoding="ascii")
    os.replace(own, path)
