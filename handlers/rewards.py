"""Points for goods: a preview with the price, and one redemption per preview.

Actions: `rewards`, `rewards:page:2`, `rewards:item:ID`, `rewards:take:ID:PRICE:NONCE`; typed: `兑换 2` and
`兑换 水杯`.
The list is in `handlers/reward_list.py`, projects are in `handlers/projects.py`, pick-up codes in
`handlers/pick_up.py`; to the person all four are one conversation.
"""

from __future__ import annotations

from collections.abc import Sequence

from db import ledger, rewards
from db.pickup_codes import written_code
from db.redemptions import Found, of_member
from db.rewards import HOLD_FOR, OPEN_MAX, Reward
from handlers import pick_up, projects
from handlers.conversation import Button, Command, Context, Reply
from handlers.reward_list import catalogue, confirm_or_not, order


def redeem(ctx: Context) -> Reply:
    """`兑换`: what the member's points can buy; with arguments, one step of the conversation."""
    steps = {
        "page": lambda: catalogue(ctx, page=ctx.arg_id(1) or 1),
        "item": lambda: _chosen(ctx, rewards.offer(ctx.session, ctx.arg_id(1), ctx.who.branch_path)),
        "take": lambda: _take(ctx),
        "mine": lambda: pick_up.mine(ctx),
        "code": lambda: pick_up.shown(ctx),
        "qr": lambda: pick_up.shown(ctx, with_picture=True),
        "cancel": lambda: pick_up.cancelled(ctx),
        "give": lambda: projects.amount(ctx),
        "fund": lambda: projects.fund(ctx),
    }
    if not ctx.arg():
        return catalogue(ctx)
    step = steps.get(ctx.arg())
    return step() if step else _chosen(ctx, _named(ctx))


def _named(ctx: Context) -> Reward | None:
    """The reward that was typed: its place in the catalogue, or its name."""
    found: Sequence[Reward] = rewards.offered(ctx.session, ctx.who.branch_path)
    place = ctx.arg_id()
    if place is not None:
        return found[place - 1] if 1 <= place <= len(found) else None
    words = "".join(ctx.args)
    return next((reward for reward in found if words and reward.name.replace(" ", "") == words), None)


def _chosen(ctx: Context, reward: Reward | None) -> Reply:
    if reward is None:
        return catalogue(ctx, first=ctx.say("rewards.unknown"))
    if reward.kind == "project":
        return projects.ask_amount(ctx, reward)
    return _preview(ctx, reward)


def _preview(ctx: Context, reward: Reward, *, first: str = "") -> Reply:
    """What would be exchanged for what, and a button that does it once."""
    say = ctx.say
    price, balance = reward.price or 0, ledger.balance(ctx.session, ctx.me)
    if not reward.stock:
        return catalogue(ctx, first=say("rewards.sold_out", name=reward.name))
    if balance < price:
        return _too_little(ctx, reward, balance)
    asked = say("rewards.preview", price=price, name=reward.name, left=balance - price)
    buttons = confirm_or_not(ctx, f"rewards:take:{reward.id}:{price}")
    return Reply(f"{first}\n{asked}" if first else asked, buttons, back="rewards")


def _too_little(ctx: Context, reward: Reward, balance: int) -> Reply:
    price = reward.price or 0
    text = ctx.say("rewards.too_little", price=price, name=reward.name, balance=balance, missing=price - balance)
    buttons = (Button(ctx.say("rewards.how_to_earn"), "activities"), Button(ctx.say("rewards.others"), "rewards"))
    return Reply(text, buttons)


def _take(ctx: Context) -> Reply:
    asked = order(ctx)
    if asked is None:
        return catalogue(ctx, first=ctx.say("rewards.unknown"))
    outcome = rewards.redeem(ctx.session, asked)
    if isinstance(outcome, str):
        return _refused(ctx, outcome, asked.reward_id)
    made, now_made = outcome
    found = of_member(ctx.session, ctx.me, made.id)
    assert found is not None, "it was made or read in this transaction"
    return _held(ctx, found) if now_made else pick_up.state_of(ctx, found)


def _held(ctx: Context, found: Found) -> Reply:
    text = ctx.say(
        "rewards.held",
        name=found.reward.name,
        code=written_code(found.redemption.pickup_code),
        days=HOLD_FOR.days,
        place=pick_up.place_of(ctx, found.reward),
    )
    return Reply(text, pick_up.open_steps(ctx, found))


def _refused(ctx: Context, why: rewards.Refusal, reward_id: int) -> Reply:
    """Nothing was exchanged: why, and what can be done now."""
    reward = rewards.offer(ctx.session, reward_id, ctx.who.branch_path)
    if reward is None or why == "unknown" or reward.kind != "goods":
        return catalogue(ctx, first=ctx.say("rewards.unknown"))
    if why == "changed":
        return _preview(ctx, reward, first=ctx.say("rewards.changed", name=reward.name, price=reward.price))
    if why == "not_enough":
        return _too_little(ctx, reward, ledger.balance(ctx.session, ctx.me))
    if why == "too_many_open":
        return pick_up.mine(ctx, first=ctx.say("rewards.too_many_open", most=OPEN_MAX))
    if why == "too_many_in_year":
        first = ctx.say("rewards.too_many_in_year", name=reward.name, most=reward.per_member)
        return catalogue(ctx, first=first)
    return catalogue(ctx, first=ctx.say("rewards.sold_out", name=reward.name))


REWARDS = Command(
    "rewards",
    ("兑换", "礼品", "换礼品", "rewards", "redeem"),
    redeem,
    slash=("/rewards",),
    phrases=(
        *("我要兑换", "积分兑换", "积分能换什么", "兑换水杯", "有什么礼品", "what can i get"),
        *("换个杯子", "我想换", "换东西", "换奖品", "i want a cup"),
    ),
    steps={"取货码": "mine", "我的取货码": "mine", "我的兑换": "mine", "兑换记录": "mine", "pick-up code": "mine"},
    order=30,
)
