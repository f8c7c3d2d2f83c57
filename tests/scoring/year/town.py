"""A small city for a year of chance: one field that is large enough for a bottom, the other four beside it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from db import schema
from db.members import Member, Membership
from db.organizations import FIELDS, Organization, Region, RegionOrganization
from scoring.items import Period
from tests.cast import CITY
from tests.conftest import ZONE

YEAR = 2026
FIRST, LAST = date(YEAR, 1, 1), date(YEAR, 12, 31)
LARGE = 21  # branches of the large field: a tenth and a twentieth of it are not nobody
REGION = 90
KINDS: tuple[Period, ...] = ("monthly", "quarterly", "half_yearly", "yearly")


def local(day: date, at: time = time(8)) -> datetime:
    """An instant by the city's clock."""
    return datetime.combine(day, at, ZONE).astimezone(UTC)


class Town:
    """The city as the driver knows it: who belongs where, what day and time it is.

    One seed and one number of events give one year on one kind of database; ids are numbered otherwise on the other.
    """

    def __init__(self, engine: Engine, seed: int, size: int) -> None:
        self.engine, self.session = engine, Session(engine)
        self.chance = Random(seed)
        self.today, self.now = FIRST, local(FIRST, time())
        self.numbers = itertools.count(1)
        self.branches: list[int] = []
        self.fields: dict[int, str] = {}
        self.founded: dict[int, date | None] = {}
        self.home: dict[int, int] = {}
        self.since: dict[int, date] = {}
        self.codes: dict[int, str] = {}
        self.posted: list[dict[str, Any]] = []
        self._build(size)

    def _build(self, size: int) -> None:
        session = self.session
        count = max(LARGE + 4, size // 30)
        for n in range(count):
            number, field = 500 + n, FIELDS[3] if n < LARGE else FIELDS[(0, 1, 2, 4)[n % 4]]
            founded = {3: date(YEAR, 1, 1), 4: date(YEAR - 1, 12, 10), 22: date(2024, 5, 5)}.get(n)
            tree = {"level": "branch", "parent_id": CITY, "path": f"/{CITY}/{number}/"}
            place = {"committee_members": n % 3 or None, "term_ends_on": date(YEAR, 1 + n % 12, 15)}
            session.add(
                Organization(
                    id=number, code=f"Y{number}", name="支部", field=field, founded_on=founded, **tree, **place
                )
            )
            self.settle(number, field, founded)
        session.flush()
        session.add(Region(id=REGION, code="Y", name="区域"))
        session.flush()
        session.add_all(RegionOrganization(region_id=REGION, organization_id=one) for one in self.branches[::2])
        for n in range(size):
            number = 5_000 + n
            mode = {1: "rate", 2: "exempt", 3: "rate"}.get(n % 30, "normal")
            session.add(Member(id=number, code=f"Y{number}", name="某某", mode=mode, mobile=n % 7 == 0))
        session.flush()
        for n in range(size):
            number, since = 5_000 + n, date(2020, 1, 1) if n % 9 else date(YEAR - 1, 12, 1 + n % 31)
            branch = self.branches[n % count]
            session.add(Membership(member_id=number, organization_id=branch, from_day=since))
            self.codes[number], self.home[number], self.since[number] = f"Y{number}", branch, since
        session.flush()
        schema.count_on(session)  # rows with ids of their own are there: the next ones are counted on
        session.commit()

    def settle(self, number: int, field: str, founded: date | None) -> None:
        """Know a branch."""
        self.branches.append(number)
        self.fields[number], self.founded[number] = field, founded

    def number(self) -> int:
        """The next number for a code or a cause."""
        return next(self.numbers)

    def tick(self) -> None:
        """Time passes a little; the day's last event has its last instant, which is part of the day."""
        end = local(self.today, time.max)
        self.now = min(end, self.now + timedelta(seconds=self.chance.randint(0, 300)))

    def past_day(self, days: int) -> date:
        """A day not long ago; in January some of last year."""
        return self.today - timedelta(days=int(self.chance.random() ** 2 * days))

    def member(self) -> int:
        """Somebody who belongs to a branch."""
        return self.chance.choice(list(self.home)) if len(self.home) < 500 else self._any(self.home)

    def _any(self, known: dict[int, int]) -> int:
        while (found := self.chance.randint(min(known), max(known))) not in known:
            pass
        return found

    def people_of(self, branch: int) -> list[int]:
        """Who belongs to the branch now."""
        return [one for one, where in self.home.items() if where == branch]


Act = Callable[[Town], int]
"""Something that happens; how many changes it made, 0 when there was nothing to do."""
