"""`检查`: what an inspector can do, and how the own inspections stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from db import inspections, organizations, rectifications
from db.inspections import Inspection
from handlers import inspection_closing, inspection_draft, inspection_making, inspection_plan, inspection_words
from handlers.conversation import Button, Command, Context, Reply

SHOWN_MAX = 7


def inspect(ctx: Context) -> Reply:
    """`检查`, or one of its steps."""
    step = STEPS.get(ctx.arg())
    return step(ctx) if step else _home(ctx)


def _home(ctx: Context) -> Reply:
    say = ctx.say
    waiting = len(rectifications.handed_in_to(ctx.session, ctx.me, SHOWN_MAX))
    buttons = [Button(say("inspections.new"), "inspect:new"), Button(say("inspections.mine"), "inspect:mine")]
    if waiting:
        buttons.append(Button(say("inspections.to_accept", count=waiting), "inspect:handed_in"))
    buttons.append(Button(say("inspections.draw", count=inspection_plan.DRAWN), "inspect:draw"))
    return Reply(say("inspections.home"), tuple(buttons))


def _mine(ctx: Context) -> Reply:
    found = inspections.of_inspector(ctx.session, ctx.me, SHOWN_MAX)
    if not found:
        return Reply(ctx.say("inspections.none_yet"), (Button(ctx.say("inspections.new"), "inspect:new"),))
    lines = [ctx.say("inspections.mine_are", count=len(found))]
    buttons = []
    for number, one in enumerate(found, 1):
        lines.append(f"{number}. {inspection_words.line(ctx, one)}：{inspection_words.state(ctx, one)}")
        buttons.append(Button(ctx.say("inspections.choice", number=number), f"inspect:see:{one.id}"))
    return Reply("\n".join(lines), tuple(buttons), back="inspect")


def _own(ctx: Context) -> Inspection | None:
    """The inspection that the argument names: the own one, while this person inspects there."""
    inspection = inspections.by_id(ctx.session, ctx.arg_id(1))
    if inspection is None or inspection.inspector_id != ctx.me:
        return None
    branch = organizations.get(ctx.session, inspection.organization_id)
    return inspection if any(branch.path.startswith(path) for path in inspection_draft.paths(ctx)) else None


def _unknown(ctx: Context) -> Reply:
    return Reply(ctx.say("inspections.unknown"), (Button(ctx.say("inspections.mine"), "inspect:mine"),))


def _see(ctx: Context) -> Reply:
    inspection = _own(ctx)
    if inspection is None:
        return _unknown(ctx)
    card = rectifications.of_inspection(ctx.session, inspection.id)
    text = inspection_words.whole(ctx, inspection, inside=True)
    buttons: tuple[Button, ...] = ()
    if card is not None:
        text = f"{text}\n{inspection_words.card_state(ctx, card)}"
        if card.state == "handed_in":
            buttons = (Button(ctx.say("inspections.see_closing"), f"inspect:closing:{inspection.id}"),)
    return Reply(text, buttons, inspection_words.photo(ctx, inspection), back="inspect:mine")


def _handed_in(ctx: Context) -> Reply:
    found = rectifications.handed_in_to(ctx.session, ctx.me, SHOWN_MAX)
    return inspection_closing.listed(ctx, [one for _, one, _ in found], "inspect")


def _closing(step: Callable[[Context, Inspection, str], Reply]) -> Callable[[Context], Reply]:
    def run(ctx: Context) -> Reply:
        inspection = _own(ctx)
        return step(ctx, inspection, "inspect") if inspection is not None else _unknown(ctx)

    return run


STEPS: Mapping[str, Callable[[Context], Reply]] = {
    **inspection_making.STEPS,
    "mine": _mine,
    "see": _see,
    "handed_in": _handed_in,
    "draw": inspection_plan.draw,
    **{name: _closing(step) for name, step in inspection_closing.STEPS.items()},
}

INSPECT = Command(
    "inspect",
    ("检查", "督查", "inspect"),
    inspect,
    slash=("/inspect",),
    roles=frozenset({"inspector"}),
    phrases=("记录一次检查", "明察暗访", "我要去检查支部"),
    in_menu=False,
    order=140,
)
