"""The rules as a list for people: what is in force on a day, what comes later, and what is only our proposal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from unicodedata import east_asian_width

from scoring.blocks import Bands
from scoring.catalogue import Catalogue
from scoring.fortress_scheme import FortressTerms
from scoring.items import CommonItem, Indicator, NegativeItem
from scoring.org_power_scheme import OrgPowerTerms
from scoring.pioneer_scheme import PioneerTerms, RuleTerms
from scoring.ratings import Ratings

PROPOSAL = "P"
HEAD = ("id", "title", "points", "since", "status", "source")
TITLE_WIDTH = 44  # columns of a terminal; a longer title is cut, its id tells it apart


@dataclass(frozen=True, slots=True)
class Line:
    """One rule with the terms that it has from `since` on. section: the file's subject; worth: points and caps."""

    section: str
    id: str
    title: str
    worth: str
    since: date
    status: str
    source: str

    def cells(self) -> tuple[str, ...]:
        """The columns under HEAD."""
        return self.id, self.title, self.worth, self.since.isoformat(), self.status, self.source


def lines(catalogue: Catalogue, day: date) -> Iterator[str]:
    """What is in force on `day`, section by section; what begins later; then everything with status P of both."""
    everything = list(_all(catalogue))
    # An id is written again with each change of its terms: the last one that has begun stands, in the first place.
    standing = list({line.id: line for line in everything if line.since <= day}.values())
    coming = [line for line in everything if line.since > day]
    yield f"in force on {day}: {len(standing)}"
    for section in dict.fromkeys(line.section for line in standing):
        yield from ("", section)
        yield from table([line for line in standing if line.section == section])
    if coming:
        yield from ("", f"begins later: {len(coming)}")
        yield from table(coming)
    proposed = [line for line in (*standing, *coming) if line.status == PROPOSAL]
    yield from ("", f"still our own proposal (status {PROPOSAL}), to be decided by you: {len(proposed)}")
    yield from table(proposed)
    yield ""
    yield "status: S stated in an article, F published (F* in part), G to be verified locally, P our proposal"


def table(rows: Sequence[Line]) -> Iterator[str]:
    """The rows under their head, in columns that fit Chinese, too; nothing for no rows."""
    if not rows:
        return
    cells = [HEAD, *(row.cells() for row in rows)]
    cells = [(one[0], cut(one[1], TITLE_WIDTH), *one[2:]) for one in cells]
    widths = [max(width(row[place]) for row in cells) for place in range(len(HEAD) - 1)]
    for row in cells:
        padded = (text + " " * (wide - width(text)) for text, wide in zip(row, widths, strict=False))
        yield "  " + "  ".join([*padded, row[-1]])


def width(text: str) -> int:
    """Columns that the text takes on a terminal: Chinese characters take two."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def cut(text: str, most: int) -> str:
    """The text, or its beginning and an ellipsis, within `most` columns."""
    if width(text) <= most:
        return text
    while width(text) > most - 1:
        text = text[:-1]
    return f"{text}…"


def _all(catalogue: Catalogue) -> Iterator[Line]:
    """Everything that the files hold, whenever it begins."""
    yield from (_pioneer_terms(catalogue, terms) for terms in catalogue.pioneer.terms)
    for rule in catalogue.pioneer.rule:
        for terms in rule.terms:
            yield Line("pioneer index", rule.id, rule.title, rule_worth(terms), *_origin(terms))
    for fortress_terms in catalogue.fortress.terms:
        yield from _fortress_terms(catalogue, fortress_terms)
    yield from (_common(one) for one in catalogue.common)
    for power_terms in catalogue.org_power.terms:
        yield from _power_terms(catalogue, power_terms)
    yield from (_indicator(one) for one in catalogue.indicators)
    yield from (_negative(one) for one in catalogue.negatives)
    yield from _ratings(catalogue.ratings)


def _origin(terms: PioneerTerms | RuleTerms | CommonItem | Indicator | NegativeItem) -> tuple[date, str, str]:
    return terms.starts, terms.status, terms.source


def rule_worth(terms: RuleTerms) -> str:
    """What a rule pays or takes: per event or per grade, at most per event, at most in a year."""
    if terms.grades is not None:
        worth = " ".join(f"{grade} {points}" for grade, points in terms.grades.items())
    else:
        worth = str(terms.points)
    if terms.event_cap is not None:
        worth += f", {terms.event_cap} an event"
    if terms.full_at is not None:
        worth += f", full at {terms.full_at} h"
    return worth + (f", {terms.cap} a year" if terms.cap is not None else "")


def _pioneer_terms(catalogue: Catalogue, terms: PioneerTerms) -> Line:
    parts = " + ".join(f"{part} {points}" for part, points in terms.parts.items())
    scheme = catalogue.pioneer.scheme
    return Line("pioneer index", scheme.id, scheme.title, f"{parts}; {_bands(terms.stars)}", *_origin(terms))


def _fortress_terms(catalogue: Catalogue, terms: FortressTerms) -> Iterator[Line]:
    scheme = catalogue.fortress.scheme
    weights, veto, stars = terms.weights, terms.veto, terms.stars
    voices = f"self {_figure(weights.self_)}, members and masses {_figure(weights.members_masses)}"
    blocks = (
        ("weights", f"{_figure(weights.base)} base + {_figure(weights.appraisal)} appraisal ({voices})", weights),
        ("parts", f"common {terms.parts.common} + specific {terms.parts.specific}", terms.parts),
        ("veto", f"below {veto.activities_min} activities a year, held from {_figure(veto.held_share)}", veto),
        ("stars", f"{_bands(stars.bands)}; five stars for {_figure(stars.five_star_share)}", stars),
    )
    for name, worth, block in blocks:
        which = f"{scheme.id}.{name}"
        yield Line("fortress index", which, scheme.title, worth, terms.starts, block.status, block.source)


def _power_terms(catalogue: Catalogue, terms: OrgPowerTerms) -> Iterator[Line]:
    scheme = catalogue.org_power.scheme
    index, pool, days = terms.index, terms.pool, terms.deadlines
    lowest = f"yellow {_figure(pool.yellow_share)}, red {_figure(pool.red_share)} in {pool.months} months"
    blocks = (
        ("index", f"{index.dimension_points} a dimension, the negative list at most {index.deduction_max}", index),
        ("pool", f"from below: {lowest}", pool),
        (
            "deadlines",
            f"declare by {days.declare_day}, committee by {days.committee_day}, locked on {days.lock_day}; "
            f"spot check {_figure(days.spot_check_share)}",
            days,
        ),
        (
            "board",
            f"the best {terms.board.places}, without {', '.join(terms.board.left_out) or 'nobody'}",
            terms.board,
        ),
    )
    for name, worth, block in blocks:
        which = f"{scheme.id}.{name}"
        yield Line(
            "organisational power index", which, scheme.title, worth, terms.starts, block.status, block.source
        )


def _common(item: CommonItem) -> Line:
    needed = f", full at {_figure(item.required)}" if item.required is not None else ""
    return Line("fortress index, common items", item.id, item.title, f"{item.points}{needed}", *_origin(item))


def _indicator(one: Indicator) -> Line:
    worth = f"{one.points}, {one.op} {one.threshold}, {one.period}"
    return Line(f"indicators, {one.field}", one.id, one.title, worth, *_origin(one))


def _negative(one: NegativeItem) -> Line:
    return Line("negative list", one.id, one.title, f"{one.points} {one.unit}", *_origin(one))


def _bands(bands: Bands) -> str:
    return "stars from " + "/".join(str(bound) for bound, stars in bands if bound)


def _ratings(ratings: Ratings) -> Iterator[Line]:
    appraisal, year, six = ratings.appraisal, ratings.year_close, ratings.six_star
    for polled in appraisal.terms:
        worth = " ".join(f"{grade.id} {grade.value}" for grade in polled.grade)
        worth += f"; a figure from {polled.answers_min} answers"
        which = appraisal.scheme
        yield Line("appraisal", which.id, which.title, worth, polled.starts, polled.status, polled.source)
    for closing in year.terms:
        worth = f"{closing.objection_days} working days to object"
        which = year.scheme
        yield Line("year close", which.id, which.title, worth, closing.starts, closing.status, closing.source)
        for one in closing.veto:
            yield Line("year close", one.id, one.title, "no stars", closing.starts, one.status, one.source)
    for starred in six.terms:
        for star in starred.star:
            worth = f"lit from {starred.lit_from}: " + " ".join(f"{one.fact} {one.points}" for one in star.item)
            yield Line("six stars", star.id, star.title, worth, starred.starts, starred.status, starred.source)
    for item in ratings.standards:
        worth = "mandatory" if item.mandatory else "recommended"
        which_list = f"standards, {item.field}"
        yield Line(which_list, item.id, item.title, worth, item.starts, item.status, item.source)


def _figure(value: Fraction) -> str:
    """An exact figure as people write it: 0.85; a ratio that has no end stays one."""
    decimal = Decimal(value.numerator) / Decimal(value.denominator)
    return format(decimal.normalize(), "f") if Fraction(decimal) == value else str(value)
