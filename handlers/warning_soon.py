"""What will be published: the own branch's colours as they stand now, told to be provisional."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

from db import pool
from db.indices import PoolColour
from db.organizations import Organization
from db.warnings import POOL, BranchWarning
from handlers.conversation import Button, Context, Reply
from notices.said_pool import month_end, months_back, proof_lines, said_month, steps_for
from scoring.catalogue import shipped


def announced(ctx: Context, branch: Organization) -> list[str]:
    """A line on the month that is evaluated and not published yet; nothing when there is none."""
    found = standing(ctx, branch)
    if found is None:
        return []
    month, colours = found
    named = [ctx.say(f"pool.{one.kind.removeprefix('pool_')}") for one in colours]
    now = ctx.say("pool.between").join(named) if named else ctx.say("warnings.soon_none")
    day = published_on(month)
    return [
        ctx.say("warnings.soon_line", of_month=said_month(ctx.say, month), month=day.month, day=day.day, now=now)
    ]


def published_on(month: str) -> date:
    """The day on which the colours of a month come out: the one after its lock."""
    end = month_end(month)
    return shipped().org_power.terms_on(end).deadlines.locked_from(end) + timedelta(days=1)


def standing(ctx: Context, branch: Organization) -> tuple[str, list[BranchWarning]] | None:
    """(month, colours as warnings that nobody has stored): the next month to be published; None without one."""
    this = f"{ctx.today.year:04}-{ctx.today.month:02}"
    assert branch.id is not None
    for month in months_back(this, 3)[:2]:
        if (pool.last_published(ctx.session) or "") >= month:
            continue
        places = pool.places(ctx.session, months_back(month, 3), [branch.id]).get(branch.id, [])
        if any(one.month == month for one in places):
            found = pool.colours(ctx.session, [month], [branch.id])
            listed = [_provisional(one, branch, places, ctx.now) for one in found]
            return month, sorted(listed, key=lambda one: POOL.index(one.kind))
    return None


def _provisional(
    colour: PoolColour, branch: Organization, places: list[pool.Place], now: datetime
) -> BranchWarning:
    shown = [[one.month, one.rank, one.field_size] for one in places]
    proof = {"causes": colour.reason, "field": branch.field, "since": colour.month, "places": shown}
    return BranchWarning(
        organization_id=colour.organization_id,
        kind=f"pool_{colour.colour}",
        period=colour.month,
        owner_role="",
        proof=json.dumps(proof),
        raised_at=now,
    )


def soon(ctx: Context) -> Reply:
    """The proof of what stands now, what can still be done, and when it is published."""
    say = ctx.say
    branch = next((node for role, node in ctx.roles() if role == "secretary" and node.field is not None), None)
    found = standing(ctx, branch) if branch is not None else None
    if found is None or branch is None:
        return Reply(say("warnings.soon_nothing"), back="warnings")
    _, colours = found
    lines = announced(ctx, branch)
    for one in colours:
        lines.append(say(f"pool.{one.kind.removeprefix('pool_')}"))
        lines += [f"· {line}" for line in proof_lines(say, one)]
    if colours:
        lines += [say("pool.to_do"), *(f"· {step}" for step in steps_for(say, colours))]
    return Reply("\n".join(lines), (Button(say("menu.index"), "index"),), back="warnings")
