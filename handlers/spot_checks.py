"""`抽查`: the district looks a second time at what was drawn; everybody in charge sees how it was drawn.

What fails is taken back; whether it was fraud is for an inspector to say, never for this conversation.
"""

from __future__ import annotations

from collections.abc import Callable

from db import declarations, organizations, spot_checks
from db.declarations import Declaration
from db.organizations import Organization
from handlers.conversation import Button, Command, Context, Reply
from handlers.declaration_review import wrong_reason
from handlers.declaration_sight import picture_of, told
from notices import declaration_outcomes as outcomes
from notices.declarations import month_before
from notices.declared_words import said_period
from scoring.declaring import deadlines, month_of, read_period

ROLE = outcomes.DISTRICT
SHOWN_MAX = 6
IDS_MAX = 20  # drawn ids of one message


def spot_check(ctx: Context) -> Reply:
    """What the district has to look at; for others, what was drawn from them. `proof`: how it was drawn."""
    if ctx.arg() == "proof":
        return _proof(ctx)
    node = ctx.node(ROLE)
    if node is None:
        return _drawn(ctx)
    steps: dict[str, Callable[[Context, Organization], Reply]] = {
        "see": _see,
        "pass": _pass,
        "fail": _fail,
        "because": _because,
        "suspect": _suspect,
    }
    step = steps.get(ctx.arg())
    return step(ctx, node) if step else _list(ctx, node)


def _list(ctx: Context, node: Organization, *, first: str = "") -> Reply:
    skip = (ctx.arg_id(1) or 0) if ctx.arg() == "more" else 0
    found = spot_checks.to_check(ctx.session, node.path, skip=skip, most=SHOWN_MAX + 1)
    buttons = [Button(_label(ctx, one), f"spot_check:see:{one.id}") for one in found[:SHOWN_MAX]]
    if len(found) > SHOWN_MAX:
        buttons.append(Button(ctx.say("declaration_review.more"), f"spot_check:more:{skip + SHOWN_MAX}"))
    buttons.append(Button(ctx.say("spot_checks.how"), "spot_check:proof"))
    lines = [first] if first else []
    lines.append(ctx.say("spot_checks.waiting" if found else "spot_checks.nothing"))
    return Reply("\n".join(lines), tuple(buttons), back="spot_check" if skip else "menu")


def _label(ctx: Context, one: Declaration) -> str:
    branch = organizations.get(ctx.session, one.organization_id)
    name = "spot_checks.line_late" if one.recheck == "late" else "spot_checks.line"
    return ctx.say(name, number=one.id, branch=branch.name, thing=one.indicator_id, period=one.period)


def _asked(ctx: Context, node: Organization) -> tuple[Declaration, Organization] | None:
    """The declaration that the argument names, if it was drawn (or late) and lies in the subtree."""
    row = declarations.by_id(ctx.session, ctx.arg_id(1))
    if row is None or not row.recheck:
        return None
    branch = organizations.get(ctx.session, row.organization_id)
    return (row, branch) if branch.path.startswith(node.path) else None


def _unknown(ctx: Context, node: Organization) -> Reply:
    ctx.args = ()
    return _list(ctx, node, first=ctx.say("spot_checks.unknown"))


def _see(ctx: Context, node: Organization) -> Reply:
    found = _asked(ctx, node)
    return _one(ctx, *found) if found else _unknown(ctx, node)


def _one(ctx: Context, row: Declaration, branch: Organization, *, first: str = "") -> Reply:
    lines = told(ctx, branch, row, first)
    buttons: tuple[Button, ...] = ()
    if row.recheck not in spot_checks.TO_CHECK:
        lines.append(ctx.say(f"spot_checks.is_{row.recheck}", why=row.recheck_reason))
    elif ctx.me in (row.declared_by, row.decided_by):
        lines.append(ctx.say("spot_checks.own"))
    else:
        buttons = (
            Button(ctx.say("spot_checks.pass"), f"spot_check:pass:{row.id}"),
            Button(ctx.say("spot_checks.fail"), f"spot_check:fail:{row.id}"),
        )
    if row.recheck == "failed":
        buttons = (Button(ctx.say("spot_checks.suspect"), f"spot_check:suspect:{row.id}"),)
    return Reply("\n".join(lines), buttons, picture_of(ctx, row.picture_id), back="spot_check")


def _open(ctx: Context, row: Declaration) -> bool:
    return row.recheck in spot_checks.TO_CHECK and ctx.me not in (row.declared_by, row.decided_by)


def _pass(ctx: Context, node: Organization) -> Reply:
    found = _asked(ctx, node)
    if found is None:
        return _unknown(ctx, node)
    row, branch = found
    if not _open(ctx, row) or not outcomes.pass_recheck(ctx.session, row, ctx.me, ctx.now):
        return _one(ctx, declarations.by_id(ctx.session, row.id) or row, branch)
    ctx.args = ()
    return _list(ctx, node, first=ctx.say("spot_checks.passed", number=row.id))


def _fail(ctx: Context, node: Organization) -> Reply:
    """What failing will do, and the reason, which confirms it."""
    found = _asked(ctx, node)
    if found is None:
        return _unknown(ctx, node)
    return _ask_reason(ctx, *found) if _open(ctx, found[0]) else _one(ctx, *found)


def _ask_reason(ctx: Context, row: Declaration, branch: Organization, first: str = "") -> Reply:
    asked = ctx.say("spot_checks.ask_reason", number=row.id, branch=branch.name)
    text = f"{first}\n{asked}" if first else asked
    return Reply(text, expect=f"spot_check:because:{row.id}", back=f"spot_check:see:{row.id}")


def _because(ctx: Context, node: Organization) -> Reply:
    found = _asked(ctx, node)
    if found is None:
        return _unknown(ctx, node)
    row, branch = found
    if not _open(ctx, row):
        return _one(ctx, row, branch)
    why = " ".join(" ".join(ctx.args[2:]).split())
    wrong = wrong_reason(ctx, why)
    if wrong:
        return _ask_reason(ctx, row, branch, wrong)
    done = outcomes.fail_recheck(ctx.session, row, ctx.me, ctx.now, ctx.zone, why)
    now = declarations.by_id(ctx.session, row.id) or row
    return _one(ctx, now, branch, first=ctx.say("spot_checks.failed", number=row.id) if done else "")


def _suspect(ctx: Context, node: Organization) -> Reply:
    """Ask the inspectors to look into fraud; they decide, not this button."""
    found = _asked(ctx, node)
    if found is None or found[0].recheck != "failed":
        return _unknown(ctx, node)
    told = outcomes.suggest_fraud(ctx.session, found[0], ctx.me, ctx.now, ctx.zone)
    ctx.args = ()
    return _list(ctx, node, first=ctx.say("spot_checks.suspected" if told else "spot_checks.suspected_before"))


def _drawn(ctx: Context) -> Reply:
    """What was drawn in the own subtree, and what to do about it."""
    month = month_of(month_before(ctx.today))
    row = spot_checks.of_month(ctx.session, month.text)
    period = said_period(ctx.say, month)
    how = (Button(ctx.say("spot_checks.how"), "spot_check:proof"),)
    if row is None or row.drawn_at is None:
        day = deadlines(month.last).committee_day + 1  # once everything is decided
        return Reply(ctx.say("spot_checks.to_come", period=period, day=day), how if row else ())
    own = _own_ids(ctx, month.text)
    lines = [ctx.say("spot_checks.share", period=period, candidates=row.candidates, drawn=row.drawn)]
    lines += [*own, ctx.say("spot_checks.prepare")] if own else [ctx.say("spot_checks.none_here")]
    return Reply("\n".join(lines), how)


def _own_ids(ctx: Context, month: str) -> list[str]:
    """The numbers drawn in the subtrees of one's roles, as one line; nothing when there are none."""
    paths = [node.path for role, node in ctx.roles() if role in ROLES]
    ids = spot_checks.drawn_under(ctx.session, month, paths, most=IDS_MAX + 1)
    if not ids:
        return []
    shown = ctx.say("declarations.comma").join(str(one) for one in ids[:IDS_MAX])
    return [ctx.say("spot_checks.ids_more" if len(ids) > IDS_MAX else "spot_checks.ids", ids=shown)]


def _proof(ctx: Context) -> Reply:
    """Seed, its hash as it was told before, the candidates, and what was drawn in the own subtree."""
    month = month_of(month_before(ctx.today))
    if ctx.arg(1):
        try:
            month = month_of(read_period(ctx.arg(1)).last)
        except ValueError:
            return Reply(ctx.say("spot_checks.no_month"), back="spot_check")
    row = spot_checks.of_month(ctx.session, month.text)
    period = said_period(ctx.say, month)
    if row is None:
        return Reply(ctx.say("spot_checks.not_fixed", period=period), back="spot_check")
    if row.drawn_at is None:
        text = ctx.say("spot_checks.fixed", period=period, hash=row.commitment)
        return Reply(f"{text}\n{ctx.say('spot_checks.not_drawn')}", back="spot_check")
    lines = [
        ctx.say(
            "spot_checks.told",
            period=period,
            hash=row.commitment,
            seed=row.seed,
            candidates=row.candidates,
            drawn=row.drawn,
        )
    ]
    lines += [*_own_ids(ctx, month.text), ctx.say("spot_checks.recompute")]
    return Reply("\n".join(lines), back="spot_check")


ROLES = frozenset({ROLE, outcomes.REVIEWER, "secretary"})
SPOT_CHECK = Command(
    "spot_check",
    ("抽查", "spot check"),
    spot_check,
    slash=("/spotcheck",),
    roles=ROLES,
    phrases=("随机抽查", "复核申报", "抽查结果"),
    steps=dict.fromkeys(("怎么抽的", "how it was drawn"), "proof"),
    in_menu=False,
    order=134,
)
