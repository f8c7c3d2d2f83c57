"""The appraisal of a branch in chat: a member's paper, and for those who lead the way to theirs.

Actions: `appraisal`, `appraisal:paper:POLL`, `appraisal:grade:POLL:QUESTION:GRADE` (numbers), and
`appraisal:other:POLL` for free text in place of a number. What is said to `grade` and `other` is kept nowhere;
each answer counts at once, so that nobody has to keep the ones before it either. The rest is in
`handlers/appraisal_leading.py`.
"""

from __future__ import annotations

from collections.abc import Callable

from db import organizations, polls
from db.polls import Poll
from handlers import appraisal_leading
from handlers.conversation import Button, Command, Context, Reply
from handlers.dates import said_time
from notices.appraisals import other_voices, said_result, terms_of


def appraisal(ctx: Context) -> Reply:
    """`测评`: what this person can do in it now; with arguments, one step."""
    steps: dict[str, Callable[[Context], Reply]] = {
        "paper": _paper,
        "grade": _grade,
        "other": _other,
        "result": _result,
        **appraisal_leading.STEPS,
    }
    step = steps.get(ctx.arg())
    return step(ctx) if step else _home(ctx)


def _home(ctx: Context, first: str = "") -> Reply:
    """Papers that wait, and the ways of those who lead."""
    say = ctx.say
    buttons = [
        Button(say("appraisal.invite_button"), f"appraisal:paper:{poll.id}")
        for poll in polls.open_ones(ctx.session, ctx.branch_id or 0, ctx.now)
        if _has_paper(ctx, poll) and polls.answered(ctx.session, poll.id or 0, ctx.me) < poll.questions
    ]
    text = say("appraisal.waits" if buttons else "appraisal.none")
    buttons += appraisal_leading.ways(ctx)
    if ctx.branch_id is not None:
        buttons.append(Button(say("appraisal.result_button"), "appraisal:result"))
    return Reply(f"{first}\n{text}" if first else text, tuple(buttons))


def _has_paper(ctx: Context, poll: Poll) -> bool:
    """Whether the member votes here: belongs to the branch and speaks with no other voice."""
    if ctx.branch_id != poll.organization_id:
        return False
    branch = organizations.get(ctx.session, poll.organization_id)
    return ctx.me not in other_voices(ctx.session, branch, ctx.today)


def _asked(ctx: Context) -> Poll | Reply:
    """The poll that the argument names, if the member has a paper in it and it is open; else what to say."""
    poll = polls.get(ctx.session, ctx.arg_id(1))
    if poll is None or ctx.branch_id != poll.organization_id:
        return _home(ctx, ctx.say("appraisal.unknown"))
    if not _has_paper(ctx, poll):
        return _home(ctx, ctx.say("appraisal.other_voice"))
    if poll.state != "open" or poll.closes_at <= ctx.now:
        return _home(ctx, ctx.say("appraisal.over"))
    return poll


def _paper(ctx: Context, poll: Poll | None = None, first: str = "") -> Reply:
    """The next question of the paper, or thanks at its end."""
    if poll is None:
        asked = _asked(ctx)
        if isinstance(asked, Reply):
            return asked
        poll = asked
    assert poll.id is not None
    say, terms = ctx.say, terms_of(poll, ctx.zone)
    number = polls.answered(ctx.session, poll.id, ctx.me)
    if number >= poll.questions:
        until = said_time(ctx, poll.closes_at)
        return Reply(say("appraisal.thanks", until=until, few=terms.answers_min))
    question = terms.question[number].title_in(say.language)
    lines = [first] if first else []
    if number == 0:
        lines.append(say("appraisal.promise", few=terms.answers_min))
    lines.append(say("appraisal.question", number=number + 1, count=poll.questions, question=question))
    buttons = tuple(
        Button(grade.title_in(say.language), f"appraisal:grade:{poll.id}:{number}:{place}")
        for place, grade in enumerate(terms.grade, 1)
    )
    return Reply("\n".join(lines), buttons, expect=f"appraisal:other:{poll.id}")


def _grade(ctx: Context) -> Reply:
    """One answer. The reply is the same whatever the grade was."""
    asked = _asked(ctx)
    if isinstance(asked, Reply):
        return asked
    terms, number = terms_of(asked, ctx.zone), ctx.arg_id(2)
    grade = terms.grade_at(ctx.arg_id(3) or 0)
    if grade is None or number is None or number >= asked.questions:
        return _paper(ctx, asked, ctx.say("appraisal.by_number"))
    assert asked.id is not None
    counted = polls.vote(
        ctx.session,
        poll_id=asked.id,
        member_id=ctx.me,
        number=number,
        question=terms.question[number].id,
        grade=grade.id,
        now=ctx.now,
    )
    return _paper(ctx, asked, ctx.say("appraisal.counted" if counted else "appraisal.counted_before"))


def _other(ctx: Context) -> Reply:
    """Words in place of a number: they are not repeated, because they may say what the number would."""
    asked = _asked(ctx)
    return asked if isinstance(asked, Reply) else _paper(ctx, asked, ctx.say("appraisal.by_number"))


def _result(ctx: Context) -> Reply:
    """What came out for the member's own branch, last year's or this year's."""
    say, branch = ctx.say, ctx.branch()
    if branch is None or branch.id is None:
        return Reply(say("appraisal.none"))
    for year in (ctx.today.year, ctx.today.year - 1):
        poll = polls.of_branch(ctx.session, branch.id, year)
        if poll is not None and poll.state == "closed":
            head = say("appraisal.is_closed", branch=branch.name, year=year)
            return Reply(f"{head}\n{said_result(ctx.session, say, poll)}", back="appraisal")
    return Reply(say("appraisal.no_result"), back="appraisal")


APPRAISAL = Command(
    "appraisal",
    ("测评", "支部测评", "appraisal"),
    appraisal,
    slash=("/appraisal",),
    phrases=("给支部打分", "评价支部", "民主测评", "appraise my branch"),
    in_menu=False,
    order=140,
    secret=frozenset({"grade", "other"}),
)
