"""To whom a letter goes: a node of one's own subtree and who of it, computed from the role alone."""

from __future__ import annotations

from dataclasses import replace

from db import audiences, letter_series, organizations
from db.audiences import WHO, Audience
from db.letters import SENDING_ROLES, Letter
from db.organizations import Organization
from handlers import letter_part, letter_reach, letter_refusals
from handlers.conversation import Button, Context, Reply
from notices.letters import name_of

PAGE = 8  # organisations in one list
NAME_MAX = 40  # characters of an organisation's name that are looked for


def nodes(ctx: Context) -> list[Organization]:
    """The nodes in whose name this person may write, the highest first, each once."""
    found = {node.id: node for role, node in ctx.roles() if role in SENDING_ROLES}
    return sorted(found.values(), key=lambda node: (len(node.path), node.id or 0))


def name_for(ctx: Context, audience: Audience) -> Organization | None:
    """The own node in whose name a letter to this audience goes out: the nearest one above. None: not allowed."""
    target = ctx.session.get(Organization, audience.node)
    above = [node for node in nodes(ctx) if target is not None and target.path.startswith(node.path)]
    return above[-1] if above and audience.who in WHO else None


def said_audience(ctx: Context, audience: Audience) -> str:
    """Who an audience is, in words."""
    if audience.got is not None:
        letter = ctx.session.get(Letter, audience.got)
        return ctx.say("broadcast.scope_got", name=name_of(letter) if letter is not None else "")
    node = ctx.session.get(Organization, audience.node)
    name = letter_part.said(ctx, audience, node.name if node is not None else "")
    return ctx.say(f"broadcast.scope_{audience.who}", node=name)


def start(ctx: Context) -> Reply:
    """Pick the node when there are several, else at once who of it. What was said behind the word names a node."""
    found = nodes(ctx)
    word = " ".join(ctx.args).strip()
    if word and not word.isdigit():
        return _named(ctx, found, word)
    if len(found) == 1:
        return _who_of(ctx, found[0], back="menu")
    steps = tuple(Button(node.name, f"broadcast:whom:{node.id}") for node in found)
    return Reply(ctx.say("broadcast.from_which"), steps)


def _named(ctx: Context, own: list[Organization], word: str) -> Reply:
    """`发红信 沙洲村`: an organisation below the own nodes, by its name."""
    paths = [node.path for node in own]
    found = organizations.search(ctx.session, paths, word[:NAME_MAX], ctx.today, PAGE)
    exact = [node for node in (*own, *found) if node.name == word]
    if not found and not exact:
        return letter_refusals.audience(ctx)
    chosen = exact or list(found)
    if len({node.id for node in chosen}) == 1:
        return _who_of(ctx, chosen[0], back="broadcast")
    steps = tuple(Button(node.name, f"broadcast:whom:{node.id}") for node in chosen[:PAGE])
    return Reply(ctx.say("broadcast.which_named", name=word[:NAME_MAX]), steps, back="broadcast")


def whom(ctx: Context) -> Reply:
    """`broadcast:whom:NODE`, `broadcast:whom:NODE:all.field.soe`: who of this node, or of that part of it."""
    node = _node(ctx)
    if node is None or node.id is None:
        return letter_refusals.audience(ctx)
    meant = letter_part.audience_of(ctx, node.id, ctx.arg(2) or "all")
    return letter_refusals.audience(ctx) if meant is None else _who_of(ctx, node, back="broadcast", meant=meant)


def part(ctx: Context) -> Reply:
    """`broadcast:part:NODE`: a field of its branches; `broadcast:part:NODE:PAGE`: one of its regions."""
    node = _node(ctx)
    if node is None or node.id is None or not letter_part.has_parts(ctx, node):
        return letter_refusals.audience(ctx)
    steps = []
    fields = organizations.fields_below(ctx.session, node.path)
    page = ctx.arg_id(2)
    if page is None and len(fields) > 1:
        for field in fields:
            meant = letter_part.word_of(Audience(node.id, field=field))
            steps.append(Button(ctx.say(f"fields.{field}"), f"broadcast:whom:{node.id}:{meant}"))
        if organizations.regions_below(ctx.session, node.path, most=1):
            steps.append(Button(ctx.say("broadcast.by_region"), f"broadcast:part:{node.id}:0"))
        return Reply(
            ctx.say("broadcast.which_part", node=node.name), tuple(steps), back=f"broadcast:whom:{node.id}"
        )
    page = page or 0
    found = organizations.regions_below(ctx.session, node.path, most=PAGE, offset=page * (PAGE - 1))
    for region in found[: PAGE - 1]:
        meant = letter_part.word_of(Audience(node.id, region_id=region.id))
        steps.append(Button(region.name, f"broadcast:whom:{node.id}:{meant}"))
    if len(found) == PAGE:
        steps.append(Button(ctx.say("broadcast.more"), f"broadcast:part:{node.id}:{page + 1}"))
    return Reply(ctx.say("broadcast.which_part", node=node.name), tuple(steps), back=f"broadcast:whom:{node.id}")


def under(ctx: Context) -> Reply:
    """`broadcast:under:NODE:PAGE`: the organisations under this node."""
    node = _node(ctx)
    if node is None or node.id is None:
        return letter_refusals.audience(ctx)
    page = ctx.arg_id(2) or 0
    found = audiences.children(ctx.session, node.id)
    shown = found[page * PAGE : (page + 1) * PAGE]
    steps = [Button(child.name, f"broadcast:whom:{child.id}") for child in shown]
    if len(found) > (page + 1) * PAGE:
        steps.append(Button(ctx.say("broadcast.more"), f"broadcast:under:{node.id}:{page + 1}"))
    text = ctx.say("broadcast.which_under", name=node.name, count=len(found))
    return Reply(text, tuple(steps), back=f"broadcast:whom:{node.id}")


def _node(ctx: Context) -> Organization | None:
    node_id = ctx.arg_id(1)
    if node_id is None or name_for(ctx, Audience(node_id)) is None:
        return None
    return ctx.session.get(Organization, node_id)


def _who_of(ctx: Context, node: Organization, back: str, meant: Audience | None = None) -> Reply:
    """Who of the node, or of the part of it that is `meant`."""
    assert node.id is not None
    whom, steps = meant or Audience(node.id), []
    for who, count in letter_reach.count_each(ctx, whom).items():
        label = ctx.say(f"broadcast.who_{who}", count=count)
        steps.append(Button(label, f"broadcast:topic:{node.id}:{letter_part.word_of(replace(whom, who=who))}"))
    name = letter_part.said(ctx, whom, node.name)
    if name != node.name:
        return Reply(ctx.say("broadcast.to_whom", name=name), tuple(steps), back=f"broadcast:part:{node.id}")
    if audiences.has_children(ctx.session, node.id):
        steps.append(Button(ctx.say("broadcast.under"), f"broadcast:under:{node.id}"))
    if letter_part.has_parts(ctx, node):
        steps.append(Button(ctx.say("broadcast.part"), f"broadcast:part:{node.id}"))
    if standing := len(letter_series.of_author(ctx.session, ctx.me)):
        steps.append(Button(ctx.say("broadcast.series", count=standing), "broadcast:series"))
    return Reply(ctx.say("broadcast.to_whom", name=node.name), tuple(steps), back=back)
