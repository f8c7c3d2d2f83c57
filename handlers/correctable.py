"""What the district can correct: whose values, of which things and periods, and how a figure is read."""

from __future__ import annotations

from datetime import date

from db import organizations, periods_locked, values
from db.corrections import ValueCorrection
from db.organizations import Organization
from handlers.conversation import Context
from handlers.declared_values import read_words
from notices.declaration_outcomes import DISTRICT
from scoring.catalogue import shipped
from scoring.declaring import closing_month, read_period
from scoring.exact import fraction
from scoring.items import CommonItem, Indicator, Period
from scoring.periods import CalendarPeriod
from scoring.periods import period as period_of

Rule = Indicator | CommonItem
EMPTY = ("空", "无", "empty")  # nothing counts any more
VALUE_MAX = 12  # characters: an action has room for no more


def node_of(ctx: Context) -> Organization:
    """The district's node. Dispatch lets in nobody without the role."""
    node = ctx.node(DISTRICT)
    assert node is not None, "dispatch lets in nobody without the role"
    return node


def told(ctx: Context, one: ValueCorrection) -> str:
    """The correction in words: of what, from which value to which, and why."""
    branch = organizations.get(ctx.session, one.organization_id)
    before = values.latest(ctx.session, one.organization_id, one.indicator_id, one.period)
    empty = ctx.say("corrections.empty")
    return ctx.say(
        "corrections.preview",
        branch=branch.name,
        thing=one.indicator_id,
        period=one.period,
        before=before or empty,
        value=one.value or empty,
        why=one.reason,
    )


def rule_of(field: str, thing: str, period: str) -> Rule | None:
    """The indicator or common item of this field whose periods are written like `period`; None: there is none."""
    try:
        day = closing_month(read_period(period)).last
    except ValueError:
        return None
    rule = next((one for one in rules_of(field, day) if one.id == thing.upper()), None)
    if rule is None:
        return None
    try:
        period_of(kind_of(rule), period)
    except ValueError:
        return None
    return rule


def rules_of(field: str, day: date) -> tuple[Rule, ...]:
    """Everything of the field that has recorded values by the rules of the day, in the order of the lists."""
    return (*shipped().indicators_on(field, day), *(one for one in shipped().common_on(day) if one.collected))


def kind_of(rule: Rule) -> Period:
    """How often it is recorded; items that every branch has, by month."""
    return rule.period if isinstance(rule, Indicator) else "monthly"


def is_locked(ctx: Context, period: CalendarPeriod) -> bool:
    """By the calendar too, as for declarations and sheets: a period from before the service has no lock."""
    days = shipped().org_power.terms_on(ctx.today).deadlines
    over = ctx.today >= days.locked_from(closing_month(period).last)
    return over or periods_locked.is_locked(ctx.session, period.text)


def read(typed: str, rule: Rule) -> str | None:
    """What is recorded for the words: empty text to take the value back; None when they cannot be read."""
    word = typed.strip()
    if word.lower() in EMPTY:
        return ""
    if rule.statement:
        return read_words(word, "statement")
    if word.endswith(("%", "％")):
        return read_words(word, "rate")
    try:
        fraction(word)
    except ValueError:
        return read_words(word, "count")
    return None if "/" in word or len(word) > VALUE_MAX else word
