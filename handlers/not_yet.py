"""未回复: who of the own branch has not answered a letter in time, and for a committee, in which branches.

Whoever was told may look; everything is counted anew, so that it is true now. No list goes by how bad it is.
"""

from __future__ import annotations

from datetime import timedelta

from db import letter_deadlines, members, organizations
from db.letters import Letter
from db.organizations import Organization
from handlers.conversation import Button, Command, Context, Reply
from handlers.paging import page_of
from notices.answer_terms import sent_on
from notices.letter_deadlines import branch_lines, by_branch
from notices.letters import name_of

PAGE = 10  # people on one page
SHOWN = 5  # letters in one list
LOOK_BACK = timedelta(days=30)
LEADING = ("committee_reviewer", "department", "operator")
ROLES = frozenset({"secretary", *LEADING})


def not_yet(ctx: Context) -> Reply:
    """`未回复`: the last letters whose time is over; `people:LETTER:BRANCH:FROM` and `branches:LETTER:FROM`."""
    steps = {"people": _people, "branches": _branches}
    step = steps.get(ctx.arg())
    return step(ctx) if step else _home(ctx)


def _home(ctx: Context) -> Reply:
    paths = [node.path for role, node in ctx.roles() if role in ROLES]
    found = letter_deadlines.told_of(ctx.session, paths, ctx.now - LOOK_BACK, SHOWN)
    if not found:
        return Reply(ctx.say("not_yet.none"))
    steps = []
    for letter in found:
        branch = _own_branch(ctx)
        lead = any(role in LEADING for role, _ in ctx.roles()) or branch is None
        action = f"branches:{letter.id}" if lead else f"people:{letter.id}:{branch.id if branch else 0}"
        steps.append(Button(name_of(letter), f"not_yet:{action}"))
    return Reply(ctx.say("not_yet.which"), tuple(steps))


def _own_branch(ctx: Context) -> Organization | None:
    return ctx.node("secretary")


def _letter(ctx: Context) -> Letter | None:
    """The letter in the arguments, if its time for answers is over and it was not stopped."""
    letter_id = ctx.arg_id(1)
    letter = ctx.session.get(Letter, letter_id) if letter_id is not None else None
    if letter is None or letter.state not in ("sending", "done") or letter.answer_until is None:
        return None
    return letter if letter.ask == "ack" and letter.answer_until <= ctx.now else None


def _unknown(ctx: Context) -> Reply:
    """The same words for what is not one's own and for what does not exist."""
    return Reply(ctx.say("not_yet.unknown"), (Button(ctx.say("menu.not_yet"), "not_yet"),))


def _people(ctx: Context) -> Reply:
    """By name, for whoever leads the branch, where names may be shown."""
    letter = _letter(ctx)
    branch = organizations.find(ctx.session, ctx.arg_id(2))
    if letter is None or letter.id is None or branch is None:
        return _unknown(ctx)
    if not members.has_role(ctx.session, ctx.me, "secretary", branch, ctx.today):
        return _unknown(ctx)
    if not ctx.names_allowed:
        return Reply(ctx.say("receipts.names_elsewhere"), back="not_yet")
    under = letter_deadlines.branches_under(ctx.session, letter.id, branch.path)
    first = ctx.arg_id(3) or 0
    found = letter_deadlines.people(
        ctx.session,
        letter,
        under,
        sent_on=sent_on(letter, ctx.zone),
        today=ctx.today,
        most=PAGE + 1,
        offset=first,
    )
    if not found:
        return Reply(ctx.say("not_yet.everybody", name=name_of(letter)), back="not_yet")
    by_id = members.by_ids(ctx.session, [one.member_id for one in found])
    lines = [ctx.say("not_yet.head", name=name_of(letter))]
    for number, one in enumerate(found[:PAGE], first + 1):
        name = ctx.called(by_id[one.member_id].name)
        lines.append(ctx.say("not_yet.line", number=number, name=name, state=ctx.say(f"not_yet.is_{one.state}")))
    more = (Button(ctx.say("menu.more"), f"not_yet:people:{letter.id}:{branch.id}:{first + PAGE}"),)
    return Reply("\n".join(lines), more if len(found) > PAGE else (), back="not_yet")


def _branches(ctx: Context) -> Reply:
    """By branch, for whoever leads them, and for the letter's author; numbers only."""
    letter = _letter(ctx)
    if letter is None or letter.id is None:
        return _unknown(ctx)
    nodes = [
        node for role, node in ctx.roles() if role in LEADING or (role == "secretary" and node.level != "branch")
    ]
    if letter.author_id == ctx.me:
        nodes.append(organizations.get(ctx.session, letter.organization_id))
    under = {one for node in nodes for one in letter_deadlines.branches_under(ctx.session, letter.id, node.path)}
    if not under:
        return _unknown(ctx)
    found = letter_deadlines.open_in(
        ctx.session, letter, sorted(under), sent_on=sent_on(letter, ctx.zone), today=ctx.today
    )
    people = by_branch(ctx.session, found)
    if not people:
        return Reply(ctx.say("not_yet.everybody", name=name_of(letter)), back="not_yet")
    lines = branch_lines(ctx.say, people, organizations.names(ctx.session, list(people)))
    page = page_of(lines, ctx.arg_id(2))
    head = ctx.say("not_yet.head_branches", name=name_of(letter), count=len(people), open=sum(people.values()))
    more = page.more(ctx, f"not_yet:branches:{letter.id}")
    return Reply("\n".join((head, *page.shown)), more, back="not_yet")


NOT_YET = Command(
    "not_yet",
    ("未回复", "not answered"),
    not_yet,
    roles=ROLES,
    phrases=("谁还没回复", "哪些支部没回复", "还没收到回复的", "who has not answered in time"),
    in_menu=False,  # whoever has to see to it is told, with a button
)
