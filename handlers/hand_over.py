"""The reward keeper hands a piece over: code in, name and thing shown, one confirmation, once.

Actions: `hand_over`, `hand_over:CODE`, `hand_over:CODE:yes`; typed `核销 7K4M-29QD`; a scanned picture comes
with the same code. A keeper keeps what the organisations in the subtree of the role offer; a code of anybody
else is as unknown as a wrong one. What this conversation did is in the audit log.
"""

from __future__ import annotations

from db import audit, members, redemptions
from db.pickup_codes import read_code, written_code
from db.redemptions import Found
from handlers.conversation import Button, Command, Context, Reply
from handlers.dates import said_day, said_time

ROLE = "reward_keeper"


def hand_over(ctx: Context) -> Reply:
    """`核销`: asks for a code, shows what it is for, and closes it when the keeper confirms."""
    sure = len(ctx.args) == 2 and ctx.arg(1) == "yes"
    typed = ctx.arg() if sure else "".join(ctx.args)
    if not typed:
        return Reply(ctx.say("hand_over.ask"), expect="hand_over")
    found = redemptions.by_code(ctx.session, read_code(typed))
    if found is None:
        return Reply(ctx.say("hand_over.unknown"), expect="hand_over")
    if not _keeps(ctx, found):
        _log(ctx, found, "redemption.refused")
        return Reply(ctx.say("hand_over.unknown"), expect="hand_over")
    return _handed_over(ctx, found) if sure else _shown(ctx, found)


def _keeps(ctx: Context, found: Found) -> bool:
    stock_of = redemptions.kept_by(ctx.session, found.reward)
    return members.has_role(ctx.session, ctx.me, ROLE, stock_of, ctx.today)


def _shown(ctx: Context, found: Found) -> Reply:
    redemption, reward = found
    if not _open(ctx, found):
        return _closed(ctx, found)
    text = ctx.say(
        "hand_over.check",
        who=_receiver(ctx, found),
        name=reward.name,
        points=redemption.points,
        day=said_day(ctx, redemption.created_at),
        code=written_code(redemption.pickup_code),
    )
    buttons = (
        Button(ctx.say("hand_over.confirm"), f"hand_over:{redemption.pickup_code}:yes"),
        Button(ctx.say("hand_over.not_now"), "hand_over"),
    )
    return Reply(text, buttons, back="hand_over")


def _handed_over(ctx: Context, found: Found) -> Reply:
    redemption, reward = found
    assert redemption.id is not None
    if not redemptions.hand_over(ctx.session, redemption.id, keeper_id=ctx.me, now=ctx.now):
        return _closed(ctx, redemptions.by_id(ctx.session, redemption.id) or found)
    _log(ctx, found, "redemption.handed_over")
    text = ctx.say("hand_over.done", who=_receiver(ctx, found), name=reward.name)
    return Reply(text, (_next(ctx),))


def _open(ctx: Context, found: Found) -> bool:
    redemption = found.redemption
    return redemption.state == "held" and redemption.expires_at is not None and redemption.expires_at > ctx.now


def _closed(ctx: Context, found: Found) -> Reply:
    """Why there is nothing to hand over: who did it when, or how it ended otherwise."""
    redemption, reward = found
    state = "expired" if redemption.state == "held" else redemption.state
    ended = redemption.expires_at if state == "expired" else redemption.closed_at
    text = ctx.say(
        f"hand_over.{state}",
        name=reward.name,
        when=said_time(ctx, ended),
        keeper=_keeper(ctx, redemption.keeper_id),
    )
    return Reply(text, (_next(ctx),))


def _receiver(ctx: Context, found: Found) -> str:
    """The member's name; abroad only the first character, for comparing with the person at the desk."""
    return ctx.called(members.get(ctx.session, found.redemption.member_id).name)


def _keeper(ctx: Context, keeper_id: int | None) -> str:
    if keeper_id is None:
        return ""
    if keeper_id == ctx.me:
        return ctx.say("hand_over.you")
    return members.get(ctx.session, keeper_id).name if ctx.names_allowed else ctx.say("hand_over.a_keeper")


def _next(ctx: Context) -> Button:
    return Button(ctx.say("hand_over.next"), "hand_over")


def _log(ctx: Context, found: Found, action: str) -> None:
    redemption, reward = found
    audit.record(
        ctx.session,
        at=ctx.now,
        actor_id=ctx.me,
        action=action,
        subject=f"redemption:{redemption.id}",
        reward=reward.id,
        member=redemption.member_id,
    )


HAND_OVER = Command(
    "hand_over",
    ("核销", "兑付", "取货", "hand over"),
    hand_over,
    slash=("/handover",),
    roles=frozenset({ROLE}),
    phrases=("核对取货码", "交付礼品", "发礼品", "有人来领礼品"),
    in_menu=False,
    order=120,
)
