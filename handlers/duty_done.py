"""What nothing in the service shows to be done: the branch says so itself, once per period.

Actions: `duty`, `duty:ID:PERIOD`, `duty:yes:ID:PERIOD`. The secretary and the officer whose duty it is may say so.
"""

from __future__ import annotations

from datetime import timedelta

from db import audit, duty_facts, offices, organizations
from db.organizations import Organization
from handlers.conversation import Button, Command, Context, Reply
from handlers.group_own import own_branch
from notices.duty_days import Duty, duties, duty_of

SAID_LATE_DAYS = 31  # after a period is over one may still say so for the last one


def duty_done(ctx: Context) -> Reply:
    """`登记办好`: the duties that are ticked by hand, and the step to tick one."""
    yes = ctx.arg() == "yes"
    duty, period = duty_of(ctx.arg(1 if yes else 0)), ctx.arg(2 if yes else 1)
    branch = _branch(ctx, duty)
    if branch is None:
        return Reply(ctx.say("duty_done.not_yours"))
    if duty is None or not duty.ticked or period not in _periods(ctx, duty):
        return _list(ctx, branch)
    name = ctx.say(f"duty_done.{duty.id}", period=period)
    if not yes:
        step = Button(ctx.say("duty_done.yes"), f"duty:yes:{duty.id}:{period}")
        return Reply(ctx.say("duty_done.sure", name=name), (step,), back="duty")
    return _note(ctx, branch, duty, period)


def _note(ctx: Context, branch: Organization, duty: Duty, period: str) -> Reply:
    assert branch.id is not None
    name = ctx.say(f"duty_done.{duty.id}", period=period)
    if not duty_facts.done(ctx.session, branch.id, duty.id, period, ctx.me, ctx.now):
        return _list(ctx, branch, ctx.say("duty_done.before", name=name))
    audit.record(
        ctx.session,
        at=ctx.now,
        actor_id=ctx.me,
        action="duty.done",
        subject=f"duty:{duty.id}",
        organization=branch.id,
        period=period,
    )
    return _list(ctx, branch, ctx.say("duty_done.noted", name=name))


def _list(ctx: Context, branch: Organization, first: str = "") -> Reply:
    assert branch.id is not None
    listed = [one for one in duties()[0] if one.ticked and _may(ctx, branch, one)]
    periods = {one.id: one.span(ctx.today).text for one in listed}
    done = duty_facts.all_done(ctx.session, [branch.id], set(periods.values()))
    steps = tuple(
        Button(ctx.say(f"duty_done.{one.id}", period=periods[one.id]), f"duty:{one.id}:{periods[one.id]}")
        for one in listed
        if (branch.id, one.id, periods[one.id]) not in done
    )
    text = ctx.say("duty_done.which" if steps else "duty_done.all")
    return Reply(f"{first}\n{text}" if first else text, steps, back="work")


def _periods(ctx: Context, duty: Duty) -> set[str]:
    return {duty.span(ctx.today - timedelta(days=back)).text for back in (0, SAID_LATE_DAYS)}


def _branch(ctx: Context, duty: Duty | None) -> Organization | None:
    """The branch for which the person may say so: as its secretary, or holding the office of the duty."""
    own = own_branch(ctx)
    if own is not None:
        return own
    for one in [duty] if duty is not None else [one for one in duties()[0] if one.ticked]:
        for office in one.to:
            ids = offices.branch_ids_of(ctx.session, ctx.me, office, ctx.today)
            if ids:
                return organizations.get(ctx.session, ids[0])
    return None


def _may(ctx: Context, branch: Organization, duty: Duty) -> bool:
    own = own_branch(ctx)
    if own is not None and own.id == branch.id:
        return True
    return any(branch.id in offices.branch_ids_of(ctx.session, ctx.me, one, ctx.today) for one in duty.to)


DUTY_DONE = Command(
    "duty",
    ("登记办好", "办好登记", "duty done"),
    duty_done,
    phrases=("党费核定好了", "流动党员都联系过了", "note a duty as done"),
    in_menu=False,
)
