"""满意度: the survey of a letter, without names, and what came out of it once it is over.

Actions: `survey:LETTER`, `survey:grade:LETTER:QUESTION:GRADE` (numbers), `survey:other:LETTER` for words in place
of a number: what is said to these two is kept nowhere. `survey:result:LETTER` and `survey:branches:LETTER:FROM`.
"""

from __future__ import annotations

from db import letters, organizations, surveys
from db.letters import Letter
from handlers.answer_steps import LOOKED_AT, to_letters
from handlers.conversation import Button, Command, Context, Reply
from handlers.dates import said_time
from handlers.paging import page_of
from notices.answer_terms import terms_of
from notices.carried import UNDER_WAY, carried, survey_closes_at, survey_questions
from notices.letters import act, name_of
from notices.surveys import by_branch, said_result


def survey(ctx: Context) -> Reply:
    """`满意度`, or a button of a letter."""
    steps = {"grade": _grade, "other": _other, "result": _result, "branches": _branches}
    step = steps.get(ctx.arg())
    if step is not None:
        return step(ctx)
    return _paper(ctx, ctx.arg_id()) if ctx.args else _last(ctx)


def _last(ctx: Context) -> Reply:
    for letter in letters.received(ctx.session, ctx.me, most=LOOKED_AT):
        assert letter.id is not None
        asked = len(carried(letter).survey)
        if asked and _is_open(ctx, letter) and surveys.answered(ctx.session, letter.id, ctx.me) < asked:
            return _paper(ctx, letter.id)
    return Reply(ctx.say("survey.none"), to_letters(ctx))


def _asked(ctx: Context, letter_id: int | None) -> Letter | None:
    """The letter, if it has a survey and was written to me; who opens its survey has read it."""
    letter = ctx.session.get(Letter, letter_id) if letter_id is not None else None
    if letter is None or letter.id is None or not carried(letter).survey or letter.sent_at is None:
        return None
    return letter if act(ctx.session, letter.id, ctx.me, "read", ctx.now) else None


def _is_open(ctx: Context, letter: Letter) -> bool:
    return letter.state in UNDER_WAY and ctx.now < survey_closes_at(letter, ctx.zone)


def _paper(ctx: Context, letter_id: int | None, first: str = "") -> Reply:
    """The next question, or thanks at the end."""
    letter = _asked(ctx, letter_id)
    if letter is None or letter.id is None:
        return Reply(ctx.say("survey.unknown"), to_letters(ctx))
    if not _is_open(ctx, letter):
        return Reply(ctx.say("survey.over"), to_letters(ctx))
    say, terms = ctx.say, terms_of(letter, ctx.zone).survey
    questions = survey_questions(carried(letter), terms, say)
    number = surveys.answered(ctx.session, letter.id, ctx.me)
    if number >= len(questions):
        return Reply(
            say("survey.thanks", until=said_time(ctx, survey_closes_at(letter, ctx.zone))), to_letters(ctx)
        )
    lines = [first] if first else []
    if number == 0:
        lines.append(say("survey.promise", few=terms.answers_min))
    lines.append(say("survey.question", number=number + 1, count=len(questions), words=questions[number]))
    steps = tuple(
        Button(grade.title_in(say.language), f"survey:grade:{letter.id}:{number}:{place}")
        for place, grade in enumerate(terms.grade, 1)
    )
    return Reply("\n".join(lines), steps, expect=f"survey:other:{letter.id}")


def _grade(ctx: Context) -> Reply:
    """One answer. The reply is the same whatever the grade was."""
    letter, number = _asked(ctx, ctx.arg_id(1)), ctx.arg_id(2)
    if letter is None or letter.id is None or not _is_open(ctx, letter):
        return _paper(ctx, ctx.arg_id(1))
    terms, count = terms_of(letter, ctx.zone).survey, len(carried(letter).survey)
    grade = terms.grade_at(ctx.arg_id(3) or 0)
    if grade is None or number is None or number >= count:
        return _paper(ctx, letter.id, ctx.say("survey.by_number"))
    surveys.begin(ctx.session, letter.id, questions=count, closes_at=survey_closes_at(letter, ctx.zone))
    branch = ctx.branch()
    counted = surveys.vote(
        ctx.session,
        letter.id,
        ctx.me,
        organization_id=(organizations.branch_of_group(ctx.session, branch).id if branch else None)
        or surveys.REST,
        number=number,
        grade=grade.id,
        grades=[one.id for one in terms.grade],
        now=ctx.now,
    )
    return _paper(ctx, letter.id, ctx.say("survey.counted" if counted else "survey.counted_before"))


def _other(ctx: Context) -> Reply:
    """Words in place of a number: they are not repeated, because they may say what the number would."""
    return _paper(ctx, ctx.arg_id(1), ctx.say("survey.by_number"))


def _sent(ctx: Context) -> Letter | None:
    letter_id = ctx.arg_id(1)
    letter = ctx.session.get(Letter, letter_id) if letter_id is not None else None
    return letter if letter is not None and letter.sent_at is not None and carried(letter).survey else None


def _result(ctx: Context) -> Reply:
    """`survey:result:LETTER`: for the letter's author all of it; for a secretary the own branch."""
    letter, branch = _sent(ctx), ctx.node("secretary")
    if letter is None or letter.id is None or (letter.author_id != ctx.me and branch is None):
        return Reply(ctx.say("survey.unknown"), to_letters(ctx))
    answers = surveys.count_papers(ctx.session, letter.id)
    until = survey_closes_at(letter, ctx.zone)
    found = surveys.get(ctx.session, letter.id)
    name = name_of(letter)
    if letter.author_id != ctx.me:
        assert branch is not None
        return _own_branch(ctx, letter, branch.id or 0, branch.name)
    if found is None and ctx.now >= until:
        return Reply(ctx.say("survey.no_answers", name=name), to_letters(ctx))
    if found is None or found.answers is None:
        text = ctx.say("survey.still_open", name=name, until=said_time(ctx, until), answers=answers)
        return Reply(text, to_letters(ctx))
    lines = [ctx.say("survey.head", name=name, answers=answers)]
    lines += said_result(ctx.session, letter, ctx.say, ctx.zone)
    steps = (Button(ctx.say("survey.branches"), f"survey:branches:{letter.id}"),)
    return Reply("\n".join(lines), steps, back=f"receipts:show:{letter.id}")


def _own_branch(ctx: Context, letter: Letter, branch_id: int, name: str) -> Reply:
    """The secretary's own branch, when enough have answered there."""
    figures = by_branch(ctx.session, letter, ctx.zone).get(branch_id)
    said = surveys.get(ctx.session, letter.id or 0)
    if said is None or said.answers is None:
        return Reply(ctx.say("survey.unknown"), to_letters(ctx))
    if figures is None:
        return Reply(ctx.say("survey.own_few", branch=name), to_letters(ctx))
    return Reply(ctx.say("survey.own_branch", branch=name, figures=" / ".join(figures)), to_letters(ctx))


def _branches(ctx: Context) -> Reply:
    """The branches that can be shown, in the order of their ids: no list of the worst."""
    letter = _sent(ctx)
    found = surveys.get(ctx.session, letter.id) if letter is not None and letter.id is not None else None
    if letter is None or letter.author_id != ctx.me or found is None or found.answers is None:
        return Reply(ctx.say("survey.unknown"), to_letters(ctx))
    figures = by_branch(ctx.session, letter, ctx.zone)
    back = f"survey:result:{letter.id}"
    if not figures:
        return Reply(ctx.say("survey.branch_none"), back=back)
    names = organizations.names(ctx.session, list(figures))
    lines = [
        ctx.say("survey.branch_line", branch=names[one], figures=" / ".join(said)) for one, said in figures.items()
    ]
    page = page_of(lines, ctx.arg_id(2))
    few = terms_of(letter, ctx.zone).survey.answers_min
    head = ctx.say("survey.head_branch", name=name_of(letter), few=few)
    return Reply("\n".join((head, *page.shown)), page.more(ctx, f"survey:branches:{letter.id}"), back=back)


SURVEY = Command(
    "survey",
    ("满意度", "survey"),
    survey,
    phrases=("满意度调查", "填满意度", "satisfaction survey"),
    in_menu=False,
    secret=frozenset({"grade", "other"}),
)
