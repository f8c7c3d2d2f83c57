"""What waits at the desk for a member: the codes, the picture to show, and giving it back."""

from __future__ import annotations

from db import ledger, redemptions
from db.pickup_codes import written_code
from db.redemptions import Found
from db.rewards import Reward
from handlers.conversation import Button, Context, Picture, Reply
from handlers.dates import said_day, said_time

SCANNED = "p-"  # marks a pick-up code in a picture, so that a scan comes to the keeper's conversation


def place_of(ctx: Context, reward: Reward) -> str:
    """Where the reward is handed over."""
    return reward.place or ctx.say("rewards.place")


def open_steps(ctx: Context, found: Found) -> tuple[Button, ...]:
    """What can be done with a piece that waits."""
    return (
        Button(ctx.say("rewards.qr"), f"rewards:qr:{found.redemption.id}"),
        Button(ctx.say("rewards.give_up"), f"rewards:cancel:{found.redemption.id}"),
    )


def mine(ctx: Context, *, first: str = "") -> Reply:
    """What waits for the member, and the last ones that were closed."""
    found = redemptions.recent(ctx.session, ctx.me)
    if not found:
        return Reply(ctx.say("rewards.none_yet"), (Button(ctx.say("menu.rewards"), "rewards"),))
    lines = [first] if first else []
    lines += [_state_text(ctx, one) for one in found]
    buttons = [
        Button(ctx.say("rewards.see", name=one.reward.name), f"rewards:code:{one.redemption.id}")
        for one in found
        if _waits(ctx, one)
    ]
    return Reply("\n".join(lines), tuple(buttons), back="rewards")


def shown(ctx: Context, *, with_picture: bool = False) -> Reply:
    """One redemption of the member's own, with its picture when asked for."""
    found = redemptions.of_member(ctx.session, ctx.me, ctx.arg_id(1))
    if found is None:
        return mine(ctx, first=ctx.say("rewards.code_unknown"))
    reply = state_of(ctx, found)
    if not with_picture or not _waits(ctx, found):
        return reply
    code = found.redemption.pickup_code or ""
    alt = ctx.say("rewards.qr_alt", code=written_code(code))
    give_up = open_steps(ctx, found)[1:]
    return Reply(reply.text, give_up, Picture("qr", {"text": f"{SCANNED}{code}"}, alt), back="rewards:mine")


def state_of(ctx: Context, found: Found) -> Reply:
    """What became of a redemption, and what can be done with it now."""
    again = (Button(ctx.say("menu.rewards"), "rewards"),)
    return Reply(
        _state_text(ctx, found), open_steps(ctx, found) if _waits(ctx, found) else again, back="rewards:mine"
    )


def cancelled(ctx: Context) -> Reply:
    """Give a held piece back: points and piece return once, whoever presses how often."""
    found = redemptions.of_member(ctx.session, ctx.me, ctx.arg_id(1))
    if found is None:
        return mine(ctx, first=ctx.say("rewards.code_unknown"))
    redemption, reward = found
    assert redemption.id is not None
    if not redemptions.cancel(ctx.session, redemption.id, now=ctx.now, day=ctx.today):
        return state_of(ctx, redemptions.by_id(ctx.session, redemption.id) or found)
    text = ctx.say(
        "rewards.given_up",
        name=reward.name,
        points=redemption.points,
        balance=ledger.balance(ctx.session, ctx.me),
    )
    again = Button(ctx.say("rewards.again", name=reward.name), f"rewards:item:{reward.id}")
    return Reply(text, (again,), back="rewards")


def _waits(ctx: Context, found: Found) -> bool:
    """Held and still in time."""
    redemption = found.redemption
    return redemption.state == "held" and redemption.expires_at is not None and redemption.expires_at > ctx.now


def _state_text(ctx: Context, found: Found) -> str:
    redemption, reward = found
    state = redemption.state
    if state == "held" and not _waits(ctx, found):
        state = "over"  # its time is over and the points are on their way back
    if reward.kind == "project":
        state = "funded"
    return ctx.say(
        f"rewards.state_{state}",
        name=reward.name,
        code=written_code(redemption.pickup_code),
        points=redemption.points,
        until=said_time(ctx, redemption.expires_at),
        place=place_of(ctx, reward),
        closed=said_day(ctx, redemption.closed_at),
    )
