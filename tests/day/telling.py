"""Tells the day on one channel, and keeps what everybody saw."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.day.people import PEOPLE
from tests.day.phones import Phone
from tests.day.screen import Screen
from tests.day.script import Comes, Says
from tests.day.truth import Truth

Act = Callable[[], Awaitable[Screen | None]]
Around = Callable[[Says | Comes, Act], Awaitable[Screen | None]]
"""Does one step by calling the act; a test puts itself around it to kill the service in its middle."""

_PICKUP = re.compile(r"取货码 ?([0-9A-Z]{4}-[0-9A-Z]{4})")


@dataclass
class Transcript:
    """replies: each step with the reply, in order. letters: name -> what came up unasked, in order."""

    replies: list[tuple[Says, Screen]] = field(default_factory=list)
    letters: dict[str, list[str]] = field(default_factory=dict)
    facts: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """The conversation, one entry per step, without what varies."""
        return [f"{step.who}: {step.text}\n{screen.same}" for step, screen in self.replies]


async def _simply(_: Says | Comes, act: Act) -> Screen | None:
    return await act()


async def tell(
    day: Sequence[Says | Comes], phone: Phone, truth: Truth, codes: dict[str, str], *, around: Around = _simply
) -> Transcript:
    """Everybody says their part; nothing is checked."""
    known = dict(codes)
    told = Transcript()
    for step in day:
        screen = await around(step, _acting(step, phone, truth, known))
        await truth.settled()
        if isinstance(step, Says):
            assert screen is not None
            told.replies.append((step, screen))
            found = _PICKUP.search(screen.words)
            if found:
                known.setdefault("pickup", found[1])
    told.letters = {name: [one.same for one in phone.letters(PEOPLE[name])] for name in PEOPLE}
    told.facts = truth.facts()
    return told


def _acting(step: Says | Comes, phone: Phone, truth: Truth, known: dict[str, str]) -> Act:
    async def act() -> Screen | None:
        if isinstance(step, Comes):
            happens: Callable[[], Awaitable[None]] = getattr(truth, step.what)
            await happens()
            return None
        return await phone.say(PEOPLE[step.who], step.text.format_map(known), step.picture)

    return act


def lacking(told: Transcript) -> list[str]:
    """Replies that do not hold what they must, each with what it lacks."""
    return [
        f"{step.who}: {step.text!r} lacks {phrase!r}:\n{screen.words}"
        for step, screen in told.replies
        for phrase in step.expects
        if phrase not in screen.words
    ]


def wrong_letters(day: Sequence[Says | Comes], told: Transcript) -> list[str]:
    """Letters that did not come, came twice, or say something else."""
    wrong = []
    for name, came in told.letters.items():
        due = [step.letters[name] for step in day if name in step.letters]
        if len(due) != len(came) or any(phrase not in one for phrase, one in zip(due, came, strict=True)):
            wrong.append(f"{name} should have got {due}, got {came}")
    return wrong
