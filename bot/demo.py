"""The demo: fill the sample city unless it is there, and say who its people are and what to try first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from rich.console import Console
from sqlalchemy.engine import Engine

from bot.sample import fill, people
from bot.settings import Settings


def prepare(engine: Engine, now: datetime, progress: Callable[[str, int, int], None]) -> None:
    """Fill the sample city into an empty database; one that is filled stays as it is.

    Raises NotEmpty for a database with people who are no sample: a demo must not meet a real city.
    """
    try:
        people(engine)
    except LookupError:
        fill(engine, now=now, progress=progress)


def introduce(engine: Engine, settings: Settings, out: Console) -> None:
    """Print the address and the sample people."""
    out.print(f"\n红信 Hongxin  http://{settings.host}:{settings.port}\n", markup=False)
    for person in people(engine).all():
        out.print(f"  {person.title()}  {person.name}（{person.branch}） id {person.id}", markup=False)
        out.print(f"      {person.first()}", markup=False)
    out.print("\nCtrl+C 停止 / stops\n", markup=False)
