"""Points: what can be spent, this year's index, and the last lines with their reasons."""

from __future__ import annotations

from db import ledger
from handlers.check_in import score_line
from handlers.conversation import Button, Command, Context, Reply
from scoring.catalogue import shipped

LINES_MAX = 10


def points(ctx: Context) -> Reply:
    """`积分`: balance and index; `明细` or `lines`: the last ten lines."""
    lines = ledger.lines(ctx.session, ctx.me, most=LINES_MAX)
    text = [score_line(ctx)]
    debt = ledger.purse(ctx.session, ctx.me)[1]
    if debt:
        text.append(ctx.say("points.debt", debt=debt))
    if lines:
        text.append(ctx.say("points.recent", count=len(lines)))
        text += [_told(ctx, line) for line in lines]
    else:
        text.append(ctx.say("points.none"))
    steps = (
        Button(ctx.say("menu.rewards"), "rewards"),
        Button(ctx.say("points.index"), "index"),
        Button(ctx.say("menu.check_in"), "check_in"),
    )
    return Reply("\n".join(text), steps)


def _told(ctx: Context, line: ledger.Entry) -> str:
    """One line as people read it: day, points with their sign, why, and whether it is for one side only."""
    place = "both" if line.in_index and line.in_wallet else "index" if line.in_index else "wallet"
    return ctx.say(
        f"points.line_{place}",
        month=line.day.month,
        day=line.day.day,
        points=f"{line.points:+d}",
        rule=_rule_title(ctx, line.rule_id),
        reason=f" {line.reason}" if line.reason else "",
    )


def _rule_title(ctx: Context, rule_id: str) -> str:
    name = f"points.rule_{rule_id}"
    if ctx.say.has(name):
        return ctx.say(name)
    try:
        return shipped().rule(rule_id).title_in(ctx.say.language)
    except LookupError:
        return rule_id


POINTS = Command(
    "points",
    ("积分", "明细", "我的积分", "points"),
    points,
    slash=("/points",),
    phrases=(
        *("我有多少分", "我有几分", "查积分", "积分余额", "看看分数", "积分明细", "how many points do i have"),
        *("签到了吗", "签到记录", "签到成功了吗", "交党费", "党费交了没有", "did i check in"),
    ),
    order=20,
)
