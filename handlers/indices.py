"""The indices: the figure, its parts, why it is so, and what would move it."""

from __future__ import annotations

from fractions import Fraction
from statistics import median

from db import indices, ledger
from db.organizations import Organization
from handlers.conversation import Button, Command, Context, Picture, Reply
from notices.wording import two_places
from scoring.blocks import Named
from scoring.catalogue import shipped
from scoring.charts import Axis, radar
from scoring.explain import Figure, Line, explain_fortress, explain_pioneer
from scoring.pioneer import Moves, PioneerResult, what_moves
from scoring.sources import source_in
from scoring.standing import standing
from scoring.update import BranchIndex, compute, parts_of

LINES_MAX = 5  # of the ledger, as evidence of one rule


def index(ctx: Context) -> Reply:
    """`指数`; buttons: why, rule:ID, fortress, fortress_why."""
    views = {"why": _why, "rule": _rule, "fortress": _fortress, "fortress_why": _fortress_why, "radar": _radar}
    view = views.get(ctx.arg())
    return view(ctx) if view else _pioneer(ctx)


def _pioneer(ctx: Context) -> Reply:
    say = ctx.say
    now = standing(ctx.session, ctx.me, ctx.today)
    fortress = Button(say("index.fortress_button"), "index:fortress")
    board = Button(say("menu.board"), "board")
    if now is None:
        return Reply(say("index.exempt"), (fortress, board))
    most = shipped().pioneer.terms_on(ctx.today).parts
    text = say(
        "index.cleared" if now.cleared else "index.pioneer",
        year=ctx.today.year,
        score=two_places(now.score),
        stars=say(f"stars.{now.stars}"),
        base=two_places(now.base),
        base_most=most["base"],
        positive=two_places(now.positive),
        positive_most=most["positive"],
        conduct=two_places(now.conduct),
        conduct_most=most["conduct"],
    )
    moves = what_moves(shipped(), now, as_of=ctx.today, without=_paid_up(ctx, now))
    if moves:
        text += "\n" + _moves(ctx, moves)
    return Reply(text, (Button(say("index.why"), "index:why"), fortress, board))


def _paid_up(ctx: Context, now: PioneerResult) -> set[str]:
    """Rules that can bring nothing before the next event of their own: dues that are paid to this month."""
    dues = now.totals.get("PB2")
    return {"PB2"} if dues and dues.count >= ctx.today.month else set()


def _moves(ctx: Context, moves: Moves) -> str:
    """What lacks to the next star, and the steps that would bring it."""
    say = ctx.say
    steps = say("index.step_joint").join(
        say(f"index.step_{step.rule_id}", times=step.times, gain=_short(step.gain), month=ctx.today.month)
        for step in moves.steps
    )
    name = "index.moves" if steps else "index.moves_none"
    return say(name, stars=say(f"stars.{moves.next_stars}"), missing=two_places(moves.missing), steps=steps)


def _short(hundredths: int) -> str:
    """Points without a tail of zeros: 600 -> 6, 150 -> 1.5."""
    return two_places(hundredths).rstrip("0").rstrip(".")


def _why(ctx: Context) -> Reply:
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
        text.append(f"{_title(ctx, part.title)} {two_places(part.value)}{most}")
        for line in part.lines:
            if line.value or line.have:
                text.append(f"· {_line(ctx, line)}")
                buttons.append(Button(_title(ctx, line.rule), f"index:rule:{line.rule.id}"))
    text += [ctx.say("index.zeroed", rule=_title(ctx, line.rule)) for line in figure.zeroed_by]
    return text, buttons[:8]


def _title(ctx: Context, named: Named | None) -> str:
    return named.title_in(ctx.say.language) if named else ctx.say("index.deductions")


def _line(ctx: Context, line: Line) -> str:
    """One rule in a line: what it brought, of how much, for how many."""
    most = f" / {line.most // 100}" if line.most is not None else ""
    have = "" if line.have is None else _quantity(ctx, line)
    return f"{_title(ctx, line.rule)} {two_places(line.value)}{most}{have}"


def _quantity(ctx: Context, line: Line) -> str:
    have = _figure(line.have)
    if line.required is None:
        return ctx.say("index.have", have=have)
    return ctx.say("index.have_of", have=have, required=_figure(line.required))


def _figure(value: Fraction | None) -> str:
    if value is None:
        return "-"
    return str(int(value)) if value.denominator == 1 else f"{float(value):.2f}".rstrip("0").rstrip(".")


def _rule(ctx: Context) -> Reply:
    """One rule down to its evidence: what it says, since when, where it comes from, and the last lines."""
    say = ctx.say
    try:
        rule = shipped().rule(ctx.arg(1))
    except LookupError:
        return Reply(say("index.no_rule"), back="index:why")
    terms = rule.terms_on(ctx.today)
    if terms is None:
        return Reply(say("index.not_in_force", rule=_title(ctx, rule)), back="index:why")
    text = [
        say(
            "index.rule",
            id=rule.id,
            rule=_title(ctx, rule),
            day=terms.starts.isoformat(),
            source=source_in(terms.source, say.language),
            status=say(f"index.status_{terms.status.rstrip('*')}"),
        )
    ]
    lines = ledger.lines_of_rule(ctx.session, ctx.me, rule.id, ctx.today.year, most=LINES_MAX)
    text += [f"· {line.day.month}-{line.day.day:02d} {line.points:+d} {line.reason}".rstrip() for line in lines]
    if not lines:
        text.append(say("index.no_lines"))
    look = tuple(
        Button(say("index.look_at", month=line.day.month, day=line.day.day), f"points:line:{line.id}") for line in lines
    )
    return Reply("\n".join(text), look, back="index:why")


def _branch_index(ctx: Context) -> tuple[Organization, BranchIndex] | None:
    branch = ctx.branch()
    if branch is None or branch.id is None:
        return None
    found = compute(ctx.session, ctx.today, only=branch.id).branches
    return (branch, found[0]) if found else None


def _fortress(ctx: Context) -> Reply:
    say = ctx.say
    known = _branch_index(ctx)
    if known is None:
        return Reply(say("index.no_branch"), back="index")
    branch, found = known
    result = found.result
    stored = indices.fortress_of(ctx.session, found.organization_id, ctx.today.year)
    text = say(
        "index.fortress",
        branch=branch.name,
        year=ctx.today.year,
        score=two_places(result.score),
        common=two_places(result.common),
        specific=two_places(result.specific),
        deductions=two_places(result.deductions),
    )
    if stored:
        text += "\n" + say("index.fortress_stars", stars=say(f"stars.{stored.stars}"), rank=stored.rank)
    text += "\n" + say("index.activities", have=result.activities, needed=result.needed)
    weak = _weakest(ctx, found)
    if weak:
        text += "\n" + say("index.weakest", parts=say("index.step_joint").join(weak))
    steps = (
        Button(say("index.why"), "index:fortress_why"),
        Button(say("index.radar"), "index:radar"),
        Button(say("menu.board"), "board"),
    )
    return Reply(text, steps, back="index")


def _aspects(ctx: Context) -> list[tuple[str, str, int]]:
    """(id, title, points) of the aspects, in the order of the rule file."""
    rules = shipped()
    points: dict[str, int] = {"specific": rules.fortress.terms_on(ctx.today).parts.specific}
    for item in rules.common_on(ctx.today):
        points[item.aspect] = points.get(item.aspect, 0) + item.points
    return [(aspect.id, _title(ctx, aspect), points[aspect.id]) for aspect in rules.fortress.aspect]


def _weakest(ctx: Context, found: BranchIndex, most: int = 2) -> list[str]:
    """The two aspects that miss the largest share of their points."""
    own = parts_of(found.result)
    missing = [(1 - Fraction(own[name], 100 * points), title) for name, title, points in _aspects(ctx) if points]
    missing.sort(key=lambda one: -one[0])
    return [title for share, title in missing[:most] if share > 0]


def _radar(ctx: Context) -> Reply:
    say = ctx.say
    known = _branch_index(ctx)
    if known is None:
        return Reply(say("index.no_branch"), back="index")
    branch, found = known
    aspects = _aspects(ctx)
    own = parts_of(found.result)
    field = indices.field_parts(ctx.session, ctx.today.year, found.field) or [own]
    chart = radar(
        branch.name,
        [Axis(title, 100 * points) for _, title, points in aspects],
        [own[name] for name, _, _ in aspects],
        [int(median(parts.get(name, 0) for parts in field)) for name, _, _ in aspects],
        own_label=say("index.own_label"),
        median_label=say("index.median_label"),
        subtitle=say("index.radar_subtitle", year=ctx.today.year, field=say(f"fields.{found.field}")),
        language="en" if say.language == "en" else "zh",
    )
    picture = Picture("chart", chart.data(), chart.alt)
    steps = (Button(say("index.why"), "index:fortress_why"), Button(say("menu.board"), "board"))
    text = "\n".join(f"{title} {two_places(own[name])} / {points}" for name, title, points in aspects)
    return Reply(f"{say('index.radar_head', branch=branch.name)}\n{text}", steps, picture, back="index:fortress")


def _fortress_why(ctx: Context) -> Reply:
    """Where points are missing, the largest gap first, each with what there is and what is asked."""
    say = ctx.say
    known = _branch_index(ctx)
    if known is None:
        return Reply(say("index.no_branch"), back="index")
    _, found = known
    figure = explain_fortress(shipped(), found.result, field=found.field, as_of=ctx.today)
    lines = [line for part in figure.parts for line in part.lines]
    gaps = [line for line in lines if line.most is None or line.value < line.most]
    gaps.sort(key=lambda line: line.value - (line.most or 0))
    text = [say("index.fortress_gaps", score=two_places(figure.value))]
    text += [f"· {_line(ctx, line)} · {_source(ctx, line)}" for line in gaps[:6]]
    if not gaps:
        text.append(say("index.no_gaps"))
    steps = (Button(say("menu.activities"), "activities"), Button(say("index.radar"), "index:radar"))
    return Reply("\n".join(text), steps, back="index:fortress")


def _source(ctx: Context, line: Line) -> str:
    return ctx.say(f"index.status_{line.status.rstrip('*')}")


INDEX = Command(
    "index",
    ("指数", "先锋指数", "堡垒指数", "index"),
    index,
    slash=("/index",),
    phrases=("我的指数", "几星", "怎么升星", "怎么才能升四星", "怎么加分", "还差多少分", "what is my index"),
    steps={
        **dict.fromkeys(("为什么是这个分", "为什么扣分", "why this score"), "why"),
        **dict.fromkeys(("支部的堡垒指数", "堡垒指数", "支部指数", "我们支部多少分"), "fortress"),
        **dict.fromkeys(("雷达图", "支部雷达图", "radar chart"), "radar"),
    },
    order=60,
)
