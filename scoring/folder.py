"""All indices of a folder on a day: the same functions as the service's, over facts from files. No storage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from scoring.catalogue import Catalogue
from scoring.folder_reading import Folder, Membership, Organization
from scoring.folder_rows import Refusal
from scoring.fortress import FortressResult, fortress, rate_field
from scoring.fortress_facts import BranchFacts, MemberFigures, first_closes
from scoring.org_power import OrgPowerResult, PowerFacts, has_row, org_power, record_months
from scoring.periods import CalendarPeriod
from scoring.pioneer import NOTHING, PioneerResult, Span, pioneer
from scoring.pool import MonthRow, Warned, colours
from scoring.ranks import Place, places

STUDY = "PB3"  # whose hours the study of a branch counts


@dataclass(frozen=True, slots=True)
class PowerRow:
    """One organisation in one month."""

    org_id: str
    result: OrgPowerResult
    place: Place


@dataclass
class Scores:
    """Every figure of a folder. stars: of the branches. warnings: (organisation, month, colour)."""

    pioneer: dict[str, PioneerResult] = field(default_factory=dict)
    fortress: dict[str, FortressResult] = field(default_factory=dict)
    stars: dict[str, int] = field(default_factory=dict)
    org_power: list[PowerRow] = field(default_factory=list)
    warnings: list[tuple[str, str, Warned]] = field(default_factory=list)


def score_folder(catalogue: Catalogue, folder: Folder) -> Scores:
    """Every index on the folder's day. Raises Refusal for a day or a month on which no rules are in force."""
    months = record_months(catalogue.indicators, folder.value_rows, folder.as_of)
    _check_terms(catalogue, folder.as_of, months)
    scores = Scores()
    for member_id, known in folder.members.items():
        result = _pioneer(catalogue, folder, member_id, known)
        if result is not None:
            scores.pioneer[member_id] = result
    by_field: dict[str, list[Organization]] = defaultdict(list)
    for one in folder.organizations.values():
        if one.field is not None and one.exists(folder.as_of):
            by_field[one.field].append(one)
    first_closed = first_closes(catalogue.indicators, folder.value_rows, folder.as_of)
    _score_branches(catalogue, folder, scores, by_field, first_closed)
    _score_months(catalogue, folder, scores, by_field, first_closed, months)
    return scores


def _check_terms(catalogue: Catalogue, as_of: date, months: Sequence[CalendarPeriod]) -> None:
    try:
        catalogue.pioneer.terms_on(as_of)
        catalogue.fortress.terms_on(as_of)
        for month in months[:1]:
            catalogue.org_power.terms_on(month.last)
    except LookupError as error:
        raise Refusal(f"{error}") from None


def _pioneer(
    catalogue: Catalogue, folder: Folder, member_id: str, known: list[Membership]
) -> PioneerResult | None:
    if not known:
        return None
    # Of two memberships begun on one day the later row counts, as for every other fact that stands twice.
    mode = sorted(known, key=lambda one: one.from_day)[-1].mode
    return pioneer(
        catalogue,
        as_of=folder.as_of,
        memberships=[Span(one.from_day, one.to_day) for one in known],
        totals=folder.totals.get(member_id, {}),
        duty_activities=_duties(catalogue, folder, known) if mode == "rate" else 0,
        mode=mode,
    )


def _duties(catalogue: Catalogue, folder: Folder, known: Iterable[Membership]) -> int:
    """Duty activities of the member's branches, on days of membership there; each counts once."""
    veto = catalogue.fortress.terms_on(folder.as_of).veto
    due: set[tuple[str, int]] = set()
    for one in known:
        for number, held in enumerate(folder.activities.get(one.org_id, ())):
            inside = one.from_day <= held.day and (one.to_day is None or held.day < one.to_day)
            if inside and held.duty(veto):
                due.add((one.org_id, number))
    return len(due)


def _score_branches(
    catalogue: Catalogue,
    folder: Folder,
    scores: Scores,
    by_field: Mapping[str, list[Organization]],
    first_closed: Mapping[str, date],
) -> None:
    figures = _members_by_branch(folder, scores.pioneer)
    for field_id, organizations in by_field.items():
        results = []
        for one in organizations:
            cases: dict[str, int] = defaultdict(int)
            for item_id, on, count in folder.negatives.get(one.id, ()):
                cases[item_id] += count if folder.in_year(on) else 0
            facts = BranchFacts(
                field=field_id,
                founded_on=one.founded_on,
                activities=folder.activities.get(one.id, ()),
                values=folder.values.get(one.id, {}),
                members=figures.get(one.id, ()),
                negatives=cases,
                appraisal=folder.appraisals.get(one.id),
            )
            results.append(fortress(catalogue, facts, as_of=folder.as_of, first_closed=first_closed))
        stars = rate_field(catalogue, results, as_of=folder.as_of)
        for one, result, given in zip(organizations, results, stars, strict=True):
            scores.fortress[one.id] = result
            scores.stars[one.id] = given


def _members_by_branch(folder: Folder, pioneers: Mapping[str, PioneerResult]) -> dict[str, list[MemberFigures]]:
    """Who belongs to each branch on the day; exempt members have no result, and so are nowhere."""
    found: dict[str, list[MemberFigures]] = defaultdict(list)
    for member_id, result in pioneers.items():
        hours = folder.totals.get(member_id, {}).get(STUDY, NOTHING).count
        # An end that is known lies on the day or before it: half-open, so the member is gone.
        for org_id in {one.org_id for one in folder.members[member_id] if one.to_day is None}:
            found[org_id].append(MemberFigures(result.score, hours))
    return found


def _score_months(
    catalogue: Catalogue,
    folder: Folder,
    scores: Scores,
    by_field: Mapping[str, list[Organization]],
    first_closed: Mapping[str, date],
    months: Iterable[CalendarPeriod],
) -> None:
    cases: dict[tuple[str, int, int], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for org_id, hits in folder.negatives.items():
        for item_id, on, count in hits:
            cases[org_id, on.year, on.month][item_id] += count
    history: dict[str, list[MonthRow | None]] = defaultdict(list)
    for month in months:
        pool = catalogue.org_power.terms_on(month.last).pool
        for field_id, organizations in by_field.items():
            rows = _field_month(catalogue, folder, month, field_id, organizations, cases, first_closed)
            scores.org_power += rows.values()
            for one in organizations:
                row = rows.get(one.id)
                known = history[one.id]
                known.append(
                    MonthRow(month.text, row.place, row.result.unmet, row.result.hits) if row is not None else None
                )
                scores.warnings += [(one.id, month.text, colour) for colour in colours(pool, known)]


def _field_month(
    catalogue: Catalogue,
    folder: Folder,
    month: CalendarPeriod,
    field_id: str,
    organizations: Iterable[Organization],
    cases: Mapping[tuple[str, int, int], Mapping[str, int]],
    first_closed: Mapping[str, date],
) -> dict[str, PowerRow]:
    """One field in one month, by organisation; those that did not exist on its first day are missing."""
    there = [one for one in organizations if has_row(one.founded_on, month)]
    results = []
    for one in there:
        facts = PowerFacts(
            field=field_id,
            founded_on=one.founded_on,
            values=folder.values.get(one.id, {}),
            negatives=cases.get((one.id, month.first.year, month.first.month), {}),
        )
        results.append(org_power(catalogue, facts, month=month, first_closed=first_closed))
    found = places([result.score for result in results])
    return {
        one.id: PowerRow(one.id, result, place) for one, result, place in zip(there, results, found, strict=True)
    }
