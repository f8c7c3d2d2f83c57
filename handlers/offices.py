"""支委分工: who in the branch holds which office. It gives no power here; it says who is reminded of what.

Actions: `offices`, `offices:see:OFFICE`, `offices:who:OFFICE NAME`, `offices:yes:OFFICE:MEMBER`,
`offices:end:OFFICE`, `offices:ended:OFFICE`. What the city's roll has named is shown as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from db import audit, members, offices
from db.members import Member
from db.offices import OFFICES
from db.organizations import Organization
from handlers import picking
from handlers.conversation import Button, Command, Context, Reply
from handlers.group_own import own_branch


def run(ctx: Context) -> Reply:
    """`支委分工`: the offices with who holds them, and the steps to one of them."""
    branch = own_branch(ctx)
    if branch is None:
        return Reply(ctx.say("offices.no_branch"))
    steps: dict[str, Callable[[Context, Organization, str], Reply]] = {
        "see": _see,
        "who": _who,
        "yes": _yes,
        "end": _end,
        "ended": _ended,
    }
    step, office = steps.get(ctx.arg()), ctx.arg(1)
    return step(ctx, branch, office) if step and office in OFFICES else _list(ctx, branch)


def _held(ctx: Context, branch: Organization) -> dict[str, list[Member]]:
    assert branch.id is not None
    found = offices.held(ctx.session, [branch.id], ctx.today).get(branch.id, {})
    people = members.by_ids(ctx.session, {one for ids in found.values() for one in ids})
    return {office: [people[one] for one in ids] for office, ids in found.items()}


def _list(ctx: Context, branch: Organization, first: str = "") -> Reply:
    held = _held(ctx, branch)
    steps = []
    for office in OFFICES:
        title = ctx.say(f"offices.{office}")
        people = held.get(office, [])
        label = ctx.say("offices.held", office=title, who=picking.names(ctx, people, 2)) if people else title
        steps.append(Button(label, f"offices:see:{office}"))
    text = ctx.say("offices.list")
    return Reply(f"{first}\n{text}" if first else text, tuple(steps), back="work")


def _see(ctx: Context, branch: Organization, office: str) -> Reply:
    people = _held(ctx, branch).get(office, [])
    values = {"office": ctx.say(f"offices.{office}"), "who": picking.names(ctx, people)}
    steps = [Button(ctx.say("offices.name"), f"offices:who:{office}")]
    if people:
        steps.append(Button(ctx.say("offices.end"), f"offices:end:{office}"))
    return Reply(ctx.say("offices.see" if people else "offices.nobody", **values), tuple(steps), back="offices")


def _who(ctx: Context, branch: Organization, office: str) -> Reply:
    assert branch.id is not None
    people: Sequence[Member] = members.members_of(ctx.session, branch.id, ctx.today)
    action, word = f"offices:who:{office}", " ".join(ctx.args[2:])
    marked, page = picking.marked(word, "m"), picking.marked(word, "p")
    found = [one for one in people if one.id == marked]
    if not found and word and page is None:
        found = picking.by_word(people, word)
    title = ctx.say(f"offices.{office}")
    if len(found) != 1:
        unknown = bool(word) and page is None
        text = ctx.say("offices.unknown" if unknown else "offices.who", office=title)
        shown = picking.buttons(ctx, people, action, page or 0) if ctx.names_allowed else ()
        return Reply(text, shown, expect=action, back=f"offices:see:{office}")
    before = [one for one in _held(ctx, branch).get(office, []) if one.id != found[0].id]
    several = office == "group_leader" or not before
    name = ctx.called(found[0].name)
    text = ctx.say(
        "offices.sure" if several else "offices.sure_instead",
        office=title,
        who=name,
        before=picking.names(ctx, before),
    )
    return Reply(text, (Button(ctx.say("offices.yes"), f"offices:yes:{office}:{found[0].id}"),), back=action)


def _yes(ctx: Context, branch: Organization, office: str) -> Reply:
    assert branch.id is not None
    chosen = ctx.arg_id(2)
    people = {one.id: one for one in members.members_of(ctx.session, branch.id, ctx.today)}
    person = people.get(chosen)
    if person is None or person.id is None:
        return _list(ctx, branch)
    if office != "group_leader":  # one of each, but for the leaders of several groups
        offices.end(ctx.session, branch.id, office, ctx.today, but=person.id)
    offices.name(ctx.session, branch.id, office, person.id, ctx.today)
    _log(ctx, branch, office, "named", person.id)
    return _list(ctx, branch, ctx.say("offices.named"))


def _end(ctx: Context, branch: Organization, office: str) -> Reply:
    people = _held(ctx, branch).get(office, [])
    if not people:
        return _list(ctx, branch)
    values = {"office": ctx.say(f"offices.{office}"), "who": picking.names(ctx, people)}
    step = Button(ctx.say("offices.end_yes"), f"offices:ended:{office}")
    return Reply(ctx.say("offices.end_sure", **values), (step,), back=f"offices:see:{office}")


def _ended(ctx: Context, branch: Organization, office: str) -> Reply:
    assert branch.id is not None
    if not offices.end(ctx.session, branch.id, office, ctx.today):
        return _list(ctx, branch)
    _log(ctx, branch, office, "ended", None)
    return _list(ctx, branch, ctx.say("offices.ended"))


def _log(ctx: Context, branch: Organization, office: str, what: str, member_id: int | None) -> None:
    audit.record(
        ctx.session,
        at=ctx.now,
        actor_id=ctx.me,
        action=f"office.{what}",
        subject=f"organization:{branch.id}",
        office=office,
        member=member_id,
    )


OFFICES_COMMAND = Command(
    "offices",
    ("支委分工", "支部分工", "offices"),
    run,
    roles=frozenset({"secretary"}),
    phrases=("谁是组织委员", "登记宣传委员", "who is our publicity officer"),
    in_menu=False,
    order=153,
)
