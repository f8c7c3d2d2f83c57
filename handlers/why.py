"""Why a member's index is what it is: part by part, rule by rule, down to the lines of the ledger."""

from __future__ import annotations

from db import ledger
from handlers.conversation import Button, Context, Reply
from handlers.index_words import FROM_RULE, line_of, since_of, title_of, worth_of
from notices.wording import two_places
from scoring.catalogue import shipped
from scoring.explain import Figure, explain_pioneer
from scoring.sources import source_in
from scoring.standing import standing

LINES_MAX = 5  # of the ledger, as evidence of one rule


def why(ctx: Context) -> Reply:
    """The parts with the rules that moved them, and a button for each."""
    now = standing(ctx.session, ctx.me, ctx.today)
    if now is None:
        return Reply(ctx.say("index.exempt"), back="index")
    figure = explain_pioneer(shipped(), now, as_of=ctx.today)
    lines, buttons = _parts(ctx, figure)
    return Reply("\n".join(lines), tuple(buttons), back="index")


def _parts(ctx: Context, figure: Figure) -> tuple[list[str], list[Button]]:
    """A pioneer figure as text, part by part, and a button for every rule that moved it."""
    text = [ctx.say("index.why_head", score=two_places(figure.value))]
    buttons: list[Button] = []
    for part in figure.parts:
        most = f" / {part.most // 100}" if part.most else ""
        text.append(f"{title_of(ctx, part.title)} {two_places(part.value)}{most}")
        for line in part.lines:
            if line.value or line.have:
                text.append(f"· {line_of(ctx, line)}")
                buttons.append(Button(title_of(ctx, line.rule), f"index:rule:{line.rule.id}"))
    text += [ctx.say("index.zeroed", rule=title_of(ctx, line.rule)) for line in figure.zeroed_by]
    return text, buttons[:8]


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
    lines = ledger.lines_of_rule(ctx.session, ctx.me, one.id, ctx.today.year, most=LINES_MAX)
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
