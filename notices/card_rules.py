"""Cards as data: what the platform allows (`card_ways.toml`), and the templates that an account has."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "card_ways.toml"
TEXT, TIME = "{text}", "{time}"  # what a field may ask for; anything else is written as it stands
EMPTY = "—"  # the platform refuses an empty field
KNOCK = "knock:"  # the beginning of the key of a row that only says that something waits

_TEMPLATE = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_FIELD = re.compile(r"([a-z_]+?)[0-9]{1,3}", re.ASCII)
_ENDS = "。！？!?；;，、,： \u3000"


@dataclass(frozen=True, slots=True)
class Way:
    """One way of cards. a_day: cards of the whole account, 0: no limit."""

    consented: bool
    a_day: int
    kinds: tuple[str, ...]
    source: str
    checked: date


@dataclass(frozen=True, slots=True)
class Rules:
    """The file. characters: by the type of a field. kind: (beginning of a key, kind)."""

    ways: Mapping[str, Way]
    characters: Mapping[str, int]
    kind: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Card:
    """One template of the account. way: `subscription` or `template`. fields: name -> TEXT, TIME or its words."""

    template: str
    way: str
    kinds: tuple[str, ...]
    fields: Mapping[str, str]

    def filled(self, text: str, time: str) -> dict[str, str] | None:
        """Every field with its value; None when `text` does not fit as a whole."""
        characters, rest, values = rules().characters, " ".join(text.split()), {}
        for name, value in self.fields.items():
            if value == TEXT:
                piece, rest = _piece(rest, characters[type_of(name)])
                values[name] = piece or EMPTY
            else:
                values[name] = time if value == TIME else value
        return None if rest else values


@cache
def rules() -> Rules:
    """What `card_ways.toml` says. Raises ValueError for an incomplete table."""
    found: dict[str, Any] = tomllib.loads(FILE.read_text(encoding="utf-8"))
    names = {one.name for one in fields(Way)}
    ways = {}
    for name, table in found["way"].items():
        if set(table) != names:
            raise ValueError(f"{FILE.name}: [way.{name}] needs exactly {', '.join(sorted(names))}")
        ways[name] = Way(**{**table, "kinds": tuple(table["kinds"])})
    kind = tuple((begin, name) for name, begins in found["kind"].items() for begin in begins)
    return Rules(ways, found["characters"], kind)


def kind_of(key: str) -> str:
    """What a row with this key is about: letter, reminder, warning or message."""
    if key.startswith(KNOCK):
        return key.split(":")[1]
    return next((kind for begin, kind in rules().kind if key.startswith(begin)), "message")


def type_of(name: str) -> str:
    """The type of a template's field: `thing12` is a thing. Raises ValueError for a name that is none."""
    found = _FIELD.fullmatch(name)
    if found is None or found[1] not in rules().characters:
        raise ValueError(f"{name} is no field that can be filled")
    return found[1]


def cards_in(text: str) -> tuple[Card, ...]:
    """The templates that an operator's file describes. Raises ValueError that says what is wrong with it."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"is no TOML: {error}") from None
    listed = tables.get("card", [])
    if set(tables) - {"card"} or not isinstance(listed, list):
        raise ValueError("only [[card]] tables stand in it")
    return tuple(_card(number, table) for number, table in enumerate(listed, 1))


def _card(number: int, table: Any) -> Card:
    where = f"card {number}"
    if not isinstance(table, dict) or set(table) != {one.name for one in fields(Card)}:
        raise ValueError(f"{where} needs exactly template, way, kinds and fields")
    way = rules().ways.get(str(table["way"]))
    if way is None:
        raise ValueError(f"{where}: the way is one of {', '.join(rules().ways)}")
    if not _TEMPLATE.fullmatch(str(table["template"])):
        raise ValueError(f"{where}: the template's id is 1 to 64 of A-Z a-z 0-9 _ -")
    if unknown := set(table["kinds"]) - set(way.kinds) or not table["kinds"]:
        raise ValueError(f"{where}: of a {table['way']} the kinds are {', '.join(way.kinds)}, not {unknown}")
    for name, value in table["fields"].items():
        most = rules().characters[type_of(name)]
        if bool(most) == (value == TIME) or (value != TEXT and value != TIME and not 0 < len(value) <= most):
            raise ValueError(f"{where}: {name} takes {f'1 to {most} characters or {TEXT}' if most else TIME}")
    if TEXT not in table["fields"].values():
        raise ValueError(f"{where}: no field takes {TEXT}")
    return Card(str(table["template"]), str(table["way"]), tuple(table["kinds"]), dict(table["fields"]))


def _piece(text: str, most: int) -> tuple[str, str]:
    """(what goes into a field of `most` characters, the rest): cut where a reader would stop, else anywhere."""
    if len(text) <= most:
        return text, ""
    cut = max(text.rfind(sign, 0, most) for sign in _ENDS) + 1
    cut = cut if cut > most // 2 else most
    return text[:cut].rstrip(), text[cut:].lstrip()
