"""Boards that shame nobody: the ten best branches of a field by name, and one's own place."""

from __future__ import annotations

from db import indices
from db.organizations import FIELDS
from handlers.conversation import Button, Command, Context, Picture, Reply
from notices.wording import two_places
from scoring.charts import Place, top_places

TOP = 10


def board(ctx: Context) -> Reply:
    """`榜单`: the own field's; buttons choose another field or the picture (FIELD:picture)."""
    say = ctx.say
    branch = ctx.branch()
    own_field = branch.field if branch else None
    field = ctx.arg() if ctx.arg() in FIELDS else own_field or FIELDS[0]
    year = ctx.today.year
    top = indices.top(ctx.session, year, field, TOP)
    if not top:
        return Reply(say("board.empty"), (Button(say("menu.index"), "index"),))
    text = [say("board.head", field=say(f"fields.{field}"))]
    text += [f"{rank} {name} {two_places(score)}" for rank, name, score, _ in top]
    if branch and branch.id and own_field == field:
        text.append(_own_place(ctx, branch.id, field, [score for _, _, score, _ in top]))
    picture = None
    if ctx.arg(1) == "picture":
        places = [
            Place(rank, name, score, say("board.own") if branch and number == branch.id else "")
            for rank, name, score, number in top
        ]
        title = say("board.title", field=say(f"fields.{field}"))
        chart = top_places(title, places, subtitle=str(year), language="en" if say.language == "en" else "zh")
        picture = Picture("chart", chart.data(), chart.alt)
    return Reply("\n".join(text), _steps(ctx, field, own_field, shown=picture is not None), picture)


def _own_place(ctx: Context, organization_id: int, field: str, best: list[int]) -> str:
    """Own rank, how it moved since the last month, and what lacks to the ten; never who is behind."""
    say = ctx.say
    own = indices.fortress_of(ctx.session, organization_id, ctx.today.year)
    if own is None:
        return say("board.own_unknown")
    size = indices.field_size(ctx.session, ctx.today.year, field)
    moved = (own.rank_before or own.rank) - own.rank
    name = "board.own_up" if moved > 0 else "board.own_down" if moved < 0 else "board.own_same"
    text = say(name, rank=own.rank, size=size, moved=abs(moved))
    missing = best[-1] - own.score if len(best) == TOP else 0
    return f"{text}{say('board.missing', missing=two_places(missing))}" if missing > 0 else text


def _steps(ctx: Context, field: str, own_field: str | None, *, shown: bool) -> tuple[Button, ...]:
    say = ctx.say
    steps = [Button(say("board.what_lacks"), "index:fortress_why")] if field == own_field else []
    if not shown:
        steps.append(Button(say("board.picture"), f"board:{field}:picture"))
    steps += [Button(say(f"fields.{other}"), f"board:{other}") for other in FIELDS if other != field]
    return tuple(steps)


BOARD = Command(
    "board",
    ("榜单", "排名", "排行榜", "board"),
    board,
    slash=("/board",),
    phrases=("支部排第几", "前十名", "TOP10", "谁是第一", "ranking"),
    order=70,
)
