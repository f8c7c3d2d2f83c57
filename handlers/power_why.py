"""Why the organisational power index is what it is: dimension, indicator, the values behind it, the evidence."""

from __future__ import annotations

from db import negatives
from db.indices import OrgPowerIndex
from db.organizations import Organization
from handlers import power_scope, value_lines
from handlers.conversation import Button, Context, Reply
from handlers.index_words import part_of, short_of, since_of, status_of, title_of
from notices.declared_words import said_period
from notices.said_pool import month_end, said_month
from notices.said_values import said_demand
from notices.wording import two_places
from scoring.branch_power import power_of
from scoring.catalogue import shipped
from scoring.explain import Figure, Line, Part, explain_org_power
from scoring.items import Indicator, NegativeItem
from scoring.periods import period
from scoring.sources import source_in

PAGE = 5  # indicators of one dimension at a time
DEDUCTIONS = "deductions"


def explained(ctx: Context, branch: Organization, row: OrgPowerIndex) -> Figure | None:
    """The figure taken apart, from the values as they are now; None when nothing is known."""
    found = power_of(ctx.session, branch, row.month)
    return explain_org_power(shipped(), found, field=row.field) if found is not None else None


def _back(branch: Organization, row: OrgPowerIndex, step: str = "show") -> str:
    return f"org_power:{step}:{branch.id}:{row.month}"


def why(ctx: Context, branch: Organization, row: OrgPowerIndex) -> Reply:
    """The parts of the figure, and a button for each."""
    say, figure = ctx.say, explained(ctx, branch, row)
    if figure is None:
        return Reply(say("power.no_result", branch=branch.name), back=_back(branch, row))
    published = power_scope.is_published(ctx, row.month)
    name = "power.why_published" if published else "power.why_provisional"
    lines = [say(name, month=said_month(say, row.month), score=two_places(figure.value))]
    buttons = []
    for part in figure.parts:
        if part.id == DEDUCTIONS and not part.lines:
            continue
        lines.append(part_of(ctx, part))
        buttons.append(Button(title_of(ctx, part.title), f"{_back(branch, row, 'part')}:{part.id}"))
    if figure.value != row.score:
        lines.append(say("power.newer", score=two_places(row.score)))
    return Reply("\n".join(lines), tuple(buttons), back=_back(branch, row))


def _part(ctx: Context, branch: Organization, row: OrgPowerIndex) -> Reply:
    """One dimension: what it lost first, then what stands, page by page."""
    say, figure = ctx.say, explained(ctx, branch, row)
    part = next((one for one in figure.parts if one.id == ctx.arg(3)), None) if figure else None
    if part is None:
        return why(ctx, branch, row)
    ordered = sorted(part.lines, key=lambda line: _order(line))
    skip = (ctx.arg_id(4) or 0) * PAGE
    shown = ordered[skip : skip + PAGE] or ordered[:PAGE]
    lines = [part_of(ctx, part)]
    lines += [f"· {_told(ctx, line)}" for line in shown]
    buttons = [Button(short_of(ctx, line.rule), f"{_back(branch, row, 'item')}:{line.rule.id}") for line in shown]
    if skip + PAGE < len(ordered):
        buttons.append(Button(say("power.more"), f"{_back(branch, row, 'part')}:{part.id}:{skip // PAGE + 1}"))
    return Reply("\n".join(lines), tuple(buttons), back=_back(branch, row, "why"))


def _order(line: Line) -> tuple[int, int]:
    """What is missing comes first, the largest loss before the others; what is not due last."""
    lost = (line.most or 0) - line.value
    return (0 if lost > 0 else 2 if line.standing == "not_due" else 1, -lost)


def _told(ctx: Context, line: Line) -> str:
    title = f"{line.rule.id} {title_of(ctx, line.rule)}"
    if line.standing is None:
        return ctx.say("power.line_taken", title=title, points=two_places(-line.value))
    lost = (line.most or 0) - line.value
    points = two_places(lost if line.standing == "unmet" else line.value)
    return ctx.say(f"power.line_{line.standing}", title=title, points=points)


def _item(ctx: Context, branch: Organization, row: OrgPowerIndex) -> Reply:
    """One indicator or negative item down to its rule and what was recorded."""
    figure = explained(ctx, branch, row)
    found = ((part, line) for part in (figure.parts if figure else ()) for line in part.lines)
    part, line = next((one for one in found if one[1].rule.id == ctx.arg(3)), (None, None))
    if part is None or line is None:
        return why(ctx, branch, row)
    if isinstance(line.rule, NegativeItem):
        return _negative(ctx, branch, row, part, line)
    assert isinstance(line.rule, Indicator)
    return _indicator(ctx, branch, row, part, line, line.rule)


def _rule(ctx: Context, line: Line) -> str:
    say = ctx.say
    return say(
        "power.rule",
        source=source_in(line.source, say.language),
        status=status_of(ctx, line),
        since=since_of(ctx, line.terms_from),
    )


def _indicator(
    ctx: Context, branch: Organization, row: OrgPowerIndex, part: Part, line: Line, rule: Indicator
) -> Reply:
    say = ctx.say
    lines = [
        say("power.item", id=rule.id, title=title_of(ctx, rule), dimension=title_of(ctx, part.title)),
        say(
            "power.asked",
            asked=said_demand(say, rule),
            often=say(f"power.{rule.period}"),
            points=rule.points,
            collect=say(f"power.collect_{rule.collect}"),
        ),
        say(
            f"power.stands_{line.standing}",
            period=said_period(say, period(rule.period, line.period)) if line.period else "",
            points=two_places((line.most or 0) - line.value),
        ),
    ]
    evidence = value_lines.evidence(ctx, branch, rule, line.period, row.month)
    lines += evidence.lines or ([say("power.nothing")] if line.period else [])
    lines.append(_rule(ctx, line))
    buttons = list(evidence.buttons)
    if power_scope.in_charge(ctx, branch) and line.standing == "unmet":
        buttons.append(Button(say("diagnosis.what_to_do"), f"diagnosis:item:{branch.id}:{row.month}:{rule.id}"))
    return Reply("\n".join(lines), tuple(buttons), back=f"{_back(branch, row, 'part')}:{part.id}")


def _negative(ctx: Context, branch: Organization, row: OrgPowerIndex, part: Part, line: Line) -> Reply:
    """One item of the negative list with the cases of the month."""
    say, month = ctx.say, period("monthly", row.month)
    assert branch.id is not None
    lines = [
        say("power.negative", id=line.rule.id, title=title_of(ctx, line.rule), points=two_places(-line.value)),
    ]
    cases = [
        one
        for one in negatives.lines(ctx.session, branch.id, month.first, month_end(row.month))
        if one.item_id == line.rule.id
    ]
    lines += [value_lines.said_case(ctx, branch, one) for one in cases[: value_lines.SHOWN]]
    lines.append(_rule(ctx, line))
    buttons = value_lines.case_buttons(ctx, branch, cases, row.month)
    if power_scope.in_charge(ctx, branch):
        buttons.append(
            Button(say("diagnosis.what_to_do"), f"diagnosis:item:{branch.id}:{row.month}:{line.rule.id}")
        )
    return Reply("\n".join(lines), tuple(buttons), back=f"{_back(branch, row, 'part')}:{part.id}")


def _log(ctx: Context, branch: Organization, row: OrgPowerIndex) -> Reply:
    """`log:ORGANISATION:MONTH:INDICATOR:PERIOD:PAGE`: every line that was recorded about one value."""
    rules = {one.id: one for one in shipped().indicators_on(row.field, month_end(row.month))}
    rule = rules.get(ctx.arg(3))
    if rule is None:
        return why(ctx, branch, row)
    return value_lines.log(ctx, branch, rule, ctx.arg(4), back=f"{_back(branch, row, 'item')}:{rule.id}")


def _proof(ctx: Context, branch: Organization, row: OrgPowerIndex) -> Reply:
    """`proof:ORGANISATION:MONTH:KIND:ID`: the picture behind a line, for those who look after the organisation."""
    if not power_scope.in_charge(ctx, branch):
        return Reply(ctx.say("power.proof_not_yours"), back=_back(branch, row, "why"))
    return value_lines.proof(ctx, branch, ctx.arg(3), ctx.arg_id(4), back=_back(branch, row, "why"))


STEPS = {"why": why, "part": _part, "item": _item, "log": _log, "proof": _proof}
"""What a button can ask about the reasons of one organisation's month."""
