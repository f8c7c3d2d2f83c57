"""Points: what can be spent, this year's index, the lines with their reasons, and what stands behind each."""

from __future__ import annotations

from db import appeals, ledger, ledger_lines
from handlers.appeals import may_appeal
from handlers.check_in import score_line
from handlers.conversation import Button, Command, Context, Picture, Reply
from handlers.index_words import FROM_RULE, worth_of
from handlers.line_evidence import evidence
from handlers.paging import LINES_MAX
from scoring.catalogue import shipped

PAGE = 6  # lines on buttons


def points(ctx: Context) -> Reply:
    """`积分`: balance, index and the last lines; `lines`: lines to look at; `line:ID`: one of them."""
    if ctx.arg() == "lines":
        return _lines(ctx)
    if ctx.arg() == "line":
        return _line(ctx)
    text = [score_line(ctx)]
    debt = ledger.purse(ctx.session, ctx.me)[1]
    if debt:
        text.append(ctx.say("points.debt", debt=debt))
    lines = ledger.lines(ctx.session, ctx.me, most=LINES_MAX - len(text) - 1)  # the others: `lines`
    if lines:
        text.append(ctx.say("points.recent", count=len(lines)))
        text += [_told(ctx, line) for line in lines]
    else:
        text.append(ctx.say("points.none"))
    steps = [
        Button(ctx.say("menu.rewards"), "rewards"),
        Button(ctx.say("points.index"), "index"),
        Button(ctx.say("menu.check_in"), "check_in"),
    ]
    if lines:
        steps.append(Button(ctx.say("points.look"), "points:lines"))
    return Reply("\n".join(text), tuple(steps))


def _lines(ctx: Context) -> Reply:
    """A page of lines, each on a button."""
    offset = ctx.arg_id(1) or 0
    found = ledger.lines(ctx.session, ctx.me, most=PAGE + 1, offset=offset)
    buttons = [Button(_short(ctx, line), f"points:line:{line.id}") for line in found[:PAGE]]
    if len(found) > PAGE:
        buttons.append(Button(ctx.say("menu.more"), f"points:lines:{offset + PAGE}"))
    text = ctx.say("points.which_line" if found else "points.none")
    return Reply(text, tuple(buttons), back="points")


def _line(ctx: Context) -> Reply:
    """One line of one's own down to its evidence, with the way to appeal it."""
    line = ledger_lines.by_id(ctx.session, ctx.arg_id(1))
    if line is None or line.id is None or line.member_id != ctx.me:
        return Reply(ctx.say("line.unknown"), back="points:lines")
    shown = evidence(ctx, line)
    booked = line.booked_at.astimezone(ctx.zone).date()
    lines = [_told(ctx, line), shown.words, ctx.say("line.booked", day=booked.isoformat(), rule=line.rule_id)]
    buttons = []
    appeal = appeals.of_entry(ctx.session, line.id)
    if appeal is not None:
        lines.append(ctx.say(f"line.appeal_{appeal.state}", words=appeal.words, answer=appeal.answer))
    elif may_appeal(ctx, line):
        buttons.append(Button(ctx.say("line.appeal_button"), f"appeal:{line.id}"))
    if _known(line.rule_id):
        buttons.append(Button(ctx.say("line.rule_button"), f"index:rule:{line.rule_id}"))
    back = f"index:rule:{line.rule_id}" if ctx.arg(2) == FROM_RULE else "points:lines"
    picture = None
    if shown.picture_id is not None:
        picture = Picture("stored", {"id": shown.picture_id}, ctx.say("record_review.picture_alt"))
    return Reply("\n".join(lines), tuple(buttons), picture, back=back)


def _short(ctx: Context, line: ledger.Entry) -> str:
    return ctx.say(
        "points.line_button",
        month=line.day.month,
        day=line.day.day,
        points=worth_of(ctx, line),
        rule=_rule_title(ctx, line.rule_id),
    )


def _told(ctx: Context, line: ledger.Entry) -> str:
    """One line as people read it: day, points with their sign, why, and whether it is for one side only."""
    place = "both" if line.in_index and line.in_wallet else "index" if line.in_index else "wallet"
    return ctx.say(
        f"points.line_{place}",
        month=line.day.month,
        day=line.day.day,
        points=worth_of(ctx, line),
        rule=_rule_title(ctx, line.rule_id),
        reason=f" {line.reason}" if line.reason else "",
    )


def _known(rule_id: str) -> bool:
    return any(rule.id == rule_id for rule in shipped().pioneer.rule)


def _rule_title(ctx: Context, rule_id: str) -> str:
    name = f"points.rule_{rule_id}"
    if ctx.say.has(name):
        return ctx.say(name)
    return shipped().rule(rule_id).title_in(ctx.say.language) if _known(rule_id) else rule_id


POINTS = Command(
    "points",
    ("积分", "明细", "我的积分", "points"),
    points,
    slash=("/points",),
    phrases=(
        *("我有多少分", "我有几分", "查积分", "积分余额", "看看分数", "积分明细", "how many points do i have"),
        *("签到了吗", "签到记录", "签到成功了吗", "交党费", "党费交了没有", "did i check in"),
    ),
    steps=dict.fromkeys(("看一笔积分", "look at a line"), "lines"),
    order=20,
)
