"""One warning: its proof, who has to act, acknowledging it, and what the branch plans."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from db import audit, members, organizations, pool, warnings
from db.organizations import Organization
from db.warnings import LIVE, BranchWarning
from handlers.conversation import Button, Context, Reply
from handlers.spoken_time import spoken_day
from notices.pool_routes import may_act, pool_notices
from notices.said_pool import is_pool, pool_line, proof_lines, said_month, since_of, steps_for
from notices.said_time import said
from notices.said_warnings import said_warning

ABOVE = ("committee_reviewer", "department", "district_org_department")  # see the warnings of their whole subtree
PLAN_MAX = 200  # characters
STORY_MAX = 10  # lines of a warning's history


def sees(ctx: Context, warning: BranchWarning) -> bool:
    """Whether this person may look at the warning."""
    branch = organizations.get(ctx.session, warning.organization_id)
    return any(members.has_role(ctx.session, ctx.me, role, branch, ctx.today) for role in ("secretary", *ABOVE))


def owns(ctx: Context, warning: BranchWarning) -> bool:
    """Whether this person has to acknowledge: the owner of a colour, the secretary for everything else."""
    branch = organizations.get(ctx.session, warning.organization_id)
    if is_pool(warning):
        return may_act(ctx.session, warning, branch, ctx.me, ctx.today)
    return members.has_role(ctx.session, ctx.me, "secretary", branch, ctx.today)


def _of_own_branch(ctx: Context, branch: Organization) -> bool:
    return any(role == "secretary" and node.id == branch.id for role, node in ctx.roles())


def show(ctx: Context, warning: BranchWarning) -> Reply:
    """The warning with its proof, and what this person can do about it."""
    return _show_colour(ctx, warning) if is_pool(warning) else _show_overdue(ctx, warning)


def _show_overdue(ctx: Context, warning: BranchWarning) -> Reply:
    say, own = ctx.say, owns(ctx, warning)
    line = said_warning(say, warning, ctx.today)
    if not own:
        branch = organizations.get(ctx.session, warning.organization_id)
        line = say("warnings.of_branch", branch=branch.name, line=line)
    text = say("warnings.detail", line=line, raised=_at(ctx, warning.raised_at), state=_state(ctx, warning))
    why = Button(say("warnings.why"), f"warnings:why:{warning.id}")
    if not own:
        return Reply(text, (why,), back="warnings")
    buttons = [Button(say("warnings.plan"), "activities:new")]
    if warning.state == "open":
        buttons.append(Button(say("warnings.ack"), f"warnings:ack:{warning.id}"))
    return Reply(text, (*buttons, why), back="warnings")


def _show_colour(ctx: Context, warning: BranchWarning) -> Reply:
    say, own = ctx.say, owns(ctx, warning)
    branch = organizations.get(ctx.session, warning.organization_id)
    mine = _of_own_branch(ctx, branch)
    head = pool_line(say, warning, causes=False)
    text = [head if mine else say("warnings.of_branch", branch=branch.name, line=head)]
    text += [f"· {line}" for line in proof_lines(say, warning)]
    since = since_of(warning)
    if since != warning.period:
        text.append(say("warnings.since", month=said_month(say, since)))
    text.append(say("warnings.raised", raised=_at(ctx, warning.raised_at), state=_state(ctx, warning)))
    if warning.state in LIVE:
        text.append(say("warnings.owner", role=say(f"warnings.role_{warning.owner_role}")))
        text += [f"· {step}" for step in steps_for(say, [warning])] if mine else []
    plan = pool.plan_of(ctx.session, warning.id or 0)
    if plan is not None:
        text.append(_plan_line(ctx, plan))
    buttons = []
    if own and warning.state == "open":
        buttons.append(Button(say("warnings.ack"), f"warnings:ack:{warning.id}"))
    if (own or mine) and warning.state in LIVE:
        buttons.append(Button(say("pool.write_plan"), f"warnings:plan:{warning.id}"))
    buttons.append(Button(say("warnings.why"), f"warnings:why:{warning.id}"))
    buttons.append(Button(say("warnings.story"), f"warnings:story:{warning.id}"))
    return Reply("\n".join(text), tuple(buttons), back="warnings")


def _plan_line(ctx: Context, plan: pool.WarningEvent) -> str:
    if plan.due_on is None:
        return ctx.say("warnings.planned", plan=plan.note)
    return ctx.say("warnings.planned_until", plan=plan.note, month=plan.due_on.month, day=plan.due_on.day)


def _state(ctx: Context, warning: BranchWarning) -> str:
    return ctx.say(f"warnings.state_{warning.state}", when=_at(ctx, warning.acknowledged_at))


def _at(ctx: Context, at: datetime | None) -> str:
    return said(ctx.say, at, ctx.now, ctx.zone) if at is not None else ""


def acknowledge(ctx: Context, warning: BranchWarning) -> Reply:
    """Note that the owner has seen it; only the first one who does is written down."""
    say = ctx.say
    if not owns(ctx, warning):
        return Reply(_whose(ctx, warning), back="warnings")
    plan = Button(say("warnings.plan"), "activities:new")
    if is_pool(warning):
        plan = Button(say("pool.write_plan"), f"warnings:plan:{warning.id}")
    done = _note(ctx, warning)
    steps = (plan,) if done or not is_pool(warning) else ()
    return Reply(say("warnings.acknowledged" if done else "warnings.acknowledged_before"), steps, back="warnings")


def _whose(ctx: Context, warning: BranchWarning) -> str:
    """Who acknowledges it, if not this person."""
    if not is_pool(warning):
        return ctx.say("warnings.only_secretary")
    return ctx.say("warnings.only_owner", role=ctx.say(f"warnings.role_{warning.owner_role}"))


def acknowledge_own(ctx: Context) -> Reply:
    """A secretary has seen everything that waits for them."""
    own = ctx.node("secretary")
    if own is None or own.id is None:
        return Reply(ctx.say("warnings.only_secretary"), back="warnings")
    waiting = [one for one in warnings.live(ctx.session, [own.id]) if not is_pool(one)]
    count = sum(_note(ctx, warning) for warning in waiting)
    text = ctx.say("warnings.acknowledged_all", count=count) if count else ctx.say("warnings.acknowledged_before")
    return Reply(text, (Button(ctx.say("warnings.plan"), "activities:new"),), back="warnings")


def _note(ctx: Context, warning: BranchWarning) -> bool:
    assert warning.id is not None
    if not warnings.acknowledge(ctx.session, warning.id, ctx.me, ctx.now):
        return False
    if is_pool(warning):
        pool.note(ctx.session, warning.id, "acknowledged", ctx.now, member_id=ctx.me)
    write_down(ctx, "warning.acknowledged", f"warning:{warning.id}")
    return True


def write_down(ctx: Context, action: str, subject: str, **detail: Any) -> None:
    """A line of the audit log."""
    audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action=action, subject=subject, **detail)


def plan(ctx: Context, warning: BranchWarning) -> Reply:
    """Ask for the plan."""
    refused = _no_plan(ctx, warning)
    if refused is not None:
        return refused
    return Reply(
        ctx.say("warnings.plan_ask"), expect=f"warnings:planned:{warning.id}", back=f"warnings:show:{warning.id}"
    )


def _no_plan(ctx: Context, warning: BranchWarning) -> Reply | None:
    """Why this person cannot write a plan for it; None when they can."""
    branch = organizations.get(ctx.session, warning.organization_id)
    if not is_pool(warning) or warning.state not in LIVE:
        return Reply(ctx.say("warnings.unknown"), back="warnings")
    if not owns(ctx, warning) and not _of_own_branch(ctx, branch):
        return Reply(_whose(ctx, warning), back="warnings")
    return None


def planned(ctx: Context, warning: BranchWarning) -> Reply:
    """Keep the plan, with the day that stands in it; an owner who writes one has seen the warning."""
    refused = _no_plan(ctx, warning)
    if refused is not None:
        return refused
    say, text = ctx.say, " ".join(" ".join(ctx.args[2:]).split())
    again = f"warnings:planned:{warning.id}"
    if not text or len(text) > PLAN_MAX:
        return Reply(say("warnings.plan_length", most=PLAN_MAX), expect=again, back=f"warnings:show:{warning.id}")
    assert warning.id is not None
    due_on = spoken_day(text, ctx.today)
    pool.note(ctx.session, warning.id, "planned", ctx.now, member_id=ctx.me, note=text, due_on=due_on)
    write_down(ctx, "warning.planned", f"warning:{warning.id}", due_on=due_on.isoformat() if due_on else None)
    if owns(ctx, warning):
        _note(ctx, warning)
    line = _plan_line(ctx, pool.WarningEvent(warning_id=warning.id, at=ctx.now, what="", note=text, due_on=due_on))
    return Reply(say("warnings.plan_kept", plan=line), back=f"warnings:show:{warning.id}")


def story(ctx: Context, warning: BranchWarning) -> Reply:
    """What happened to the warning, and who was told when; on a channel abroad without names."""
    say = ctx.say
    lines = [say("warnings.story_head", line=pool_line(say, warning, causes=False))] if is_pool(warning) else []
    for event, name in pool.history(ctx.session, warning.id or 0, STORY_MAX):
        who = name if name and ctx.names_allowed else say("warnings.somebody")
        days = pool_notices().escalate_after_working_days
        when = _at(ctx, event.at)
        lines.append("· " + say(f"warnings.event_{event.what}", when=when, who=who, note=event.note, days=days))
    return Reply("\n".join(lines) or say("warnings.story_none"), back=f"warnings:show:{warning.id}")


Step = Callable[[Context, BranchWarning], Reply]

STEPS: dict[str, Step] = {
    "show": show,
    "ack": acknowledge,
    "plan": plan,
    "planned": planned,
    "story": story,
}
"""What a button can ask of one warning."""
