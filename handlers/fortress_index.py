"""The fortress index of one branch: the figure, its radar, and where points are missing."""

from __future__ import annotations

from fractions import Fraction

from db import indices, vetoes
from db.organizations import Organization
from handlers import power_scope
from handlers.conversation import Button, Context, Picture, Reply
from handlers.index_words import title_of
from notices.wording import two_places
from notices.year_close import said_stars, shown_stars
from scoring.branch_power import median_of
from scoring.catalogue import shipped
from scoring.charts import Axis, radar
from scoring.explain import Part, explain_fortress
from scoring.update import BranchIndex, compute, parts_of

WEAK_SHOWN, CAUSES_SHOWN = 2, 2


def branch_index(ctx: Context, branch: Organization) -> BranchIndex | None:
    """The branch's index as it stands today; None for a node that has none."""
    found = compute(ctx.session, ctx.today, only=branch.id).branches
    return found[0] if found else None


def known(ctx: Context) -> tuple[Organization, BranchIndex] | None:
    """The organisation that the button names, if this person may see it; else the own branch."""
    branch = power_scope.asked(ctx) if ctx.arg(1) else ctx.branch()
    if branch is None or branch.id is None:
        return None
    found = branch_index(ctx, branch)
    return (branch, found) if found else None


def fortress(ctx: Context) -> Reply:
    """The figure with its parts, its place, and the two weakest aspects."""
    say = ctx.say
    shown = known(ctx)
    if shown is None:
        return Reply(say("index.no_branch"), back="index")
    branch, found = shown
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
        events = vetoes.confirmed(ctx.session, ctx.today.year, [found.organization_id])
        kinds = events.get(found.organization_id, [])
        stars = said_stars(say, shown_stars(stored, events), stored.veto, kinds)
        text += "\n" + say("index.fortress_stars", stars=stars, rank=stored.rank)
    text += "\n" + say("index.activities", have=result.activities, needed=result.needed)
    weak = _weakest(ctx, found)
    if weak:
        named = [title_of(ctx, part.title) for part in weak if part.title]
        text += "\n" + say("index.weakest", parts=say("index.step_joint").join(named))
    steps = (
        Button(say("index.why"), f"index:fortress_why:{branch.id}"),
        Button(say("index.radar"), f"index:radar:{branch.id}"),
        Button(say("menu.board"), "board"),
        Button(say("menu.six_stars"), "six_stars"),
        Button(say("menu.stars"), "stars"),
    )
    return Reply(text, steps, back="index")


def _aspects(ctx: Context) -> list[tuple[str, str, int]]:
    """(id, title, points) of the aspects, in the order of the rule file."""
    rules = shipped()
    points: dict[str, int] = {"specific": rules.fortress.terms_on(ctx.today).parts.specific}
    for item in rules.common_on(ctx.today):
        points[item.aspect] = points.get(item.aspect, 0) + item.points
    return [(aspect.id, title_of(ctx, aspect), points[aspect.id]) for aspect in rules.fortress.aspect]


def _weakest(ctx: Context, found: BranchIndex) -> list[Part]:
    """The two aspects that miss the largest share of their points; fewer where fewer miss any."""
    parts = explain_fortress(shipped(), found.result, field=found.field, as_of=ctx.today).parts
    short = [(Fraction(part.value, part.most), part) for part in parts if part.most and part.value < part.most]
    return [part for _, part in sorted(short, key=lambda one: one[0])[:WEAK_SHOWN]]


def _weak_line(ctx: Context, part: Part) -> str:
    """A weak aspect with the items behind it, the one that lacks most first."""
    say = ctx.say
    gaps = sorted((line.value - (line.most or 0), place) for place, line in enumerate(part.lines))
    causes = [
        f"{part.lines[place].rule.id} {title_of(ctx, part.lines[place].rule)}" for gap, place in gaps if gap < 0
    ]
    return say(
        "power.weak_more" if len(causes) > CAUSES_SHOWN else "power.weak",
        dimension=title_of(ctx, part.title) if part.title else "",
        score=two_places(part.value),
        causes=say("power.between").join(causes[:CAUSES_SHOWN]),
        count=len(causes),
    )


def chart(ctx: Context) -> Reply:
    """The aspects against the median of the field, as a picture and in words."""
    say = ctx.say
    shown = known(ctx)
    if shown is None:
        return Reply(say("index.no_branch"), back="index")
    branch, found = shown
    aspects = _aspects(ctx)
    own = parts_of(found.result)
    field = indices.field_parts(ctx.session, ctx.today.year, found.field) or [own]
    drawn = radar(
        branch.name,
        [Axis(title, 100 * points) for _, title, points in aspects],
        [own[name] for name, _, _ in aspects],
        [median_of([parts.get(name, 0) for parts in field]) for name, _, _ in aspects],
        own_label=say("index.own_label"),
        median_label=say("index.median_label"),
        subtitle=say("index.radar_subtitle", year=ctx.today.year, field=say(f"fields.{found.field}")),
        language="en" if say.language == "en" else "zh",
    )
    picture = Picture("chart", drawn.data(), drawn.alt)
    steps = (Button(say("index.why"), f"index:fortress_why:{branch.id}"), Button(say("menu.board"), "board"))
    lines = [say("index.radar_head", branch=branch.name)]
    lines += [f"{title} {two_places(own[name])} / {points}" for name, title, points in aspects]
    lines += [_weak_line(ctx, part) for part in _weakest(ctx, found)]
    return Reply(
        "\n".join(lines),
        steps,
        picture,
        back=f"index:fortress:{branch.id}",
    )
