"""Warnings that a person has to act on, with their proof; acknowledging one stops its reminders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from db import audit, members, organizations, warnings
from db.warnings import BranchWarning
from handlers.conversation import HOME, Button, Command, Context, Reply
from notices.said_time import said
from notices.said_warnings import proof_of, said_warning
from notices.troubles import OVERDUE, VETO
from scoring.catalogue import shipped
from scoring.sources import source_in

SHOWN_MAX = 5
ABOVE = ("committee_reviewer", "department")  # see the warnings of their whole subtree


def show_warnings(ctx: Context) -> Reply:
    """`预警`, or one of its buttons: show:ID, ack:ID, ack:all, why:ID."""
    step = ctx.arg()
    if step == "ack" and ctx.arg(1) == "all":
        return _acknowledge_all(ctx)
    if step not in ("show", "ack", "why"):
        return _list(ctx)
    warning_id = ctx.arg_id(1)
    warning = warnings.get(ctx.session, warning_id) if warning_id is not None else None
    if warning is None or not _sees(ctx, warning):
        return Reply(ctx.say("warnings.unknown"), (Button(ctx.say("warnings.list"), "warnings"),))
    return {"show": _show, "ack": _acknowledge, "why": _why}[step](ctx, warning)


def _list(ctx: Context) -> Reply:
    """The own branch's warnings for a secretary; those of the subtree for people above."""
    own = ctx.node("secretary")
    if own is not None and own.id is not None:
        listed = warnings.live(ctx.session, [own.id])
        if listed or not any(role in ABOVE for role, _ in ctx.roles()):
            return _own(ctx, listed)
    node = min((node for role, node in ctx.roles() if role in ABOVE), key=lambda one: len(one.path), default=None)
    if node is None:
        return _own(ctx, ())
    count = warnings.count_under(ctx.session, node.path)
    if not count:
        return Reply(ctx.say("warnings.none"), (Button(ctx.say("menu.board"), "board"),))
    lines = [ctx.say("warnings.others", node=node.name, count=count)]
    buttons = []
    for number, (warning, branch) in enumerate(warnings.under(ctx.session, node.path, SHOWN_MAX), 1):
        lines.append(ctx.say("warnings.branch_line", number=number, branch=branch.name, **_figures(ctx, warning)))
        buttons.append(Button(ctx.say("warnings.choice", number=number), f"warnings:show:{warning.id}"))
    if count > SHOWN_MAX:
        lines.append(ctx.say("warnings.more", count=count - SHOWN_MAX))
    return Reply("\n".join(lines), tuple(buttons))


def _own(ctx: Context, listed: Sequence[BranchWarning]) -> Reply:
    if not listed:
        return Reply(ctx.say("warnings.none"), (Button(ctx.say("menu.activities"), "activities"),))
    if len(listed) == 1:
        return replace(_show(ctx, listed[0]), back=HOME)  # there is no list behind it
    lines = [ctx.say("warnings.own", count=len(listed))]
    buttons = []
    for number, warning in enumerate(listed[:SHOWN_MAX], 1):
        lines.append(ctx.say("warnings.line", number=number, **_figures(ctx, warning)))
        buttons.append(Button(ctx.say("warnings.choice", number=number), f"warnings:show:{warning.id}"))
    if len(listed) > SHOWN_MAX:
        lines.append(ctx.say("warnings.more", count=len(listed) - SHOWN_MAX))
    return Reply("\n".join(lines), tuple(buttons))


def _figures(ctx: Context, warning: BranchWarning) -> dict[str, str]:
    seen = ctx.say("warnings.seen") if warning.state == "acknowledged" else ""
    return {"line": said_warning(ctx.say, warning, ctx.today), "seen": seen}


def _show(ctx: Context, warning: BranchWarning) -> Reply:
    say = ctx.say
    line = said_warning(say, warning, ctx.today)
    if not _owns(ctx, warning):
        branch = organizations.get(ctx.session, warning.organization_id)
        line = say("warnings.of_branch", branch=branch.name, line=line)
    state = say(f"warnings.state_{warning.state}", when=_at(ctx, warning.acknowledged_at))
    text = say("warnings.detail", line=line, raised=_at(ctx, warning.raised_at), state=state)
    why = Button(say("warnings.why"), f"warnings:why:{warning.id}")
    if not _owns(ctx, warning):
        return Reply(text, (why,), back="warnings")
    buttons = [Button(say("warnings.plan"), "activities:new")]
    if warning.state == "open":
        buttons.append(Button(say("warnings.ack"), f"warnings:ack:{warning.id}"))
    return Reply(text, (*buttons, why), back="warnings")


def _at(ctx: Context, at: datetime | None) -> str:
    return said(ctx.say, at, ctx.now, ctx.zone) if at is not None else ""


def _acknowledge(ctx: Context, warning: BranchWarning) -> Reply:
    say = ctx.say
    if not _owns(ctx, warning):
        return Reply(say("warnings.only_secretary"), back="warnings")
    plan = Button(say("warnings.plan"), "activities:new")
    if not _note(ctx, warning):
        return Reply(say("warnings.acknowledged_before"), (plan,), back="warnings")
    return Reply(say("warnings.acknowledged"), (plan,), back="warnings")


def _acknowledge_all(ctx: Context) -> Reply:
    own = ctx.node("secretary")
    if own is None or own.id is None:
        return Reply(ctx.say("warnings.only_secretary"), back="warnings")
    count = sum(_note(ctx, warning) for warning in warnings.live(ctx.session, [own.id]))
    text = ctx.say("warnings.acknowledged_all", count=count) if count else ctx.say("warnings.acknowledged_before")
    return Reply(text, (Button(ctx.say("warnings.plan"), "activities:new"),), back="warnings")


def _note(ctx: Context, warning: BranchWarning) -> bool:
    assert warning.id is not None
    if not warnings.acknowledge(ctx.session, warning.id, ctx.me, ctx.now):
        return False
    audit.record(
        ctx.session,
        at=ctx.now,
        actor_id=ctx.me,
        action="warning.acknowledged",
        subject=f"warning:{warning.id}",
    )
    return True


def _why(ctx: Context, warning: BranchWarning) -> Reply:
    """The rule behind a warning, in words, with the place that it comes from."""
    say, catalogue = ctx.say, shipped()
    if warning.kind == VETO:
        veto = catalogue.fortress.terms_on(ctx.today).veto
        marks = [
            say("warnings.checkpoint", month=one.month, day=one.day, activities=one.activities)
            for one in veto.checkpoints
        ]
        proof = proof_of(warning)
        text = say(
            "warnings.why_veto",
            needed=veto.activities_min,
            own=proof["needed"],
            checkpoints=say("warnings.between").join(marks),
            activities=proof["activities"],
        )
        source = veto.source
    else:
        item_id = next(one.item_id for one in OVERDUE if one.kind == warning.kind)
        item = next(one for one in catalogue.common_on(ctx.today) if one.id == item_id)
        text = say("warnings.why_overdue", title=item.title_en if say.language == "en" else item.title)
        source = item.source
    back = Button(say("warnings.plan"), "activities:new")
    steps = (back,) if _owns(ctx, warning) else ()
    return Reply(
        f"{text}\n{say('warnings.source', source=source_in(source, say.language))}",
        steps,
        back=f"warnings:show:{warning.id}",
    )


def _owns(ctx: Context, warning: BranchWarning) -> bool:
    """Whether this person has to act: the secretary of the branch."""
    branch = organizations.get(ctx.session, warning.organization_id)
    return members.has_role(ctx.session, ctx.me, "secretary", branch, ctx.today)


def _sees(ctx: Context, warning: BranchWarning) -> bool:
    branch = organizations.get(ctx.session, warning.organization_id)
    return any(members.has_role(ctx.session, ctx.me, role, branch, ctx.today) for role in ("secretary", *ABOVE))


WARNINGS = Command(
    "warnings",
    ("预警", "提醒事项", "warnings"),
    show_warnings,
    slash=("/warnings",),
    roles=frozenset({"secretary", *ABOVE}),
    phrases=("有什么要办的", "一票否决", "支部预警", "what is overdue"),
    order=90,
)
