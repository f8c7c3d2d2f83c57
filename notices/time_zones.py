"""Where a member's night is: the few zones that people name in their own words, and every one by its own name."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

DATA = Path(__file__).with_name("time_zones.toml")


@dataclass(frozen=True, slots=True)
class Place:
    """A zone under the names that people know. id: the name in the time zone database."""

    id: str
    zh: str
    en: str
    words: tuple[str, ...]
    offered: bool = False

    def name_in(self, language: str) -> str:
        """The name in `zh` or `en`."""
        return self.en if language == "en" else self.zh


@cache
def places() -> tuple[Place, ...]:
    """Every place of the file, in its order."""
    rows = tomllib.loads(DATA.read_text(encoding="utf-8"))["zone"]
    return tuple(Place(**{**row, "words": tuple(row["words"])}) for row in rows)


def place_of(zone_id: str) -> Place:
    """The place of a zone; one that the file does not name is called by its own name."""
    found = next((one for one in places() if one.id == zone_id), None)
    return found or Place(zone_id, zone_id, zone_id, ())


def named(text: str) -> str | None:
    """The zone that `text` names: `东京`, `Asia/Tokyo`, `我在东京`; None when it names none."""
    said = text.strip().lower()
    if len(said) > 40:
        return None
    exact = next((one for one in available_timezones() if one.lower() == said), None) if "/" in said else None
    if exact is not None:
        return exact
    known = [(word, one.id) for one in places() for word in (one.zh.lower(), one.en.lower(), *one.words)]
    inside = [(len(word), zone_id) for word, zone_id in known if word in said]
    return max(inside)[1] if inside else None


def zone_of(zone_id: str | None, city: ZoneInfo) -> ZoneInfo:
    """The zone with this name; the city's for None and for a name that nobody knows."""
    if zone_id is None:
        return city
    try:
        return ZoneInfo(zone_id)
    except (ZoneInfoNotFoundError, ValueError):  # a roll with a misspelt zone must not stop a letter
        return city
