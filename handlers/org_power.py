"""`组织力`: an organisation's index of a month, its place, weak sides and radar; those above choose any below."""

from __future__ import annotations

from collections.abc import Callable

from db import power_board
from db.indices import OrgPowerIndex
from db.organizations import Organization
from handlers import power_scope, power_why
from handlers.conversation import Button, Command, Context, Picture, Reply
from notices.boards import own_place, power_board_of
from notices.said_pool import month_end, months_back, said_month
from notices.wording import two_places
from scoring.branch_power import medians, power_of
from scoring.catalogue import shipped
from scoring.charts import Axis, radar
from scoring.org_power import OrgPowerResult

WEAK_SHOWN, CAUSES_SHOWN = 2, 2


def org_power(ctx: Context) -> Reply:
    """`组织力指数`, with a month (`2026-03`) or a name behind it; or show, radar and the steps of why."""
    step = ctx.arg()
    if step == "find":
        return power_scope.find(ctx, " ".join(ctx.args[1:]), "org_power:show")
    if step not in STEPS and step and not power_scope.MONTH.fullmatch(step):
        return power_scope.find(ctx, " ".join(ctx.args), "org_power:show")
    place = 1 if step in STEPS else len(ctx.args)
    branch = power_scope.asked(ctx, place)
    if branch is None:
        if power_scope.may_choose(ctx) and not ctx.arg(place):
            return power_scope.find(ctx, "", "org_power:show")
        return Reply(ctx.say("power.no_branch"), (_index(ctx),))
    row = power_scope.result(ctx, branch, 2 if step in STEPS else 0)
    if row is None:
        return Reply(ctx.say("power.no_result", branch=branch.name), _others(ctx, branch))
    return STEPS.get(step, _show)(ctx, branch, row)


def _index(ctx: Context) -> Button:
    return Button(ctx.say("menu.index"), "index")


def _others(ctx: Context, branch: Organization) -> tuple[Button, ...]:
    """Ways on that need no result of this month."""
    choose = (Button(ctx.say("power.choose"), "org_power:find"),) if power_scope.may_choose(ctx) else ()
    return (Button(ctx.say("index.fortress_button"), f"index:fortress:{branch.id}"), *choose)


def _show(ctx: Context, branch: Organization, row: OrgPowerIndex) -> Reply:
    """Figure, place, dimensions, the two weakest with what is behind them, colours."""
    say, published = ctx.say, power_scope.is_published(ctx, row.month)
    name = "power.published" if published else "power.provisional"
    lines = [say(name, branch=branch.name, month=said_month(say, row.month), score=two_places(row.score))]
    lines.append(_place(ctx, row))
    lines.append(_dimensions(ctx, row))
    found = power_of(ctx.session, branch, row.month)
    if found is not None:
        lines += _weak(ctx, found)
    colours = power_board.colours_of(ctx.session, row.organization_id, row.month)
    if colours:
        named = say("pool.between").join(say(f"pool.{colour}") for colour in colours)
        lines.append(say("power.colours", colours=named))
    return Reply("\n".join(lines), tuple(_steps(ctx, branch, row)), back="index")


def _place(ctx: Context, row: OrgPowerIndex) -> str:
    """Own place and the change against the month before; nobody else's."""
    say = ctx.say
    before = power_board.of(ctx.session, row.organization_id, months_back(row.month, 2)[0])
    text = own_place(say, power_board_of(ctx.session, say, row.field, row.month), row, before)
    if before is None:
        return text
    change = row.score - before.score
    name = "power.higher" if change > 0 else "power.lower" if change < 0 else "power.same"
    return text + say(name, points=two_places(abs(change)))


def _dimensions(ctx: Context, row: OrgPowerIndex) -> str:
    say = ctx.say
    named = [
        f"{one.title_in(say.language)} {two_places(getattr(row, one.id))}" for one in shipped().org_power.dimension
    ]
    most = shipped().org_power.terms_on(month_end(row.month)).index.dimension_points
    return say(
        "power.dimensions",
        dimensions=say("index.step_joint").join(named),
        most=most,
        deduction=two_places(row.deduction),
    )


def _weak(ctx: Context, found: OrgPowerResult) -> list[str]:
    """The two weakest dimensions, each with the indicators that stand unmet behind it."""
    say, full = ctx.say, 100 * shipped().org_power.terms_on(found.month.last).index.dimension_points
    titles = {one.id: one.title_in(say.language) for one in shipped().org_power.dimension}
    weak = sorted((one for one in found.dimensions if one.score < full), key=lambda one: one.score)
    lines = []
    for one in weak[:WEAK_SHOWN]:
        unmet = [
            f"{own.indicator.id} {own.indicator.title_in(say.language)}"
            for own in found.indicators
            if own.standing == "unmet" and own.indicator.dimension == one.id
        ]
        causes = say("power.between").join(unmet[:CAUSES_SHOWN])
        name = "power.weak_more" if len(unmet) > CAUSES_SHOWN else "power.weak"
        lines.append(
            say(name, dimension=titles[one.id], score=two_places(one.score), causes=causes, count=len(unmet))
        )
    return lines


def _steps(ctx: Context, branch: Organization, row: OrgPowerIndex) -> list[Button]:
    say, here = ctx.say, f"{branch.id}:{row.month}"
    steps = [
        Button(say("index.why"), f"org_power:why:{here}"),
        Button(say("index.radar"), f"org_power:radar:{here}"),
    ]
    if power_scope.in_charge(ctx, branch):
        steps.append(Button(say("diagnosis.button"), f"diagnosis:of:{here}"))
        steps.append(Button(say("power.who_acts"), "warnings"))
    last = power_board.last_month(ctx.session, row.organization_id)
    if last is not None and last != row.month:
        steps.append(
            Button(say("power.other_month", month=said_month(say, last)), f"org_power:show:{branch.id}:{last}")
        )
    steps.append(Button(say("power.board"), f"board:power:{row.field}"))
    if power_scope.may_choose(ctx):
        steps.append(Button(say("power.choose"), "org_power:find"))
    return steps


def _radar(ctx: Context, branch: Organization, row: OrgPowerIndex) -> Reply:
    """The five dimensions against the median of the field in that month."""
    say = ctx.say
    titles = shipped().org_power.dimension
    most = 100 * shipped().org_power.terms_on(month_end(row.month)).index.dimension_points
    values = [getattr(row, one.id) for one in titles]
    middle = medians(ctx.session, row.month, row.field)
    when = said_month(say, row.month)
    state = "power.radar_published" if power_scope.is_published(ctx, row.month) else "power.radar_provisional"
    drawn = radar(
        branch.name,
        [Axis(one.title_in(say.language), most) for one in titles],
        values,
        middle,
        own_label=say("power.own_label"),
        median_label=say("index.median_label"),
        subtitle=say(state, month=when, field=say(f"fields.{row.field}")),
        language="en" if say.language == "en" else "zh",
    )
    lines = [say("power.radar_head", branch=branch.name, month=when)]
    lines += [
        say("power.radar_line", title=one.title_in(say.language), own=two_places(own), median=two_places(other))
        for one, own, other in zip(titles, values, middle, strict=True)
    ]
    found = power_of(ctx.session, branch, row.month)
    lines += _weak(ctx, found) if found is not None else ()
    steps = (
        Button(say("index.why"), f"org_power:why:{branch.id}:{row.month}"),
        Button(say("power.fortress_radar"), f"index:radar:{branch.id}"),
        Button(say("power.board"), f"board:power:{row.field}"),
    )
    picture = Picture("chart", drawn.data(), drawn.alt)
    return Reply("\n".join(lines), steps, picture, back=f"org_power:show:{branch.id}:{row.month}")


Step = Callable[[Context, Organization, OrgPowerIndex], Reply]
STEPS: dict[str, Step] = {"show": _show, "radar": _radar, **power_why.STEPS}
"""What a button can ask about one organisation and month: STEP:ORGANISATION:MONTH."""

ORG_POWER = Command(
    "org_power",
    ("组织力指数", "组织力", "org-power"),
    org_power,
    slash=("/orgpower",),
    phrases=(
        "组织力指数是多少",
        "我们支部组织力",
        "组织力排第几",
        "五个维度",
        "what is our organisational power index",
    ),
    steps={
        **dict.fromkeys(("雷达图", "组织力雷达图", "看看雷达图", "radar chart"), "radar"),
        **dict.fromkeys(("组织力为什么是这个分", "why this organisational power index"), "why"),
    },
    in_menu=False,
)
