"""Recorded values and what is asked of them, as people say them: shares in per cent, statements as yes and no."""

from __future__ import annotations

from notices.declared_words import said_value
from notices.wording import Wording
from scoring.exact import fraction
from scoring.items import CommonItem, Indicator

_ASKED = {">=": "power.at_least", "<=": "power.at_most", "<": "power.below", "==": "power.exactly"}
_WORDS = {"true": "power.yes", "false": "power.no", "": "power.no_value"}
PLAN = "plan"  # the threshold of what is measured by its plan: all of it


def said_demand(say: Wording, rule: Indicator) -> str:
    """`是`, `至少 95%`, `不超过 0`."""
    if rule.statement:
        return say("power.yes")
    threshold = "1" if rule.threshold == PLAN else rule.threshold
    return say(_ASKED[rule.op], threshold=said_value(say, "rate", threshold) if is_share(rule) else threshold)


def said_recorded(say: Wording, rule: Indicator | CommonItem, value: str) -> str:
    """A recorded value: `是`, `95%`, `2`, `没有数值`; what cannot be read stays as it was written."""
    if value in _WORDS:
        return say(_WORDS[value])
    try:
        fraction(value)
    except ValueError:
        return value
    return said_value(say, "rate", value) if is_share(rule) else value


def is_share(rule: Indicator | CommonItem) -> bool:
    """Whether the values are shares: what is asked is a part of all, or written with a decimal point."""
    if isinstance(rule, CommonItem):
        return rule.formula == "value_months" or (rule.required is not None and rule.required <= 1)
    return rule.threshold == PLAN or "." in rule.threshold
