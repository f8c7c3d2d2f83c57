"""Boards that shame nobody: the ten best of a field by name, and one's own place; one for each index."""

from __future__ import annotations

from db import indices, power_board
from db.organizations import FIELDS, Organization
from handlers import power_scope
from handlers.conversation import Button, Command, Context, Picture, Reply
from notices.boards import Board, fortress_board, own_place, power_board_of
from notices.said_pool import months_back
from notices.wording import two_places
from scoring.catalogue import shipped

TOP = 10
POWER = "power"


def board(ctx: Context) -> Reply:
    """`榜单`: the own field's; buttons: another field, the picture (FIELD:picture), the other index (power)."""
    if ctx.arg() == POWER:
        return _power(ctx)
    branch = ctx.branch()
    own_field = branch.field if branch else None
    field = _field(ctx.arg(), own_field)
    shown = fortress_board(ctx.session, field, ctx.today.year)
    if not shown.places:
        steps = (Button(ctx.say("menu.index"), "index"), Button(ctx.say("board.power_board"), "board:power"))
        return Reply(ctx.say("board.empty"), steps)
    text = _lines(ctx, shown)
    if branch and branch.id and own_field == field:
        text.append(_own_place(ctx, branch.id, field, shown))
    return _reply(ctx, shown, text, own_field, branch, picture=ctx.arg(1) == "picture")


def _field(word: str, own_field: str | None) -> str:
    return word if word in FIELDS else own_field or FIELDS[0]


def _lines(ctx: Context, shown: Board) -> list[str]:
    field = ctx.say(f"fields.{shown.field}")
    text = [ctx.say(f"board.head_{shown.kind}", field=field, when=shown.when), *shown.lines()]
    return text + ([ctx.say("board.equal")] if shown.more else [])


def _own_place(ctx: Context, organization_id: int, field: str, shown: Board) -> str:
    """Own rank, how it moved since the last month, and what lacks to the ten; never who is behind."""
    say = ctx.say
    own = indices.fortress_of(ctx.session, organization_id, ctx.today.year)
    if own is None:
        return say("board.own_unknown")
    size = indices.field_size(ctx.session, ctx.today.year, field)
    moved = (own.rank_before or own.rank) - own.rank
    name = "board.own_up" if moved > 0 else "board.own_down" if moved < 0 else "board.own_same"
    text = say(name, rank=own.rank, size=size, moved=abs(moved))
    missing = shown.places[-1].score - own.score if len(shown.places) == TOP else 0
    return f"{text}{say('board.missing', missing=two_places(missing))}" if missing > 0 else text


def _power(ctx: Context) -> Reply:
    """The board of the organisational power index: the last published month, `power[:FIELD[:picture]]`."""
    say, branch = ctx.say, power_scope.own(ctx)
    own_field = branch.field if branch else None
    field = _field(ctx.arg(1), own_field)
    months = power_board.published(ctx.session, ctx.today.isoformat()[:7], 1)
    shown = power_board_of(ctx.session, say, field, months[0]) if months else None
    if shown is None or not shown.places:
        day = shipped().org_power.terms_on(ctx.today).deadlines.lock_day + 1
        return Reply(say("board.empty_power", day=day), (Button(say("board.fortress_board"), "board"),))
    text = _lines(ctx, shown)
    if branch is not None and branch.id and own_field == field:
        row = power_board.of(ctx.session, branch.id, months[0])
        before = power_board.of(ctx.session, branch.id, months_back(months[0], 2)[0])
        text.append(
            say("board.own_line", place=own_place(say, shown, row, before))
            if row
            else say("board.own_unknown_power")
        )
    return _reply(ctx, shown, text, own_field, branch, picture=ctx.arg(2) == "picture")


def _reply(
    ctx: Context, shown: Board, text: list[str], own_field: str | None, own: Organization | None, *, picture: bool
) -> Reply:
    drawn = None
    if picture:
        chart = shown.chart(ctx.say, own_id=own.id if own else None)
        drawn = Picture("chart", chart.data(), chart.alt)
    return Reply("\n".join(text), _steps(ctx, shown, own_field, picture=picture), drawn)


def _steps(ctx: Context, shown: Board, own_field: str | None, *, picture: bool) -> tuple[Button, ...]:
    """What lacks, the picture, the other index, and the other fields."""
    say, power = ctx.say, shown.kind == POWER
    this = "board:power" if power else "board"
    why = "org_power:why" if power else "index:fortress_why"
    steps = [Button(say("board.what_lacks"), why)] if shown.field == own_field else []
    if not picture:
        steps.append(Button(say("board.picture"), f"{this}:{shown.field}:picture"))
    other = (
        (f"board:{shown.field}", "board.fortress_board")
        if power
        else (f"board:power:{shown.field}", "board.power_board")
    )
    steps.append(Button(say(other[1]), other[0]))
    steps += [Button(say(f"fields.{one}"), f"{this}:{one}") for one in FIELDS if one != shown.field]
    return tuple(steps)


BOARD = Command(
    "board",
    ("榜单", "排名", "排行榜", "board"),
    board,
    slash=("/board",),
    phrases=("支部排第几", "前十名", "TOP10", "谁是第一", "ranking"),
    steps=dict.fromkeys(
        ("组织力榜单", "组织力排名", "组织力前十", "board of the organisational power index"), "power"
    ),
    in_menu=False,  # one step behind `指数`
    order=70,
)
