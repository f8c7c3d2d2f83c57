"""`预警`: what a person has to act on, as a list: the own branch's, or the subtree's for people above."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from db import pool, warnings
from db.organizations import Organization
from db.warnings import OTHER, POOL, BranchWarning
from handlers import warning_page, warning_soon, warning_why
from handlers.conversation import HOME, Button, Command, Context, Reply
from handlers.paging import LINES_MAX
from handlers.warning_page import ABOVE, sees
from notices.said_warnings import said_warning

SHOWN_MAX = LINES_MAX - 2  # a line above tells how many, and one by colour or what comes soon
KINDS = {"red": POOL[0], "yellow": POOL[1], "blue": POOL[2], OTHER: OTHER}
"""Word in a button -> kind of warning."""


def show_warnings(ctx: Context) -> Reply:
    """`预警`, or one of its buttons: list:KIND:PAGE, by, past:PAGE, all[:COUNT], soon, ack:all, or STEP:ID."""
    step = ctx.arg()
    if step == "ack" and ctx.arg(1) == "all":
        return warning_page.acknowledge_own(ctx)
    lists = {"list": _chosen, "by": _by_colour, "past": _past, "all": _all_seen, "soon": warning_soon.soon}
    if step in lists:
        return lists[step](ctx)
    steps = {**warning_page.STEPS, **warning_why.STEPS}
    if step not in steps:
        return _list(ctx)
    warning_id = ctx.arg_id(1)
    warning = warnings.get(ctx.session, warning_id) if warning_id is not None else None
    if warning is None or not sees(ctx, warning):
        return Reply(ctx.say("warnings.unknown"), (Button(ctx.say("warnings.list"), "warnings"),))
    return steps[step](ctx, warning)


def _list(ctx: Context) -> Reply:
    """The own branch's warnings for a secretary; those of the subtree for people above."""
    own, scope = _own_branch(ctx), _scope(ctx)
    if own is not None and own.id is not None:
        listed = warnings.live(ctx.session, [own.id])
        if listed or scope is None:
            return _own(ctx, own, listed)
    return _chosen(ctx)


def _own_branch(ctx: Context) -> Organization | None:
    """The branch whose secretary this is."""
    return next((node for role, node in ctx.roles() if role == "secretary" and node.field is not None), None)


def _scope(ctx: Context) -> Organization | None:
    """The highest node whose warnings this person looks after; None for a branch's secretary."""
    nodes = [node for role, node in ctx.roles() if role in ABOVE or (role == "secretary" and node.field is None)]
    return min(nodes, key=lambda one: len(one.path), default=None)


def _chosen(ctx: Context) -> Reply:
    """A page of the subtree's warnings, of all kinds or of one."""
    say, node = ctx.say, _scope(ctx)
    if node is None:
        return _list(ctx) if _own_branch(ctx) else Reply(say("warnings.none"), (_board(ctx),))
    word, page = ctx.arg(1), ctx.arg_id(2) or 0
    kind = KINDS.get(word)
    counts = warnings.counts_under(ctx.session, node.path)
    count = counts.get(kind, 0) if kind else sum(counts.values())
    if not count:
        past = Button(say("warnings.past"), "warnings:past")
        return Reply(say("warnings.none"), (_board(ctx), *((past,) if _has_past(ctx, node) else ())))
    page = min(page, (count - 1) // SHOWN_MAX)
    lines = [say("warnings.others", node=node.name, count=count)]
    if kind is None and any(one in POOL for one in counts):
        lines.append(_counted(ctx, counts))
    roles = [role for role, _ in _owned(ctx)]
    shown = warnings.under(ctx.session, node.path, SHOWN_MAX, kind=kind, skip=page * SHOWN_MAX, first=roles)
    buttons = _lined(ctx, shown, lines)
    if count > page * SHOWN_MAX + len(shown):
        buttons.append(Button(say("menu.more"), f"warnings:list:{word or 'any'}:{page + 1}"))
    buttons.append(Button(say("warnings.by_colour"), "warnings:by"))
    return Reply("\n".join(lines), tuple(buttons), back="warnings:by" if kind else HOME)


def _board(ctx: Context) -> Button:
    return Button(ctx.say("menu.board"), "board")


def _has_past(ctx: Context, node: Organization) -> bool:
    return bool(warnings.past_under(ctx.session, node.path, 1))


def _counted(ctx: Context, counts: dict[str, int]) -> str:
    say = ctx.say
    named = [
        say("pool.count", colour=say(f"pool.{word}"), count=counts[kind])
        for word, kind in KINDS.items()
        if kind in POOL and kind in counts
    ]
    return say("pool.between").join(named)


def _lined(
    ctx: Context, shown: Sequence[tuple[BranchWarning, Organization]], lines: list[str], *, of_branch: bool = True
) -> list[Button]:
    """Add a numbered line per warning; the buttons that open them."""
    buttons = []
    for number, (warning, branch) in enumerate(shown, 1):
        figures = {"line": said_warning(ctx.say, warning, ctx.today), "seen": _seen(ctx, warning)}
        if of_branch:
            lines.append(ctx.say("warnings.branch_line", number=number, branch=branch.name, **figures))
        else:
            lines.append(ctx.say("warnings.line", number=number, **figures))
        buttons.append(Button(ctx.say("warnings.choice", number=number), f"warnings:show:{warning.id}"))
    return buttons


def _seen(ctx: Context, warning: BranchWarning) -> str:
    if warning.state == "acknowledged":
        return ctx.say("warnings.seen")
    return ctx.say("warnings.waits") if any(role == warning.owner_role for role, _ in _owned(ctx)) else ""


def _own(ctx: Context, branch: Organization, listed: Sequence[BranchWarning]) -> Reply:
    say = ctx.say
    soon = warning_soon.announced(ctx, branch)
    more = [Button(say("warnings.soon"), "warnings:soon")] if soon else []
    if _scope(ctx) is not None:
        more.append(Button(say("warnings.subtree"), "warnings:list"))
    if len(listed) == 1 and not more:
        return replace(warning_page.show(ctx, listed[0]), back=HOME)  # there is no list behind it
    if not listed:
        text = "\n".join((say("warnings.none"), *soon))
        past = [Button(say("warnings.past"), "warnings:past")] if _has_past(ctx, branch) else []
        return Reply(text, (Button(say("menu.activities"), "activities"), *more, *past))
    page = min(ctx.arg_id(2) or 0, (len(listed) - 1) // SHOWN_MAX)
    shown = listed[page * SHOWN_MAX : (page + 1) * SHOWN_MAX]
    lines = [say("warnings.own", count=len(listed))]
    buttons = _lined(ctx, [(one, branch) for one in shown], lines, of_branch=False)
    if len(listed) > page * SHOWN_MAX + len(shown):
        more.insert(0, Button(say("menu.more"), f"warnings:own:any:{page + 1}"))
    return Reply("\n".join((*lines, *soon)), (*buttons, *more))


def _by_colour(ctx: Context) -> Reply:
    """How many there are of each kind, and what waits for this person."""
    say, node = ctx.say, _scope(ctx)
    if node is None:
        return _list(ctx)
    counts = warnings.counts_under(ctx.session, node.path)
    buttons = [
        Button(
            say("warnings.of_kind", kind=say(f"warnings.kind_{word}"), count=counts[kind]), f"warnings:list:{word}"
        )
        for word, kind in KINDS.items()
        if kind in counts
    ]
    waiting = sum(warnings.count_open(ctx.session, one.path, role) for role, one in _owned(ctx))
    if waiting:
        buttons.append(Button(say("warnings.ack_all"), "warnings:all"))
    buttons.append(Button(say("warnings.past"), "warnings:past"))
    return Reply(say("warnings.choose", node=node.name, count=waiting), tuple(buttons), back="warnings:list")


def _owned(ctx: Context) -> list[tuple[str, Organization]]:
    """The roles under which this person owns colours, each with its node."""
    return [(role, node) for role, node in ctx.roles() if role in ABOVE]


def _all_seen(ctx: Context) -> Reply:
    """Acknowledge every colour that waits for this person: the number first, then the deed."""
    say, owned = ctx.say, _owned(ctx)
    count = sum(warnings.count_open(ctx.session, node.path, role) for role, node in owned)
    if not count:
        return Reply(say("warnings.acknowledged_before"), back="warnings:by")
    if ctx.arg_id(1) != count:
        sure = Button(say("warnings.ack_sure", count=count), f"warnings:all:{count}")
        return Reply(say("warnings.ack_preview", count=count), (sure,), back="warnings:by")
    done = sum(pool.acknowledge_all(ctx.session, node.path, role, None, ctx.me, ctx.now) for role, node in owned)
    warning_page.write_down(ctx, "warning.acknowledged_all", "pool", count=done)
    return Reply(say("warnings.acknowledged_all", count=done), back="warnings:list")


def _past(ctx: Context) -> Reply:
    """A page of what is over, the latest first."""
    say, node = ctx.say, _scope(ctx) or _own_branch(ctx)
    if node is None:
        return Reply(say("warnings.none"))
    page = ctx.arg_id(1) or 0
    found = warnings.past_under(ctx.session, node.path, SHOWN_MAX + 1, page * SHOWN_MAX)
    if not found:
        return Reply(say("warnings.past_none"), back="warnings")
    lines = [say("warnings.past_head")]
    buttons = []
    for number, (warning, branch) in enumerate(found[:SHOWN_MAX], 1):
        line, state = said_warning(say, warning, ctx.today), say(f"warnings.past_{warning.state}")
        name = "past_line" if node.field is None else "past_own_line"
        lines.append(say(f"warnings.{name}", number=number, branch=branch.name, line=line, state=state))
        buttons.append(Button(say("warnings.choice", number=number), f"warnings:show:{warning.id}"))
    if len(found) > SHOWN_MAX:
        buttons.append(Button(say("menu.more"), f"warnings:past:{page + 1}"))
    return Reply("\n".join(lines), tuple(buttons), back="warnings")


WARNINGS = Command(
    "warnings",
    ("预警", "提醒事项", "warnings"),
    show_warnings,
    slash=("/warnings",),
    roles=frozenset({"secretary", *ABOVE}),
    phrases=("有什么要办的", "一票否决", "支部预警", "what is overdue"),
    steps={
        **dict.fromkeys(("三色预警", "三色池", "three-colour pool"), "by"),
        **dict.fromkeys(("红色预警", "red warnings"), "list:red"),
        **dict.fromkeys(("黄色预警", "yellow warnings"), "list:yellow"),
        **dict.fromkeys(("蓝色预警", "blue warnings"), "list:blue"),
        **dict.fromkeys(("解除的预警", "past warnings"), "past"),
    },
    in_menu=False,
    order=90,
)
