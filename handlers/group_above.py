"""What people above see of the groups under them: last week's numbers, branch by branch, and no ranking."""

from __future__ import annotations

from datetime import timedelta

from db import group_weeks, organizations
from db.groups import Week
from db.organizations import Organization
from handlers.conversation import Context, Reply
from handlers.paging import LINES_MAX, Page
from notices import group_posts

ABOVE = ("committee_reviewer", "department", "district_org_department")
"""Roles that see the numbers of their whole subtree."""


def above(ctx: Context) -> Reply:
    """`group:above[:PLACE]`: the week of each group in the subtree, in the order of the branches."""
    node = scope(ctx)
    if node is None:
        return Reply(ctx.say("groups.no_branch"))
    monday = group_posts.monday_of(ctx.today) - timedelta(days=7)
    count, week = group_weeks.total(ctx.session, node.path, monday)
    branches = len(organizations.branches_under(ctx.session, node.path))
    if not count:
        return Reply(ctx.say("groups.above_none", node=node.name, branches=branches), back="work")
    first = ctx.arg_id(1) or 0
    first = first if first < count else 0
    shown = group_weeks.under(ctx.session, node.path, monday, first=first, most=LINES_MAX)
    lines = [ctx.say("groups.above", node=node.name, branches=branches, groups=count, **_numbers(week))]
    lines += [ctx.say("groups.above_line", branch=one.name, **_numbers(one.week)) for one in shown]
    after = first + LINES_MAX
    more = Page(tuple(shown), after if after < count else None).more(ctx, "group:above")
    return Reply("\n".join(lines), more, back="group:above" if first else "work")


def scope(ctx: Context) -> Organization | None:
    """The highest node whose groups this person looks after; None for a branch's secretary and for members."""
    nodes = [
        node for role, node in ctx.roles() if role in ABOVE or (role == "secretary" and node.level != "branch")
    ]
    return min(nodes, key=lambda one: len(one.path), default=None)


def _numbers(week: Week) -> dict[str, int]:
    return {name: getattr(week, name) for name in ("heard", "calls", "answers")}
