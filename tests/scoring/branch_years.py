"""The worked year of a branch, and how it is judged."""

from __future__ import annotations

import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from scoring.catalogue import shipped
from scoring.exact import fraction
from scoring.fortress import FortressResult, fortress
from scoring.fortress_facts import Activity, Appraisal, BranchFacts, MemberFigures, Scope
from scoring.fortress_scheme import Value
from scoring.items import read_value

CATALOGUE = shipped()
LAST_DAY = date(2026, 12, 31)
YEAR = tomllib.loads(
    (Path(__file__).parent / "data" / "fortress_year.toml").read_text(encoding="utf-8"), parse_float=Decimal
)
STATEMENTS = {
    one.id: one.statement for one in (*CATALOGUE.common, *CATALOGUE.specific_on("gov_institution", LAST_DAY))
}


def facts_of(branch: dict[str, Any]) -> BranchFacts:
    values: dict[tuple[str, str], Value] = {
        (one, text): read_value(value, statement=STATEMENTS[one]) for one, text, value in branch["values"]
    }
    return BranchFacts(
        field="gov_institution",
        founded_on=branch.get("founded_on"),
        activities=[
            Activity(day, "branch", frozenset(kinds.split(";")), should, came)
            for day, kinds, should, came in branch.get("activities", [])
        ],
        values=values,
        members=[MemberFigures(score, hours) for score, hours in branch.get("members", [])],
        negatives=branch.get("negatives", {}),
        appraisal=Appraisal(*map(fraction, branch["appraisal"])) if "appraisal" in branch else None,
    )


def judged(facts: BranchFacts, as_of: date = LAST_DAY, **first_closed: date) -> FortressResult:
    return fortress(CATALOGUE, facts, as_of=as_of, first_closed=first_closed)


def activity(
    day: date, kinds: str = "theme_party_day", *, came: int = 2, should: int = 2, scope: Scope = "branch"
) -> Activity:
    return Activity(day, scope, frozenset(kinds.split(";")), should, came)
