"""The committee on a branch's list of grades: confirm it, which books a line for everybody, or return it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from db import activities, audit, grade_lists, members, organizations
from db.grade_lists import GradeList
from handlers import picking
from handlers.conversation import Button, Context, Reply
from handlers.grades import RULE, USUAL, people_of, summary, title_of, too_many_excellent
from handlers.proposal_review import reason_in
from notices import record_notes
from scoring.booking import book_event

ROLES = ("committee_reviewer", "district_org_department")


def _role(ctx: Context, organization_id: int) -> str | None:
    path = organizations.get(ctx.session, organization_id).path
    held = {role for role, node in ctx.roles() if path.startswith(node.path)}
    return next((role for role in ROLES if role in held), None)


def _asked(ctx: Context) -> GradeList | None:
    one = grade_lists.by_id(ctx.session, ctx.arg_id(1))
    return one if one is not None and one.state != "draft" and _role(ctx, one.organization_id) else None


def _see(ctx: Context) -> Reply | str:
    one = _asked(ctx)
    return _shown(ctx, one) if one is not None else ctx.say("record_review.unknown")


def _shown(ctx: Context, one: GradeList, first: str = "") -> Reply:
    people, given = people_of(ctx, one)
    branch = organizations.get(ctx.session, one.organization_id)
    lines = [first] if first else []
    state = ctx.say(f"grades.state_{one.state}")
    lines.append(ctx.say("grades.list_of", branch=branch.name, year=one.year, state=state))
    lines.append(summary(ctx, given))
    for grade in sorted({*given.values()} - {USUAL}):
        named = [person for person in people if given[person.id or 0] == grade]
        lines.append(ctx.say("grades.named", grade=title_of(ctx, grade), names=picking.names(ctx, named)))
    buttons: tuple[Button, ...] = ()
    if given.get(ctx.me):
        lines.append(ctx.say("grades.own_grade"))
    elif one.state == "submitted" and one.entered_by != ctx.me:
        buttons = (
            Button(ctx.say("record_review.confirm"), f"record_review:grades_yes:{one.id}"),
            Button(ctx.say("record_review.return"), f"record_review:grades_no:{one.id}"),
        )
    return Reply("\n".join(lines), buttons, back="record_review")


def _confirm(ctx: Context) -> Reply | str:
    one = _asked(ctx)
    if one is None or one.id is None:
        return ctx.say("record_review.unknown")
    _, given = people_of(ctx, one)
    role = _role(ctx, one.organization_id) or ""
    fits = not too_many_excellent(given) and not given.get(ctx.me)
    if not fits or not grade_lists.confirm(ctx.session, one, by=ctx.me, role=role, now=ctx.now):
        return _shown(ctx, grade_lists.by_id(ctx.session, one.id) or one, ctx.say("record_review.not_now"))
    activity = activities.get(ctx.session, one.activity_id)
    assert activity is not None
    day = activity.starts_at.astimezone(ctx.zone).date()
    count = sum(_book(ctx, one, member_id, grade, day) for member_id, grade in given.items() if grade)
    subject = f"grade_list:{one.id}"
    audit.record(
        ctx.session, at=ctx.now, actor_id=ctx.me, action="grade_list.confirmed", subject=subject, booked=count
    )
    unqualified = sum(grade == "unqualified" for grade in given.values())
    if unqualified:  # whether the score is cleared is decided by people
        key, steps = f"grades:{one.id}:unqualified", [("record_tree.minus", "records:minus")]
        record_notes.tell(ctx.session, [one.entered_by], "unqualified", key, ctx.now, steps, count=unqualified)
    return ctx.say("record_review.confirmed", count=count)


def _book(ctx: Context, one: GradeList, member_id: int, grade: str, day: date) -> bool:
    branch = members.branch_of(ctx.session, member_id, day)
    points = book_event(
        ctx.session,
        member_id=member_id,
        organization_id=branch.id if branch else one.organization_id,
        rule_id=RULE,
        cause=grade_lists.cause_of(one.year),
        day=day,
        reason=title_of(ctx, grade),
        at=ctx.now,
        grade=grade,
    )
    if points is None:
        return False
    key = f"grades:{one.id}"
    steps = [("recording.lines", "points:lines")]
    record_notes.tell(
        ctx.session, [member_id], "graded", key, ctx.now, steps, rule_id=RULE, grade=grade, points=points
    )
    return True


def _return(ctx: Context) -> Reply | str:
    one = _asked(ctx)
    if one is None or one.id is None:
        return ctx.say("record_review.unknown")
    ask, see = ctx.say("record_review.ask_return"), f"record_review:grades:{one.id}"
    why, question = reason_in(ctx, 2, ask, f"record_review:grades_no:{one.id}", see)
    if question:
        return question
    role = _role(ctx, one.organization_id) or ""
    if not grade_lists.give_back(ctx.session, one, by=ctx.me, role=role, now=ctx.now, why=why):
        return _shown(ctx, grade_lists.by_id(ctx.session, one.id) or one, ctx.say("record_review.not_now"))
    subject = f"grade_list:{one.id}"
    audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action="grade_list.returned", subject=subject, why=why)
    key, steps = f"grades:{one.id}:returned", [("menu.grades", "grades")]
    record_notes.tell(ctx.session, [one.entered_by], "grades_returned", key, ctx.now, steps, why=why)
    return ctx.say("record_review.returned")


STEPS: Mapping[str, Callable[[Context], Reply | str]] = {
    "grades": _see,
    "grades_yes": _confirm,
    "grades_no": _return,
}
