"""What a letter may hold: simple Markdown, one link, one picture, and places for the reader's name and branch."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from db.letters import Letter
from notices.channel import Picture
from notices.markup import Marked, filled, parse, places
from notices.wording import Wording

TEXT_MAX = 5_000  # characters of a letter: about eight screens of a phone
LINKS_MAX = 1  # a letter asks for one thing
NAMES = frozenset({"姓名", "name"})
BRANCHES = frozenset({"支部", "branch"})
DAYS = frozenset({"日期", "date"})
KNOWN = NAMES | BRANCHES | DAYS
TURNING = re.compile("[\u061c\u202a-\u202e\u2066-\u2069]")
"""Characters that turn the direction of what follows: in a letter they only make it read otherwise than it is."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a letter, as far as the channel may know it."""

    name: str
    branch: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a text cannot be a letter. why: the name of its words in `letter_content`; values: what they show."""

    why: str
    values: dict[str, object] = field(default_factory=dict)


def fault(text: str, *, typed: str, most: int = TEXT_MAX) -> Fault | None:
    """What is wrong with a letter's text; None when it may be sent.

    typed: the text as it came, not cleaned. most: characters that it may have.
    """
    length = max(len(text), len(typed.strip()))
    if length > most:
        return Fault("too_long", {"length": length, "most": most, "over": length - most})
    if TURNING.search(typed):
        return Fault("turning")
    read = parse(text)
    if not any(unicodedata.category(one)[0] in "LN" for one in read.text):
        return Fault("only_signs")
    if read.problems:
        first = read.problems[0]
        return Fault(first.why, {"line": first.line, "shown": first.shown})
    if len(read.links) > LINKS_MAX:
        return Fault("many_links", {"count": len(read.links)})
    unknown = [name for name in places(read.text) if name not in KNOWN]
    return Fault("unknown_place", {"shown": unknown[0]}) if unknown else None


def plain_fault(text: str, *, typed: str, most: int) -> Fault | None:
    """What is wrong with words that are shown as they stand: no markup, no link, no place for a name."""
    wrong = fault(text, typed=typed, most=most)
    if wrong is not None and wrong.why in ("too_long", "turning", "only_signs"):
        return wrong
    read = parse(text)
    return Fault("no_markup") if wrong is not None or read.marks or places(read.text) else None


def is_personal(letter: Letter) -> bool:
    """Whether every reader gets other words: then it cannot go to many at once."""
    return any(name in NAMES | BRANCHES for name in places(letter.body))


def known_abroad(reader: tuple[str, str] | None, say: Wording) -> tuple[str, str] | None:
    """Name and branch as they may leave the country: the surname alone."""
    return reader and (say("dispatch.pseudonym", first=reader[0][:1]), reader[1])


def body(letter: Letter, say: Wording, zone: ZoneInfo, reader: Reader | None) -> Marked:
    """The words of a letter for this reader; without one the places stay as they were typed."""
    words = parse(letter.body)
    if not places(words.text):
        return words
    day = (letter.sent_at or letter.created_at).astimezone(zone)
    values = dict.fromkeys(DAYS, say("letters.day", month=day.month, day=day.day))
    if reader is not None:
        values |= dict.fromkeys(NAMES, reader.name) | dict.fromkeys(BRANCHES, reader.branch)
    return filled(words, values)


def picture(letter: Letter, say: Wording, name: str) -> Picture | None:
    """The letter's picture, None without one. name: what the letter is called."""
    if letter.picture_id is None:
        return None
    return Picture("stored", {"id": letter.picture_id}, say("letters.picture", name=name))
