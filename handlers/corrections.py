"""`更正数值`: in a locked period the district corrects a value; one officer proposes, another one confirms.

A correction is a new line of the values' log. What stood before stays in it.
"""

from __future__ import annotations

from collections.abc import Callable

from db import audit, corrections, organizations, values
from db.corrections import ValueCorrection
from handlers import correction_making
from handlers.conversation import Button, Command, Context, Reply
from handlers.correctable import node_of, rule_of, told
from notices.declaration_outcomes import DISTRICT
from scoring.items import Indicator

ROLE = DISTRICT
SHOWN_MAX = 6


def correction(ctx: Context) -> Reply:
    """Corrections that wait for a second officer; with arguments, one step."""
    steps: dict[str, Callable[[Context], Reply]] = {
        **correction_making.STEPS,
        "propose": _propose,
        "see": _see,
        "yes": _decide,
        "no": _decide,
    }
    step = steps.get(ctx.arg())
    return step(ctx) if step else _list(ctx)


def _list(ctx: Context, *, first: str = "") -> Reply:
    found = [
        one for one in corrections.proposed(ctx.session, most=SHOWN_MAX) if _reaches(ctx, one.organization_id)
    ]
    buttons = [
        Button(
            ctx.say("corrections.line", number=one.id, thing=one.indicator_id, period=one.period),
            f"correction:see:{one.id}",
        )
        for one in found
    ]
    buttons.append(Button(ctx.say("corrections.new"), "correction:new"))
    lines = [first] if first else []
    lines.append(ctx.say("corrections.waiting" if found else "corrections.nothing"))
    return Reply("\n".join(lines), tuple(buttons))


def _reaches(ctx: Context, organization_id: int) -> bool:
    return organizations.get(ctx.session, organization_id).path.startswith(node_of(ctx).path)


def _propose(ctx: Context) -> Reply:
    one = corrections.by_id(ctx.session, ctx.arg_id(1))
    if one is None or one.id is None or not corrections.propose(ctx.session, one.id, ctx.me):
        return _list(ctx, first=ctx.say("corrections.unknown"))
    _log(ctx, one, "correction.proposed")
    return _list(ctx, first=ctx.say("corrections.proposed"))


def _asked(ctx: Context) -> ValueCorrection | None:
    one = corrections.by_id(ctx.session, ctx.arg_id(1))
    return one if one and one.state == "proposed" and _reaches(ctx, one.organization_id) else None


def _see(ctx: Context) -> Reply:
    one = _asked(ctx)
    if one is None:
        return _list(ctx, first=ctx.say("corrections.unknown"))
    if one.proposed_by == ctx.me:
        return Reply(f"{told(ctx, one)}\n{ctx.say('corrections.own')}", back="correction")
    buttons = (
        Button(ctx.say("corrections.yes"), f"correction:yes:{one.id}"),
        Button(ctx.say("corrections.no"), f"correction:no:{one.id}"),
    )
    return Reply(told(ctx, one), buttons, back="correction")


def _decide(ctx: Context) -> Reply:
    """Confirm or refuse what another officer proposed, once."""
    one, confirmed = _asked(ctx), ctx.arg() == "yes"
    if one is None or one.id is None:
        return _list(ctx, first=ctx.say("corrections.unknown"))
    if not corrections.decide(ctx.session, one.id, ctx.me, ctx.now, confirmed=confirmed):
        own = one.proposed_by == ctx.me
        return _list(ctx, first=ctx.say("corrections.own" if own else "corrections.unknown"))
    if confirmed:
        _record(ctx, one)
    _log(ctx, one, "correction.confirmed" if confirmed else "correction.refused")
    return _list(ctx, first=ctx.say("corrections.confirmed" if confirmed else "corrections.refused"))


def _record(ctx: Context, one: ValueCorrection) -> None:
    branch = organizations.get(ctx.session, one.organization_id)
    rule = rule_of(branch.field or "", one.indicator_id, one.period)
    values.record(
        ctx.session,
        organization_id=one.organization_id,
        indicator_id=one.indicator_id,
        period=one.period,
        value=one.value,
        collect=rule.collect if isinstance(rule, Indicator) else "declare",
        cause=f"correction:{one.id}",
        recorded_at=ctx.now,
        recorded_by=ctx.me,
        reason=one.reason,
    )


def _log(ctx: Context, one: ValueCorrection, action: str) -> None:
    audit.record(
        ctx.session,
        at=ctx.now,
        actor_id=ctx.me,
        action=action,
        subject=f"correction:{one.id}",
        organization=one.organization_id,
        indicator=one.indicator_id,
        period=one.period,
        value=one.value,
        why=one.reason,
    )


CORRECTION = Command(
    "correction",
    ("更正数值", "correct a value"),
    correction,
    slash=("/correction",),
    roles=frozenset({ROLE}),
    phrases=("改指标数值", "数值更正"),
    in_menu=False,
    order=136,
)
