"""The rules around the indices: appraisal, close of the year, six stars, standards ledger, letters' answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from scoring.appraisal import AppraisalScheme
from scoring.blocks import Block
from scoring.items import CommonItem, Indicator
from scoring.letter_answers import LetterAnswersScheme
from scoring.rule_files import read_rows, read_scheme
from scoring.six_star import SixStarScheme
from scoring.standards import StandardItem, items_of
from scoring.year_rules import YearScheme

STANDARDS_FILE = "standard_items.csv"
MODELS: dict[str, type[Block]] = {
    "appraisal_poll.toml": AppraisalScheme,
    "year_end.toml": YearScheme,
    "six_star.toml": SixStarScheme,
    "letter_answers.toml": LetterAnswersScheme,
    STANDARDS_FILE: StandardItem,
}
"""The shape of each file."""


@dataclass(frozen=True, eq=False)
class Ratings:
    """The rules of everything that is judged beside the three indices."""

    appraisal: AppraisalScheme
    year_close: YearScheme
    six_star: SixStarScheme
    letter_answers: LetterAnswersScheme
    standards: tuple[StandardItem, ...]

    def standards_on(self, field: str, day: date) -> tuple[StandardItem, ...]:
        """The standards ledger's items of `field` on `day`, list by list."""
        return items_of(self.standards, field, day)


def read_ratings(directory: Path, mistakes: list[str]) -> Ratings | None:
    """The rules in `directory`; None when they cannot be used: why is then added to `mistakes`."""
    appraisal = read_scheme(AppraisalScheme, directory, "appraisal_poll.toml", mistakes)
    year_close = read_scheme(YearScheme, directory, "year_end.toml", mistakes)
    six_star = read_scheme(SixStarScheme, directory, "six_star.toml", mistakes)
    answers = read_scheme(LetterAnswersScheme, directory, "letter_answers.toml", mistakes)
    standards = read_rows(StandardItem, directory, STANDARDS_FILE, mistakes)
    if appraisal is None or year_close is None or six_star is None or answers is None or standards is None:
        return None
    return Ratings(appraisal, year_close, six_star, answers, standards)


def mismatches(
    ratings: Ratings, common: tuple[CommonItem, ...], indicators: tuple[Indicator, ...]
) -> Iterator[str]:
    """What these rules name and the lists of the indices do not have."""
    items, known = {one.id for one in common}, {one.id for one in indicators if one.field == "all"}
    for terms in ratings.appraisal.terms:
        if terms.good_item not in items:
            yield f"appraisal_poll.toml: good_item names {terms.good_item}, which is no common item"
    for case in ratings.appraisal.cases:
        last = ratings.appraisal.terms[-1]
        if len(case.answers) != len(last.question) or {len(one) for one in case.answers} != {len(last.grade)}:
            yield f"appraisal_poll.toml: the example {case.say!r} needs every question and every grade"
    for star in (star for one in ratings.six_star.terms for star in one.star):
        for item in star.item:
            kind, _, name = item.fact.partition(":")
            if (kind == "item" and name not in items) or (kind == "indicator" and name not in known):
                yield f"six_star.toml: {star.id}, {item.id}: there is no {item.fact}"
