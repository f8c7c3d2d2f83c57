"""Sample cities, filled for a test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from bot import sample
from bot.dispatch import Dispatcher
from bot.writer import Writer
from db import migrate
from db.engine import write_engine
from tests.conftest import ZONE

NOW = datetime(2026, 6, 15, 4, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 1, 1, 15, 59, 30, tzinfo=UTC)  # half a minute before midnight in the city
NEW_YEAR = datetime(2026, 12, 31, 16, 30, tzinfo=UTC)  # half past midnight of 1 January 2027 there
SMALL = 20


@dataclass
class City:
    """A filled database with what `fill` told of it."""

    engine: Engine
    made: sample.Sample
    told: list[tuple[str, int, int]]

    def all(self, statement: Any) -> list[Any]:
        with Session(self.engine) as session:
            return list(session.execute(statement).all())

    def one(self, statement: Any) -> Any:
        return self.all(statement)[0][0]


def filled(where: Path | str, **more: Any) -> City:
    """A new city in an SQLite file or at a URL."""
    url = where if isinstance(where, str) else f"sqlite:///{where}"
    migrate.upgrade(url)
    engine = write_engine(url)
    told: list[tuple[str, int, int]] = []
    values = {"size": SMALL, "seed": 1, "now": NOW, **more}
    return City(engine, sample.fill(engine, progress=lambda *one: told.append(one), **values), told)


# --- always something to do -------------------------------------------------------------------------------


def speaking(made: City, now: Callable[[], datetime]) -> tuple[Writer, Dispatcher]:
    writer = Writer(made.engine)
    return writer, Dispatcher(writer, zone=ZONE, clock=now, demo=True)
