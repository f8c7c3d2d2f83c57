"""The ledger lines of one branch, with what each rule pays: collected in any order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from scoring.catalogue import shipped


@dataclass(frozen=True, slots=True)
class Line:
    """One line to be booked, not yet numbered."""

    booked_at: datetime
    member_id: int
    organization_id: int | None
    rule_id: str
    terms_from: date | None
    cause: str
    points: int
    hundredths: int
    day: date
    reason: str
    in_index: bool = True


class Pay:
    """What rules pay on a day, as the shipped catalogue says."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, date, str], tuple[int, date, int]] = {}

    def __call__(self, rule_id: str, day: date, grade: str = "") -> tuple[int, date, int]:
        """(points, from which day the terms hold, most points of one event or 0 for any)."""
        known = self._known.get((rule_id, day, grade))
        if known is None:
            terms = shipped().rule(rule_id).terms_on(day)
            assert terms is not None, "the shipped rules hold on every day of the year that is told"
            points = terms.grades[grade] if terms.grades is not None else terms.points or 0
            known = self._known[(rule_id, day, grade)] = (points, terms.starts, terms.event_cap or 0)
        return known


class Book:
    """Lines of one branch."""

    def __init__(self, pay: Pay) -> None:
        self.pay = pay
        self.lines: list[Line] = []

    def earn(
        self,
        rule_id: str,
        member_id: int,
        organization_id: int,
        cause: str,
        day: date,
        at: datetime,
        reason: str = "",
        *,
        grade: str = "",
        hundredths: int = 100,
        times: int = 1,
    ) -> None:
        """Add what `rule_id` pays (or takes) `times` times for an event on `day`."""
        points, terms_from, event_cap = self.pay(rule_id, day, grade)
        points = min(points * times, event_cap) if event_cap else points * times
        self.lines.append(
            Line(
                at, member_id, organization_id, rule_id, terms_from, cause, points, hundredths * times, day, reason
            )
        )
