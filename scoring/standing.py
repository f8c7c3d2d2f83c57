"""Where a member stands now: the pioneer index from stored totals, and what a rule pays on a day."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple, cast

from sqlmodel import Session

from db import ledger, members
from db.duties import duty_activities
from scoring.blocks import Mode
from scoring.catalogue import Catalogue, shipped
from scoring.pioneer import PioneerResult, Span, Total, pioneer


class Pay(NamedTuple):
    """What one event pays under a rule: the points, and from which day the terms hold that say so."""

    points: int
    terms_from: date


@lru_cache(maxsize=1024)
def pay(rule_id: str, day: date, *, grade: str | None = None, catalogue: Catalogue | None = None) -> Pay | None:
    """What the rule pays for one event on `day` (of `grade`, where a rule has grades).

    None when the rule is not in force that day. Raises LookupError for an unknown rule or grade.
    """
    terms = (catalogue or shipped()).rule(rule_id).terms_on(day)
    if terms is None:
        return None
    if terms.grades is not None:
        return Pay(terms.grades[grade or ""], terms.starts)
    return Pay(terms.points or 0, terms.starts)


def standing(session: Session, member_id: int, as_of: date) -> PioneerResult | None:
    """The member's pioneer index of the year to `as_of`, from the totals. None: exempt, or not a member yet.

    Entries dated later than `as_of` in the same year are part of the totals: ask for today.
    """
    rows = members.spans(session, member_id)
    if not rows:
        return None
    mode = cast(Mode, rows[-1][3])
    totals = {
        rule_id: Total(points, Fraction(hundredths, 100))
        for rule_id, (points, hundredths) in ledger.totals(session, member_id, as_of.year).items()
    }
    duties = duty_activities(session, [(row[2], row[0], row[1]) for row in rows], as_of) if mode == "rate" else 0
    return pioneer(
        shipped(),
        as_of=as_of,
        memberships=[Span(row[0], row[1]) for row in rows],
        totals=totals,
        duty_activities=duties,
        mode=mode,
    )
