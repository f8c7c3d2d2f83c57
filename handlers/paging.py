"""Lists on a phone: six lines a message, the rest behind 更多."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from handlers.conversation import Button, Context

LINES_MAX = 6  # of one message
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list. after: at which place the next part begins; None when this is the last."""

    shown: tuple[T, ...]
    after: int | None

    def more(self, ctx: Context, action: str) -> tuple[Button, ...]:
        """The button to the next part, `ACTION:PLACE`; none on the last page."""
        return () if self.after is None else (Button(ctx.say("menu.more"), f"{action}:{self.after}"),)


def page_of(items: Sequence[T], first: int | None, most: int = LINES_MAX) -> Page[T]:
    """The `most` items from the place `first` on; a place that is none (a forged one) gives the first page."""
    start = first if first is not None and 0 <= first < len(items) else 0
    end = start + most
    return Page(tuple(items[start:end]), end if end < len(items) else None)
