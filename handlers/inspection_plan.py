"""`随机抽 5 个支部`: whom to inspect next, drawn with a seed that is shown and kept."""

from __future__ import annotations

import secrets

from db import audit, inspection_plans, organizations
from db.inspection_plans import InspectionPlan
from handlers.conversation import Button, Context, Reply
from handlers.inspection_draft import paths
from notices.said_inspections import said_date

DRAWN = 5


def draw(ctx: Context) -> Reply:
    """Draw branches of the own subtrees, those not inspected for the longest time first."""
    last = inspection_plans.last_inspected(ctx.session, paths(ctx), ctx.today)
    if not last:
        return Reply(ctx.say("inspections.drawn_none"), back="inspect")
    seed = secrets.token_hex(4)
    ids = inspection_plans.drawn(last, seed, DRAWN)
    listed = ";".join(str(one) for one in ids)
    plan = InspectionPlan(inspector_id=ctx.me, seed=seed, day=ctx.today, branches=listed, made_at=ctx.now)
    inspection_plans.keep(ctx.session, plan)
    subject = f"inspection_plan:{plan.id}"
    audit.record(
        ctx.session,
        at=ctx.now,
        actor_id=ctx.me,
        action="inspections.drawn",
        subject=subject,
        seed=seed,
        branches=listed,
    )
    days = dict(last)
    lines, buttons = [ctx.say("inspections.drawn", seed=seed)], []
    for number, branch_id in enumerate(ids, 1):
        branch, day = organizations.get(ctx.session, branch_id), days[branch_id]
        said = said_date(ctx.say, day) if day else ctx.say("inspections.never")
        lines.append(ctx.say("inspections.drawn_line", number=number, branch=branch.name, last=said))
        buttons.append(Button(branch.name, f"inspect:branch:{branch_id}"))
    return Reply("\n".join(lines), tuple(buttons), back="inspect")
