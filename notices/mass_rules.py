"""What a platform allows a letter that is handed to many at once: the numbers of `mass.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

FILE = Path(__file__).parent / "mass.toml"


@dataclass(frozen=True, slots=True)
class MassRules:
    """The limits of one channel; see the file for each. Durations are seconds."""

    a_month: int
    calls_a_day: int
    calls_a_minute: int
    at_least: int
    at_most: int
    same_key_s: int
    gather_s: int
    ask_s: int
    report_s: int
    halve_for: tuple[str, ...]
    halve_from: int
    zone: str
    source: str
    checked: date

    def month(self, now: datetime) -> date:
        """The first day of the month in which a letter at `now` counts."""
        return now.astimezone(ZoneInfo(self.zone)).date().replace(day=1)

    def midnight(self, now: datetime, days: int = 0) -> datetime:
        """When the platform's present day began, or the day so many days later."""
        here = ZoneInfo(self.zone)
        return datetime.combine(now.astimezone(here).date() + timedelta(days=days), time(), here)


@cache
def mass_rules(channel: str) -> MassRules | None:
    """The rules of a channel; None for one without mass letters. Raises ValueError for an incomplete table."""
    table = tomllib.loads(FILE.read_text(encoding="utf-8")).get(channel)
    if table is None:
        return None
    names = {one.name for one in fields(MassRules)}
    if set(table) != names or not 2 <= table["at_least"] <= table["halve_from"] // 2 <= table["at_most"]:
        raise ValueError(f"{FILE.name}: [{channel}] needs exactly {', '.join(sorted(names))}")
    return MassRules(**{**table, "halve_for": tuple(table["halve_for"])})
