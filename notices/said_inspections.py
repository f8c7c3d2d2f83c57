"""An inspection in words: what was looked at, what was found, and where it is posted."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from db.inspections import Inspection
from notices.wording import Wording
from scoring.inspected import item_on
from scoring.items import Indicator, NegativeItem

_PERIOD = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?|Q(\d)|H(\d))?")
_NEEDS = {">=": "at_least", "<=": "at_most", "<": "below", "==": "exactly"}


def said_item(say: Wording, item: Indicator | NegativeItem) -> str:
    """Its title in the language of the reader."""
    return item.title_en if say.language == "en" else item.title


def said_title(say: Wording, inspection: Inspection) -> str:
    """The title of what was looked at, as the rules of that day have it."""
    return said_item(say, item_on(inspection.item_id, inspection.day))


def said_result(say: Wording, item: Indicator | NegativeItem, value: str) -> str:
    """`没有达到`, `80%（要求不少于 100%）`, `2 件`."""
    if isinstance(item, NegativeItem):
        return say("inspections.cases", count=int(value))
    if item.statement:
        return say("inspections.met" if value == "true" else "inspections.unmet")
    return say("inspections.figure", value=said_figure(item, value), need=said_need(say, item))


def said_need(say: Wording, item: Indicator) -> str:
    """`不少于 100%`: what the indicator asks for."""
    return say(f"inspections.need_{_NEEDS[item.op]}", figure=said_figure(item, item.threshold))


def said_figure(item: Indicator, value: str) -> str:
    """The figure as people read it: `95%` for a rate, else the number."""
    text = format(Decimal(value) * (100 if is_rate(item) else 1), "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{text}%" if is_rate(item) else text


def is_rate(item: Indicator) -> bool:
    """Whether the figure is a share of a whole."""
    return item.metric.endswith("_rate")


def said_period(say: Wording, period: str) -> str:
    """`2026 年第 2 季度` for `2026Q2`; `2026-06-15` is its day."""
    found = _PERIOD.fullmatch(period)
    if found is None:
        return period
    year, month, day, quarter, half = found.groups()
    if day:
        return said_date(say, date.fromisoformat(period))
    if month:
        return say("inspections.period_month", year=year, number=int(month))
    if quarter:
        return say("inspections.period_quarter", year=year, number=quarter)
    return say(f"inspections.period_half_{half}" if half else "inspections.period_year", year=year)


def said_date(say: Wording, day: date) -> str:
    """`6 月 30 日`."""
    return say("rewards.day", month=day.month, day=day.day)
