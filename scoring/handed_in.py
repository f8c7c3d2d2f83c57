"""A department's spreadsheet, row by row: what would be recorded, or why a row is refused. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from scoring.catalogue import Catalogue
from scoring.exact import fraction
from scoring.items import CommonItem, Indicator, NegativeItem, Period
from scoring.observed_scheme import ObservedScheme
from scoring.periods import CalendarPeriod, period, periods_of
from scoring.sheet_rows import Kind, Known, Line, Rule, Target, Verdict, Wrong

RATE_MAX = 2  # a completed plan may pass 1; 95 is a percentage that was meant as 0.95
CASES_MAX = 100
WORDS = {"是": "true", "否": "false", "true": "true", "false": "false", "1": "true", "0": "false"}
NOTHING = ("无", "none")
"""How a value is taken back: nobody has one."""

_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?")
_DAY = re.compile(r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})")
_RATES = re.compile(r".*(_rate|_ratio|_coverage|_progress|satisfaction)")


def judged(rules: Catalogue, observed: ObservedScheme, known: Known, lines: Sequence[Line]) -> list[Verdict]:
    """A verdict for every row, in their order. Every row of a pair that says the same twice is refused."""
    found: list[Verdict] = []
    by_id = _by_id(rules)
    keys = [_key(line) for line in lines]
    count, first = Counter(keys), {key: line.number for key, line in reversed(list(zip(keys, lines, strict=True)))}
    for key, line in zip(keys, lines, strict=True):
        try:
            if count[key] > 1:
                other = first[key] if first[key] != line.number else _second(keys, lines, key)
                raise Wrong("twice", row=other)
            found.append(_judged(rules, by_id, observed, known, line))
        except Wrong as wrong:
            found.append(Verdict(line, "refused", wrong.why, wrong.values_))
    return found


def _second(keys: Sequence[Any], lines: Sequence[Line], key: Any) -> int:
    return [line.number for line, other in zip(lines, keys, strict=True) if other == key][1]


def _key(line: Line) -> tuple[str, str, str]:
    day = _day(line.period)
    return line.organization, line.indicator.upper(), day.isoformat() if day else line.period.upper()


def _by_id(rules: Catalogue) -> dict[str, list[Rule]]:
    found: dict[str, list[Rule]] = {}
    rows: tuple[Rule, ...] = (*rules.indicators, *rules.common, *rules.negatives)
    for row in rows:
        found.setdefault(row.id, []).append(row)
    return found


def _judged(
    rules: Catalogue,
    by_id: Mapping[str, Sequence[Rule]],
    observed: ObservedScheme,
    known: Known,
    line: Line,
) -> Verdict:
    """The verdict of an acceptable row. Raises Wrong."""
    if line.odd == "formula":
        raise Wrong("formula")
    target = _target(by_id, known, line)
    _allowed(rules, observed, known, target)
    if isinstance(target.rule, NegativeItem):
        return _case(known, line, target)
    value = _value(line, target.rule)
    key = (target.branch.id, target.rule.id, target.text)
    stands = known.values.get(key)
    if stands is not None and stands[1] == "auto" and stands[0]:
        raise Wrong("seen", value=stands[0])
    before = stands[0] if stands else ""
    kind: Kind = "same" if stands and _same(before, value) else "changed" if stands and before else "new"
    return Verdict(line, kind, "", {}, before, target.branch.id, target.text, None, value)


def _target(by_id: Mapping[str, Sequence[Rule]], known: Known, line: Line) -> Target:
    branch = known.branches.get(line.organization)
    if branch is None:
        raise Wrong("organization", code=line.organization[:40])
    if not branch.path.startswith(known.path):
        raise Wrong("not_yours", code=line.organization[:40])
    rows = by_id.get(line.indicator.upper())
    if not rows:
        raise Wrong("indicator", id=line.indicator[:40])
    span = _span(rows[-1], line.period)
    rule = next((row for row in reversed(rows) if row.starts <= span.last), None)
    if rule is None:
        raise Wrong("indicator", id=line.indicator[:40])
    if not isinstance(rule, CommonItem) and rule.field not in ("all", branch.field):
        raise Wrong("field", id=rule.id)
    if branch.founded_on is not None and span.first < branch.founded_on:
        raise Wrong("founded", day=branch.founded_on.isoformat())
    return Target(branch, rule, span.text, span.last)


def _span(rule: Rule, text: str) -> CalendarPeriod:
    """The period that a row names. Raises Wrong. A spreadsheet likes to make 2026-03-01 of 2026-03."""
    day = _day(text)
    if isinstance(rule, NegativeItem):
        if day is None:
            raise Wrong("day", text=text[:20])
        return CalendarPeriod(day, day, day.isoformat())
    kind: Period = "monthly" if isinstance(rule, CommonItem) else rule.period
    if day is not None and day.day == 1 and kind == "monthly":
        text = f"{day:%Y-%m}"
    try:
        return period(kind, text.upper())
    except ValueError:
        raise Wrong(f"period_{kind}", text=text[:20]) from None


def spellings(text: str) -> set[str]:
    """Every form in which the period of a row may be stored."""
    day = _day(text)
    return {text.upper()} | ({day.isoformat(), f"{day:%Y-%m}"} if day else set())


def _day(text: str) -> date | None:
    found = _DAY.fullmatch(text)
    try:
        return date(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:
        return None


def _allowed(rules: Catalogue, observed: ObservedScheme, known: Known, target: Target) -> None:
    """Raises Wrong unless a department may hand this in now, and this department this."""
    rule = target.rule
    collect = "auto" if isinstance(rule, CommonItem) else rule.collect
    if collect != "dept" and not (collect == "auto" and observed.by_department(rule.id)):
        raise Wrong(f"collect_{collect}", id=rule.id)
    if known.remit and rule.id not in known.remit:
        raise Wrong("remit", id=rule.id)
    today, case = known.today, isinstance(rule, NegativeItem)
    if target.last > today or (not case and target.last == today):
        raise Wrong("future" if case else "open", period=target.text)
    lock = month_of(target.last) if case else CalendarPeriod(target.last, target.last, target.text)
    if lock.text in known.locked or today >= rules.org_power.terms_on(today).deadlines.locked_from(lock.last):
        raise Wrong("locked", period=lock.text)


def month_of(day: date) -> CalendarPeriod:
    """The month that holds `day`: with it a case of the negative list is locked."""
    return periods_of("monthly", day.year)[day.month - 1]


def _case(known: Known, line: Line, target: Target) -> Verdict:
    """Cases of the negative list on one day; a sheet says how many there were, a later one corrects it."""
    if not (line.value.isascii() and line.value.isdigit() and len(line.value) <= 3):
        raise Wrong("count", text=line.value[:20])
    count = int(line.value)
    if count > CASES_MAX:
        raise Wrong("count", text=line.value[:20])
    before = known.cases.get((target.branch.id, target.rule.id, target.last), 0)
    kind: Kind = "same" if count == before else "changed" if before else "new"
    told = str(before) if before else ""
    return Verdict(line, kind, "", {}, told, target.branch.id, target.text, target.last, str(count))


def _value(line: Line, rule: Indicator | CommonItem) -> str:
    """The value as it is stored. Raises Wrong with the reason that helps most."""
    text = line.value
    if line.odd == "day":
        raise Wrong("value_day", text=text[:20])
    if text in NOTHING:
        return ""
    if rule.statement:
        if text.lower() not in WORDS:
            raise Wrong("yes_or_no", text=text[:20])
        return WORDS[text.lower()]
    if not _NUMBER.fullmatch(text):
        raise Wrong(_not_a_number(text), text=text[:20])
    if isinstance(rule, CommonItem):
        rate = rule.formula == "value_at_least"
    else:
        rate = _RATES.fullmatch(rule.metric) is not None
    if rate and fraction(text) > RATE_MAX:
        raise Wrong("rate", text=text[:20])
    return text


def _not_a_number(text: str) -> str:
    """Which reason helps: people write numbers in many ways."""
    if re.fullmatch(r"-[0-9.]+", text):
        return "negative"
    if text[:1] in ("=", "+", "-", "@"):
        return "formula"
    if text.endswith(("%", "％")):
        return "percent"
    if re.fullmatch(r"[0-9]+([,，][0-9]+)+(\.[0-9]+)?", text):
        return "comma"
    if any("０" <= letter <= "９" or letter == "．" for letter in text):
        return "full_width"
    if re.fullmatch(r"[0-9.]+[eE][+-]?[0-9]+", text):
        return "exponent"
    if _DAY.fullmatch(text):
        return "value_day"
    return "number"


def _same(before: str, after: str) -> bool:
    """`0.50` and `0.5` say the same."""
    if not before or not after or not _NUMBER.fullmatch(before) or not _NUMBER.fullmatch(after):
        return before == after
    return fraction(before) == fraction(after)
