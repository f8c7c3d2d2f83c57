"""Boards that shame nobody: the ten best of a field by name, and one's own place; one for each index."""

from __future__ import annotations

from db import indices, power_board
from db.organizations import FIELDS, Organization
from handlers import power_scope
from handlers.conversation import Button, Command, Context, Picture, Reply
from handlers.paging import LINES_MAX, page_of
from notices.boards import Board, fortress_board, lacks, own_place, power_board_of
from notices.said_pool import months_back
from scoring.catalogue import shipped

POWER = "power"


def board(ctx: Context) -> Reply:
    """`榜单`: the own field's; or FIELD, its places from one on (FIELD:PLACE), FIELD:picture; power: the same."""
    if ctx.arg() == POWER:
        return _power(ctx)
    branch = ctx.branch()
    own_field = branch.field if branch else None
    field = _field(ctx.arg(), own_field)
    shown = fortress_board(ctx.session, field, ctx.today.year)
    if not shown.places:
        steps = (Button(ctx.say("menu.index"), "index"), Button(ctx.say("board.power_board"), "board:power"))
        return Reply(ctx.say("board.empty"), steps)
    own = _own_place(ctx, branch.id, shown) if branch and branch.id and own_field == field else ""
    return _reply(ctx, shown, own, own_field, branch, ctx.args[1:])


def _field(word: str, own_field: str | None) -> str:
    return word if word in FIELDS else own_field or FIELDS[0]


def _own_place(ctx: Context, organization_id: int, shown: Board) -> str:
    """Own rank, how it moved since the last month, and what lacks to the ten; never who is behind."""
    say = ctx.say
    own = indices.fortress_of(ctx.session, organization_id, ctx.today.year)
    if own is None:
        return say("board.own_unknown")
    moved = (own.rank_before or own.rank) - own.rank
    name = "board.own_up" if moved > 0 else "board.own_down" if moved < 0 else "board.own_same"
    return say(name, rank=own.rank, size=shown.size, moved=abs(moved)) + lacks(say, shown, own.score)


def _power(ctx: Context) -> Reply:
    """The board of the organisational power index: the last published month, `power[:FIELD[:picture|PLACE]]`."""
    say, branch = ctx.say, power_scope.own(ctx)
    own_field = branch.field if branch else None
    field = _field(ctx.arg(1), own_field)
    months = power_board.published(ctx.session, ctx.today.isoformat()[:7], 1)
    shown = power_board_of(ctx.session, say, field, months[0]) if months else None
    if shown is None or not shown.places:
        day = shipped().org_power.terms_on(ctx.today).deadlines.lock_day + 1
        return Reply(say("board.empty_power", day=day), (Button(say("board.fortress_board"), "board"),))
    own = ""
    if branch is not None and branch.id and own_field == field:
        row = power_board.of(ctx.session, branch.id, months[0])
        before = power_board.of(ctx.session, branch.id, months_back(months[0], 2)[0])
        own = (
            say("board.own_line", place=own_place(say, shown, row, before))
            if row
            else say("board.own_unknown_power")
        )
    return _reply(ctx, shown, own, own_field, branch, ctx.args[2:])


def _reply(
    ctx: Context,
    shown: Board,
    own_line: str,
    own_field: str | None,
    own: Organization | None,
    args: tuple[str, ...],
) -> Reply:
    """A page of the board, `args` naming the place where it begins; or `picture`, with all of it in words, too."""
    say, picture = ctx.say, args[:1] == ("picture",)
    head = say(f"board.head_{shown.kind}", field=say(f"fields.{shown.field}"), when=shown.when)
    below = [say("board.equal")] if shown.more else []
    below += [say("board.half", size=shown.size, places=shown.limit)] if shown.halved else []
    below += [own_line] if own_line else []
    if picture:
        chart = shown.chart(say, own_id=own.id if own else None)
        lines = [head, *shown.lines(), *below]
        drawn = Picture("chart", chart.data(), chart.alt)
        return Reply("\n".join(lines), _steps(ctx, shown, own_field, picture=True), drawn)
    first = int(args[0]) if args and args[0].isascii() and args[0].isdigit() and len(args[0]) < 3 else 0
    page = page_of(shown.lines(), first, LINES_MAX - 1 - len(below))
    steps = (*page.more(ctx, f"{_this(shown)}:{shown.field}"), *_steps(ctx, shown, own_field, picture=False))
    return Reply("\n".join((head, *page.shown, *below)), steps)


def _this(shown: Board) -> str:
    return "board:power" if shown.kind == POWER else "board"


def _steps(ctx: Context, shown: Board, own_field: str | None, *, picture: bool) -> tuple[Button, ...]:
    """What lacks, the picture, the other index, and the other fields."""
    say, power, this = ctx.say, shown.kind == POWER, _this(shown)
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
