"""`申报`: a secretary sees what the own branch has to declare, how each stands, and declares one after the other.

Actions: `declare`, `declare:of:BRANCH:SKIP`, `declare:see:BRANCH:THING:PERIOD`, and the steps of `declaring`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from db.organizations import Organization
from handlers import declaring
from handlers.conversation import Button, Command, Context, Reply
from handlers.declaring import ROLE, asked_for, own_branches
from notices.declarations import Line, lines, may_declare, month_before
from notices.declared_words import said_day, said_period, said_title
from scoring.declaring import deadlines, month_of

SHOWN_MAX = 6


def declare(ctx: Context) -> Reply:
    """What is due for the month that has closed and what comes later; with arguments, one step."""
    steps: dict[str, Callable[[Context], Reply]] = {"of": _list, "see": _see, **declaring.STEPS}
    step = steps.get(ctx.arg())
    if step:
        return step(ctx)
    mine = own_branches(ctx)
    if len(mine) > 1:
        buttons = tuple(Button(one.name, f"declare:of:{one.id}") for one in mine[:SHOWN_MAX])
        return Reply(ctx.say("declarations.which_branch"), buttons)
    return listed(ctx, mine[0]) if mine else Reply(ctx.say("declarations.no_branch"))


def _list(ctx: Context) -> Reply:
    branch = next((one for one in own_branches(ctx) if one.id == ctx.arg_id(1)), None)
    return listed(ctx, branch, ctx.arg_id(2) or 0) if branch else Reply(ctx.say("declarations.unknown"))


def listed(ctx: Context, branch: Organization, skip: int = 0, *, first: str = "") -> Reply:
    """Six lines of the list from `skip` on, each a button."""
    every = lines(ctx.session, branch, ctx.today)
    page = every[skip : skip + SHOWN_MAX]
    buttons = [Button(_label(ctx, one), f"declare:see:{_key(branch, one)}") for one in page]
    if len(every) > skip + SHOWN_MAX:
        rest = len(every) - skip - SHOWN_MAX
        more = f"declare:of:{branch.id}:{skip + SHOWN_MAX}"
        buttons.append(Button(ctx.say("declarations.more", count=rest), more))
    text = _head(ctx, branch, every)
    back = f"declare:of:{branch.id}" if skip else "menu"
    return Reply(f"{first}\n{text}" if first else text, tuple(buttons), back=back)


def _key(branch: Organization, one: Line) -> str:
    return f"{branch.id}:{one.due.what.id}:{one.due.period.text}"


def _head(ctx: Context, branch: Organization, every: Sequence[Line]) -> str:
    month = month_of(month_before(ctx.today))
    last = deadlines(month.last).declare_until(month.last)
    todo = [
        one
        for one in every
        if one.due.closing == month
        and one.state in ("due", "returned")
        and may_declare(one.due, one.row, ctx.today)
    ]
    name = "head" if todo else "head_done" if ctx.today <= last else "head_over"
    return ctx.say(
        f"declarations.{name}",
        branch=branch.name,
        period=said_period(ctx.say, month),
        count=len(todo),
        day=said_day(ctx.say, last),
    )


def _label(ctx: Context, one: Line) -> str:
    state = one.state
    if state == "due":
        early = ctx.today <= one.due.period.last
        state = "early" if early else "due" if may_declare(one.due, None, ctx.today) else "missed"
        if state == "missed" and one.recorded:
            state = "recorded"
    return ctx.say(
        "declarations.line",
        title=said_title(ctx.say, one.due.what),
        period=said_period(ctx.say, one.due.period),
        state=ctx.say(f"declarations.is_{state}"),
    )


def _see(ctx: Context) -> Reply:
    found = asked_for(ctx)
    if found is None:
        return Reply(ctx.say("declarations.unknown"))
    return declaring.one(ctx, *found)


DECLARE = Command(
    "declare",
    ("申报", "declare"),
    declare,
    slash=("/declare",),
    roles=frozenset({ROLE}),
    phrases=("我要申报", "申报指标", "报数", "支部申报", "有什么要申报"),
    in_menu=False,
    order=112,
)
