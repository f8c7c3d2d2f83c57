"""What is missing or wrong in the settings: every problem with an id, a message and a hint. E stops, W warns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from bot.settings import Settings
from db import migrate
from db.engine import database_url
from scoring.catalogue import RulesError, load

_TELEGRAM_TOKEN = re.compile(r"[0-9]{5,}:[A-Za-z0-9_-]{30,}")
_TELEGRAM_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_LOCAL = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem. `id` begins with E (the service does not start) or W (it starts)."""

    id: str
    message: str
    hint: str

    @property
    def stops(self) -> bool:
        """Whether the service refuses to start because of it."""
        return self.id.startswith("E")


def read_settings() -> tuple[Settings | None, list[Problem]]:
    """The settings of the environment, or None with the reason. No value of a secret is in any message."""
    try:
        return Settings(), []
    except ValidationError as error:
        problems = []
        for one in error.errors(include_input=False, include_url=False):
            name = f"HONGXIN_{str(one['loc'][0]).upper()}" if one["loc"] else "HONGXIN_*"
            problems.append(Problem("E001", f"{name}: {one['msg']}", "README, section Settings, shows an example"))
        return None, problems
    except OSError as error:
        return None, [
            Problem("E002", f"a HONGXIN_*_FILE cannot be read: {error.strerror}", "check its path and rights")
        ]


def problems(settings: Settings) -> list[Problem]:
    """Everything that is wrong with these settings, errors first."""
    found = [*_database(settings), *_rules(), *_telegram(settings), *_wechat(settings), *_web(settings)]
    return sorted(found, key=lambda problem: problem.id)


def _database(settings: Settings) -> Iterator[Problem]:
    try:
        url = make_url(database_url(settings.database_url))
    except (ValueError, ArgumentError):
        hint = "sqlite:///var/hongxin.db or postgresql://user:password@host/name"
        yield Problem("E010", "HONGXIN_DATABASE_URL is not an address of SQLite or PostgreSQL", hint)
        return
    if url.get_backend_name() == "sqlite" and (not url.database or url.database == ":memory:"):
        yield Problem("E011", "HONGXIN_DATABASE_URL names no file", "the city would be forgotten at every stop")
        return
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
        yield Problem("W012", "the database does not exist yet", "it is made at the first start")
        return
    try:
        for text in migrate.check(settings.database_url):
            yield Problem("W013", text, "it is brought up to date at the next start")
    except migrate.Refused as error:
        yield Problem("E014", str(error), "restore a backup, or install the version that wrote it")
    except SQLAlchemyError as error:
        yield Problem("E015", f"the database does not answer: {type(error).__name__}", "is the server running?")


def _rules() -> Iterator[Problem]:
    try:
        load()
    except RulesError as error:
        for text in error.mistakes:
            yield Problem("E020", text, "python -m bot rules shows all of them")


def _telegram(settings: Settings) -> Iterator[Problem]:
    token = settings.telegram_token.get_secret_value() if settings.telegram_token else ""
    if not token:
        return
    if not _TELEGRAM_TOKEN.fullmatch(token):
        yield Problem("E030", "HONGXIN_TELEGRAM_TOKEN does not look like a token", "copy it again from @BotFather")
    if settings.telegram_mode == "webhook":
        secret = settings.telegram_secret.get_secret_value() if settings.telegram_secret else ""
        if not _TELEGRAM_SECRET.fullmatch(secret):
            yield Problem("E031", "HONGXIN_TELEGRAM_SECRET is missing or odd", "1 to 256 of A-Z a-z 0-9 _ -")
        if not settings.public_url.startswith(("https://", "http://")):
            yield Problem("E032", "the webhook needs HONGXIN_PUBLIC_URL", "https://chat.example.org")
    if settings.telegram_full_names:
        yield Problem("W033", "names are sent abroad through Telegram", "only with everybody's separate consent")


def _wechat(settings: Settings) -> Iterator[Problem]:
    given = {
        "HONGXIN_WECHAT_APP_ID": bool(settings.wechat_app_id),
        "HONGXIN_WECHAT_APP_SECRET": settings.wechat_app_secret is not None,
        "HONGXIN_WECHAT_TOKEN": settings.wechat_token is not None,
        "HONGXIN_WECHAT_AES_KEY": settings.wechat_aes_key is not None,
    }
    if not any(given.values()):
        return
    for name, there in given.items():
        if not there:
            yield Problem("E040", f"{name} is missing", "WeChat needs all four of its settings")
    if settings.wechat_aes_key and len(settings.wechat_aes_key.get_secret_value()) != 43:
        yield Problem("E041", "HONGXIN_WECHAT_AES_KEY must have 43 characters", "copy it again from the console")


def _web(settings: Settings) -> Iterator[Problem]:
    if settings.demo and settings.host not in _LOCAL:
        hint = "anybody who reaches it can be anybody: keep it on 127.0.0.1"
        yield Problem("W050", "the demo listens beyond this machine", hint)
    if settings.host not in _LOCAL and not settings.public_url.startswith("https://"):
        yield Problem("W051", "people reach the service without encryption", "put a TLS proxy in front of it")
    no_channel = settings.telegram_token is None and not settings.wechat_app_id and not settings.web_chat
    if no_channel:
        yield Problem("E052", "no channel is switched on", "set up Telegram or WeChat, or HONGXIN_WEB_CHAT=true")
