"""Which branch and which group a secretary's steps are about: decided anew by role, each time."""

from __future__ import annotations

from db import groups
from db.groups import GroupChat
from db.organizations import Organization
from handlers.conversation import Context


def own_branch(ctx: Context) -> Organization | None:
    """The branch of which the person is secretary today, their own first; None for everybody else."""
    found = [node for role, node in ctx.roles() if role == "secretary" and node.level == "branch"]
    return min(found, key=lambda node: (node.id != ctx.branch_id, node.id), default=None)


def own_group(ctx: Context) -> GroupChat | None:
    """The live group of that branch."""
    branch = own_branch(ctx)
    return groups.of_branch(ctx.session, branch.id) if branch is not None and branch.id is not None else None
