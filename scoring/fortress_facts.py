"""What is known of one branch, as plain facts: the input of the fortress index."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Literal

from scoring.fortress_scheme import Value, Veto
from scoring.items import Indicator
from scoring.periods import period

Scope = Literal["branch", "region"]


@dataclass(frozen=True, slots=True)
class Activity:
    """One approved activity of the branch. `kinds` are stored identifiers; unknown ones count nowhere."""

    day: date
    scope: Scope
    kinds: frozenset[str]
    should_attend: int
    attended: int

    def held(self, veto: Veto) -> bool:
        """Whether enough of those who should attend came (half, inclusive)."""
        share = veto.held_share  # crosswise in integers: this runs for every activity of the city
        return self.should_attend > 0 and share.denominator * self.attended >= share.numerator * self.should_attend

    def countable(self, veto: Veto) -> bool:
        """Whether it is of a kind that counts towards the yearly minimum."""
        return not self.kinds.isdisjoint(veto.countable_kinds)

    def duty(self, veto: Veto) -> bool:
        """Whether members of the branch were due there: a branch activity of a countable kind."""
        return self.scope == "branch" and self.countable(veto)


@dataclass(frozen=True, slots=True)
class MemberFigures:
    """One member who is there on the day of judgement and not exempt; the whole year counts."""

    score: int  # printed pioneer score, hundredths
    study_hours: Fraction | int


@dataclass(frozen=True, slots=True)
class Appraisal:
    """Three voices of one year, 0..100 each."""

    self_: Fraction
    members_masses: Fraction
    superior: Fraction


@dataclass(frozen=True, slots=True)
class BranchFacts:
    """Facts of one branch. Those after the day of judgement may be in it: they are not looked at.

    values: per item or indicator id and written period (`2026-03`, `2026Q1`). negatives: cases per item
    in the year to date, taken-back ones subtracted. appraisal: of the year; None when any voice is
    missing.
    """

    field: str
    founded_on: date | None = None  # None: always existed
    activities: Sequence[Activity] = ()
    values: Mapping[tuple[str, str], Value] = dataclasses.field(default_factory=dict)
    members: Sequence[MemberFigures] = ()
    negatives: Mapping[str, int] = dataclasses.field(default_factory=dict)
    appraisal: Appraisal | None = None


def first_closes(indicators: Iterable[Indicator], rows: Iterable[tuple[str, str]], as_of: date) -> dict[str, date]:
    """Per indicator the end of its earliest closed period that has a row, of any organisation.

    rows: (indicator id, period) of every stored value, empty ones included; rows of other ids are passed
    over. An indicator without a closed period is missing: it is judged nowhere. Raises ValueError for a
    period that is not of the indicator's form.
    """
    kinds = {one.id: one.period for one in indicators}
    earliest: dict[str, date] = {}
    for indicator_id, text in set(rows):
        if indicator_id not in kinds:
            continue
        last = period(kinds[indicator_id], text).last
        if last <= as_of and last < earliest.get(indicator_id, date.max):
            earliest[indicator_id] = last
    return earliest
