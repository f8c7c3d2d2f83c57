"""The rule files, read and checked. A mistake is told with its file and its place, all mistakes at once."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from scoring.blocks import Block
from scoring.fortress_scheme import FortressScheme
from scoring.items import CommonItem, Indicator, NegativeItem, Row, date_mistakes, rows_on
from scoring.pioneer_scheme import PioneerScheme, Rule

RULES = Path(__file__).parent / "rules"
FIELDS = ("admin_village", "urban_community", "gov_institution", "two_new", "soe")
"""Stored identifiers of the five fields; never renamed."""

COMMON_FILE, INDICATOR_FILE, NEGATIVE_FILE = (
    "fortress_common.csv",
    "org_power_indicators.csv",
    "negative_list.csv",
)


class RulesError(Exception):
    """The rule files cannot be used. The text lists every mistake, one per line."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)


@dataclass(frozen=True, eq=False)  # itself only, so that it may be the key of a cache
class Catalogue:
    """All rules. Ask for them by day, so that a past year is judged by its own terms."""

    pioneer: PioneerScheme
    fortress: FortressScheme
    common: tuple[CommonItem, ...]
    indicators: tuple[Indicator, ...]
    negatives: tuple[NegativeItem, ...]

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


B = TypeVar("B", bound=Block)
R = TypeVar("R", bound=Row)


def _place(location: tuple[int | str, ...]) -> str:
    """`("rule", 1, "terms", 0, "points")` as `rule 2, terms 1, points`: counted from 1, like people do."""
    words: list[str] = []
    for step in location:
        if isinstance(step, int) and words:
            words[-1] = f"{words[-1]} {step + 1}"
        elif not isinstance(step, int) and "[" not in step:  # pydantic's own marks, such as function-plain[...]
            words.append(step)
    return ", ".join(words)


def _told(where: str, error: ValidationError) -> Iterator[str]:
    for one in error.errors():
        place = _place(one["loc"])
        message = one["msg"].removeprefix("Value error, ")
        yield f"{where}: {place}: {message}" if place else f"{where}: {message}"


def _text(directory: Path, name: str, mistakes: list[str]) -> str | None:
    try:
        return (directory / name).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        mistakes.append(f"{name}: is missing")
    except UnicodeDecodeError:
        mistakes.append(f"{name}: is not UTF-8 text")
    return None


def _scheme(model: type[B], directory: Path, name: str, mistakes: list[str]) -> B | None:
    text = _text(directory, name, mistakes)
    if text is None:
        return None
    try:
        return model.model_validate(tomllib.loads(text, parse_float=Decimal))
    except tomllib.TOMLDecodeError as error:
        mistakes.append(f"{name}: {error}")
    except ValidationError as error:
        mistakes.extend(_told(name, error))
    return None


def _rows(model: type[R], directory: Path, name: str, mistakes: list[str]) -> tuple[R, ...] | None:
    text = _text(directory, name, mistakes)
    if text is None:
        return None
    before = len(mistakes)
    reader = csv.DictReader(io.StringIO(text, newline=""))
    rows: list[R] = []
    for cells in reader:
        where = f"{name}: line {reader.line_num}, {cells.get('id') or 'no id'}"
        if None in cells or None in cells.values():
            mistakes.append(f"{where}: {len(reader.fieldnames or ())} cells are needed")
            continue
        try:
            rows.append(model.model_validate_strings(cells))
        except ValidationError as error:
            mistakes.extend(_told(where, error))
    if not rows and len(mistakes) == before:
        mistakes.append(f"{name}: has no rows")
    mistakes.extend(f"{name}: {mistake}" for mistake in date_mistakes(rows))
    return tuple(rows) if len(mistakes) == before else None


def load(directory: Path = RULES) -> Catalogue:
    """The rules in `directory`. Raises RulesError with every mistake in them."""
    mistakes: list[str] = []
    pioneer = _scheme(PioneerScheme, directory, "pioneer.toml", mistakes)
    fortress = _scheme(FortressScheme, directory, "fortress.toml", mistakes)
    common = _rows(CommonItem, directory, COMMON_FILE, mistakes)
    indicators = _rows(Indicator, directory, INDICATOR_FILE, mistakes)
    negatives = _rows(NegativeItem, directory, NEGATIVE_FILE, mistakes)
    if pioneer is None or fortress is None or common is None or indicators is None or negatives is None:
        raise RulesError(mistakes)
    catalogue = Catalogue(pioneer, fortress, common, indicators, negatives)
    mistakes.extend(_mismatches(catalogue))
    if mistakes:
        raise RulesError(mistakes)
    return catalogue


def _mismatches(catalogue: Catalogue) -> Iterator[str]:
    """Relations between the files that must hold on every day on which one of them changes."""
    rows: list[Row] = [*catalogue.common, *catalogue.indicators, *catalogue.negatives]
    days = {row.starts for row in rows} | {terms.starts for terms in catalogue.fortress.terms}
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
            if points != 20:
                yield f"{INDICATOR_FILE}: on {day} {field}, {dimension}: {points} points, not 20"


@cache
def shipped() -> Catalogue:
    """The rules that come with the service. Raises RulesError."""
    return load(RULES)


@lru_cache(maxsize=1)
def json_schemas() -> dict[str, dict[str, Any]]:
    """JSON Schema per rule file, for editors: `pioneer.toml`, `fortress.toml` and one row of each list."""
    models: dict[str, type[Block]] = {
        "pioneer.toml": PioneerScheme,
        "fortress.toml": FortressScheme,
        COMMON_FILE: CommonItem,
        INDICATOR_FILE: Indicator,
        NEGATIVE_FILE: NegativeItem,
    }
    return {name: model.model_json_schema() for name, model in models.items()}
