"""`诊断`: the weak points of an organisation by what they cost: what to do, whom to ask, by when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from db import power_board
from db.indices import OrgPowerIndex
from db.organizations import Organization
from handlers import power_scope
from handlers.conversation import Button, Command, Context, Reply
from handlers.fortress_index import branch_index
from handlers.index_words import short_of, title_of
from handlers.power_why import explained
from notices.said_pool import said_month
from notices.wording import two_places
from scoring.catalogue import shipped
from scoring.explain import Line, explain_fortress
from scoring.items import Indicator, Period
from scoring.suggestions import Suggestion

SHOWN_MAX = 5
NEXT = {
    "activity": "activities:new",
    "declare": "declare",
    "dues": "dues",
    "study": "study",
    "wishes": "wishes",
    "letters": "broadcast",
    "appraisal": "appraisal",
    "rectify": "rectify",
    "records": "records",
}
"""The conversation behind each next step of `suggestions.toml`."""


@dataclass(frozen=True, slots=True)
class Weak:
    """One weak point. lost: hundredths."""

    line: Line
    lost: int
    advice: Suggestion


def diagnose(ctx: Context) -> Reply:
    """`诊断`, or of:ORGANISATION:MONTH, item:..:ID, plan:.., fortress:.., find."""
    step = ctx.arg()
    if step == "find":
        return power_scope.find(ctx, " ".join(ctx.args[1:]), "diagnosis:of")
    branch = power_scope.asked(ctx)
    if branch is None and power_scope.may_choose(ctx) and not ctx.arg(1):
        return power_scope.find(ctx, "", "diagnosis:of")
    if branch is None or not power_scope.in_charge(ctx, branch):
        return Reply(ctx.say("diagnosis.not_yours"), (Button(ctx.say("menu.index"), "index"),))
    if step == "fortress":
        return _fortress(ctx, branch)
    row = _row(ctx, branch)
    if row is None:
        return _fortress(ctx, branch)  # before the first complete month there is only the year's index
    steps = {"item": _item, "plan": _plan}
    return steps.get(step, _list)(ctx, branch, row)


def _row(ctx: Context, branch: Organization) -> OrgPowerIndex | None:
    """The month that was asked for, else the latest one, published or not: who acts must not wait for the 16th."""
    if ctx.arg(2) or branch.id is None:
        return power_scope.result(ctx, branch)
    last = power_board.last_month(ctx.session, branch.id)
    return power_board.of(ctx.session, branch.id, last) if last is not None else None


def weak_points(ctx: Context, branch: Organization, row: OrgPowerIndex) -> list[Weak]:
    """What the month lost, the largest loss first."""
    figure = explained(ctx, branch, row)
    lines = [line for part in figure.parts for line in part.lines] if figure else []
    return _sorted([(line, _lost(line)) for line in lines])


def _lost(line: Line) -> int:
    return -line.value if line.most is None else line.most - line.value


def _sorted(lines: list[tuple[Line, int]]) -> list[Weak]:
    advice = shipped().suggestions.by_id
    found = [Weak(line, lost, advice[line.rule.id]) for line, lost in lines if lost > 0 and line.rule.id in advice]
    return sorted(found, key=lambda one: -one.lost)


def _list(ctx: Context, branch: Organization, row: OrgPowerIndex) -> Reply:
    say, found = ctx.say, weak_points(ctx, branch, row)
    fortress = Button(say("diagnosis.fortress"), f"diagnosis:fortress:{branch.id}")
    here = f"{branch.id}:{row.month}"
    if not found:
        return Reply(say("diagnosis.nothing", branch=branch.name, month=said_month(say, row.month)), (fortress,))
    name = "diagnosis.head" if power_scope.is_published(ctx, row.month) else "diagnosis.head_provisional"
    lines = [say(name, branch=branch.name, month=said_month(say, row.month), count=len(found))]
    lines += [_short(ctx, number, one) for number, one in enumerate(found[:SHOWN_MAX], 1)]
    buttons = [
        Button(short_of(ctx, one.line.rule), f"diagnosis:item:{here}:{one.line.rule.id}")
        for one in found[:SHOWN_MAX]
    ]
    buttons += [Button(say("diagnosis.plan"), f"diagnosis:plan:{here}"), fortress]
    return Reply("\n".join(lines), tuple(buttons), back=f"org_power:show:{here}")


def _short(ctx: Context, number: int, one: Weak) -> str:
    return ctx.say(
        "diagnosis.line",
        number=number,
        id=one.line.rule.id,
        lost=two_places(one.lost),
        do=one.advice.do_in(ctx.say.language),
    )


def _item(ctx: Context, branch: Organization, row: OrgPowerIndex) -> Reply:
    """One weak point: what it costs, what to do, whom to ask, by when, and the step that begins it."""
    say, here = ctx.say, f"{branch.id}:{row.month}"
    one = next((one for one in weak_points(ctx, branch, row) if one.line.rule.id == ctx.arg(3)), None)
    if one is None:
        return _list(ctx, branch, row)
    lines = [
        say("diagnosis.item", id=one.line.rule.id, title=title_of(ctx, one.line.rule), lost=two_places(one.lost)),
        say("diagnosis.do", do=one.advice.do_in(say.language)),
        say("diagnosis.ask", ask=_whom(ctx, one)),
        _until(ctx, one),
    ]
    buttons = [*_next(ctx, branch, one), Button(say("index.why"), f"org_power:item:{here}:{one.line.rule.id}")]
    return Reply("\n".join(lines), tuple(buttons), back=f"diagnosis:of:{here}")


def _whom(ctx: Context, one: Weak) -> str:
    return shipped().suggestions.whom(one.advice.ask).title_in(ctx.say.language)


def _last_day(ctx: Context, one: Weak) -> date:
    rule = one.line.rule
    kind: Period = rule.period if isinstance(rule, Indicator) else "monthly"
    return one.advice.until(kind, ctx.today)


def _until(ctx: Context, one: Weak) -> str:
    """By when: at once, or by the end of the period, and declared a few days later."""
    say, rule = ctx.say, one.line.rule
    if one.advice.by == "now":
        return say("diagnosis.now")
    last = _last_day(ctx, one)
    if isinstance(rule, Indicator) and rule.collect == "declare":
        declared = shipped().org_power.terms_on(ctx.today).deadlines.declare_until(last)
        return say(
            "diagnosis.until_declared",
            month=last.month,
            day=last.day,
            then_month=declared.month,
            then_day=declared.day,
        )
    return say("diagnosis.until", month=last.month, day=last.day)


def _next(ctx: Context, branch: Organization, one: Weak) -> list[Button]:
    """The step in the chat, for the secretary of this branch: nobody else can take it for them."""
    mine = any(role == "secretary" and node.id == branch.id for role, node in ctx.roles())
    step = NEXT.get(one.advice.next)
    return [Button(ctx.say(f"diagnosis.next_{one.advice.next}"), step)] if mine and step else []


def _plan(ctx: Context, branch: Organization, row: OrgPowerIndex) -> Reply:
    """The first weak points as a plan to copy: what, with whom, by when."""
    say = ctx.say
    lines = [
        say(
            "diagnosis.plan_head",
            branch=branch.name,
            month=said_month(say, row.month),
            score=two_places(row.score),
        )
    ]
    for number, one in enumerate(weak_points(ctx, branch, row)[:SHOWN_MAX], 1):
        last = _last_day(ctx, one)
        lines.append(
            say(
                "diagnosis.plan_line",
                number=number,
                title=title_of(ctx, one.line.rule),
                do=one.advice.do_in(say.language),
                ask=_whom(ctx, one),
                month=last.month,
                day=last.day,
            )
        )
    return Reply("\n".join(lines), back=f"diagnosis:of:{branch.id}:{row.month}")


def _fortress(ctx: Context, branch: Organization) -> Reply:
    """The common items of the fortress index that lack most, each with its advice."""
    say, found = ctx.say, branch_index(ctx, branch)
    if found is None:
        return Reply(say("index.no_branch"))
    figure = explain_fortress(shipped(), found.result, field=found.field, as_of=ctx.today)
    lines = [line for part in figure.parts for line in part.lines]
    weak = _sorted([(line, _lost(line)) for line in lines])
    text = [say("diagnosis.head_fortress", branch=branch.name, year=ctx.today.year)]
    text += [_short(ctx, number, one) for number, one in enumerate(weak[:SHOWN_MAX], 1)]
    buttons = (
        Button(say("index.why"), f"index:fortress_why:{branch.id}"),
        Button(say("menu.activities"), "activities"),
    )
    return Reply("\n".join(text), buttons, back=f"diagnosis:of:{branch.id}")


DIAGNOSIS = Command(
    "diagnosis",
    ("诊断", "整改建议", "diagnosis"),
    diagnose,
    roles=frozenset(power_scope.CHARGE),
    phrases=("哪里弱", "短板在哪里", "怎么整改", "支部怎么提分", "where are we weak"),
    steps=dict.fromkeys(("整改计划", "rectification plan"), "plan"),
    in_menu=False,
)
