"""A part of an audience: below a node, the branches of one field or of one region alone."""

from __future__ import annotations

from db import organizations
from db.audiences import Audience
from db.organizations import FIELDS, Organization, Region
from handlers.conversation import Context
from notices.letters import OWN_LEVELS

FIELD, REGION = "field", "region"
SIGN = "."  # between what a button says of an audience; none of it holds one


def word_of(whom: Audience) -> str:
    """What a button says of the audience beside its node: `all`, `mobile.field.soe`, `all.region.3`."""
    if whom.field is not None:
        return SIGN.join((whom.who, FIELD, whom.field))
    return SIGN.join((whom.who, REGION, str(whom.region_id))) if whom.region_id is not None else whom.who


def audience_of(ctx: Context, node_id: int, word: str) -> Audience | None:
    """The audience that `word_of` said; None when there is no such field or region."""
    who, _, part = word.partition(SIGN)
    if not part:
        return Audience(node_id, who)
    kind, _, which = part.partition(SIGN)
    if kind == FIELD and which in FIELDS:
        return Audience(node_id, who, field=which)
    known = which.isascii() and which.isdigit() and len(which) <= 9
    if kind == REGION and known and ctx.session.get(Region, int(which)) is not None:
        return Audience(node_id, who, region_id=int(which))
    return None


def said(ctx: Context, whom: Audience, name: str) -> str:
    """The node's name, with the part of it that is meant."""
    if whom.field is not None:
        return ctx.say("broadcast.part_of", node=name, part=ctx.say(f"fields.{whom.field}"))
    region = ctx.session.get(Region, whom.region_id) if whom.region_id is not None else None
    return ctx.say("broadcast.part_of", node=name, part=region.name) if region is not None else name


def has_parts(ctx: Context, node: Organization) -> bool:
    """Whether somebody who writes to the node may mean a part of it; never below the level of branches."""
    if node.level in OWN_LEVELS:
        return False
    return len(organizations.fields_below(ctx.session, node.path)) > 1 or bool(
        organizations.regions_below(ctx.session, node.path, most=1)
    )
