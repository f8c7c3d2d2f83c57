"""Why a warning stands: the rule with its source and status, and the values or ranks of the months behind it."""

from __future__ import annotations

import json

from db import negatives, organizations, pool, values
from db.organizations import Organization
from db.values import ValueRecord
from db.warnings import BranchWarning
from handlers.conversation import Button, Context, Reply
from handlers.dates import said_day
from handlers.warning_page import Step, owns
from notices.pool_reasons import standing_period
from notices.said_inspections import said_date
from notices.said_pool import (
    BY_RANK,
    causes_of,
    is_pool,
    month_end,
    months_of,
    pool_line,
    rule_of,
    said_month,
    said_months,
)
from notices.said_values import said_demand, said_recorded
from notices.said_warnings import proof_of
from notices.troubles import OVERDUE, VETO
from notices.wording import two_places
from scoring.catalogue import shipped
from scoring.items import Indicator, NegativeItem
from scoring.sources import source_in

CAUSES_MAX = 7  # buttons of one page


def why(ctx: Context, warning: BranchWarning) -> Reply:
    """The rule behind a warning, in words, with the place that it comes from."""
    if is_pool(warning):
        return _colour(ctx, warning)
    text, source = _overdue(ctx, warning)
    plan = Button(ctx.say("warnings.plan"), "activities:new")
    return Reply(
        f"{text}\n{ctx.say('warnings.source', source=source_in(source, ctx.say.language))}",
        (plan,) if owns(ctx, warning) else (),
        back=f"warnings:show:{warning.id}",
    )


def _overdue(ctx: Context, warning: BranchWarning) -> tuple[str, str]:
    """(the rule in words, its source) of a warning to a secretary."""
    say, catalogue = ctx.say, shipped()
    if warning.kind == VETO:
        veto = catalogue.fortress.terms_on(ctx.today).veto
        marks = [
            say("warnings.checkpoint", month=one.month, day=one.day, activities=one.activities)
            for one in veto.checkpoints
        ]
        proof = proof_of(warning)
        text = say(
            "warnings.why_veto",
            needed=veto.activities_min,
            own=proof["needed"],
            checkpoints=say("warnings.between").join(marks),
            activities=proof["activities"],
        )
        return text, veto.source
    item_id = next(one.item_id for one in OVERDUE if one.kind == warning.kind)
    item = next(one for one in catalogue.common_on(ctx.today) if one.id == item_id)
    return say("warnings.why_overdue", title=item.title_in(say.language)), item.source


def _colour(ctx: Context, warning: BranchWarning) -> Reply:
    """How this colour comes about, and a button for each of its causes; a single cause is shown at once."""
    say, causes = ctx.say, causes_of(warning)
    terms = shipped().org_power.terms_on(month_end(warning.period)).pool
    colour = warning.kind.removeprefix("pool_")
    share = 100 * (terms.red_share if colour == "red" else terms.yellow_share)
    rule = say(f"warnings.why_{colour}", months=terms.months, share=share)
    lines = [rule, _source(ctx, terms.source, terms.status)]
    if len(causes) == 1:
        lines += _cause_lines(ctx, warning, causes[0])
        return Reply("\n".join(lines), _further(ctx, warning, causes[0]), back=f"warnings:show:{warning.id}")
    buttons = [
        Button(_short(ctx, warning, cause), f"warnings:cause:{warning.id}:{cause}")
        for cause in causes[:CAUSES_MAX]
    ]
    return Reply("\n".join(lines), tuple(buttons), back=f"warnings:show:{warning.id}")


def _short(ctx: Context, warning: BranchWarning, cause: str) -> str:
    rule = rule_of(cause, json.loads(warning.proof)["field"], warning.period)
    return f"{cause} {rule.title_in(ctx.say.language)}" if rule else ctx.say("warnings.places")


def cause(ctx: Context, warning: BranchWarning) -> Reply:
    """One cause of a colour down to what was recorded."""
    wanted = ctx.arg(2)
    if not is_pool(warning) or wanted not in causes_of(warning):
        return Reply(ctx.say("warnings.unknown"), back="warnings")
    lines = [pool_line(ctx.say, warning, causes=False), *_cause_lines(ctx, warning, wanted)]
    return Reply("\n".join(lines), _further(ctx, warning, wanted), back=f"warnings:why:{warning.id}")


def _further(ctx: Context, warning: BranchWarning, wanted: str) -> tuple[Button, ...]:
    """On to what was recorded, with its evidence, and to what can be done."""
    here = f"{warning.organization_id}:{warning.period}"
    if wanted.startswith(BY_RANK):
        steps = (f"org_power:why:{here}", f"diagnosis:of:{here}")
    else:
        steps = (f"org_power:item:{here}:{wanted}", f"diagnosis:item:{here}:{wanted}")
    return Button(ctx.say("power.look"), steps[0]), Button(ctx.say("diagnosis.what_to_do"), steps[1])


def _cause_lines(ctx: Context, warning: BranchWarning, wanted: str) -> list[str]:
    branch = organizations.get(ctx.session, warning.organization_id)
    if wanted.startswith(BY_RANK):
        return _ranks(ctx, warning)
    rule = rule_of(wanted, json.loads(warning.proof)["field"], warning.period)
    if isinstance(rule, Indicator):
        return [*_rule(ctx, rule), *_values(ctx, warning, branch, rule)]
    if isinstance(rule, NegativeItem):
        return [*_rule(ctx, rule), *_cases(ctx, warning, branch, rule)]
    return []


def _rule(ctx: Context, rule: Indicator | NegativeItem) -> list[str]:
    say = ctx.say
    asked = (
        say("warnings.asked", asked=said_demand(say, rule), points=rule.points)
        if isinstance(rule, Indicator)
        else say("warnings.takes", points=-rule.points)
    )
    return [f"{rule.id} {rule.title_in(say.language)}", asked, _source(ctx, rule.source, rule.status)]


def _source(ctx: Context, source: str, status: str) -> str:
    said = ctx.say(f"index.status_{status.rstrip('*')}")
    return ctx.say("warnings.source_status", source=source_in(source, ctx.say.language), status=said)


def _values(ctx: Context, warning: BranchWarning, branch: Organization, rule: Indicator) -> list[str]:
    """What was recorded for the period on which each month stands; several months may stand on one."""
    say, lines = ctx.say, []
    for month in months_of(warning):
        stands = standing_period(rule.period, month)
        if stands is None:
            continue
        found = values.history(ctx.session, branch.id or 0, rule.id, stands.text)
        name = said_month(say, month)
        if rule.period != "monthly":
            name = say("warnings.stands_on", month=name, period=stands.text)
        lines.append(_value(ctx, rule, name, found[-1] if found else None))
    return lines


def _value(ctx: Context, rule: Indicator, period: str, line: ValueRecord | None) -> str:
    say = ctx.say
    if line is None or not line.value:
        return say("warnings.value_none", period=period)
    return say(
        "warnings.value",
        period=period,
        value=said_recorded(say, rule, line.value),
        collect=say(f"warnings.collect_{line.collect}"),
        day=said_day(ctx, line.recorded_at),
    )


def _cases(ctx: Context, warning: BranchWarning, branch: Organization, rule: NegativeItem) -> list[str]:
    last = month_end(warning.period)
    found = negatives.lines(ctx.session, branch.id or 0, last.replace(day=1), last)
    return [
        ctx.say("warnings.case", day=said_date(ctx.say, line.day), count=line.count, note=line.note).rstrip()
        for line in found
        if line.item_id == rule.id
    ]


def _ranks(ctx: Context, warning: BranchWarning) -> list[str]:
    """Own score and rank in each month; nobody else's."""
    say = ctx.say
    found = pool.places(ctx.session, months_of(warning), [warning.organization_id])
    return [
        say(
            "warnings.place",
            month=said_months(say, [one.month]),
            score=two_places(one.score),
            rank=one.rank,
            size=one.field_size,
        )
        for one in found.get(warning.organization_id, [])
    ]


STEPS: dict[str, Step] = {"why": why, "cause": cause}
"""What a button can ask about the reason of a warning."""
