"""The rule files, read and checked. A mistake is told with its file and its place, all mistakes at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any

from scoring.blocks import Block
from scoring.field_names import FIELDS, FieldNames
from scoring.fortress_scheme import FortressScheme
from scoring.items import CommonItem, Indicator, NegativeItem, Row, rows_on
from scoring.org_power_scheme import OrgPowerScheme
from scoring.pioneer_scheme import PioneerScheme, Rule
from scoring.ratings import MODELS, Ratings, mismatches, read_ratings
from scoring.record_scheme import RecordScheme
from scoring.rule_files import RulesError, read_rows, read_scheme
from scoring.suggestions import Suggestions
from scoring.suggestions import mismatches as unadvised

__all__ = ["FIELDS", "RULES", "Catalogue", "RulesError", "json_schemas", "load", "shipped"]

RULES = Path(__file__).parent / "rules"
COMMON_FILE, INDICATOR_FILE, NEGATIVE_FILE = (
    "fortress_common.csv",
    "org_power_indicators.csv",
    "negative_list.csv",
)


@dataclass(frozen=True, eq=False)  # itself only, so that it may be the key of a cache
class Catalogue:
    """All rules. Ask for them by day, so that a past year is judged by its own terms."""

    pioneer: PioneerScheme
    fortress: FortressScheme
    org_power: OrgPowerScheme
    field_names: FieldNames
    common: tuple[CommonItem, ...]
    indicators: tuple[Indicator, ...]
    negatives: tuple[NegativeItem, ...]
    records: RecordScheme  # how each pioneer rule gets its facts
    ratings: Ratings  # what is judged beside the three indices
    suggestions: Suggestions  # what to do about a weak point

    @cached_property
    def _rules(self) -> dict[str, Rule]:
        return {rule.id: rule for rule in self.pioneer.rule}

    def rule(self, rule_id: str) -> Rule:
        """The pioneer rule with this id. Raises LookupError when there is none."""
        found = self._rules.get(rule_id)
        if found is None:
            raise LookupError(f"no rule {rule_id[:40]!r}")
        return found

    def common_on(self, day: date) -> tuple[CommonItem, ...]:
        """The common items of the fortress index on `day`, in the order of the file."""
        return rows_on(self.common, day)

    def specific_on(self, field: str, day: date) -> tuple[Indicator, ...]:
        """The indicators that only `field` has, on `day`."""
        return tuple(row for row in rows_on(self.indicators, day) if row.field == field)

    def indicators_on(self, field: str, day: date) -> tuple[Indicator, ...]:
        """The indicators of `field` on `day`: those of all fields and its own."""
        return tuple(row for row in rows_on(self.indicators, day) if row.field in ("all", field))

    def negatives_on(self, field: str, day: date) -> tuple[NegativeItem, ...]:
        """The negative list of `field` on `day`."""
        return tuple(row for row in rows_on(self.negatives, day) if row.field in ("all", field))


def load(directory: Path = RULES) -> Catalogue:
    """The rules in `directory`. Raises RulesError with every mistake in them."""
    mistakes: list[str] = []
    pioneer = read_scheme(PioneerScheme, directory, "pioneer.toml", mistakes)
    fortress = read_scheme(FortressScheme, directory, "fortress.toml", mistakes)
    org_power = read_scheme(OrgPowerScheme, directory, "org_power.toml", mistakes)
    names = read_scheme(FieldNames, directory, "field_names.toml", mistakes)
    common = read_rows(CommonItem, directory, COMMON_FILE, mistakes)
    indicators = read_rows(Indicator, directory, INDICATOR_FILE, mistakes)
    negatives = read_rows(NegativeItem, directory, NEGATIVE_FILE, mistakes)
    records = read_scheme(RecordScheme, directory, "records.toml", mistakes)
    ratings = read_ratings(directory, mistakes)
    for name, model in _of_collecting().items():
        read_scheme(model, directory, name, mistakes)
    suggestions = read_scheme(Suggestions, directory, "suggestions.toml", mistakes)
    if pioneer is None or fortress is None or org_power is None or names is None or records is None:
        raise RulesError(mistakes)
    if common is None or indicators is None or negatives is None or ratings is None or suggestions is None:
        raise RulesError(mistakes)
    indices = (pioneer, fortress, org_power)
    catalogue = Catalogue(*indices, names, common, indicators, negatives, records, ratings, suggestions)
    mistakes.extend(_mismatches(catalogue))
    mistakes.extend(records.mistakes(pioneer))
    mistakes.extend(mismatches(ratings, common, indicators))
    mistakes.extend(unadvised(suggestions, {row.id for rows in (common, indicators, negatives) for row in rows}))
    if mistakes:
        raise RulesError(mistakes)
    return catalogue


def _mismatches(catalogue: Catalogue) -> Iterator[str]:
    """Relations between the files that must hold on every day on which one of them changes."""
    rows: list[Row] = [*catalogue.common, *catalogue.indicators, *catalogue.negatives]
    days = {row.starts for row in rows} | {terms.starts for terms in catalogue.fortress.terms}
    days |= {terms.starts for terms in catalogue.org_power.terms}
    for day in sorted(days):
        yield from _mismatches_on(catalogue, day)
    known = {item.id for item in catalogue.common}
    told = {case.item for case in catalogue.fortress.common_cases}
    yield from (f"fortress.toml: {one} has no worked example" for one in sorted(known - told))
    yield from (
        f"fortress.toml: common_cases name {one}, which {COMMON_FILE} has not" for one in sorted(told - known)
    )
    aspects = {item.aspect for item in catalogue.common} | {"specific"}
    if aspects != {aspect.id for aspect in catalogue.fortress.aspect}:
        yield f"fortress.toml: the aspects must be {', '.join(sorted(aspects))}"


def _mismatches_on(catalogue: Catalogue, day: date) -> Iterator[str]:
    try:
        wanted = catalogue.fortress.terms_on(day).parts.common
    except LookupError as error:
        yield f"fortress.toml: {error}"
        return
    try:
        full = catalogue.org_power.terms_on(day).index.dimension_points
    except LookupError as error:
        yield f"org_power.toml: {error}"
        return
    points = sum(item.points for item in catalogue.common_on(day))
    if points != wanted:
        yield f"{COMMON_FILE}: on {day} the points add up to {points}, not {wanted}"
    for field in FIELDS:
        if not catalogue.specific_on(field, day):
            yield f"{INDICATOR_FILE}: on {day} {field} has no indicators of its own"
        reach: dict[str, int] = {}
        for one in catalogue.indicators_on(field, day):
            reach[one.dimension] = reach.get(one.dimension, 0) + one.points
        for dimension, points in reach.items():
            if points != full:
                yield f"{INDICATOR_FILE}: on {day} {field}, {dimension}: {points} points, not {full}"


@cache
def shipped() -> Catalogue:
    """The rules that come with the service. Raises RulesError."""
    return load(RULES)


def _of_collecting() -> dict[str, type[Block]]:
    """Files about how values are collected. Who reads them asks the catalogue first, so they are imported late."""
    from scoring.declaring import DeclarationScheme
    from scoring.observed_scheme import ObservedScheme

    return {"declarations.toml": DeclarationScheme, "observed.toml": ObservedScheme}


@lru_cache(maxsize=1)
def json_schemas() -> dict[str, dict[str, Any]]:
    """JSON Schema per rule file, for editors: each TOML file as a whole, and one row of each list."""
    models: dict[str, type[Block]] = {
        "pioneer.toml": PioneerScheme,
        "fortress.toml": FortressScheme,
        "org_power.toml": OrgPowerScheme,
        "field_names.toml": FieldNames,
        "records.toml": RecordScheme,
        COMMON_FILE: CommonItem,
        INDICATOR_FILE: Indicator,
        NEGATIVE_FILE: NegativeItem,
        "suggestions.toml": Suggestions,
        **MODELS,
        **_of_collecting(),
    }
    return {name: model.model_json_schema() for name, model in models.items()}
