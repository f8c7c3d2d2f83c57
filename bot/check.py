"""What is missing or wrong in the settings: every problem with an id, a message and a hint. E stops, W warns."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from bot.channels.wechat.cards import read_cards
from bot.settings import SECRETS, Settings
from db import migrate
from db.database_file import Refused
from db.engine import database_url
from scoring.catalogue import RulesError, load

_TELEGRAM_TOKEN = re.compile(r"[0-9]{5,}:[A-Za-z0-9_-]{30,}")
_TELEGRAM_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_AES_KEY = re.compile(r"[A-Za-z0-9]{43}")
_LOCAL = ("127.0.0.1", "localhost", "::1")
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
COOKIE_SECRET_MIN = 16  # characters


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
        return None, [_wrong(one) for one in error.errors(include_input=False, include_url=False)]


def _wrong(one: ErrorDetails) -> Problem:
    """A setting that cannot be read at all. The library's text names what is needed, never what was given."""
    message = one["msg"].removeprefix("Value error, ")
    if not one["loc"]:
        return Problem("E002", message, "check the file's path, its rights and its encoding")
    name = f"HONGXIN_{str(one['loc'][0]).upper()}"
    return Problem("E001", f"{name}: {message}", "README, section Settings, shows an example")


def problems(settings: Settings, *, thorough: bool = True) -> list[Problem]:
    """Everything that is wrong with these settings, errors first. thorough: compare every column, too."""
    checks = (_twice, partial(_database, thorough=thorough), _telegram, _wechat, _web, _process)
    found = [problem for check in checks for problem in check(settings)]
    return sorted([*found, *_failpoint(), *_rules()], key=lambda problem: problem.id)


def unusable(settings: Settings) -> list[Problem]:
    """What no command can work with: an address that is none, numbers that are out of range."""
    return [problem for problem in (*_address(settings), *_process(settings)) if problem.stops]


def _twice(_settings: Settings) -> Iterator[Problem]:
    for name in (*SECRETS, "database_url"):
        variable = f"HONGXIN_{name.upper()}"
        if os.environ.get(variable) and os.environ.get(f"{variable}_FILE"):
            yield Problem("W003", f"{variable} and {variable}_FILE are both set", "the file is not read: drop one")


def _address(settings: Settings) -> Iterator[Problem]:
    try:
        url = make_url(database_url(settings.database_url))
    except (ValueError, ArgumentError):
        hint = "sqlite:///var/hongxin.db or postgresql://user:password@host/name"
        yield Problem("E010", "HONGXIN_DATABASE_URL is not an address of SQLite or PostgreSQL", hint)
        return
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        yield Problem("E011", "HONGXIN_DATABASE_URL names no file", "the city would be forgotten at every stop")


def _database(settings: Settings, *, thorough: bool) -> Iterator[Problem]:
    wrong = list(_address(settings))
    if wrong:
        yield from wrong
        return
    url = make_url(database_url(settings.database_url))
    if url.get_backend_name() != "sqlite" or not url.database or Path(url.database).exists():
        yield from _stored(settings, thorough=thorough)
    elif _can_be_made(Path(url.database)):
        yield Problem("W012", "the database does not exist yet", "it is made at the first start")
    else:
        yield Problem("E016", "the folder of the database cannot be made or written to", "choose another place")


def _can_be_made(path: Path) -> bool:
    folder = next(place for place in path.absolute().parents if place.exists())
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def _stored(settings: Settings, *, thorough: bool) -> Iterator[Problem]:
    """What is wrong with the database that is there."""
    try:
        for text in migrate.examine(settings.database_url, thorough=thorough):
            if text.startswith(migrate.DIFFERS):
                yield Problem("W017", text, "somebody changed it by hand: restore a backup, or undo that")
            else:
                yield Problem("W013", text, "it is brought up to date at the next start")
    except Refused as refusal:
        if "cannot be reached" in str(refusal):
            yield Problem("E015", str(refusal), "is the server running, are host, name and password right?")
        else:
            yield Problem("E014", str(refusal), "docs/running.md says how to go on")
    except SQLAlchemyError as error:
        yield Problem("E015", f"the database does not answer: {type(error).__name__}", "is the server running?")


def _failpoint() -> Iterator[Problem]:
    if os.environ.get("HONGXIN_FAILPOINT"):
        yield Problem("W064", "HONGXIN_FAILPOINT is set: the service kills itself", "it is for tests: unset it")


def _rules() -> Iterator[Problem]:
    try:
        load()
    except RulesError as error:
        for text in error.mistakes:
            yield Problem("E020", text, "python -m bot rules shows all of them")


def _telegram(settings: Settings) -> Iterator[Problem]:
    token = _text(settings.telegram_token)
    if not token:
        return
    if not _TELEGRAM_TOKEN.fullmatch(token):
        yield Problem("E030", "HONGXIN_TELEGRAM_TOKEN does not look like a token", "copy it again from @BotFather")
    if settings.telegram_mode == "webhook":
        if not _TELEGRAM_SECRET.fullmatch(_text(settings.telegram_secret)):
            yield Problem("E031", "HONGXIN_TELEGRAM_SECRET is missing or odd", "1 to 256 of A-Z a-z 0-9 _ -")
        if not settings.public_url.startswith(("https://", "http://")):
            yield Problem("E032", "the webhook needs HONGXIN_PUBLIC_URL", "https://chat.example.org")
    if settings.telegram_full_names:
        yield Problem("W033", "names are sent abroad through Telegram", "only with everybody's separate consent")
    if _in_clear(settings.telegram_api_url):
        yield Problem("W034", "HONGXIN_TELEGRAM_API_URL is not encrypted: the token goes in clear", "use https")


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
    for name in ("wechat_aes_key", "wechat_previous_aes_key"):
        key = _text(getattr(settings, name))
        if key and not _AES_KEY.fullmatch(key):
            hint = "43 letters and digits; copy it again from the console"
            yield Problem("E041", f"HONGXIN_{name.upper()} does not look like a key", hint)
    try:
        read_cards(settings.wechat_cards)
    except ValueError as error:
        yield Problem("E045", f"HONGXIN_WECHAT_CARDS: the file {error}", "docs/wechat.md shows an example")
    if _in_clear(settings.wechat_api_url):
        yield Problem("W044", "HONGXIN_WECHAT_API_URL is not encrypted: the secret goes in clear", "use https")


def _web(settings: Settings) -> Iterator[Problem]:
    if settings.demo and settings.host not in _LOCAL:
        hint = "anybody who reaches it can be anybody: keep it on 127.0.0.1"
        yield Problem("W050", "the demo listens beyond this machine", hint)
    if settings.host not in _LOCAL and not settings.public_url.startswith("https://"):
        yield Problem("W051", "people reach the service without encryption", "put a TLS proxy in front of it")
    no_channel = settings.telegram_token is None and not settings.wechat_app_id and not settings.web_chat
    if no_channel:
        yield Problem("E052", "no channel is switched on", "set up Telegram or WeChat, or HONGXIN_WEB_CHAT=true")
    if settings.public_url and not urlsplit(settings.public_url).netloc:
        yield Problem("E053", "HONGXIN_PUBLIC_URL is no address", "https://chat.example.org")
    if "*" in settings.trusted_proxies:
        hint = "name the proxy's address, or anybody can pretend to be anywhere"
        yield Problem("W055", "HONGXIN_TRUSTED_PROXIES believes everybody", hint)
    cookie = _text(settings.cookie_secret)
    if cookie and len(cookie) < COOKIE_SECRET_MIN:
        yield Problem("W054", "HONGXIN_COOKIE_SECRET is short", "32 random characters, or leave it out")


def _process(settings: Settings) -> Iterator[Problem]:
    if not 0 < settings.port < 65_536:
        yield Problem("E060", "HONGXIN_PORT must lie between 1 and 65535", "8080")
    if settings.role != "all" and settings.database_url.startswith("sqlite"):
        hint = "SQLite has one process: HONGXIN_ROLE=all, or PostgreSQL"
        yield Problem("E065", f"HONGXIN_ROLE is {settings.role}, and the database is a file", hint)
    if settings.role == "web" and settings.cookie_secret is None:
        hint = "people are logged out whenever another process answers: give all of them the same"
        yield Problem("W066", "HONGXIN_COOKIE_SECRET is not set for several processes", hint)
    if settings.writers < 1:
        yield Problem("E061", "HONGXIN_WRITERS must be at least 1", "4")
    if settings.log_level not in _LOG_LEVELS:
        yield Problem("E062", f"HONGXIN_LOG_LEVEL must be one of {', '.join(_LOG_LEVELS)}", "INFO")
    if settings.log_level == "DEBUG":
        yield Problem("W063", "the log holds everything", "only for a short time: it names addresses of people")


def _text(value: SecretStr | None) -> str:
    return value.get_secret_value() if value is not None else ""


def _in_clear(url: str) -> bool:
    """Whether secrets would leave this machine unencrypted on the way to this address."""
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname not in _LOCAL
