"""What the members of a branch did in the year: attended, paid dues, studied, were reviewed and commended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import NamedTuple

from bot.sample.calendar import Happening, Year
from bot.sample.city import SAMPLE, Branch
from bot.sample.members import COMMITTEE_SIZE, Person, local
from bot.sample.points import Book
from db.duties import COUNTABLE

_EVERYBODY = COUNTABLE | {"democratic_review"}
"""Kinds to which every member is due; to other meetings those who came are those who were due."""


class Came(NamedTuple):
    """One attendance, in the order of the columns in which it is written."""

    activity_id: int
    member_id: int
    mode: str
    recorded_at: datetime
    evidence: str


class Closed(NamedTuple):
    """How an activity went."""

    happening: Happening
    should_attend: int
    attended: int


@dataclass
class Life:
    """One branch with its people and its book; `full_months` are those in which everybody paid dues."""

    branch: Branch
    people: list[Person]
    year: Year
    book: Book
    random: Random
    full_months: list[tuple[int, int]] = field(default_factory=list)
    paid: list[tuple[int, str, datetime]] = field(default_factory=list)  # member, month, when it was noted

    def attend(self, happening: Happening) -> Iterator[Came | Closed]:
        """Who came to an activity of the branch, and at the end how it went."""
        asked = self.people[:COMMITTEE_SIZE] if happening.committee_only else self.people
        asked = [person for person in asked if person.since <= happening.day]
        everybody = not _EVERYBODY.isdisjoint(happening.kinds.split(";"))
        came = 0
        for person in asked:
            if self.random.random() < self._chance(person, happening):
                came += 1
                yield self._come(person, happening, "PB1")
                self._more(person, happening)
            elif everybody and self.random.random() < 0.02 * (1.3 - self.branch.quality) and person.sample is None:
                self._absent(person, happening)
        yield Closed(happening, len(asked) if everybody else came, came)

    def visit(self, happening: Happening) -> Iterator[Came]:
        """Who came to an activity of the region."""
        for person in self.people:
            chance = 0.12 + 0.12 * self.branch.quality if person.sample is None else 0.35
            if not person.mobile and person.since <= happening.day and self.random.random() < chance:
                yield self._come(person, happening, "PP1")
                self._hours(person, happening)

    def _chance(self, person: Person, happening: Happening) -> float:
        if happening.committee_only:
            return 0.93
        if person.sample is not None:
            return 0.9
        good = 0.62 + 0.38 * self.branch.quality
        if person.mobile:
            return good * person.diligence * (0.85 if happening.remote else 0.08)
        return good * min(1.0, person.diligence + 0.12)

    def _come(self, person: Person, happening: Happening, rule_id: str) -> Came:
        at = happening.starts + timedelta(seconds=self.random.randint(-1500, 900))
        cause = f"activity:{happening.id}"
        self.book.earn(rule_id, person.id, self.branch.node.id, cause, happening.day, at, happening.title)
        if person.mobile:
            return Came(happening.id, person.id, "remote", at, "seat")
        return Came(
            happening.id, person.id, "onsite", at, self.random.choice(("text", "button", "button", "scan"))
        )

    def _more(self, person: Person, happening: Happening) -> None:
        """What an activity brings beside the attendance."""
        kinds = happening.kinds
        ends = happening.starts + timedelta(minutes=happening.minutes)
        node_id = self.branch.node.id
        if "volunteering" in kinds:
            self._hours(person, happening)
        if "party_lecture" in kinds and person is self.people[0]:
            cause = f"lecture:{happening.id}"
            self.book.earn("PP4", person.id, node_id, cause, happening.day, ends, happening.title)
        if "democratic_review" in kinds and not person.probationary:
            best = person.diligence > 0.85 and self.random.random() < 0.6
            grade = "excellent" if best else "qualified" if self.random.random() < 0.96 else "basically_qualified"
            cause = f"review:{happening.day.year}"
            self.book.earn("PB4", person.id, node_id, cause, happening.day, ends, happening.title, grade=grade)

    def _hours(self, person: Person, happening: Happening) -> None:
        hours = max(1, happening.minutes // 60)
        ends = happening.starts + timedelta(minutes=happening.minutes)
        cause = f"volunteering:{happening.id}"
        self.book.earn(
            "PP2", person.id, self.branch.node.id, cause, happening.day, ends, happening.title, times=hours
        )

    def _absent(self, person: Person, happening: Happening) -> None:
        at = happening.starts + timedelta(days=1)
        if at < self.year.now:
            cause = f"absence:{happening.id}"
            self.book.earn("PN1", person.id, self.branch.node.id, cause, happening.day, at, happening.title)

    def pay_dues(self) -> None:
        """Dues of every month; who forgets is reminded, and one reminder in three is noted."""
        on_time = 0.9 + 0.1 * self.branch.quality if self.branch.number != SAMPLE else 0.995
        for of_year, month in self.year.months:
            due = [person for person in self.people if person.since < date(of_year, month, 1)]
            paid = Counter[bool]()
            for person in due:
                day = date(of_year, month, self.random.randint(2, 26))
                wanted = person.sample is not None or self.random.random() < on_time
                if wanted and local(day, 20 * 60) < self.year.now:
                    self._pay(person, day)
                elif not wanted and self.random.random() < 0.3:
                    self._remind(person, of_year, month)
                paid[wanted] += 1
            if not paid[False]:
                self.full_months.append((of_year, month))

    def _pay(self, person: Person, day: date) -> None:
        at = local(day, 8 * 60 + self.random.randint(0, 700))
        self.book.earn("PB2", person.id, self.branch.node.id, f"dues:{day:%Y-%m}", day, at, f"{day.month} 月党费")
        self.paid.append((person.id, f"{day:%Y-%m}", at))

    def _remind(self, person: Person, of_year: int, month: int) -> None:
        day = date(of_year, month, 28)
        at = local(day, 9 * 60)
        if at < self.year.now:
            cause = f"dues_reminder:{day:%Y-%m}"
            self.book.earn("PN3", person.id, self.branch.node.id, cause, day, at, f"{month} 月党费")

    def study(self) -> None:
        """Study hours, noted at the end of every quarter (every month where the year is told in detail)."""
        every = self.year.study_every
        for of_year, month in self.year.months:
            if month % every:
                continue
            day = date(of_year, month, 28)
            at = local(day, 17 * 60)
            if at >= self.year.now:
                continue
            cause = f"study:{of_year}-{month:02d}"
            for person in self.people:
                if person.since <= day:
                    mean = every * (1.7 + 1.5 * self.branch.quality) * (0.5 + 0.5 * person.diligence)
                    halves = max(1, round(2 * self.random.gauss(mean, every * 0.5)))
                    self.book.earn(
                        "PB3", person.id, self.branch.node.id, cause, day, at, "集中学习", hundredths=50 * halves
                    )

    def commend(self) -> None:
        """Praise on 1 July, and the few cases that are taken from the score."""
        of_year = (
            self.year.today.year if self.year.today >= date(self.year.today.year, 7, 3) else self.year.first.year
        )
        day = date(of_year, 7, 1)
        if day >= self.year.first:
            for person in self.people:
                if person.since < day and self.random.random() < 0.06 * person.diligence:
                    grade = self.random.choices(("branch_superior", "county", "city"), (80, 17, 3))[0]
                    cause = f"commendation:{of_year}"
                    at = local(day, 10 * 60)
                    self.book.earn("PP5", person.id, self.branch.node.id, cause, day, at, "七一表彰", grade=grade)
        for person in self.people:
            if person.sample is None and person.since < self.year.first and self.random.random() < 0.004:
                day = self.year.today - timedelta(days=self.random.randint(5, 300))
                cause = f"task:{day}"
                self.book.earn(
                    "PN5", person.id, self.branch.node.id, cause, day, local(day, 900), "未接受交办任务"
                )
