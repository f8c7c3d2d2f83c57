"""What a process that is to be killed is told, and how it opens its database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import event
from sqlalchemy.engine import Engine, make_url

from db.engine import is_file_url, write_engine

What = Literal["letters", "mass", "ways"]


@dataclass(frozen=True)
class Order:
    """What a child does. path: the platform's socket; began: seconds of the epoch that count as noon.

    beat_s: between two heartbeats of its lease, which is held for 3 of them and followed after 6; 0: it is alone.
    what: single letters, batches (`mass`), or what goes out on cards and into groups (`ways`). stay: it goes on, with nothing left to do, while there
    is a file of this name; empty: it ends then.
    """

    run: str
    url: str
    path: str
    began: float
    failpoint: str = ""
    beat_s: float = 0.0
    what: What = "letters"
    stay: str = ""

    def stays(self) -> bool:
        """Whether it is to stay, though nothing is left."""
        return bool(self.stay) and Path(self.stay).exists()


_rehearsed: list[Engine] = []


def opened(url: str, idle_s: float | None = None) -> Engine:
    """The database at `url`. Of all files there is one engine, whose statements the rehearsal has compiled."""
    if not is_file_url(url):
        return write_engine(url, idle_s=idle_s)
    if not _rehearsed:
        _rehearsed.append(write_engine(url))
    path = make_url(url).database

    @event.listens_for(_rehearsed[0], "do_connect")
    def _lead(_dialect: object, _record: object, words: list[object], _more: object) -> None:
        words[:] = [path]

    return _rehearsed[0]
