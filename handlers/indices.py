"""`指数`: a member's own figure and what would move it; the ways to the branch's and to what is behind them."""

from __future__ import annotations

from dataclasses import replace

from handlers import fortress_index, fortress_why, power_scope, why
from handlers.conversation import Button, Command, Context, Reply
from handlers.org_power import org_power
from notices.wording import two_places
from scoring.catalogue import shipped
from scoring.pioneer import Moves, PioneerResult, what_moves
from scoring.standing import standing


def index(ctx: Context) -> Reply:
    """`指数`; with a day behind it that month's. Buttons: why, rule:ID, fortress, fortress_why, item, radar."""
    if power_scope.MONTH.fullmatch(ctx.arg()[:7]):
        return org_power(replace(ctx, args=(ctx.arg()[:7],)))  # `指数 2026-03`: what is kept month by month
    view = VIEWS.get(ctx.arg())
    return view(ctx) if view else _pioneer(ctx)


def _pioneer(ctx: Context) -> Reply:
    say = ctx.say
    now = standing(ctx.session, ctx.me, ctx.today)
    fortress = Button(say("index.fortress_button"), "index:fortress")
    board = Button(say("menu.board"), "board")
    power = Button(say("menu.org_power"), "org_power")
    if now is None:
        return Reply(say("index.exempt"), (fortress, power, board))
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
    return Reply(text, (Button(say("index.why"), "index:why"), fortress, power, board))


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


VIEWS = {
    "why": why.why,
    "rule": why.rule,
    "fortress": fortress_index.fortress,
    "fortress_why": fortress_why.why,
    "item": fortress_why.item,
    "radar": fortress_index.chart,
}
"""What a button can ask for."""

INDEX = Command(
    "index",
    ("指数", "先锋指数", "堡垒指数", "index"),
    index,
    slash=("/index",),
    phrases=("我的指数", "几星", "怎么升星", "怎么才能升四星", "怎么加分", "还差多少分", "what is my index"),
    steps={
        **dict.fromkeys(("为什么是这个分", "为什么扣分", "why this score"), "why"),
        **dict.fromkeys(("支部的堡垒指数", "堡垒指数", "支部指数", "我们支部多少分"), "fortress"),
        **dict.fromkeys(("支部雷达图", "堡垒雷达图", "radar of the fortress index"), "radar"),
    },
    order=60,
)
