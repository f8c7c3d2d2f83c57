"""`工作`: what comes with an office, so that the menu stays short for people with many duties, too."""

from __future__ import annotations

from collections.abc import Sequence

from handlers.conversation import Button, Command, Context, Reply

DUTIES = (
    *("warnings", "declare", "rectify", "sheet", "hand_over", "inspect", "records", "broadcast", "receipts"),
    *("diagnosis", "standards", "group", "dated", "offices"),
    *("year_close", "vetoes", "star_corrections", "correction"),
)
"""The conversations of an office, what is urgent first."""
REVIEWS = (
    *("declaration_review", "wish_review", "record_review"),
    *("inspection_review", "spot_check", "approvals"),
)
"""Those in which somebody checks what others did."""
PAGE_SIZE = 6  # buttons of a page, without the one to the next


def work(ctx: Context) -> Reply:
    """`工作`, its further pages (`more:PLACE`) and `review`."""
    if ctx.arg() == "review":
        reviews = tuple(_button(ctx, name) for name in held(ctx, REVIEWS))
        return Reply(ctx.say("work.which_review" if reviews else "work.none"), reviews, back="work")
    all_steps, first = steps(ctx), ctx.arg_id(1) or 0
    if not all_steps:
        return Reply(ctx.say("work.none"))
    shown = all_steps[first : first + PAGE_SIZE]
    if not shown:
        first, shown = 0, all_steps[:PAGE_SIZE]
    if len(all_steps) > first + PAGE_SIZE:
        shown = (*shown, Button(ctx.say("work.more"), f"work:more:{first + PAGE_SIZE}"))
    return Reply(ctx.say("work.which"), shown, back="work" if first else "menu")


def steps(ctx: Context) -> tuple[Button, ...]:
    """What this person's offices bring; several reviews stand behind one button, and nothing is for none."""
    reviews = held(ctx, REVIEWS)
    buttons = [_button(ctx, name) for name in held(ctx, DUTIES)]
    if len(reviews) > 1:
        buttons.insert(1, Button(ctx.say("work.review"), "work:review"))
    else:
        buttons += [_button(ctx, name) for name in reviews]
    return tuple(buttons)


def held(ctx: Context, names: Sequence[str]) -> list[str]:
    """Those of the named commands that the roles of this person allow, in the order given."""
    from handlers import COMMANDS

    roles = {role for role, _ in ctx.roles()}
    allowed = {command.name for command in COMMANDS if roles & command.roles}
    return [name for name in names if name in allowed]


def _button(ctx: Context, name: str) -> Button:
    return Button(ctx.say(f"menu.{name}"), name)


WORK = Command(
    "work",
    ("工作", "支部工作", "我的工作", "work"),
    work,
    slash=("/work",),
    phrases=("我要审核", "有什么要办", "书记工作", "my duties"),
    steps=dict.fromkeys(("审核", "reviews"), "review"),
    in_menu=False,
)
