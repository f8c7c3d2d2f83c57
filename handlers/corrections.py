"""`更正数值`: in a locked period the district corrects a value; one officer proposes, another one confirms.

A correction is a new line of the values' log. What stood before stays in it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from db import audit, corrections, organizations, periods_locked, values
from db.corrections import ValueCorrection
from db.organizations import Organization
from handlers.conversation import Button, Command, Context, Reply
from handlers.declaration_review import wrong_reason
from handlers.declared_values import read_words
from notices.declaration_outcomes import DISTRICT
from scoring.catalogue import shipped
from scoring.declaring import closing_month, read_period
from scoring.exact import fraction
from scoring.items import CommonItem, Indicator
from scoring.periods import period as period_of

ROLE = DISTRICT
SHOWN_MAX = 6
EMPTY = ("空", "无", "empty")  # nothing counts any more


def correction(ctx: Context) -> Reply:
    """Corrections that wait for a second officer; with arguments, one step."""
    steps: dict[str, Callable[[Context], Reply]] = {
        "new": _new,
        "line": _line,
        "propose": _propose,
        "see": _see,
        "yes": _decide,
        "no": _decide,
    }
    step = steps.get(ctx.arg())
    return step(ctx) if step else _list(ctx)


def _node(ctx: Context) -> Organization:
    node = ctx.node(ROLE)
    assert node is not None, "dispatch lets in nobody without the role"
    return node


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
    return organizations.get(ctx.session, organization_id).path.startswith(_node(ctx).path)


def _new(ctx: Context, *, first: str = "") -> Reply:
    asked = ctx.say("corrections.ask")
    return Reply(f"{first}\n{asked}" if first else asked, expect="correction:line", back="correction")


def _line(ctx: Context) -> Reply:
    """Read `B10 C02 2026-03 1 reason`: the branch's number, the thing, the period, the value, the reason."""
    words = " ".join(ctx.args[1:]).split(maxsplit=4)
    if len(words) < 5:
        return _new(ctx, first=ctx.say("corrections.too_few"))
    code, thing, period, typed, why = words
    branch = organizations.by_code(ctx.session, code.upper()) or organizations.by_code(ctx.session, code)
    if branch is None or branch.id is None or branch.field is None or not branch.path.startswith(_node(ctx).path):
        return _new(ctx, first=ctx.say("corrections.no_branch", code=code[:20]))
    rule = _rule(branch.field, thing.upper(), period)
    if rule is None:
        return _new(ctx, first=ctx.say("corrections.no_thing", thing=thing[:20], period=period[:10]))
    value = "" if typed in EMPTY else _read(typed, rule)
    if value is None:
        return _new(ctx, first=ctx.say("corrections.no_value", value=typed[:20]))
    if not _is_locked(ctx, period):
        return _new(ctx, first=ctx.say("corrections.not_locked", period=period))
    wrong = wrong_reason(ctx, why)
    if wrong:
        return _new(ctx, first=wrong)
    made = ValueCorrection(
        organization_id=branch.id,
        indicator_id=rule.id,
        period=period,
        value=value,
        reason=why,
        proposed_by=ctx.me,
        proposed_at=ctx.now,
    )
    ctx.session.add(made)
    ctx.session.flush()
    sure = Button(ctx.say("corrections.propose"), f"correction:propose:{made.id}")
    return Reply(
        _told(ctx, made), (sure, Button(ctx.say("corrections.again"), "correction:new")), back="correction"
    )


def _rule(field: str, thing: str, period: str) -> Indicator | CommonItem | None:
    """The indicator or common item of this field whose periods are written like `period`; None: there is none."""
    try:
        day: date = closing_month(read_period(period)).last
    except ValueError:
        return None
    every: tuple[Indicator | CommonItem, ...] = (
        *shipped().indicators_on(field, day),
        *(one for one in shipped().common_on(day) if one.collected),
    )
    rule = next((one for one in every if one.id == thing), None)
    if rule is None:
        return None
    try:
        period_of(rule.period if isinstance(rule, Indicator) else "monthly", period)
    except ValueError:
        return None
    return rule


def _is_locked(ctx: Context, period: str) -> bool:
    """By the calendar too, as for declarations and sheets: a period from before the service has no lock."""
    days = shipped().org_power.terms_on(ctx.today).deadlines
    over = ctx.today >= days.locked_from(closing_month(read_period(period)).last)
    return over or periods_locked.is_locked(ctx.session, period)


def _read(typed: str, rule: Indicator | CommonItem) -> str | None:
    if rule.statement:
        return read_words(typed, "statement")
    if typed.endswith(("%", "％")):
        return read_words(typed, "rate")
    try:
        fraction(typed)
    except ValueError:
        return None
    return None if "/" in typed else typed


def _told(ctx: Context, one: ValueCorrection) -> str:
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
        return Reply(f"{_told(ctx, one)}\n{ctx.say('corrections.own')}", back="correction")
    buttons = (
        Button(ctx.say("corrections.yes"), f"correction:yes:{one.id}"),
        Button(ctx.say("corrections.no"), f"correction:no:{one.id}"),
    )
    return Reply(_told(ctx, one), buttons, back="correction")


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
    rule = _rule(branch.field or "", one.indicator_id, one.period)
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
