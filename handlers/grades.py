"""The grades of the democratic review: everybody qualified to begin with, the secretary changes who is not.

The review has to be held first; at most a third of those rated are excellent; the committee confirms the list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, time

from db import audit, grade_lists, members
from db.activities import Activity
from db.duties import over
from db.grade_lists import NOT_RATED, GradeList
from db.members import Member
from db.organizations import Organization
from handlers import picking
from handlers.conversation import Button, Command, Context, Reply
from notices import record_notes
from scoring.record_rules import record_rules

RULE = "PB4"
USUAL = "qualified"


def run(ctx: Context) -> Reply:
    """`评议等次`; `set:GRADE` and numbers, `yes`, `drop`."""
    branch = ctx.node("secretary")
    if branch is None or branch.id is None:
        return Reply(ctx.say("grades.only_secretary"))
    held = reviewed(ctx, branch)
    if held is None:
        return Reply(ctx.say("grades.not_held", year=ctx.today.year), back="records")
    found = grade_lists.alive(ctx.session, branch.id, ctx.today.year)
    steps: Mapping[str, Callable[[Context, GradeList], Reply]] = {"set": _set, "check": _check, "yes": _submit}
    if found is None:
        if ctx.arg() != "begin":
            begin = Button(ctx.say("grades.begin"), "grades:begin")
            text = ctx.say("grades.none_yet", year=ctx.today.year, title=held.title)
            return Reply(text, (begin,), back="records")
        found = _begin(ctx, branch, held)
    step = steps.get(ctx.arg())
    if found.state == "draft" and step is not None:
        return step(ctx, found)
    return _shown(ctx, found)


def reviewed(ctx: Context, branch: Organization) -> Activity | None:
    """The democratic review that the branch has held this year."""
    assert branch.id is not None
    first = datetime.combine(ctx.today.replace(month=1, day=1), time(), ctx.zone)
    kinds = record_rules().review.kinds
    return next(iter(over(ctx.session, branch.id, kinds, first, ctx.now, held=True)), None)


def _begin(ctx: Context, branch: Organization, held: Activity) -> GradeList:
    """Everybody of the branch is qualified, probationary members are not rated; the secretary changes it."""
    assert branch.id is not None
    assert held.id is not None
    people = members.members_of(ctx.session, branch.id, ctx.today)
    return grade_lists.begin(
        ctx.session,
        organization_id=branch.id,
        year=ctx.today.year,
        activity_id=held.id,
        by=ctx.me,
        grades={one.id: NOT_RATED if one.probationary else USUAL for one in people if one.id is not None},
    )


def people_of(ctx: Context, one: GradeList) -> tuple[list[Member], dict[int, str]]:
    """Everybody on the list in the order of the numbers, and the grades."""
    assert one.id is not None
    given = grade_lists.grades_of(ctx.session, one.id)
    found = members.by_ids(ctx.session, list(given))
    return [found[member_id] for member_id in given], given


def title_of(ctx: Context, grade: str) -> str:
    """What a grade is called; of none: not rated."""
    rule = record_rules().of(RULE)
    named = rule.named(grade) if rule is not None else None
    return named.title_in(ctx.say.language) if named else ctx.say("grades.not_rated")


def summary(ctx: Context, given: Mapping[int, str]) -> str:
    """How many have each grade."""
    counts = Counter(given.values())
    rule = record_rules().of(RULE)
    order = [choice.id for choice in rule.choice] if rule is not None else []
    told = (f"{title_of(ctx, grade)} {counts[grade]}" for grade in [*order, NOT_RATED] if counts[grade])
    return ctx.say("grades.joint").join(told)


def too_many_excellent(given: Mapping[int, str]) -> bool:
    """Whether more than the share of the rules is excellent, of those who are rated."""
    rated = sum(grade != NOT_RATED for grade in given.values())
    excellent = sum(grade == "excellent" for grade in given.values())
    return excellent > record_rules().review.excellent_share * rated


def _shown(ctx: Context, one: GradeList, first: str = "") -> Reply:
    _, given = people_of(ctx, one)
    lines = [first] if first else []
    lines.append(ctx.say("grades.stands", year=one.year, state=ctx.say(f"grades.state_{one.state}")))
    lines.append(summary(ctx, given))
    if one.state != "draft":
        return Reply("\n".join(lines), back="records")
    rule = record_rules().of(RULE)
    choices = [*(rule.choice if rule else ())]
    buttons = [
        Button(ctx.say("grades.give", grade=choice.title_in(ctx.say.language)), f"grades:set:{choice.id}")
        for choice in choices
    ]
    buttons.append(Button(ctx.say("grades.give_none"), "grades:set:none"))
    buttons.append(Button(ctx.say("grades.check"), "grades:check"))
    return Reply("\n".join(lines), tuple(buttons), back="records")


def _set(ctx: Context, one: GradeList) -> Reply:
    """`set:GRADE`: who shall have it; with numbers or a name behind it, they get it."""
    word = ctx.arg(1)
    rule = record_rules().of(RULE)
    known = word == "none" or (rule is not None and rule.named(word) is not None)
    if not known:
        return _shown(ctx, one)
    grade = NOT_RATED if word == "none" else word
    people, given = people_of(ctx, one)
    said = " ".join(ctx.args[2:])
    places = picking.picked(said, len(people)) if ctx.names_allowed else None
    chosen = [people[place] for place in places or ()]
    if not chosen and said:
        found = picking.by_word(people, said.strip())
        chosen = found if len(found) == 1 else []
    if not chosen:
        return _ask_whom(ctx, people, given, grade, again=bool(said))
    assert one.id is not None
    grade_lists.grade(ctx.session, one.id, [person.id for person in chosen if person.id is not None], grade)
    return _shown(ctx, one, ctx.say("grades.given", count=len(chosen), grade=title_of(ctx, grade)))


def _ask_whom(ctx: Context, people: list[Member], given: Mapping[int, str], grade: str, *, again: bool) -> Reply:
    """The numbered list; behind a name the grade, where it is not the usual one."""
    word = grade or "none"
    if not ctx.names_allowed:
        return Reply(ctx.say("recording.whom_name"), expect=f"grades:set:{word}", back="grades")
    marks: dict[int | None, str] = {
        member_id: ctx.say("grades.mark", grade=title_of(ctx, its))
        for member_id, its in given.items()
        if its != USUAL
    }
    ask = ctx.say("recording.whom_unknown") if again else ctx.say("grades.whom", grade=title_of(ctx, grade))
    return Reply(f"{ask}\n{picking.listed(people, marks)}", expect=f"grades:set:{word}", back="grades")


def _check(ctx: Context, one: GradeList) -> Reply:
    """The preview: everybody who is not simply qualified by name, then hand it in."""
    people, given = people_of(ctx, one)
    if too_many_excellent(given):
        return _shown(ctx, one, _refusal(ctx, given))
    lines = [ctx.say("grades.preview", year=one.year), summary(ctx, given)]
    for grade in sorted({*given.values()} - {USUAL}):
        named = [person for person in people if given[person.id or 0] == grade]
        lines.append(ctx.say("grades.named", grade=title_of(ctx, grade), names=picking.names(ctx, named)))
    return Reply("\n".join(lines), (Button(ctx.say("grades.submit"), "grades:yes"),), back="grades")


def _refusal(ctx: Context, given: Mapping[int, str]) -> str:
    rated = sum(grade != NOT_RATED for grade in given.values())
    most = int(record_rules().review.excellent_share * rated)
    return ctx.say("grades.too_many", rated=rated, most=most)


def _submit(ctx: Context, one: GradeList) -> Reply:
    _, given = people_of(ctx, one)
    if too_many_excellent(given):
        return _shown(ctx, one, _refusal(ctx, given))
    if not any(given.values()) or not grade_lists.submit(ctx.session, one, ctx.now):
        return _shown(ctx, grade_lists.by_id(ctx.session, one.id) or one)
    subject = f"grade_list:{one.id}"
    audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action="grade_list.submitted", subject=subject)
    roles = ("committee_reviewer", "district_org_department")
    record_notes.waiting(ctx.session, one.organization_id, roles, ctx.now, ctx.today, but=(ctx.me,))
    return _shown(ctx, grade_lists.by_id(ctx.session, one.id) or one, ctx.say("grades.submitted"))


GRADES = Command(
    "grades",
    ("评议等次", "评议结果", "review grades"),
    run,
    roles=frozenset({"secretary"}),
    phrases=("录入评议结果", "民主评议打分"),
    in_menu=False,
)
