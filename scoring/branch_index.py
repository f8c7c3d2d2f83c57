"""The indices of one branch and its members from totals, with everything that explains them.

Also of all branches, one by one: slow, and what the city's batch arithmetic is held against.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlmodel import Session

from db import city
from db.duties import CITY, duty_activities
from scoring.batch import BatchResult, Columns, month_counts, pioneer_batch
from scoring.catalogue import Catalogue, shipped
from scoring.exact import fraction
from scoring.explain import earned_points
from scoring.fortress import FortressResult, fortress
from scoring.fortress_facts import Activity, Appraisal, BranchFacts, MemberFigures, first_closes
from scoring.fortress_scheme import Value


@dataclass(frozen=True)
class MemberIndices:
    """Pioneer indices in columns; `ids` are the members, in order. here: branch on the day, 0 for none."""

    ids: list[int]
    here: list[int]
    study_hundredths: list[int]
    result: BatchResult


@dataclass(frozen=True, slots=True)
class BranchIndex:
    """One branch with its result."""

    organization_id: int
    name: str
    field: str
    founded_on: date | None
    result: FortressResult


@dataclass
class CityIndices:
    """Everything that one refresh computed."""

    as_of: date
    members: MemberIndices
    branches: list[BranchIndex] = field(default_factory=list)


def compute(
    session: Session,
    as_of: date,
    *,
    only: int | None = None,
    zone: ZoneInfo = CITY,
    catalogue: Catalogue | None = None,
) -> CityIndices:
    """All indices on `as_of`, from totals; reads only. only: one branch and its members."""
    rules = catalogue or shipped()
    members = _members(session, rules, as_of, only)
    return CityIndices(as_of, members, list(_branches(session, rules, as_of, members, only, zone)))


def _members(session: Session, rules: Catalogue, as_of: date, only: int | None) -> MemberIndices:
    rule_ids = [rule.id for rule in rules.pioneer.rule]
    spans = [row for row in city.memberships(session, as_of, only) if row[4] != "exempt"]
    ids = sorted({row[0] for row in spans})
    place = {member_id: number for number, member_id in enumerate(ids)}
    months = month_counts(
        as_of.year,
        as_of,
        np.array([place[row[0]] for row in spans], dtype=np.int64),
        np.array([row[2].toordinal() for row in spans], dtype=np.int64),
        np.array([row[3].toordinal() if row[3] else 0 for row in spans], dtype=np.int64),
        len(ids),
    )
    sums = np.zeros((len(ids), 2 * len(rule_ids)), dtype=np.int64)
    rows = [row for row in city.totals(session, as_of.year, rule_ids, as_of, only) if row[0] in place]
    if rows:
        table = np.array(rows, dtype=np.int64)
        sums[[place[member_id] for member_id in table[:, 0].tolist()]] = table[:, 1:]
    rate = {row[0] for row in spans if row[4] == "rate"}
    duties = np.zeros(len(ids), dtype=np.int64)
    for member_id, own in _grouped([row for row in spans if row[0] in rate]).items():
        duties[place[member_id]] = duty_activities(session, [row[:3] for row in own], as_of)
    columns = Columns(
        months=np.maximum(months, 1),
        rate=np.array([member_id in rate for member_id in ids], dtype=bool),
        duty_activities=duties,
        points={rule_id: sums[:, 2 * n] for n, rule_id in enumerate(rule_ids)},
        counts={rule_id: sums[:, 2 * n + 1] for n, rule_id in enumerate(rule_ids)},
    )
    here = [0] * len(ids)
    for member_id, organization_id, from_day, to_day, _ in spans:
        if from_day <= as_of and (to_day is None or to_day > as_of):
            here[place[member_id]] = organization_id
    study = sums[:, 2 * rule_ids.index("PB3") + 1].tolist() if "PB3" in rule_ids else [0] * len(ids)
    return MemberIndices(ids, here, study, pioneer_batch(rules, columns, as_of=as_of))


def _branches(
    session: Session, rules: Catalogue, as_of: date, members: MemberIndices, only: int | None, zone: ZoneInfo
) -> Iterator[BranchIndex]:
    figures: dict[int, list[MemberFigures]] = {}
    scores = members.result.score.tolist()
    for organization_id, score, hundredths in zip(members.here, scores, members.study_hundredths, strict=True):
        if organization_id:
            hours = Fraction(hundredths, 100) if hundredths % 100 else hundredths // 100
            figures.setdefault(organization_id, []).append(MemberFigures(score, hours))
    held = _grouped(city.activities(session, as_of, zone, only))
    values = _grouped(city.values(session, as_of.year, only))
    negatives = _grouped(city.negatives(session, as_of, only))
    appraisals = {row[0]: row[1:] for row in city.appraisals(session, as_of.year, only)}
    first = city.first_periods(session, [indicator.id for indicator in rules.indicators])
    closed = first_closes(rules.indicators, first, as_of)
    for organization_id, name, branch_field, founded_on in city.branches(session, as_of, only):
        voices = appraisals.get(organization_id)
        facts = BranchFacts(
            field=branch_field,
            founded_on=founded_on,
            activities=[_activity(row, zone) for row in held.get(organization_id, ())],
            values={(row[0], row[1]): _value(row[2]) for row in values.get(organization_id, ())},
            members=figures.get(organization_id, ()),
            negatives={row[0]: int(row[1]) for row in negatives.get(organization_id, ())},
            appraisal=Appraisal(*(Fraction(voice, 100) for voice in voices)) if voices else None,
        )
        result = fortress(rules, facts, as_of=as_of, first_closed=closed)
        yield BranchIndex(organization_id, name, branch_field, founded_on, result)


def _grouped(rows: Sequence[tuple[Any, ...]]) -> dict[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = {}
    for organization_id, *rest in rows:
        found.setdefault(organization_id, []).append(tuple(rest))
    return found


def _activity(row: tuple[Any, ...], zone: ZoneInfo) -> Activity:
    starts_at, scope, kinds, should_attend, attended = row
    day = starts_at.astimezone(zone).date()
    return Activity(day, scope, frozenset(kinds.split(";")), should_attend, attended)


def _value(text: str) -> Value:
    """A stored value as scoring reads it; an empty one is none."""
    word = text.strip().lower()
    if not word:
        return None
    if word in ("true", "false"):
        return word == "true"
    return fraction(word)


def parts_of(result: FortressResult) -> dict[str, int]:
    """What each aspect of the common part and the field's own part bring, in hundredths."""
    aspects: dict[str, list[Any]] = {}
    for item in result.items:
        aspects.setdefault(item.aspect, []).append(item)
    return {aspect: earned_points(items) for aspect, items in aspects.items()} | {"specific": result.specific}
