"""What if: other rules on a stored year. Who would move and by how much; stars and colours that change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median_low

import numpy as np
from sqlmodel import Session

from db import booked_prices
from db.city_columns import View
from scoring.catalogue import Catalogue
from scoring.city import CityIndices, compute_city
from scoring.month_results import MonthResults
from scoring.pioneer_scheme import Rule, RuleTerms
from scoring.ratios import Ints


@dataclass(frozen=True, slots=True)
class Moved:
    """One figure that the trial changes. key: the id of the member or organisation; scores in hundredths."""

    key: int
    month: str  # empty for the indices of a year
    before: int
    after: int
    stars_before: int = 0
    stars_after: int = 0


@dataclass(frozen=True)
class Moves:
    """All of one kind that move in score or stars, the largest move first. of: how many there are in all."""

    of: int
    moved: Sequence[Moved]

    @property
    def up(self) -> int:
        """How many gain points."""
        return sum(one.after > one.before for one in self.moved)

    @property
    def down(self) -> int:
        """How many lose points."""
        return sum(one.after < one.before for one in self.moved)

    @property
    def middle(self) -> int:
        """The median change of those who move, in hundredths; 0 when nobody does."""
        return median_low([one.after - one.before for one in self.moved]) if self.moved else 0

    @property
    def stars(self) -> Mapping[tuple[int, int], int]:
        """How many go from so many stars to so many."""
        pairs = Counter((one.stars_before, one.stars_after) for one in self.moved)
        return {pair: count for pair, count in sorted(pairs.items()) if pair[0] != pair[1]}


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour that appears (`given`) or goes away in one month, or stands for another reason."""

    organization_id: int
    month: str
    colour: str
    before: str  # the reason; empty: it was not there
    after: str  # empty: it goes away


@dataclass(frozen=True)
class Trial:
    """Everything that the tried rules change on a day."""

    as_of: date
    members: Moves
    branches: Moves
    months: Moves
    colours: Sequence[Colour]


def run_trial(session: Session, view: View, rules: Catalogue, tried: Catalogue) -> Trial:
    """Both computations and what differs between them; reads only.

    Points that are booked already are priced anew where the tried rule pays another price for an event.
    """
    before = compute_city(session, view, rules)
    after = compute_city(session, view, tried, added=_repriced(session, view, rules, tried))
    return Trial(
        view.as_of,
        _of_members(before, after),
        _of_branches(before, after),
        _of_months(before, after),
        _of_colours(MonthResults(rules, before), MonthResults(tried, after), before, after),
    )


def _repriced(session: Session, view: View, rules: Catalogue, tried: Catalogue) -> dict[str, tuple[Ints, Ints]]:
    """Per rule with another price: members, and the points that the lines of each would bring more."""
    found: dict[str, tuple[Ints, Ints]] = {}
    known = {rule.id: rule for rule in rules.pioneer.rule}
    for rule in tried.pioneer.rule:
        now, new = known.get(rule.id), rule.terms_on(view.as_of)
        if now is None or new is None:
            continue
        more: Counter[int] = Counter()
        for member_id, since, points, lines in booked_prices.by_price(session, rule.id, view.first, view.as_of):
            paid = _paid_by(now, since, view.as_of)
            if paid is not None:
                more[member_id] += lines * (_price(paid, new, points) - points)
        if any(more.values()):
            found[rule.id] = np.array(list(more), dtype=np.int64), np.array(list(more.values()), dtype=np.int64)
    return found


def _paid_by(rule: Rule, since: date | None, as_of: date) -> RuleTerms | None:
    """The terms that paid a line; those of the day for a line that does not say."""
    return next((terms for terms in rule.terms if terms.starts == since), rule.terms_on(as_of))


def _price(paid: RuleTerms, new: RuleTerms, points: int) -> int:
    """What a line of `points` would be worth; a line that no event or grade explains keeps its points."""
    if paid.grades and new.grades:
        sign = next((sign for sign in (1, -1) if sign * points in paid.grades.values()), 0)
        grade = next((name for name, worth in paid.grades.items() if worth == sign * points), "")
        return sign * new.grades[grade] if sign and grade in new.grades else points
    if paid.points and new.points is not None and points % paid.points == 0:
        return points // paid.points * new.points
    return points


def _of_members(before: CityIndices, after: CityIndices) -> Moves:
    one, other = before.members.result, after.members.result
    return _moves(before.members.ids, (one.score, one.stars), (other.score, other.stars))


def _of_branches(before: CityIndices, after: CityIndices) -> Moves:
    ids = np.array([branch.id for branch in before.branches], dtype=np.int64)
    one, other = before.fortress, after.fortress
    return _moves(ids, (one.score, one.stars), (other.score, other.stars))


def _moves(ids: Ints, before: tuple[Ints, Ints], after: tuple[Ints, Ints], month: str = "") -> Moves:
    changed = np.flatnonzero((before[0] != after[0]) | (before[1] != after[1]))
    columns = [column[changed].tolist() for column in (ids, before[0], after[0], before[1], after[1])]
    moved = [Moved(key, month, *figures) for key, *figures in zip(*columns, strict=True)]
    return Moves(len(ids), sorted(moved, key=_largest))


def _largest(one: Moved) -> tuple[int, str, int]:
    return -abs(one.after - one.before), one.month, one.key


def _of_months(before: CityIndices, after: CityIndices) -> Moves:
    ids = np.array([branch.id for branch in before.branches], dtype=np.int64)
    new = {month.month.text: month for month in after.months}
    moved: list[Moved] = []
    count = 0
    for month in before.months:
        count += int(month.row.sum())
        other = new.get(month.month.text)
        if other is not None:
            there = np.flatnonzero(month.row & other.row)
            none = np.zeros(len(there), dtype=np.int64)
            found = _moves(ids[there], (month.score[there], none), (other.score[there], none), month.month.text)
            moved.extend(found.moved)
    return Moves(count, sorted(moved, key=_largest))


def _of_colours(before: MonthResults, after: MonthResults, old: CityIndices, new: CityIndices) -> Sequence[Colour]:
    one, other = dict(_reasons(before, old)), dict(_reasons(after, new))
    return [
        Colour(*key, one.get(key, ""), other.get(key, ""))
        for key in sorted(one.keys() | other.keys(), key=lambda key: (key[1], key[0], key[2]))
        if one.get(key) != other.get(key)
    ]


def _reasons(results: MonthResults, found: CityIndices) -> Iterator[tuple[tuple[int, str, str], str]]:
    for number, month in enumerate(found.months):
        for place, warned in results.warnings(number):
            yield (found.branches[place].id, month.month.text, warned.colour), warned.reason
