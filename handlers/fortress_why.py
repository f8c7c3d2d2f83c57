"""Why the fortress index is what it is: where points are missing, the rule behind each, what was recorded."""

from __future__ import annotations

from datetime import date

from db import values
from db.organizations import Organization
from handlers import value_lines
from handlers.conversation import Button, Context, Reply
from handlers.fortress_index import known
from handlers.index_words import line_of, short_of, since_of, status_of
from notices.wording import two_places
from scoring.catalogue import shipped
from scoring.explain import Figure, Line, explain_fortress
from scoring.items import CommonItem, Indicator, NegativeItem
from scoring.periods import last_ended
from scoring.sources import source_in

SHOWN_MAX = 5


def _explained(ctx: Context) -> tuple[Organization, Figure] | None:
    found = known(ctx)
    if found is None:
        return None
    branch, index = found
    return branch, explain_fortress(shipped(), index.result, field=index.field, as_of=ctx.today)


def why(ctx: Context) -> Reply:
    """Where points are missing, the largest gap first, each with what there is and what is asked."""
    say, found = ctx.say, _explained(ctx)
    if found is None:
        return Reply(say("index.no_branch"), back="index")
    branch, figure = found
    lines = [line for part in figure.parts for line in part.lines]
    gaps = [line for line in lines if line.most is None or line.value < line.most]
    gaps.sort(key=lambda line: line.value - (line.most or 0))
    text = [say("index.fortress_gaps", score=two_places(figure.value))]
    text += [f"· {line_of(ctx, line)} · {status_of(ctx, line)}" for line in gaps[:SHOWN_MAX]]
    if not gaps:
        text.append(say("index.no_gaps"))
    steps = [
        Button(short_of(ctx, line.rule), f"index:item:{branch.id}:{line.rule.id}") for line in gaps[:SHOWN_MAX]
    ]
    steps += [Button(say("menu.activities"), "activities"), Button(say("index.radar"), f"index:radar:{branch.id}")]
    return Reply("\n".join(text), tuple(steps), back=f"index:fortress:{branch.id}")


def item(ctx: Context) -> Reply:
    """`item:ORGANISATION:ID`: one item down to its rule and to what was seen or recorded about it this year."""
    say, found = ctx.say, _explained(ctx)
    if found is None:
        return Reply(say("index.no_branch"), back="index")
    branch, figure = found
    line = next((one for part in figure.parts for one in part.lines if one.rule.id == ctx.arg(2)), None)
    if line is None:
        return why(ctx)
    text = [line_of(ctx, line), *_evidence(ctx, branch, line)]
    source = source_in(line.source, say.language)
    text.append(
        say("power.rule", source=source, status=status_of(ctx, line), since=since_of(ctx, line.terms_from))
    )
    return Reply("\n".join(text), back=f"index:fortress_why:{branch.id}")


def _evidence(ctx: Context, branch: Organization, line: Line) -> list[str]:
    """Activities that count, values that were recorded, or cases of the negative list."""
    rule, first = line.rule, date(ctx.today.year, 1, 1)
    if isinstance(rule, NegativeItem):
        return value_lines.cases(ctx, branch, rule.id, first, ctx.today)
    if isinstance(rule, CommonItem) and rule.kinds:
        return value_lines.held(ctx, branch, frozenset(rule.kinds), first, ctx.today)
    if isinstance(rule, Indicator) or (isinstance(rule, CommonItem) and rule.collected):
        ended = last_ended(rule.period if isinstance(rule, Indicator) else "monthly", ctx.today)
        recorded = values.history(ctx.session, branch.id or 0, rule.id, ended.text) if ended else ()
        lines = [value_lines.said_line(ctx, branch, rule, one) for one in recorded[-value_lines.SHOWN :]]
        return lines or [ctx.say("index.no_lines")]
    return []
