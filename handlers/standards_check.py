"""The standards ledger for those above: rates, the items that fail most, and checking what was filled in.

Rates are for those who answer for them; branches are never listed by how little they meet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import timedelta

from db import audit, members, organizations, standards
from db.organizations import Organization
from db.standards import StandardEntry
from handlers.conversation import Button, Context, Picture, Reply
from notices.standards import item_of, tell_secretary
from scoring.catalogue import FIELDS, shipped
from scoring.standards import StandardItem

CHECKER = "committee_reviewer"
ROLES = (CHECKER, "district_org_department")
SHOWN_MAX, FAILING_MAX, COMMITTEES_MAX = 6, 5, 20
WHY_MIN, WHY_MAX = 2, 200  # characters


def _node(ctx: Context) -> Organization | None:
    nodes = [node for role, node in ctx.roles() if role in ROLES]
    return min(nodes, key=lambda node: len(node.path), default=None)


def _mandatory(ctx: Context) -> Mapping[str, list[StandardItem]]:
    """Per field the items that a branch must meet now."""
    listed = shipped().ratings.standards_on
    return {field: [item for item in listed(field, ctx.today) if item.mandatory] for field in FIELDS}


def _pairs(items: Mapping[str, list[StandardItem]]) -> set[tuple[str, str]]:
    return {(item.id, item.version) for own in items.values() for item in own}


def rates(ctx: Context, first: str = "") -> Reply:
    """How many branches are up to standard, in all and committee by committee."""
    say, node = ctx.say, _node(ctx)
    if node is None:
        return Reply(say("standards.not_yours"))
    mandatory = _mandatory(ctx)
    groups: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    names = _committees(ctx, node)
    for branch, met in standards.met_counts(ctx.session, node.path, _pairs(mandatory)):
        up = met >= len(mandatory.get(branch.field or "", ()))
        for path in {node.path, *(path for path in names if branch.path.startswith(path))}:
            groups[path][0] += up
            groups[path][1] += 1
    met, total = groups[node.path]
    share = 100 * met // total if total else 0
    lines = [first] if first else []
    lines.append(say("standards.rate", node=node.name, met=met, total=total, share=share))
    listed = [path for path in names if path != node.path and groups[path][1]]
    for path in listed[:COMMITTEES_MAX]:
        lines.append(say("standards.rate_line", node=names[path], met=groups[path][0], total=groups[path][1]))
    buttons = [Button(say("standards.failing"), "standards:failing")]
    if any(role == CHECKER for role, _ in ctx.roles()):
        buttons.insert(0, Button(say("standards.to_check"), "standards:check"))
    return Reply("\n".join(lines), tuple(buttons))


def _committees(ctx: Context, node: Organization) -> dict[str, str]:
    """Path and name of the committees under the node, by name."""
    found = organizations.committees_under(ctx.session, node.path)
    return {one.path: one.name for one in found}


def _failing(ctx: Context) -> Reply:
    """The mandatory items that the most branches do not meet: what help is needed with, not who needs it."""
    say, node = ctx.say, _node(ctx)
    if node is None:
        return Reply(say("standards.not_yours"))
    mandatory = _mandatory(ctx)
    counts: dict[str, int] = defaultdict(int)
    items: dict[str, StandardItem] = {}
    for branch in organizations.branches_under(ctx.session, node.path):
        for item in mandatory.get(branch.field or "", ()) if branch.closed_on is None else ():
            counts[item.id] += 1
            items[item.id] = item
    met = standards.met_by_item(ctx.session, node.path, _pairs(mandatory))
    missing = sorted(((counts[one] - met.get(one, 0), one) for one in counts), key=lambda one: (-one[0], one[1]))
    lines = [say("standards.failing_head", node=node.name)]
    for count, item_id in missing[:FAILING_MAX]:
        if count:
            title = items[item_id].title_in(say.language)
            lines.append(say("standards.failing_line", item=title, count=count, total=counts[item_id]))
    return Reply("\n".join(lines) if len(lines) > 1 else say("standards.none_failing"), back="standards")


# ---- checking -----------------------------------------------------------------------------------------------


def _check(ctx: Context, first: str = "") -> Reply:
    """What waits for this reviewer."""
    say, node = ctx.say, ctx.node(CHECKER)
    if node is None:
        return Reply(say("standards.not_yours"), back="standards")
    buttons = []
    for entry, branch in standards.to_check(ctx.session, node.path, SHOWN_MAX):
        item = item_of(entry.item_id, entry.version)
        if item is not None:
            label = say("standards.check_line", branch=branch.name, item=item.title_in(say.language))
            buttons.append(Button(label, f"standards:see:{branch.id}:{item.id}:{entry.version}"))
    text = say("standards.waiting" if buttons else "standards.nothing")
    return Reply(f"{first}\n{text}" if first else text, tuple(buttons), back="standards")


def _asked(ctx: Context) -> tuple[Organization, StandardItem, StandardEntry] | None:
    """The entry that the arguments name, if this reviewer checks it."""
    branch_id = ctx.arg_id(1)
    branch = ctx.session.get(Organization, branch_id) if branch_id is not None else None
    item = item_of(ctx.arg(2), ctx.arg(3))
    if branch is None or branch.id is None or item is None:
        return None
    if not members.has_role(ctx.session, ctx.me, CHECKER, branch, ctx.today):
        return None
    entry = standards.entry(ctx.session, branch.id, item.id, item.version)
    return (branch, item, entry) if entry is not None else None


def _see(ctx: Context) -> Reply:
    """One entry as the reviewer sees it."""
    asked = _asked(ctx)
    if asked is None:
        return _check(ctx, ctx.say("standards.unknown"))
    say, (branch, item, entry) = ctx.say, asked
    text = say(
        "standards.see",
        branch=branch.name,
        item=item.title_in(say.language),
        required=entry.required,
        actual=entry.actual,
        state=say(f"standards.state_{entry.state}"),
    )
    picture = Picture("stored", {"id": entry.picture_id}, say("standards.picture")) if entry.picture_id else None
    which = f"{branch.id}:{item.id}:{entry.version}:{entry.revision}"
    buttons: tuple[Button, ...] = ()
    if entry.state == "filled" and entry.filled_by != ctx.me:
        buttons = (
            Button(say("standards.met"), f"standards:met:{which}"),
            Button(say("standards.unmet"), f"standards:unmet:{which}"),
        )
    elif entry.state == "met":
        buttons = (Button(say("standards.reopen"), f"standards:unmet:{which}"),)
    return Reply(text, buttons, picture, back="standards:check")


def _met(ctx: Context) -> Reply:
    asked, revision = _asked(ctx), ctx.arg_id(4)
    if asked is None or revision is None:
        return _check(ctx, ctx.say("standards.unknown"))
    _, _, entry = asked
    if not standards.check(ctx.session, entry, revision, "met", by=ctx.me, now=ctx.now):
        return _check(ctx, ctx.say("standards.checked_before"))
    _after(ctx, entry, "met", revision)
    return _check(ctx, ctx.say("standards.done_met"))


def _unmet(ctx: Context) -> Reply:
    """Ask why, or note it with a deadline; an item that was met is taken back the same way."""
    asked, revision = _asked(ctx), ctx.arg_id(4)
    if asked is None or revision is None:
        return _check(ctx, ctx.say("standards.unknown"))
    say, (branch, item, entry) = ctx.say, asked
    why = " ".join(" ".join(ctx.args[5:]).split())
    if not WHY_MIN <= len(why) <= WHY_MAX:
        which = f"{branch.id}:{item.id}:{entry.version}:{revision}"
        return Reply(say("standards.ask_why"), expect=f"standards:unmet:{which}", back="standards:check")
    deadline = ctx.today + timedelta(days=shipped().ratings.year_close.terms_on(ctx.today).standards_days)
    if entry.state == "met" and entry.revision == revision:
        done = standards.reopen(ctx.session, entry, by=ctx.me, now=ctx.now, reason=why, deadline=deadline)
    else:
        done = standards.check(
            ctx.session, entry, revision, "unmet", by=ctx.me, now=ctx.now, reason=why, deadline=deadline
        )
    if not done:
        return _check(ctx, say("standards.checked_before"))
    _after(ctx, entry, "unmet", revision, why=why)
    return _check(ctx, say("standards.done_unmet", month=deadline.month, day=deadline.day))


def _after(ctx: Context, entry: StandardEntry, state: str, revision: int, **detail: object) -> None:
    """Put it on record and tell the secretary."""
    subject = f"standard:{entry.organization_id}:{entry.item_id}:{entry.version}"
    audit.record(
        ctx.session,
        at=ctx.now,
        actor_id=ctx.me,
        action=f"standard.{state}",
        subject=subject,
        revision=revision,
        **detail,
    )
    key = f"{subject}:{revision}:{state}:{ctx.now.isoformat()}"
    tell_secretary(ctx.session, entry, state, key, ctx.now, ctx.zone)


STEPS: dict[str, Callable[[Context], Reply]] = {
    "rates": rates,
    "failing": _failing,
    "check": _check,
    "see": _see,
    "met": _met,
    "unmet": _unmet,
}
