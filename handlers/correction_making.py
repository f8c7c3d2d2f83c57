"""`更正数值` step by step: branch, thing, period, value, reason; or all of it in one typed line.

What was answered stands in the buttons, so nothing is stored before the preview.
"""

from __future__ import annotations

from collections.abc import Callable

from db import organizations, values
from db.corrections import ValueCorrection
from db.organizations import Organization
from handlers.conversation import Button, Context, Reply
from handlers.correctable import EMPTY, Rule, is_locked, kind_of, node_of, read, rule_of, rules_of, told
from handlers.declaration_review import wrong_reason
from handlers.index_words import short_of, title_of
from handlers.paging import page_of
from notices.declared_words import said_period
from scoring.declaring import read_period
from scoring.periods import last_ended

EMPTIED = EMPTY[-1]  # to take the value back, as a button says it
SHOWN_MAX = 6
LINE_WORDS = 5


def _below(first: str, asked: str) -> str:
    return f"{first}\n{asked}" if first else asked


def _new(ctx: Context, *, first: str = "") -> Reply:
    """`new`: which branch?"""
    text = _below(first, ctx.say("corrections.ask_branch"))
    return Reply(text, expect="correction:branch", back="correction")


def _branch(ctx: Context) -> Reply:
    """`branch` and what was typed: the branches that it may mean; a whole line is read as one."""
    typed = " ".join(" ".join(ctx.args[1:]).split())
    if len(typed.split()) >= LINE_WORDS:
        return _line(ctx)
    found = organizations.search(ctx.session, [node_of(ctx).path], typed, ctx.today, SHOWN_MAX) if typed else ()
    exact = [one for one in found if typed.lower() in (one.code.lower(), one.name.lower())]
    if not found:
        return _new(ctx, first=ctx.say("corrections.no_branch", code=typed[:20]))
    if len(exact) == 1 or len(found) == 1:
        return _ask_thing(ctx, (exact or list(found))[0])
    buttons = tuple(Button(one.name, f"correction:thing:{one.id}") for one in found)
    return Reply(ctx.say("corrections.which_branch"), buttons, expect="correction:branch", back="correction:new")


def _own(ctx: Context) -> Organization | None:
    """The branch that the argument names, asked again: it lies in the subtree and has a field."""
    branch = organizations.find(ctx.session, ctx.arg_id(1))
    mine = branch is not None and branch.field is not None and branch.path.startswith(node_of(ctx).path)
    return branch if mine else None


def _thing(ctx: Context) -> Reply:
    """`thing:ORGANISATION[:PLACE]`."""
    branch = _own(ctx)
    return _ask_thing(ctx, branch, ctx.arg_id(2)) if branch else _new(ctx)


def _ask_thing(ctx: Context, branch: Organization, place: int | None = None, *, first: str = "") -> Reply:
    rules = rules_of(branch.field or "", ctx.today)
    page = page_of(rules, place, SHOWN_MAX)
    here = f"correction:thing:{branch.id}"
    buttons = [Button(short_of(ctx, one), f"correction:period:{branch.id}:{one.id}") for one in page.shown]
    text = _below(first, ctx.say("corrections.ask_thing", branch=branch.name))
    return Reply(
        text,
        (*buttons, *page.more(ctx, here)),
        expect=f"correction:named:{branch.id}",
        back=here if place else "correction:new",
    )


def _named(ctx: Context) -> Reply:
    """`named:ORGANISATION` and what was typed: the number or words of the title."""
    branch = _own(ctx)
    if branch is None:
        return _new(ctx)
    typed = " ".join(ctx.args[2:]).strip()
    rules = rules_of(branch.field or "", ctx.today)
    found = [one for one in rules if one.id == typed.upper()]
    found = found or [one for one in rules if typed and typed in title_of(ctx, one)]
    if len(found) != 1:
        said = ctx.say("corrections.no_such_thing", thing=typed[:20])
        return _ask_thing(ctx, branch, first=said)
    return _ask_period(ctx, branch, found[0])


def _period(ctx: Context) -> Reply:
    """`period:ORGANISATION:THING` asks for it; behind it stands the one that was picked or typed."""
    branch = _own(ctx)
    rule = (
        next((one for one in rules_of(branch.field or "", ctx.today) if one.id == ctx.arg(2)), None)
        if branch
        else None
    )
    if branch is None or rule is None:
        return _new(ctx)
    typed = "".join(ctx.args[3:]).strip().upper()
    if not typed:
        return _ask_period(ctx, branch, rule)
    if rule_of(branch.field or "", rule.id, typed) is None:
        said = ctx.say("corrections.no_thing", thing=rule.id, period=typed[:10])
        return _ask_period(ctx, branch, rule, first=said)
    if not is_locked(ctx, read_period(typed)):
        return _ask_period(ctx, branch, rule, first=ctx.say("corrections.not_locked", period=typed))
    return _ask_value(ctx, branch, rule, typed)


def _ask_period(ctx: Context, branch: Organization, rule: Rule, *, first: str = "") -> Reply:
    """The last periods that are locked; older ones are typed."""
    here = f"correction:period:{branch.id}:{rule.id}"
    buttons: list[Button] = []
    one = last_ended(kind_of(rule), ctx.today)
    while one is not None and len(buttons) < SHOWN_MAX:
        if is_locked(ctx, one):
            buttons.append(Button(said_period(ctx.say, one), f"{here}:{one.text}"))
        one = last_ended(kind_of(rule), one.first)
    text = _below(first, ctx.say("corrections.ask_period", thing=short_of(ctx, rule)))
    return Reply(text, tuple(buttons), expect=here, back=f"correction:thing:{branch.id}")


def _ask_value(ctx: Context, branch: Organization, rule: Rule, period: str, *, first: str = "") -> Reply:
    """What stands now, and what shall stand; a figure is typed, so that no number of a button is taken for it."""
    here = f"{branch.id}:{rule.id}:{period}"
    before = values.latest(ctx.session, branch.id or 0, rule.id, period) or ctx.say("corrections.empty")
    name = "corrections.ask_statement" if rule.statement else "corrections.ask_value"
    text = _below(first, ctx.say(name, thing=short_of(ctx, rule), period=period, before=before))
    words = (("corrections.true", "true"), ("corrections.false", "false"), ("corrections.take_back", EMPTIED))
    buttons = [Button(ctx.say(label), f"correction:value:{here}:{value}") for label, value in words]
    back = f"correction:period:{branch.id}:{rule.id}"
    return Reply(text, tuple(buttons) if rule.statement else (), expect=f"correction:value:{here}", back=back)


def _answered(ctx: Context) -> tuple[Organization, Rule, str] | None:
    """Branch, thing and period of the arguments, each asked again: buttons can be forged."""
    branch, period = _own(ctx), ctx.arg(3)
    rule = rule_of(branch.field or "", ctx.arg(2), period) if branch else None
    if branch is None or rule is None or not is_locked(ctx, read_period(period)):
        return None
    return branch, rule, period


def _value(ctx: Context) -> Reply:
    """`value:ORGANISATION:THING:PERIOD` and what was picked or typed; then the reason."""
    found = _answered(ctx)
    if found is None:
        return _new(ctx)
    typed = " ".join(ctx.args[4:])
    value = read(typed, found[1])
    if value is None:
        return _ask_value(ctx, *found, first=ctx.say("corrections.no_value", value=typed[:20]))
    return _ask_why(ctx, *found, value)


def _ask_why(ctx: Context, branch: Organization, rule: Rule, period: str, value: str, *, first: str = "") -> Reply:
    here = f"{branch.id}:{rule.id}:{period}"
    text = _below(first, ctx.say("corrections.ask_why"))
    return Reply(text, expect=f"correction:why:{here}:{value or EMPTIED}", back=f"correction:period:{here}")


def _why(ctx: Context) -> Reply:
    """`why:ORGANISATION:THING:PERIOD:VALUE` and the reason: the preview."""
    found = _answered(ctx)
    value = read(ctx.arg(4), found[1]) if found else None
    if found is None or value is None:
        return _new(ctx)
    why = " ".join(" ".join(ctx.args[5:]).split())
    wrong = wrong_reason(ctx, why)
    return _ask_why(ctx, *found, value, first=wrong) if wrong else _preview(ctx, *found, value, why)


def _line(ctx: Context) -> Reply:
    """Read `B10 C02 2026-03 1 reason`: the branch's number, the thing, the period, the value, the reason."""
    words = " ".join(ctx.args[1:]).split(maxsplit=LINE_WORDS - 1)
    if len(words) < LINE_WORDS:
        return _new(ctx)
    code, thing, period, typed, why = words
    branch = organizations.by_code(ctx.session, code.upper()) or organizations.by_code(ctx.session, code)
    if branch is None or branch.field is None or not branch.path.startswith(node_of(ctx).path):
        return _new(ctx, first=ctx.say("corrections.no_branch", code=code[:20]))
    rule = rule_of(branch.field, thing, period)
    if rule is None:
        return _new(ctx, first=ctx.say("corrections.no_thing", thing=thing[:20], period=period[:10]))
    value = read(typed, rule)
    if value is None:
        return _new(ctx, first=ctx.say("corrections.no_value", value=typed[:20]))
    if not is_locked(ctx, read_period(period)):
        return _new(ctx, first=ctx.say("corrections.not_locked", period=period))
    wrong = wrong_reason(ctx, why)
    return _new(ctx, first=wrong) if wrong else _preview(ctx, branch, rule, period, value, why)


def _preview(ctx: Context, branch: Organization, rule: Rule, period: str, value: str, why: str) -> Reply:
    """The correction as a draft: what it changes, and the button that proposes it."""
    assert branch.id is not None
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
    again = Button(ctx.say("corrections.again"), "correction:new")
    return Reply(told(ctx, made), (sure, again), back="correction")


STEPS: dict[str, Callable[[Context], Reply]] = {
    "new": _new,
    "line": _line,
    "branch": _branch,
    "thing": _thing,
    "named": _named,
    "period": _period,
    "value": _value,
    "why": _why,
}
"""What leads to a correction; proposing and deciding stand in `handlers.corrections`."""
