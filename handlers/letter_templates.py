"""Templates of letters: begin from one, keep one, drop one."""

from __future__ import annotations

from db import audit, letter_templates
from db.letter_templates import LetterTemplate
from db.organizations import Organization
from handlers.conversation import Button, Context, Reply
from handlers.letter_audience import nodes
from handlers.letter_draft import ask_text, gone, mine, reopen, store
from handlers.letter_preview import preview
from notices.letters import OWN_LEVELS, name_of

PAGE = 6


def templates(ctx: Context) -> Reply:
    """`broadcast:templates:ID:PAGE`: what one may begin from."""
    letter = mine(ctx)
    if letter is None:
        return gone(ctx)
    page = ctx.arg_id(2) or 0
    found = _seen(ctx)[page * PAGE :]
    if not found:
        return ask_text(ctx, letter, ctx.say("letter_templates.none"))
    steps = [Button(_label(ctx, one), f"broadcast:begin:{letter.id}:{one.id}") for one in found[:PAGE]]
    if len(found) > PAGE:
        steps.append(Button(ctx.say("letter_templates.more"), f"broadcast:templates:{letter.id}:{page + 1}"))
    elif any(one.author_id == ctx.me for one in _seen(ctx)):
        steps.append(Button(ctx.say("letter_templates.forget"), f"broadcast:forget:{letter.id}"))
    return Reply(ctx.say("letter_templates.which"), tuple(steps), back=f"broadcast:text:{letter.id}")


def begin(ctx: Context) -> Reply:
    """`broadcast:begin:ID:TEMPLATE`: the template's words become the draft's."""
    letter = mine(ctx)
    if letter is None:
        return gone(ctx)
    chosen = next((one for one in _seen(ctx) if one.id == ctx.arg_id(2)), None)
    if chosen is None:
        return ask_text(ctx, letter, ctx.say("letter_templates.gone"))
    reopen(ctx, letter)
    letter.title, letter.body, letter.ask = chosen.title, chosen.body, chosen.ask
    letter.picture_id = chosen.picture_id
    store(ctx, letter)
    return preview(ctx, letter)


def keep(ctx: Context) -> Reply:
    """`broadcast:keep:ID`, above a branch with `own` or `all` behind it: the draft as a template."""
    letter = mine(ctx)
    if letter is None or not letter.body or letter.id is None:
        return gone(ctx)
    node = ctx.session.get(Organization, letter.organization_id)
    assert node is not None
    assert node.id is not None
    whom = ctx.arg(2)
    if node.level not in OWN_LEVELS and whom not in ("own", "all"):
        steps = (
            Button(ctx.say("letter_templates.for_me"), f"broadcast:keep:{letter.id}:own"),
            Button(ctx.say("letter_templates.for_all"), f"broadcast:keep:{letter.id}:all"),
        )
        return Reply(ctx.say("letter_templates.for_whom"), steps, back=f"broadcast:more:{letter.id}")
    shared = whom == "all" and node.level not in OWN_LEVELS
    template = LetterTemplate(
        author_id=ctx.me,
        organization_id=node.id,
        shared=shared,
        name=name_of(letter),
        title=letter.title,
        body=letter.body,
        ask=letter.ask,
        picture_id=letter.picture_id,
        changed_at=ctx.now,
    )
    replaced = letter_templates.keep(ctx.session, template)
    if shared:
        subject = f"letter_template:{template.id}"
        audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action="letter.template_shared", subject=subject)
    note = ctx.say("letter_templates.replaced" if replaced else "letter_templates.kept", name=template.name)
    return preview(ctx, letter, note=note)


def forget(ctx: Context) -> Reply:
    """`broadcast:forget:ID`, then with an own template's number behind it."""
    letter = mine(ctx)
    if letter is None:
        return gone(ctx)
    template_id = ctx.arg_id(2)
    if template_id is not None:
        dropped = letter_templates.drop(ctx.session, template_id, ctx.me)
        note = ctx.say("letter_templates.forgotten" if dropped else "letter_templates.gone")
        return preview(ctx, letter, note=note) if letter.body else ask_text(ctx, letter, note)
    own = [one for one in _seen(ctx) if one.author_id == ctx.me][:PAGE]
    steps = tuple(Button(_label(ctx, one), f"broadcast:forget:{letter.id}:{one.id}") for one in own)
    return Reply(ctx.say("letter_templates.forget_which"), steps, back=f"broadcast:templates:{letter.id}")


def _seen(ctx: Context) -> list[LetterTemplate]:
    return list(letter_templates.seen_by(ctx.session, ctx.me, [node.path for node in nodes(ctx)]))


def _label(ctx: Context, one: LetterTemplate) -> str:
    return ctx.say("letter_templates.shared", name=one.name) if one.shared else one.name
