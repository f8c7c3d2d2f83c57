"""Branches of chance, as facts of each and as columns of all."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from scoring.catalogue import FIELDS, shipped
from scoring.fortress_batch import ActivityColumns, BranchColumns, Voices
from scoring.fortress_facts import Activity, Appraisal, BranchFacts, MemberFigures
from scoring.value_columns import ValueColumns, stored_value

RULES = shipped()
ASPECTS = ("leading_group", "member_team", "mechanism", "support")
YEARS = (2025, 2026)
KINDS = (
    "member_assembly",
    "party_lecture",
    "theme_party_day",
    "branch_committee_meeting",
    "heart_talk",
    "singing",
)
TEXTS = (
    "",
    "true",
    "false",
    "1",
    "0",
    "0.85",
    "0.8499",
    "1.00",
    "2",
    "7.25",
    "0.123456789",
    "100",
    "18",
    "nonsense",
)
PERIODS = {
    "monthly": ("2025-11", "2025-12", "2026-01", "2026-02", "2026-03", "2026-04"),
    "quarterly": ("2025Q4", "2026Q1", "2026Q2"),
    "half_yearly": ("2025H2", "2026H1"),
    "yearly": ("2025", "2026"),
}
STATEMENTS = {one.id for one in (*RULES.common, *RULES.indicators) if one.statement}
activity = st.tuples(
    st.integers(1, 365), st.booleans(), st.sets(st.sampled_from(KINDS)), st.integers(0, 9), st.integers(0, 9)
)
branch = st.fixed_dictionaries(
    {
        "field": st.sampled_from((*FIELDS, *("soe",) * 20)),  # one large enough for a bottom
        "founded": st.sampled_from(
            [None, date(2025, 12, 15), date(2026, 1, 1), date(2026, 2, 2), date(2026, 4, 10)]
        ),
        "activities": st.lists(activity, max_size=12),
        "members": st.lists(st.tuples(st.integers(0, 10_000), st.integers(-500, 9_000)), max_size=4),
        "negatives": st.dictionaries(
            st.tuples(st.sampled_from([one.id for one in RULES.negatives]), st.sampled_from(PERIODS["monthly"])),
            st.integers(-2, 5),
            max_size=4,
        ),
        "voices": st.none() | st.tuples(*[st.integers(0, 10_000)] * 3),
        "seed": st.integers(0, 10**6),
        "empty": st.integers(0, 3),
    }
)
DAYS = st.sampled_from(
    [date(2026, 12, 31), date(2026, 12, 30), date(2026, 4, 30), date(2026, 3, 31), date(2026, 1, 1)]
)


def values_of(one: dict[str, Any]) -> dict[tuple[str, str], str]:
    """Values of one branch, drawn from a seed: a branch has hundreds of them."""
    chance = np.random.default_rng(one["seed"])
    found = {}
    collected = [(item.id, "monthly") for item in RULES.common if item.collected]
    own = [(row.id, row.period) for row in RULES.indicators if row.field in ("all", one["field"])]
    for row_id, kind in collected + own:
        for text in PERIODS[kind]:
            if chance.integers(4) >= one["empty"]:
                found[row_id, text] = TEXTS[chance.integers(len(TEXTS))]
    return found


def read(texts: dict[tuple[str, str], str]) -> dict[tuple[str, str], Any]:
    return {key: stored_value(text, statement=key[0] in STATEMENTS) for key, text in texts.items()}


def day_of(number: int) -> date:
    return date.fromordinal(date(2026, 1, 1).toordinal() + number - 1)


def facts_of(one: dict[str, Any], as_of: date) -> BranchFacts:
    cases: dict[str, int] = {}
    for (item_id, month), count in one["negatives"].items():
        if month <= f"{as_of:%Y-%m}" and month.startswith("2026"):
            cases[item_id] = cases.get(item_id, 0) + count
    return BranchFacts(
        field=one["field"],
        founded_on=one["founded"],
        activities=[
            Activity(day_of(day), "region" if region else "branch", frozenset(kinds), should, came)
            for day, region, kinds, should, came in one["activities"]
        ],
        values=read(values_of(one)),
        members=[MemberFigures(score, Fraction(hours, 100)) for score, hours in one["members"]],
        negatives=cases,
        appraisal=Appraisal(*(Fraction(voice, 100) for voice in one["voices"])) if one["voices"] else None,
    )


def value_columns(branches: list[dict[str, Any]]) -> ValueColumns:
    codes: dict[str, int] = {}
    columns: dict[tuple[str, str], Any] = {}
    for place, one in enumerate(branches):
        for key, text in values_of(one).items():
            column = columns.setdefault(key, np.zeros(len(branches), dtype=np.int32))
            column[place] = codes.setdefault(text, len(codes) + 1)
    return ValueColumns(["", *codes], columns, frozenset(columns))


def ints(rows: Any) -> Any:
    return np.array(list(rows), dtype=np.int64)


def founded_by(branches: list[dict[str, Any]], as_of: date) -> list[dict[str, Any]]:
    return [one for one in branches if one["founded"] is None or one["founded"] <= as_of]


def common_columns(branches: list[dict[str, Any]]) -> tuple[Any, Any, ValueColumns]:
    fields = ints(FIELDS.index(one["field"]) for one in branches)
    founded = ints(one["founded"].toordinal() if one["founded"] else 0 for one in branches)
    return fields, founded, value_columns(branches)


def branch_columns(branches: list[dict[str, Any]], facts: list[BranchFacts], as_of: date) -> BranchColumns:
    fields, founded, values = common_columns(branches)
    until = as_of.toordinal() - date(2026, 1, 1).toordinal() + 1
    told = [(place, *row) for place, one in enumerate(branches) for row in one["activities"] if row[0] <= until]
    voices = [one["voices"] or (0, 0, 0) for one in branches]
    items = {item_id for one in facts for item_id in one.negatives}
    return BranchColumns(
        fields=fields,
        founded=founded,
        activities=ActivityColumns(
            branch=ints(row[0] for row in told),
            day=ints(row[1] for row in told),
            region=np.array([row[2] for row in told], dtype=bool),
            kinds=ints(sum(1 << KINDS.index(kind) for kind in row[3]) for row in told),
            should_attend=ints(row[4] for row in told),
            attended=ints(row[5] for row in told),
            kind_names=KINDS,
        ),
        values=values,
        members=ints(len(one["members"]) for one in branches),
        score_sum=ints(sum(score for score, _ in one["members"]) for one in branches),
        study_hundredths=ints(sum(max(0, hours) for _, hours in one["members"]) for one in branches),
        negatives={item: ints(one.negatives.get(item, 0) for one in facts) for item in items},
        voices=Voices(
            np.array([one["voices"] is not None for one in branches]), *map(ints, zip(*voices, strict=True))
        ),
    )
