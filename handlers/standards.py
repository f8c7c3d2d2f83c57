"""The standards ledger in chat: a secretary fills in item by item; the committee's side is in its own file.

Actions: `standards`, `standards:item:ITEM`, `standards:fill:ITEM` (words, a picture, or both).
"""

from __future__ import annotations

from collections.abc import Callable

from db import standards
from db.organizations import Organization
from db.standards import StandardEntry
from handlers import standards_check
from handlers.conversation import Button, Command, Context, Picture, Reply
from scoring.catalogue import shipped
from scoring.standards import StandardItem
from scoring.star_facts import ledger_of

SHOWN_MAX = 6
WORDS_MAX = 200  # characters


def ledger(ctx: Context) -> Reply:
    """`达标`: how the own branch or the own subtree stands; with arguments, one step."""
    steps: dict[str, Callable[[Context], Reply]] = {
        "own": _own,
        "item": _item,
        "fill": _fill,
        **standards_check.STEPS,
    }
    step = steps.get(ctx.arg())
    if step:
        return step(ctx)
    return _own(ctx) if ctx.node("secretary") else standards_check.rates(ctx)


def _branch(ctx: Context) -> Organization | None:
    own = ctx.node("secretary")
    return own if own is not None and own.field is not None else None


def _items(ctx: Context, branch: Organization) -> dict[str, StandardItem]:
    return {item.id: item for item in shipped().ratings.standards_on(branch.field or "", ctx.today)}


def _own(ctx: Context, first: str = "") -> Reply:
    """The branch's state, and what is not met yet: mandatory items first."""
    say, branch = ctx.say, _branch(ctx)
    if branch is None or branch.id is None:
        return Reply(say("standards.not_yours"))
    state = ledger_of(ctx.session, branch, ctx.today)
    name = "standards.up" if state.up_to_standard else "standards.not_up"
    missing = len(state.missing_mandatory)
    lines = [first] if first else []
    lines.append(say(name, branch=branch.name, met=state.met, total=state.total, missing=missing))
    known = {(one.item_id, one.version): one for one in standards.of_branch(ctx.session, branch.id)}
    open_ones = []
    for item in _items(ctx, branch).values():
        entry = known.get((item.id, item.version))
        if entry is None or entry.state != "met":
            open_ones.append((not item.mandatory, entry is not None and entry.state == "filled", item))
    open_ones.sort(key=lambda one: one[:2])
    buttons = []
    for optional, waits, item in open_ones[:SHOWN_MAX]:
        mark = say(
            "standards.waits_short" if waits else "standards.optional" if optional else "standards.mandatory"
        )
        buttons.append(Button(f"{item.title_in(say.language)}（{mark}）", f"standards:item:{item.id}"))
    buttons.append(Button(say("menu.six_stars"), "six_stars"))
    return Reply("\n".join(lines), tuple(buttons))


def _asked(ctx: Context) -> tuple[Organization, StandardItem, StandardEntry | None] | None:
    branch = _branch(ctx)
    item = _items(ctx, branch).get(ctx.arg(1)) if branch is not None else None
    if branch is None or branch.id is None or item is None:
        return None
    return branch, item, standards.entry(ctx.session, branch.id, item.id, item.version)


def _item(ctx: Context, first: str = "") -> Reply:
    """What is required, what is there, and what was found; free text or a picture fills it in."""
    asked = _asked(ctx)
    if asked is None:
        return _own(ctx, ctx.say("standards.unknown"))
    say, (_, item, entry) = ctx.say, asked
    lines = [first] if first else []
    lines.append(
        say(
            "standards.item",
            item=item.title_in(say.language),
            list=say(f"standards.list_{item.list}"),
            required=item.required_in(say.language),
        )
    )
    lines.append(said_entry(ctx, entry))
    picture = None
    if entry is not None and entry.picture_id is not None:
        picture = Picture("stored", {"id": entry.picture_id}, say("standards.picture"))
    if entry is not None and entry.state == "met":
        return Reply("\n".join(lines), picture=picture, back="standards")
    lines.append(say("standards.fill"))
    return Reply("\n".join(lines), picture=picture, expect=f"standards:fill:{item.id}", back="standards")


def said_entry(ctx: Context, entry: StandardEntry | None) -> str:
    """How an item stands, in words."""
    if entry is None:
        return ctx.say("standards.is_empty")
    until = entry.rectify_deadline
    return ctx.say(
        f"standards.is_{entry.state}",
        actual=entry.actual,
        why=entry.reason,
        month=until.month if until else "",
        day=until.day if until else "",
    )


def _fill(ctx: Context) -> Reply:
    asked = _asked(ctx)
    if asked is None:
        return _own(ctx, ctx.say("standards.unknown"))
    say, (branch, item, _) = ctx.say, asked
    words = " ".join(" ".join(ctx.args[2:]).split())
    if (not words and ctx.picture_id is None) or len(words) > WORDS_MAX:
        return _item(ctx, say("standards.words", most=WORDS_MAX))
    values = {
        "organization_id": branch.id,
        "item_id": item.id,
        "version": item.version,
        "required": item.required,
        "actual": words or say("standards.see_picture"),
        "picture_id": ctx.picture_id,
        "filled_by": ctx.me,
        "filled_at": ctx.now,
    }
    filled = standards.fill(ctx.session, values)
    return _own(
        ctx, say("standards.filled" if filled else "standards.met_before", item=item.title_in(say.language))
    )


STANDARDS = Command(
    "standards",
    ("达标", "达标台账", "standards"),
    ledger,
    slash=("/standards",),
    roles=frozenset({"secretary", *standards_check.ROLES}),
    phrases=("支部达标了吗", "还差哪些标准", "规范化标准"),
    in_menu=False,
    order=145,
)
