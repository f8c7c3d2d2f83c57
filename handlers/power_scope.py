"""Whose organisational power index a person may see: the own branch's, and those of the subtree looked after."""

from __future__ import annotations

import re

from db import organizations, power_board
from db.indices import OrgPowerIndex
from db.organizations import Organization
from handlers.conversation import Button, Context, Reply

CHARGE = ("secretary", "committee_reviewer", "department", "district_org_department")
"""Roles that look after the organisations of their subtree."""
FOUND_MAX = 5
MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


def paths(ctx: Context) -> list[str]:
    """The subtrees that this person looks after."""
    return [node.path for role, node in ctx.roles() if role in CHARGE]


def in_charge(ctx: Context, branch: Organization) -> bool:
    """Whether this person looks after the organisation: sees who recorded what, and with which picture."""
    return any(branch.path.startswith(path) for path in paths(ctx))


def may_choose(ctx: Context) -> bool:
    """Whether this person looks after more than one own branch."""
    return any(node.field is None for role, node in ctx.roles() if role in CHARGE)


def own(ctx: Context) -> Organization | None:
    """The branch that is meant when none is named: that of a secretary, else the own one."""
    led = (node for role, node in ctx.roles() if role == "secretary" and node.field is not None)
    branch = next(led, None) or ctx.branch()
    return branch if branch is not None and branch.field is not None else None


def asked(ctx: Context, place: int = 1) -> Organization | None:
    """The organisation that the argument names, if this person may see it; without an argument the own one."""
    if not ctx.arg(place):
        return own(ctx)
    branch = organizations.find(ctx.session, ctx.arg_id(place))
    if branch is None or branch.field is None:
        return None
    return branch if branch.id == ctx.branch_id or in_charge(ctx, branch) else None


def result(ctx: Context, branch: Organization, place: int = 2) -> OrgPowerIndex | None:
    """The result of the month in the argument; without one the last published, else the last one there is."""
    assert branch.id is not None
    wanted = ctx.arg(place)
    if MONTH.fullmatch(wanted):
        return power_board.of(ctx.session, branch.id, wanted)
    for month in power_board.published(ctx.session, ctx.today.isoformat()[:7], 1):
        found = power_board.of(ctx.session, branch.id, month)
        if found is not None:
            return found
    last = power_board.last_month(ctx.session, branch.id)
    return power_board.of(ctx.session, branch.id, last) if last is not None else None


def is_published(ctx: Context, month: str) -> bool:
    """Whether the figures of the month are out; before that they are provisional."""
    return month in power_board.published(ctx.session, month, 1)


def find(ctx: Context, word: str, action: str) -> Reply:
    """Up to FOUND_MAX organisations of the own subtrees by name or code, each leading to `action:ID`."""
    expect = f"{action.partition(':')[0]}:find"
    if not may_choose(ctx):
        return Reply(ctx.say("power.only_own"), back="org_power")
    found = organizations.search(ctx.session, paths(ctx), word, ctx.today, FOUND_MAX + 1) if word else ()
    if not found:
        return Reply(ctx.say("power.not_found" if word else "power.which"), expect=expect, back="org_power")
    buttons = tuple(Button(one.name, f"{action}:{one.id}") for one in found[:FOUND_MAX])
    name = "power.many_found" if len(found) > FOUND_MAX else "power.found"
    return Reply(ctx.say(name, most=FOUND_MAX), buttons, expect=expect, back="org_power")
