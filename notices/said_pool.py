"""The colours of the pool in words: the proof sentence by sentence, and a line for lists."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from db.warnings import POOL, BranchWarning
from notices.wording import Wording
from scoring.catalogue import shipped
from scoring.items import Indicator, NegativeItem
from scoring.periods import period

CAUSES_MAX = 3  # sentences of one colour in a message
BY_RANK = "bottom_"
"""How a cause by rank begins; the per cent follows."""


def is_pool(warning: BranchWarning) -> bool:
    """Whether the warning is a colour of the pool."""
    return warning.kind in POOL


def colour_of(warning: BranchWarning) -> str:
    """`red`, `yellow` or `blue`."""
    return warning.kind.removeprefix("pool_")


def causes_of(warning: BranchWarning) -> list[str]:
    """What gave the colour: ids of indicators and negative items, `bottom_10`, `bottom_5`."""
    causes: str = json.loads(warning.proof)["causes"]
    return causes.split(";")


def months_back(month: str, count: int) -> list[str]:
    """`count` months that end with `month`, the earliest first."""
    year, number = (int(part) for part in month.split("-"))
    last = year * 12 + number - 1
    return [f"{one // 12:04}-{one % 12 + 1:02}" for one in range(last - count + 1, last + 1)]


def months_of(warning: BranchWarning) -> list[str]:
    """The months that a colour stands on, the earliest first: red on several, the others on its own."""
    if colour_of(warning) != "red":
        return [warning.period]
    return months_back(warning.period, shipped().org_power.terms_on(month_end(warning.period)).pool.months)


def month_end(month: str) -> date:
    """The last day of the month."""
    return period("monthly", month).last


def said_month(say: Wording, month: str) -> str:
    """`2026年3月`."""
    year, number = (int(part) for part in month.split("-"))
    return say("pool.month", year=year, name=say(f"pool.month_{number}"))


def said_months(say: Wording, months: Sequence[str]) -> str:
    """`2025年12月、2026年1月、2月`: the year stands where it is new."""
    said: list[str] = []
    for place, month in enumerate(months):
        same = place > 0 and months[place - 1][:4] == month[:4]
        said.append(say(f"pool.month_{int(month[5:])}") if same else said_month(say, month))
    return say("pool.between").join(said)


def rule_of(cause: str, field: str, month: str) -> Indicator | NegativeItem | None:
    """The rule behind a cause, by the terms of its month; None for a cause by rank."""
    day = month_end(month)
    listed: tuple[Indicator | NegativeItem, ...] = (
        *shipped().indicators_on(field, day),
        *shipped().negatives_on(field, day),
    )
    return next((one for one in listed if one.id == cause), None)


def proof_lines(say: Wording, warning: BranchWarning, most: int = CAUSES_MAX) -> list[str]:
    """A sentence per cause with months, ranks and size of the field; then how many there are beyond `most`."""
    proof = json.loads(warning.proof)
    causes = causes_of(warning)
    lines = [_sentence(say, cause, warning, proof) for cause in causes[:most]]
    return lines + ([say("pool.more_causes", count=len(causes) - most)] if len(causes) > most else [])


def _sentence(say: Wording, cause: str, warning: BranchWarning, proof: dict[str, Any]) -> str:
    months = months_of(warning)
    if cause.startswith(BY_RANK):
        return _ranked(say, cause, proof, months)
    rule = rule_of(cause, proof["field"], warning.period)
    title = rule.title_in(say.language) if rule else ""
    if isinstance(rule, NegativeItem):
        return say("pool.negative", month=said_months(say, months), id=cause, title=title)
    name = "pool.unmet_in_a_row" if len(months) > 1 else "pool.unmet"
    return say(name, months=said_months(say, months), id=cause, title=title, count=len(months))


def _ranked(say: Wording, cause: str, proof: dict[str, Any], months: list[str]) -> str:
    places = [one for one in proof["places"] if one[0] in months]
    share = int(cause.removeprefix(BY_RANK))
    field = say(f"fields.{proof['field']}")
    if len(months) == 1:
        month, rank, size = places[-1]
        low = size * share // 100
        return say(
            "pool.bottom", month=said_month(say, month), field=field, size=size, rank=rank, share=share, low=low
        )
    each = say("pool.between").join(
        say("pool.place", month=said_months(say, [month]), rank=rank, size=size) for month, rank, size in places
    )
    return say("pool.bottom_in_a_row", field=field, places=each, count=len(months), share=share)


def since_of(warning: BranchWarning) -> str:
    """The first month of those in which the colour has stood without a break."""
    since: str = json.loads(warning.proof)["since"]
    return since


def pool_line(say: Wording, warning: BranchWarning, *, causes: bool = True) -> str:
    """One line for a list: colour and month, and the first of its causes."""
    colour, month = say(f"pool.{colour_of(warning)}"), said_month(say, warning.period)
    if not causes:
        return say("pool.named", colour=colour, month=month)
    listed = causes_of(warning)
    rule = rule_of(listed[0], json.loads(warning.proof)["field"], warning.period)
    if rule is not None:
        first = f"{rule.id} {rule.title_in(say.language)}"
    else:
        first = say("pool.low", share=listed[0].removeprefix(BY_RANK))
    more = say("pool.and_more", count=len(listed)) if len(listed) > 1 else ""
    return say("pool.line", colour=colour, month=month, first=first, more=more)


def said_over(say: Wording, warning: BranchWarning) -> str:
    """That a colour is over."""
    return say("pool.over", colour=say(f"pool.{colour_of(warning)}"), month=said_month(say, warning.period))


def steps_for(say: Wording, warnings: Sequence[BranchWarning]) -> list[str]:
    """What the branch can do, each advice once: by the way in which the values behind the causes are collected."""
    names: dict[str, None] = {}
    for warning in warnings:
        field = json.loads(warning.proof)["field"]
        for cause in causes_of(warning):
            rule = rule_of(cause, field, warning.period)
            if isinstance(rule, Indicator):
                names[rule.collect] = None
            elif rule is not None:
                names["negative"] = None
    return [say(f"pool.do_{name}") for name in names] or [say("pool.do_rank")]
