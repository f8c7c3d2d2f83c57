"""Periods, values and titles of declarations, as people say them."""

from __future__ import annotations

from datetime import date

from notices.wording import Wording
from scoring.declaring import Declarable, Form
from scoring.exact import fraction
from scoring.periods import CalendarPeriod

TITLE_MAX = 18  # characters of a title on a button


def said_period(say: Wording, one: CalendarPeriod) -> str:
    """`2026 年 3 月`, `2026 年第 1 季度`, `2026 年上半年`, `2026 年全年`."""
    months = one.last.month - one.first.month + 1
    length = {1: "month", 3: "quarter", 6: f"half_{one.last.month // 6}", 12: "year"}[months]
    return say(f"declarations.{length}", year=one.last.year, number=one.last.month // months)


def said_day(say: Wording, day: date) -> str:
    """`4 月 5 日`."""
    return say("rewards.day", month=day.month, day=day.day)


def said_value(say: Wording, form: Form, value: str) -> str:
    """A recorded value as the secretary meant it: `达到`, `95%`, `2`."""
    if value == "":
        return say("declarations.no_value")
    if form == "statement":
        return say("declarations.met" if value == "true" else "declarations.not_met")
    if form == "rate":
        percent = fraction(value) * 100
        whole, rest = divmod(percent.numerator * 100 // percent.denominator, 100)
        return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + "%"
    return value


def said_title(say: Wording, what: Declarable, most: int = TITLE_MAX) -> str:
    """The title, cut where it is too long for a button."""
    title = what.rule.title_in(say.language)
    most = most if say.language == "zh" else 2 * most
    return title if len(title) <= most else title[: most - 1] + "…"
