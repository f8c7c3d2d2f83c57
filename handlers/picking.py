"""Picking members from a list: by their numbers (`1 3 5-8`, 全部), or one by name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from db.members import Member
from handlers.conversation import Button, Context
from notices.channel import BACK_NUMBER

PAGE = 6  # people on buttons
ALL = ("全部", "全体", "都", "all", "everybody")
_PART = re.compile(r"(\d{1,3})(?:\s*(?:-|–|—|~|到|至|to)\s*(\d{1,3}))?")
_BETWEEN = re.compile(r"[\s,，、;；和.。号]*")


def numbers_of(count: int) -> list[int]:
    """The numbers under which `count` people stand: 1, 2, 3... without 9, which means back everywhere."""
    numbers: list[int] = []
    number = 0
    while len(numbers) < count:
        number += 1
        if number != BACK_NUMBER:
            numbers.append(number)
    return numbers


def picked(text: str, count: int) -> list[int] | None:
    """The places (from 0) that `text` picks from a list of `count`; None when it is no such choice.

    A number that nobody has makes all of it no choice: better asked again than somebody forgotten.
    """
    said = unicodedata.normalize("NFKC", text).strip().lower()
    if said in ALL:
        return list(range(count)) or None
    numbers = numbers_of(count)
    chosen: set[int] = set()
    place = 0
    while place < len(said):
        found = _PART.match(said, place)
        if not found:
            return None
        first, last = int(found[1]), int(found[2] or found[1])
        if first > last or (found[2] is None and first not in numbers) or not count or last > numbers[-1]:
            return None
        chosen.update(number for number in range(first, last + 1) if number in numbers)
        place = found.end()
        gap = _BETWEEN.match(said, place)
        if gap and gap.end() == place and place < len(said):
            return None
        place = gap.end() if gap else place
    return sorted(numbers.index(number) for number in chosen) or None


def listed(people: Sequence[Member], marks: dict[int | None, str] | None = None) -> str:
    """`1 艾丽丝  2 鲍勃`, each with a mark behind it where there is one."""
    names = (f"{one.name}{(marks or {}).get(one.id, '')}" for one in people)
    return "  ".join(f"{number} {name}" for number, name in zip(numbers_of(len(people)), names, strict=True))


def by_word(people: Sequence[Member], word: str) -> list[Member]:
    """Those whose name is `word`, else those whose name has it in it."""
    exact = [one for one in people if one.name == word or one.code == word]
    return exact or [one for one in people if word and word in one.name]


def buttons(ctx: Context, people: Sequence[Member], action: str, page: int) -> tuple[Button, ...]:
    """A page of people as buttons `ACTION:mID`, and the way to the next page `ACTION:pN`."""
    shown = people[page * PAGE : (page + 1) * PAGE]
    made = [Button(ctx.called(one.name), f"{action}:m{one.id}") for one in shown]
    if len(people) > (page + 1) * PAGE:
        made.append(Button(ctx.say("recording.next_page"), f"{action}:p{page + 1}"))
    return tuple(made)


def marked(word: str, mark: str) -> int | None:
    """The number behind `m` or `p` in a button's argument; None for anything else."""
    rest = word[1:]
    return int(rest) if word[:1] == mark and rest.isascii() and rest.isdigit() and len(rest) < 10 else None


def names(ctx: Context, people: Sequence[Member], most: int = 12) -> str:
    """`艾丽丝、鲍勃`, cut where there are more."""
    more = ctx.say("activities.and_more", count=len(people)) if len(people) > most else ""
    return "、".join(ctx.called(one.name) for one in people[:most]) + more
