"""`审核申报`: the committee's reviewers approve or return what the branches of their subtree declared.

Nobody reviews what they declared themselves. A button names the version that was on the screen: what was changed
in the meantime is shown again instead of being approved unseen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from db import declaration_review as stored
from db import declarations, periods_locked
from db.declarations import Declaration
from db.organizations import Organization
from handlers.conversation import Button, Command, Context, Reply
from handlers.declaration_sight import picture_of, told
from notices import declaration_outcomes as outcomes
from notices.declarations import thing
from notices.declared_words import said_day, said_period, said_title, said_value
from scoring.declaring import closing_month, deadlines, read_period

ROLE = outcomes.REVIEWER
SHOWN_MAX = 6
ALL_MAX = 40  # approved with one button: as many as a careful look holds
REASON_MIN, REASON_MAX = 2, 100  # characters


def review(ctx: Context) -> Reply:
    """What waits, branch by branch; with arguments, one step."""
    steps: dict[str, Callable[[Context], Reply]] = {
        "more": _branches,
        "branch": _branch,
        "see": _see,
        "yes": _yes,
        "no": _no,
        "because": _because,
        "all": _all,
    }
    step = steps.get(ctx.arg())
    return step(ctx) if step else _branches(ctx)


def _paths(ctx: Context) -> list[str]:
    return [node.path for role, node in ctx.roles() if role == ROLE]


def _branches(ctx: Context, *, first: str = "") -> Reply:
    """Branches with something to review, six at a time."""
    skip = (ctx.arg_id(1) or 0) if ctx.arg() == "more" else 0
    found = stored.waiting_branches(ctx.session, _paths(ctx), ctx.me, skip=skip, most=SHOWN_MAX + 1)
    buttons = [
        Button(
            ctx.say("declaration_review.branch", branch=one.name, count=one.waiting),
            f"declaration_review:branch:{one.id}",
        )
        for one in found[:SHOWN_MAX]
    ]
    if len(found) > SHOWN_MAX:
        buttons.append(Button(ctx.say("declaration_review.more"), f"declaration_review:more:{skip + SHOWN_MAX}"))
    lines = [first] if first else []
    lines.append(ctx.say("declaration_review.waiting" if buttons else "declaration_review.nothing"))
    return Reply("\n".join(lines), tuple(buttons), back="declaration_review" if skip else "menu")


def _own_branch(ctx: Context, organization_id: int | None) -> Organization | None:
    """The branch, if it lies in the subtree of this reviewer."""
    branch = ctx.session.get(Organization, organization_id) if organization_id is not None else None
    return branch if branch and any(branch.path.startswith(path) for path in _paths(ctx)) else None


def _branch(ctx: Context, *, first: str = "") -> Reply:
    branch = _own_branch(ctx, ctx.arg_id(1))
    if branch is None:
        return _branches(ctx, first=ctx.say("declaration_review.unknown"))
    return _of_branch(ctx, branch, ctx.arg_id(2) or 0, first=first)


def _of_branch(ctx: Context, branch: Organization, skip: int = 0, *, first: str = "") -> Reply:
    """What waits of one branch, six at a time, and all that was looked at with one button."""
    assert branch.id is not None
    waiting = [one for one in stored.waiting(ctx.session, branch.id) if one.declared_by != ctx.me]
    if not waiting:
        return _branches(ctx, first=first or ctx.say("declaration_review.nothing_here", branch=branch.name))
    seen = {one.id for one in stored.seen_waiting(ctx.session, branch.id, ctx.me)}
    skip = skip if skip < len(waiting) else 0
    page = waiting[skip : skip + SHOWN_MAX]
    buttons = [Button(_label(ctx, branch, one, seen), f"declaration_review:see:{one.id}") for one in page]
    if len(waiting) > skip + SHOWN_MAX:
        more = f"declaration_review:branch:{branch.id}:{skip + SHOWN_MAX}"
        buttons.append(Button(ctx.say("declaration_review.more"), more))
    if seen:
        together = ctx.say("declaration_review.all", count=min(len(seen), ALL_MAX))
        buttons.append(Button(together, f"declaration_review:all:{branch.id}"))
    lines = [first] if first else []
    lines.append(ctx.say("declaration_review.of_branch", branch=branch.name, count=len(waiting), seen=len(seen)))
    return Reply("\n".join(lines), tuple(buttons), back="declaration_review")


def _label(ctx: Context, branch: Organization, one: Declaration, seen: set[int | None]) -> str:
    due = thing(branch, one)
    if due is None:
        return f"{one.indicator_id} {one.period}"
    title, value = said_title(ctx.say, due.what, 12), said_value(ctx.say, due.what.form, one.value)
    name = "declaration_review.line_seen" if one.id in seen else "declaration_review.line"
    return ctx.say(name, title=title, period=said_period(ctx.say, due.period), value=value)


def _asked(ctx: Context) -> tuple[Declaration, Organization] | None:
    """The declaration that the argument names, if its branch lies in the subtree."""
    row = declarations.by_id(ctx.session, ctx.arg_id(1))
    branch = _own_branch(ctx, row.organization_id) if row else None
    return (row, branch) if row and branch else None


def _unknown(ctx: Context) -> Reply:
    ctx.args = ()
    return _branches(ctx, first=ctx.say("declaration_review.unknown"))


def _see(ctx: Context) -> Reply:
    found = _asked(ctx)
    return _one(ctx, *found) if found else _unknown(ctx)


def _one(ctx: Context, row: Declaration, branch: Organization, *, first: str = "") -> Reply:
    """One declaration with its proof, and what can be decided."""
    lines = told(ctx, branch, row, first)
    buttons: tuple[Button, ...] = ()
    if row.declared_by == ctx.me:
        lines.append(ctx.say("declaration_review.own"))
    elif row.state != "submitted" or _closed(ctx, row):
        state = row.state if row.state != "submitted" else "closed"
        lines.append(ctx.say(f"declaration_review.is_{state}", why=row.recheck_reason or row.reason))
    else:
        stored.seen(ctx.session, row, ctx.me)
        lines.append(ctx.say("declaration_review.until", day=_last_day(ctx, row)))
        buttons = (
            Button(ctx.say("declaration_review.yes"), f"declaration_review:yes:{row.id}:{row.version}"),
            Button(ctx.say("declaration_review.no"), f"declaration_review:no:{row.id}:{row.version}"),
        )
    back = f"declaration_review:branch:{branch.id}"
    return Reply("\n".join(lines), buttons, picture_of(ctx, row.picture_id), back=back)


def _last_day(ctx: Context, row: Declaration) -> str:
    month = closing_month(read_period(row.period))
    return said_day(ctx.say, deadlines(month.last).committee_until(month.last))


def _closed(ctx: Context, row: Declaration) -> bool:
    """Whether nothing of the period can be decided any more: locked, or its day has come."""
    month = closing_month(read_period(row.period))
    over = ctx.today >= deadlines(month.last).locked_from(month.last)
    return over or periods_locked.is_locked(ctx.session, row.period)


def _decidable(ctx: Context, row: Declaration) -> bool:
    on_screen = row.version == ctx.arg_id(2)
    return on_screen and row.state == "submitted" and row.declared_by != ctx.me and not _closed(ctx, row)


def _as_it_is(ctx: Context, row: Declaration, branch: Organization) -> Reply:
    """Decided by somebody else, or changed in the meantime: shown as it stands now."""
    now = declarations.by_id(ctx.session, row.id) or row
    changed = now.state == "submitted" and now.version != ctx.arg_id(2)
    return _one(ctx, now, branch, first=ctx.say("declaration_review.changed") if changed else "")


def _yes(ctx: Context) -> Reply:
    found = _asked(ctx)
    if found is None:
        return _unknown(ctx)
    row, branch = found
    assert row.id is not None
    if not _decidable(ctx, row) or not outcomes.approve(ctx.session, row, row.version, ctx.me, ctx.now):
        return _as_it_is(ctx, row, branch)
    outcomes.tell(ctx.session, [row.id], ctx.now, ctx.zone)
    return _of_branch(ctx, branch, first=ctx.say("declaration_review.approved", title=_title(ctx, row, branch)))


def _title(ctx: Context, row: Declaration, branch: Organization) -> str:
    due = thing(branch, row)
    return due.what.rule.title_in(ctx.say.language) if due else row.indicator_id


def _no(ctx: Context) -> Reply:
    found = _asked(ctx)
    if found is None:
        return _unknown(ctx)
    row, branch = found
    return _ask_reason(ctx, row, branch) if _decidable(ctx, row) else _as_it_is(ctx, row, branch)


def _ask_reason(ctx: Context, row: Declaration, branch: Organization, first: str = "") -> Reply:
    asked = ctx.say("declaration_review.ask_reason", title=_title(ctx, row, branch))
    back = f"declaration_review:see:{row.id}"
    expect = f"declaration_review:because:{row.id}:{row.version}"
    return Reply(f"{first}\n{asked}" if first else asked, expect=expect, back=back)


def _because(ctx: Context) -> Reply:
    found = _asked(ctx)
    if found is None:
        return _unknown(ctx)
    row, branch = found
    if not _decidable(ctx, row):
        return _as_it_is(ctx, row, branch)
    why = " ".join(" ".join(ctx.args[3:]).split())
    wrong = wrong_reason(ctx, why)
    if wrong:
        return _ask_reason(ctx, row, branch, wrong)
    assert row.id is not None
    if not outcomes.give_back(ctx.session, row, row.version, ctx.me, ctx.now, why):
        return _as_it_is(ctx, row, branch)
    outcomes.tell(ctx.session, [row.id], ctx.now, ctx.zone)
    return _of_branch(ctx, branch, first=ctx.say("declaration_review.returned", title=_title(ctx, row, branch)))


def wrong_reason(ctx: Context, why: str) -> str:
    """What is wrong with a typed reason; empty when nothing is."""
    if sum(letter.isalnum() for letter in why) < REASON_MIN:
        return ctx.say("declaration_review.reason_short")
    return ctx.say("declaration_review.reason_long", most=REASON_MAX) if len(why) > REASON_MAX else ""


def _all(ctx: Context) -> Reply:
    """Approve what this reviewer has looked at of the branch: first the list, then the same list for good."""
    branch = _own_branch(ctx, ctx.arg_id(1))
    if branch is None or branch.id is None:
        return _unknown(ctx)
    seen = stored.seen_waiting(ctx.session, branch.id, ctx.me)
    ready = [one for one in seen if not _closed(ctx, one)][:ALL_MAX]
    if not ready:
        return _of_branch(ctx, branch)
    if ctx.arg(2) != _mark(ready):
        return _preview(ctx, branch, ready)
    done = outcomes.approve_all(ctx.session, ready, ctx.me, ctx.now)
    outcomes.tell(ctx.session, done, ctx.now, ctx.zone)
    return _of_branch(ctx, branch, first=ctx.say("declaration_review.approved_all", count=len(done)))


def _mark(ready: Sequence[Declaration]) -> str:
    """What the confirmation is about: how many, and up to which version of which."""
    return f"{len(ready)}-{ready[-1].id}-{sum(one.version for one in ready)}"


def _preview(ctx: Context, branch: Organization, ready: Sequence[Declaration]) -> Reply:
    lines = [ctx.say("declaration_review.all_preview", branch=branch.name, count=len(ready))]
    lines += [_label(ctx, branch, one, set()) for one in ready[:SHOWN_MAX]]
    if len(ready) > SHOWN_MAX:
        lines.append(ctx.say("declarations.and_more", count=len(ready) - SHOWN_MAX))
    sure = f"declaration_review:all:{branch.id}:{_mark(ready)}"
    button = Button(ctx.say("declaration_review.all_sure", count=len(ready)), sure)
    return Reply("\n".join(lines), (button,), back=f"declaration_review:branch:{branch.id}")


DECLARATION_REVIEW = Command(
    "declaration_review",
    ("审核申报", "申报审核", "review declarations"),
    review,
    slash=("/reviewdeclarations",),
    roles=frozenset({ROLE}),
    phrases=("有申报要审核吗", "审核支部申报", "审申报"),
    in_menu=False,
    order=132,
)
