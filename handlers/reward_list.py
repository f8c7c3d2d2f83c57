"""The list of what points can buy, and what a confirm button carries.

A confirm button is `...:ID:POINTS:NONCE`: the price that its preview showed, so that a new price is shown first,
and a nonce of the preview, so that pressing it again answers with what became of it.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from db import ledger, rewards
from db.rewards import Order, Reward
from handlers.conversation import Button, Context, Reply

PAGE = 5  # rewards in one message
NONCE_MAX = 24  # characters; ours have twelve, a longer one is not ours


def catalogue(ctx: Context, *, page: int = 1, first: str = "") -> Reply:
    """The balance and one page of what there is; `first` is a line before it."""
    say = ctx.say
    balance, debt = ledger.purse(ctx.session, ctx.me)
    found = rewards.offered(ctx.session, ctx.who.branch_path)
    pages = max(1, -(-len(found) // PAGE))
    page = min(max(page, 1), pages)
    shown = found[(page - 1) * PAGE : page * PAGE]
    lines = [first] if first else []
    lines.append(say("rewards.balance", balance=balance))
    if debt:
        lines.append(say("rewards.debt", debt=debt))
    if not found:
        lines.append(say("rewards.nothing"))
    buttons = [Button(told(ctx, reward), f"rewards:item:{reward.id}") for reward in shown]
    if page < pages:
        buttons.append(Button(say("rewards.more"), f"rewards:page:{page + 1}"))
    if rewards.open_count(ctx.session, ctx.me):
        buttons.append(Button(say("rewards.mine"), "rewards:mine"))
    return Reply("\n".join(lines), tuple(buttons), back="rewards" if page > 1 else "menu")


def told(ctx: Context, reward: Reward) -> str:
    """One reward as a choice: what it costs and how much of it there is."""
    if reward.kind == "project":
        kind = "project_done" if is_done(reward) else "project" if reward.goal else "project_open"
        return ctx.say(f"rewards.choice_{kind}", name=reward.name, raised=reward.raised, goal=reward.goal)
    name = "choice" if reward.stock else "choice_gone"
    return ctx.say(f"rewards.{name}", name=reward.name, price=reward.price, stock=reward.stock)


def is_done(reward: Reward) -> bool:
    """Whether a project has what it needs."""
    return reward.goal is not None and reward.raised >= reward.goal


def confirm_or_not(ctx: Context, action: str) -> tuple[Button, Button]:
    """The two ways out of a preview; `action` is completed with a nonce."""
    return (
        Button(ctx.say("rewards.confirm"), f"{action}:{secrets.token_hex(6)}"),
        Button(ctx.say("rewards.cancel"), "rewards"),
    )


def order(ctx: Context) -> Order | None:
    """What a confirm button asks for, of the member who speaks; None for a forged or mistyped one."""
    reward_id, points, nonce = ctx.arg_id(1), ctx.arg_id(2), ctx.arg(3)
    if not reward_id or not points or not nonce.isalnum() or len(nonce) > NONCE_MAX:
        return None
    return Order(
        reward_id=reward_id,
        member_id=ctx.me,
        branch_path=ctx.who.branch_path,
        points=points,
        nonce=nonce,
        now=ctx.now,
        day=ctx.today,
        year_began_at=datetime(ctx.today.year, 1, 1, tzinfo=ctx.zone),
    )
