"""Micro-wishes of a branch in every state, with the claims on them and the points for those that came true."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random

from bot.sample.calendar import Year
from bot.sample.city import SAMPLE, Branch
from bot.sample.members import Person
from bot.sample.points import Book
from db.duties import CITY

_WISHES: tuple[tuple[str, int | None], ...] = (
    ("一副老花镜", 80),
    ("陪读两小时（周六）", None),
    ("一床棉被", 150),
    ("教老人用智能手机", None),
    ("修理漏水的水龙头", 50),
    ("一台电饭煲", 180),
    ("一套文具和书包", 120),
    ("一台血压计", 200),
    ("陪老人去医院复查", None),
    ("一盏护眼台灯", 90),
)
_STATES = ("closed", "published", "claimed", "delivered", "submitted", "rejected", "withdrawn", "published")
_WEIGHTS = (45, 20, 8, 6, 10, 5, 4, 2)
# The sample branch: one of each, those that the sample member has to do with first.
_SAMPLE = (
    "closed",
    "claimed",
    "delivered",
    "submitted",
    "submitted",
    "published",
    "published",
    "published",
    "rejected",
)
_AGES = {"closed": (20, 200), "delivered": (8, 9), "claimed": (4, 5), "published": (2, 8), "submitted": (0, 1)}
"""Days since it was made, by state."""
_REFUSED = "金额超过三百元，请改小一些"


@dataclass(frozen=True, slots=True)
class WishRow:
    """One wish, in the order of the columns in which it is written."""

    id: int
    organization_id: int
    wisher_id: int
    title: str
    area: str
    value_yuan: int | None
    state: str
    created_at: datetime
    reviewed_by: int | None
    reviewed_at: datetime | None
    review_note: str
    published_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """One claim, in the order of the columns in which it is written."""

    wish_id: int
    member_id: int
    state: str
    claimed_at: datetime
    contacted_at: datetime | None
    due_at: datetime
    delivered_at: datetime | None
    report: str
    closed_at: datetime | None


@dataclass
class WishList:
    """Numbers the wishes of the whole city."""

    year: Year
    ids: Iterator[int] = field(default_factory=lambda: count(1))

    def of_branch(
        self, branch: Branch, people: list[Person], reviewer_id: int, book: Book, random: Random
    ) -> Iterator[WishRow | ClaimRow]:
        """Each wish, followed by its claim. What was closed goes into the book."""
        there = [person for person in people if person.since < self.year.first]
        if len(there) < 2:
            return
        states = (
            _SAMPLE if branch.number == SAMPLE else random.choices(_STATES, _WEIGHTS, k=max(1, len(people) // 20))
        )
        for place, state in enumerate(states):
            wisher, claimer = self._pair(branch, there, place, random)
            wish = _WISHES[(branch.number * 3 + place) % len(_WISHES)]
            yield from self._one(branch, wisher, claimer, state, wish, reviewer_id, book, random)

    @staticmethod
    def _pair(branch: Branch, there: list[Person], place: int, random: Random) -> tuple[Person, Person]:
        """(who wishes, who claims). The sample member has fulfilled one, works on one, and awaits one."""
        sample = next((person for person in there if person.sample == "member"), None)
        if branch.number != SAMPLE or sample is None:
            wisher, claimer = random.sample(there, 2)
            return wisher, claimer
        wisher, claimer = random.sample([person for person in there if person is not sample], 2)
        return (wisher, sample) if place < 2 else (sample, claimer) if place == 2 else (wisher, claimer)

    def _one(
        self,
        branch: Branch,
        wisher: Person,
        claimer: Person,
        state: str,
        wish: tuple[str, int | None],
        reviewer_id: int,
        book: Book,
        random: Random,
    ) -> Iterator[WishRow | ClaimRow]:
        days = random.randint(*_AGES.get(state, (10, 60)))
        created = self.year.now - timedelta(days=days, minutes=random.randint(70, 500))
        reviewed = None
        if state not in ("submitted", "withdrawn"):
            reviewed = min(self.year.now, created + timedelta(hours=30))
        ends = {"closed": timedelta(days=9), "rejected": timedelta(hours=30), "withdrawn": timedelta(hours=8)}
        closed = created + ends[state] if state in ends else None
        title, value = wish
        made = WishRow(
            next(self.ids),
            branch.node.id,
            wisher.id,
            title,
            _area(branch),
            value,
            state,
            created,
            reviewer_id if reviewed else None,
            reviewed,
            _REFUSED if state == "rejected" else "",
            reviewed if state != "rejected" else None,
            closed,
        )
        yield made
        if state in ("claimed", "delivered", "closed"):
            yield self._claim(branch, made.id, title, claimer, state, created, closed, book)

    @staticmethod
    def _claim(
        branch: Branch,
        wish_id: int,
        title: str,
        claimer: Person,
        state: str,
        created: datetime,
        closed: datetime | None,
        book: Book,
    ) -> ClaimRow:
        claimed = created + timedelta(days=2)
        delivered = claimed + timedelta(days=5) if state != "claimed" else None
        if closed is not None:
            day = closed.astimezone(CITY).date()
            book.earn("PP3", claimer.id, branch.node.id, f"wish:{wish_id}", day, closed, title)
        return ClaimRow(
            wish_id,
            claimer.id,
            "live" if state == "claimed" else state,
            claimed,
            claimed + timedelta(hours=20),
            claimed + timedelta(days=15),
            delivered,
            "已经送到，许愿人很高兴" if delivered else "",
            closed,
        )


def _area(branch: Branch) -> str:
    """Where the wish is from, without a name: a community or a village, else the part of the city."""
    if branch.node.place.endswith("党群服务中心"):
        return branch.node.place.removesuffix("党群服务中心")
    return branch.committee.name.removesuffix("党工委").removesuffix("党委").removesuffix("工委")
