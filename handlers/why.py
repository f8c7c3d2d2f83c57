"""Why a member's index is what it is: part by part, rule by rule, down to the lines of the ledger."""

from __future__ import annotations

from typing import NamedTuple

from db import ledger
from handlers.conversation import Button, Context, Reply
from handlers.index_words import FROM_RULE, line_of, part_of, since_of, title_of, worth_of
from handlers.paging import LINES_MAX, page_of
from notices.wording import two_places
from scoring.catalogue import shipped
from scoring.explain import Figure, explain_pioneer
from scoring.sources import source_in
from scoring.standing import standing

EVIDENCE_MAX = 5  # lines of the ledger, as evidence of one rule


def why(ctx: Context) -> Reply:
    """`why[:PLACE]`: the parts with the rules that moved them, page by page, and a button for each rule."""
    now = standing(ctx.session, ctx.me, ctx.today)
    if now is None:
        return Reply(ctx.say("index.exempt"), back="index")
    figure = explain_pioneer(shipped(), now, as_of=ctx.today)
    page = page_of(_lines(ctx, figure), ctx.arg_id(1), LINES_MAX - 1)
    first = page.shown[0]
    head = ctx.say("index.why_head", score=two_places(figure.value))
    if ctx.arg_id(1) and first.part and first.button:  # a page that begins within a part says which
        head = first.part
    buttons = [one.button for one in page.shown if one.button]
    text = "\n".join((head, *(one.text for one in page.shown)))
    return Reply(text, (*buttons, *page.more(ctx, "index:why")), back="index")


class _Line(NamedTuple):
    """One line of the figure. button: to the line's rule; None for the line of a part. part: what it is of."""

    text: str
    button: Button | None = None
    part: str = ""


def _lines(ctx: Context, figure: Figure) -> list[_Line]:
    """A pioneer figure part by part, with every rule that moved it."""
    lines: list[_Line] = [_Line(ctx.say("index.zeroed", rule=title_of(ctx, one.rule))) for one in figure.zeroed_by]
    for part in figure.parts:
        head = part_of(ctx, part)
        lines.append(_Line(head))
        for line in part.lines:
            if line.value or line.have:
                button = Button(title_of(ctx, line.rule), f"index:rule:{line.rule.id}")
                lines.append(_Line(f"· {line_of(ctx, line)}", button, head))
    return lines


def rule(ctx: Context) -> Reply:
    """One rule down to its evidence: what it says, since when, where it comes from, and the last lines."""
    say = ctx.say
    try:
        one = shipped().rule(ctx.arg(1))
    except LookupError:
        return Reply(say("index.no_rule"), back="index:why")
    terms = one.terms_on(ctx.today)
    if terms is None:
        return Reply(say("index.not_in_force", rule=title_of(ctx, one)), back="index:why")
    text = [
        say(
            "index.rule",
            id=one.id,
            rule=title_of(ctx, one),
            since=since_of(ctx, terms.starts),
            source=source_in(terms.source, say.language),
            status=say(f"index.status_{terms.status.rstrip('*')}"),
        )
    ]
    lines = ledger.lines_of_rule(ctx.session, ctx.me, one.id, ctx.today.year, most=EVIDENCE_MAX)
    text += [
        say(
            "index.line",
            month=line.day.month,
            day=line.day.day,
            points=worth_of(ctx, line),
            reason=line.reason,
        ).rstrip()
        for line in lines
    ]
    if not lines:
        text.append(say("index.no_lines"))
    look = tuple(
        Button(say("index.look_at", month=line.day.month, day=line.day.day), f"points:line:{line.id}:{FROM_RULE}")
        for line in lines
    )
    return Reply("\n".join(text), look, back="index:why")
