"""How many people an audience has, and on which way a letter reaches them.

Of a city this takes a second, so a wide audience is read beside the writer. What is shown and confirmed was true a
moment before the message; the list itself is made of those who are there when it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from sqlmodel import Session

from db import audiences
from db.audiences import WHO, Audience
from handlers.conversation import Context
from notices.planner import ORDER

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reach:
    """ways: people by the way that comes first for them (`audiences.ways`). left: who have left the topic."""

    ways: Mapping[str, int]
    left: int

    @property
    def count(self) -> int:
        """How many people there are."""
        return sum(self.ways.values())


def count(ctx: Context, whom: Audience) -> int:
    """How many people the audience has."""
    day = ctx.today
    return _read(ctx, "count", whom, lambda session: audiences.count(session, whom, day))


def count_each(ctx: Context, whom: Audience) -> Mapping[str, int]:
    """How many people there are of each of WHO where this audience is."""
    day = ctx.today

    def read(session: Session) -> Mapping[str, int]:
        return {who: audiences.count(session, replace(whom, who=who), day) for who in WHO}

    return _read(ctx, "count_each", whom, read)


def reach(ctx: Context, whom: Audience, topic_id: str) -> Reach:
    """Whom a letter on this topic would reach, and how."""
    day = ctx.today

    def read(session: Session) -> Reach:
        recipients = audiences.members_in(session, whom, day)
        return Reach(
            audiences.ways(session, recipients, ORDER), audiences.left_topic(session, recipients, topic_id)
        )

    return _read(ctx, f"reach:{topic_id}", whom, read)


def _read(ctx: Context, what: str, whom: Audience, work: Callable[[Session], T]) -> T:
    if not audiences.is_wide(ctx.session, whom):
        return work(ctx.session)
    return ctx.long_read(f"{what}:{whom}", work)
