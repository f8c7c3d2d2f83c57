"""Settings: HONGXIN_* variables, secrets also as HONGXIN_*_FILE."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SECRETS = (
    "cookie_secret",
    "telegram_token",
    "telegram_secret",
    "wechat_app_secret",
    "wechat_token",
    "wechat_aes_key",
    "wechat_previous_aes_key",
)


def _read(path: str, variable: str) -> str:
    """The secret in the file. Raises ValueError that names the variable and nothing that the file holds."""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise ValueError(f"{variable}: the file is not UTF-8 text") from None
    except OSError as error:
        raise ValueError(f"{variable}: the file cannot be read ({error.strerror})") from None


class Settings(BaseSettings):
    """What the operator decides. Every field is a variable HONGXIN_<NAME>; README lists them."""

    model_config = SettingsConfigDict(env_prefix="HONGXIN_", extra="ignore")

    database_url: str = "sqlite:///var/hongxin.db"  # or postgresql://user:password@host/name
    host: str = "127.0.0.1"
    port: int = 8080
    trusted_proxies: str = ""  # addresses of proxies whose X-Forwarded-For is believed, with commas
    timezone: str = "Asia/Shanghai"
    public_url: str = ""  # https://chat.example.org, as the platforms reach us; needed for webhooks and links
    city_name: str = "红信"
    demo: bool = False  # `python -m bot demo` sets it: role strip and POST /web/say
    web_chat: bool = True  # the chat page at /
    board_page: bool = True  # the page /board: the best organisations of each field, without a login
    cookie_secret: SecretStr | None = None  # signs the chat page's cookie; None: a file made at the first start
    role: Literal["all", "web", "worker"] = "all"  # web: pages and webhooks; worker: sending and jobs
    writers: int = 4  # writer threads on PostgreSQL; SQLite always has one
    log_level: str = "INFO"

    telegram_token: SecretStr | None = None
    telegram_api_url: str = "https://api.telegram.org"  # scheme, host and port only
    telegram_mode: Literal["polling", "webhook"] = "polling"
    telegram_secret: SecretStr | None = None  # for the webhook: 1-256 characters of A-Z a-z 0-9 _ -
    telegram_paid_per_s: int = 0  # letters to the city in any second against Telegram's fee: 0, or 30 to 1000
    telegram_full_names: bool = False  # True sends names abroad: only with everybody's consent

    wechat_app_id: str = ""
    wechat_app_secret: SecretStr | None = None
    wechat_token: SecretStr | None = None
    wechat_aes_key: SecretStr | None = None  # 43 characters
    wechat_previous_aes_key: SecretStr | None = None  # during a change of keys
    wechat_api_url: str = "https://api.weixin.qq.com"  # scheme, host and port only
    wechat_cards: str = ""  # a file that names the account's templates for cards; docs/wechat.md

    @model_validator(mode="before")
    @classmethod
    def _secrets_from_files(cls, values: dict[str, object]) -> dict[str, object]:
        for name in (*SECRETS, "database_url"):
            path = os.environ.get(f"HONGXIN_{name.upper()}_FILE")
            if path and not values.get(name):
                values[name] = _read(path, f"HONGXIN_{name.upper()}_FILE")
        return {name: value for name, value in values.items() if value != ""}

    @field_validator("telegram_api_url", "wechat_api_url")
    @classmethod
    def _only_an_origin(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/") or parts.query:
            raise ValueError("give scheme, host and port only, like https://api.example.org")
        return f"{parts.scheme}://{parts.netloc}"

    @field_validator("telegram_paid_per_s")
    @classmethod
    def _none_or_more_than_free(cls, rate: int) -> int:
        if rate and not 30 <= rate <= 1000:
            raise ValueError("give 0, or 30 to 1000 a second; what is free of charge are 29")
        return rate

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("is no time zone; give one like Asia/Shanghai") from None
        return name

    @property
    def zone(self) -> ZoneInfo:
        """The city's time zone: days are its days."""
        return ZoneInfo(self.timezone)
