"""Six stars of the own branch: which are lit, and what is missing to each."""

from __future__ import annotations

from handlers.conversation import Button, Command, Context, Reply
from notices.wording import two_places
from scoring.catalogue import shipped
from scoring.sources import source_in
from scoring.star_facts import stars_of

MISSING_MAX = 5
FORTRESS = "index:fortress"  # the way back


def six(ctx: Context) -> Reply:
    """`六星`: all six; `six_stars:STAR`: what is missing to one."""
    say, branch = ctx.say, ctx.branch()
    found = stars_of(ctx.session, branch, ctx.today) if branch is not None and branch.field else None
    if branch is None or found is None:
        return Reply(say("six_stars.none"), back=FORTRESS)
    one = next((star for star in found.stars if star.star.id == ctx.arg()), None)
    if one is not None:
        lines = [say("six_stars.star", star=one.star.title_in(say.language), points=two_places(one.points))]
        for missing in one.missing[:MISSING_MAX]:
            item = missing.item.title_in(say.language)
            lines.append(say("six_stars.missing", item=item, points=two_places(missing.missing)))
        if not one.missing:
            lines.append(say("six_stars.full"))
        return Reply("\n".join(lines), back="six_stars")
    name = "six_stars.all" if found.six else "six_stars.some"
    lines = [say(name, branch=branch.name, lit=found.lit)]
    if found.veto:
        lines.append(say("six_stars.vetoed"))
    lines.append(say("six_stars.rule", source=source_in(_source(ctx), say.language)))
    buttons = tuple(
        Button(
            say(
                "six_stars.lit" if star.lit else "six_stars.dark",
                star=star.star.title_in(say.language),
                points=two_places(star.points),
            ),
            f"six_stars:{star.star.id}",
        )
        for star in found.stars
    )
    ledger = (Button(say("menu.standards"), "standards"),) if ctx.node("secretary") else ()
    return Reply("\n".join(lines), (*buttons, *ledger), back=FORTRESS)


def _source(ctx: Context) -> str:
    return shipped().ratings.six_star.terms_on(ctx.today).source


SIX_STARS = Command(
    "six_stars",
    ("六星", "六星支部", "six stars"),
    six,
    slash=("/sixstars",),
    phrases=("我们支部亮了几颗星", "六星差什么"),
    in_menu=False,
    order=66,
)
