"""How many customer messages a person may still get: the numbers of `quotas.toml` and the arithmetic on them.

A chat remembers one window. When an act opens a second one while the first still stands, the one with more
messages left counts, on a tie the one that stays open longer; the other is forgotten. This never promises more
than the platform gives, and gives away at most the few messages of the smaller window.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Protocol

FILE = Path(__file__).parent / "quotas.toml"
NAMES = {"count", "seconds", "source", "checked"}


@dataclass(frozen=True, slots=True)
class Quota:
    """`count` messages within `seconds` of the act that opened the window."""

    count: int
    seconds: int
    source: str
    checked: date


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time in which messages may be sent: up to and without `closes_at`."""

    kind: str  # message, click, follow, scan; stored, so never renamed
    opened_at: datetime
    closes_at: datetime
    count: int

    def left(self, sent: int, now: datetime) -> int:
        """How many messages may still go out when `sent` have."""
        return max(0, self.count - sent) if self.opened_at <= now < self.closes_at else 0


class Listener(Protocol):
    """Whoever remembers a window: a chat's row, or the speaker read from it."""

    window_kind: str | None
    window_opened_at: datetime | None
    window_sent: int


@cache
def quotas(channel: str = "wechat") -> dict[str, Quota]:
    """The quotas of a channel by the kind of their window. Raises ValueError for any other table."""
    found: dict[str, Quota] = {}
    for kind, table in _tables(channel).items():
        if kind == "opens":
            continue
        if set(table) != NAMES or table["count"] < 1 or table["seconds"] < 1:
            raise ValueError(f"{FILE.name}: [{channel}.{kind}] needs exactly {', '.join(sorted(NAMES))}")
        found[kind] = Quota(**table)
    return found


@cache
def opens(channel: str = "wechat") -> dict[str, str]:
    """Kind of an incoming act -> kind of the window that it opens. Raises ValueError for an unknown window."""
    found: dict[str, str] = _tables(channel)["opens"]
    if unknown := set(found.values()) - set(quotas(channel)):
        raise ValueError(f"{FILE.name}: [{channel}.opens] names no window: {', '.join(sorted(unknown))}")
    return found


def opened(event_kind: str, at: datetime) -> Window | None:
    """The window that an act of this kind (`Incoming.kind`) opens at `at`; None when it opens none."""
    kind = opens().get(event_kind)
    return window(kind, at) if kind else None


def window(kind: str | None, opened_at: datetime | None) -> Window | None:
    """The window that a chat remembers; None when it remembers none, or a kind that there no longer is."""
    quota = quotas().get(kind or "")
    if kind is None or quota is None or opened_at is None:
        return None
    return Window(kind, opened_at, opened_at + timedelta(seconds=quota.seconds), quota.count)


def left(windows: Iterable[Window | None], sent: int, now: datetime) -> int:
    """How many messages may go out at `now` when `sent` have: what the widest open window leaves, or 0."""
    return max((window.left(sent, now) for window in windows if window), default=0)


def heard(who: Listener, event_kind: str, at: datetime) -> None:
    """Note in `who` the window that counts after this kind of act: the new one, or the old one if it leaves more.

    Leaving (`unfollow`) closes every window.
    """
    if event_kind == "unfollow":
        who.window_kind, who.window_opened_at, who.window_sent = None, None, 0
        return
    new = opened(event_kind, at)
    if new is None:
        return
    old = window(who.window_kind, who.window_opened_at)
    if old:
        kept = (old.left(who.window_sent, at), old.closes_at)
        if kept >= (new.count, new.closes_at):
            return
    who.window_kind, who.window_opened_at, who.window_sent = new.kind, new.opened_at, 0


def left_for(who: Listener, now: datetime) -> int:
    """How many customer messages this person may still get at `now`."""
    return left([window(who.window_kind, who.window_opened_at)], who.window_sent, now)


def _tables(channel: str) -> dict[str, Any]:
    tables: dict[str, Any] = tomllib.loads(FILE.read_text(encoding="utf-8"))[channel]
    return tables
