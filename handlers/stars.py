"""Stars of closed years, the card as a picture, and an objection while a year's stars are not final.

Actions: `stars`, `stars:card:YEAR`, `stars:branch:YEAR`, `stars:object:YEAR`.
"""

from __future__ import annotations

from collections.abc import Callable

from db import indices, members, vetoes, year_close, year_results
from db.year_close import YearObjection, YearResult
from handlers.conversation import Button, Command, Context, Picture, Reply
from notices import year_close as notes
from notices.wording import two_places
from notices.year_notes import tell_objection
from scoring.star_card import star_card

YEARS_MAX = 4
WORDS_MIN, WORDS_MAX = 4, 300  # characters


def stars(ctx: Context) -> Reply:
    """`星级`: own stars and the branch's, year by year; with arguments, one step."""
    steps: dict[str, Callable[[Context], Reply]] = {
        "card": lambda ctx: _card(ctx, mine=True),
        "branch": lambda ctx: _card(ctx, mine=False),
        "object": _object,
    }
    step = steps.get(ctx.arg())
    return step(ctx) if step else _list(ctx)


def _list(ctx: Context, first: str = "") -> Reply:
    say, lines, buttons = ctx.say, [first] if first else [], []
    mine = year_results.latest(ctx.session, member_id=ctx.me)[:YEARS_MAX]
    branch = ctx.branch()
    theirs = year_results.latest(ctx.session, organization_id=branch.id)[:YEARS_MAX] if branch else []
    for line in mine:
        lines.append(say("stars_of_years.mine", year=line.year, **_figures(ctx, line)))
    for line in theirs:
        lines.append(say("stars_of_years.branch", year=line.year, **_figures(ctx, line)))
    if mine:
        buttons.append(Button(say("stars_of_years.picture"), f"stars:card:{mine[0].year}"))
    if theirs:
        buttons.append(Button(say("stars_of_years.branch_picture"), f"stars:branch:{theirs[0].year}"))
    meant = _meant(ctx)
    if meant:
        lines.append(meant)
        buttons.append(Button(say("stars_of_years.object"), f"stars:object:{ctx.today.year - 1}"))
    buttons.append(Button(say("menu.index"), "index"))
    return Reply("\n".join(lines) or say("stars_of_years.none"), tuple(buttons))


def _figures(ctx: Context, line: YearResult) -> dict[str, str]:
    corrected = ctx.say("stars_of_years.corrected", why=line.reason) if line.version > 1 else ""
    return {
        "stars": notes.said_line(ctx.say, line),
        "score": two_places(line.score),
        "corrected": corrected,
    }


def _window(ctx: Context, year: int) -> year_close.YearCommittee | None:
    """The part of the close in which the own branch stands, while one may object."""
    branch, closing = ctx.branch(), year_close.get(ctx.session, year)
    if branch is None or closing is None or closing.state != "open":
        return None
    for part, node in year_close.committees(ctx.session, year):
        until = part.objections_until
        if branch.path.startswith(node.path) and part.state == "confirmed" and until and ctx.today <= until:
            return part
    return None


def _meant(ctx: Context) -> str:
    """What is meant for the own branch, as long as it is not final."""
    year = ctx.today.year - 1
    part, branch = _window(ctx, year), ctx.branch()
    index = indices.fortress_of(ctx.session, branch.id, year) if branch and branch.id else None
    if part is None or index is None or part.objections_until is None:
        return ""
    events = vetoes.confirmed(ctx.session, year, [index.organization_id])
    kinds = events.get(index.organization_id, [])
    return ctx.say(
        "year_close.meant",
        year=year,
        stars=notes.said_stars(ctx.say, notes.shown_stars(index, events), index.veto, kinds),
        score=two_places(index.score),
        month=part.objections_until.month,
        day=part.objections_until.day,
    )


def _card(ctx: Context, *, mine: bool) -> Reply:
    say, year, branch = ctx.say, ctx.arg_id(1) or 0, ctx.branch()
    if mine:
        line = year_results.of_year(ctx.session, year, member_id=ctx.me)
        whose = members.get(ctx.session, ctx.me).name if ctx.names_allowed else say("stars_of_years.me")
    else:
        line = year_results.of_year(ctx.session, year, organization_id=branch.id) if branch else None
        whose = branch.name if branch else ""
    if line is None:
        return _list(ctx, say("stars_of_years.no_card"))
    state = notes.said_line(say, line)
    card = star_card(
        say("stars_of_years.title", year=year),
        stars=line.stars,
        score=line.score,
        state=say(f"stars.{line.stars}"),
        subtitle=whose,
        language="en" if say.language == "en" else "zh",
    )
    name = "stars_of_years.mine" if mine else "stars_of_years.branch"
    text = say(name, year=year, **{**_figures(ctx, line), "stars": state})
    return Reply(text, picture=Picture("chart", card.data(), card.alt), back="stars")


def _object(ctx: Context) -> Reply:
    """Ask for the objection, or take it; one per member, branch and year."""
    say, year, branch = ctx.say, ctx.arg_id(1) or 0, ctx.branch()
    part = _window(ctx, year)
    if part is None or branch is None or branch.id is None:
        return _list(ctx, say("stars_of_years.no_window"))
    words = " ".join(" ".join(ctx.args[2:]).split())
    if not words:
        return Reply(say("stars_of_years.ask"), expect=f"stars:object:{year}", back="stars")
    if not WORDS_MIN <= len(words) <= WORDS_MAX:
        text = say("stars_of_years.length", least=WORDS_MIN, most=WORDS_MAX)
        return Reply(text, expect=f"stars:object:{year}", back="stars")
    made = YearObjection(year=year, organization_id=branch.id, member_id=ctx.me, words=words, made_at=ctx.now)
    if not year_close.object_to(ctx.session, made):
        return _list(ctx, say("stars_of_years.objected_before"))
    tell_objection(ctx.session, branch, year, ctx.now, ctx.today)
    return _list(ctx, say("stars_of_years.objected"))


STARS = Command(
    "stars",
    ("星级", "星级卡", "异议", "stars"),
    stars,
    slash=("/stars",),
    phrases=("我去年几星", "支部去年几星", "看星级卡", "对星级有意见", "my stars of last year"),
    in_menu=False,
    order=65,
)
