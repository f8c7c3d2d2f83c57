"""A month of an organisation, judged."""

from __future__ import annotations

from datetime import date

from scoring.catalogue import shipped
from scoring.org_power import OrgPowerResult, PowerFacts, org_power
from scoring.periods import period

CATALOGUE = shipped()
TERMS = CATALOGUE.org_power.terms_on(date(2026, 1, 1))
LONG_AGO = {one.id: date(2020, 12, 31) for one in CATALOGUE.indicators}
Key = tuple[str, str]


def judged(month: str, *, first_closed: dict[str, date] = LONG_AGO, **facts: object) -> OrgPowerResult:
    given_facts = PowerFacts("soe", **facts)  # type: ignore[arg-type]
    return org_power(CATALOGUE, given_facts, month=period("monthly", month), first_closed=first_closed)
