"""What a draft carries beside its words: a quiz, a survey, the wish for replies. Steps of `broadcast`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from db.letters import Letter
from handlers import letter_draft, letter_refusals
from handlers.conversation import Button, Context, Reply
from handlers.letter_questions import Asked, asked_question, survey_lines
from handlers.meaning import typed_number
from notices.answer_terms import terms_of
from notices.carried import QUESTIONS_MAX, SURVEY_MAX, Carried, Question, carried
from notices.letter_words import Fault


def _with_draft(step: Callable[[Context, Letter], Reply]) -> Callable[[Context], Reply]:
    """The step with the draft that the arguments name, or what to say when there is none."""

    def run(ctx: Context) -> Reply:
        letter = letter_draft.mine(ctx)
        return letter_draft.gone(ctx) if letter is None else step(ctx, letter)

    return run


def _store(ctx: Context, letter: Letter, what: Carried) -> None:
    letter_draft.reopen(ctx, letter)
    letter.carries, letter.content_hash = what.to_json(), ""
    ctx.session.add(letter)
    ctx.session.flush()


def _extras(ctx: Context, letter: Letter, *, note: str = "") -> Reply:
    """`broadcast:extras:ID`: what it carries, and what can be added or taken away."""
    of, say = carried(letter), ctx.say
    said = [say("quiz.has", count=len(of.quiz))] if of.quiz else []
    said += [say("survey.has", count=len(of.survey))] if of.survey else []
    said += [say("reply.has")] if of.replies else []
    lines = [note] if note else []
    lines.append(
        say("extras.carries", what=say("broadcast.between").join(said)) if said else say("extras.nothing")
    )
    steps = []
    if len(of.quiz) < QUESTIONS_MAX:
        steps.append(Button(say("extras.add_question"), f"broadcast:question:{letter.id}"))
    if of.quiz:
        steps.append(Button(say("extras.drop_question"), f"broadcast:unask:{letter.id}"))
    steps += [
        Button(say("extras.no_survey" if of.survey else "extras.survey"), f"broadcast:survey:{letter.id}"),
        Button(say("extras.no_replies" if of.replies else "extras.replies"), f"broadcast:replies:{letter.id}"),
        Button(say("extras.done"), f"broadcast:show:{letter.id}"),
    ]
    return Reply("\n".join(lines), tuple(steps), back=f"broadcast:show:{letter.id}")


def _question(ctx: Context, letter: Letter) -> Reply:
    """`broadcast:question:ID` with what was typed: the question and its answers."""
    of = carried(letter)
    if len(of.quiz) >= QUESTIONS_MAX:
        return _extras(ctx, letter, note=ctx.say("extras.enough", most=QUESTIONS_MAX))
    waiting: dict[str, Any] = {
        "expect": f"broadcast:question:{letter.id}",
        "back": f"broadcast:extras:{letter.id}",
    }
    if len(ctx.args) < 3:
        return Reply(ctx.say("extras.ask_question"), **waiting)
    read = asked_question(ctx.args[-1], ctx.incoming.text)
    if not isinstance(read, Asked):
        return Reply(letter_refusals.content(ctx, letter, read), **waiting)
    made = Question(read.words, read.answers, read.right)
    if made.right:
        _store(ctx, letter, replace(of, quiz=(*of.quiz, made), unfinished=None))
        return _extras(ctx, letter, note=ctx.say("extras.noted", answer=made.answers[made.right - 1]))
    _store(ctx, letter, replace(of, unfinished=made))
    return _which_right(ctx, letter, made)


def _which_right(ctx: Context, letter: Letter, made: Question) -> Reply:
    steps = tuple(
        Button(answer, f"broadcast:right:{letter.id}:{number}") for number, answer in enumerate(made.answers, 1)
    )
    text = ctx.say("extras.which_right", words=made.words)
    return Reply(text, steps, expect=f"broadcast:right:{letter.id}", back=f"broadcast:extras:{letter.id}")


def _right(ctx: Context, letter: Letter) -> Reply:
    """`broadcast:right:ID:N`: which answer of the last question is right."""
    of = carried(letter)
    made = of.unfinished
    if made is None:
        return _extras(ctx, letter)
    number = int(typed_number(ctx.arg(2)) or 0)
    if not 1 <= number <= len(made.answers):
        return _which_right(ctx, letter, made)
    _store(ctx, letter, replace(of, quiz=(*of.quiz, replace(made, right=number)), unfinished=None))
    return _extras(ctx, letter, note=ctx.say("extras.noted", answer=made.answers[number - 1]))


def _unask(ctx: Context, letter: Letter) -> Reply:
    """`broadcast:unask:ID`: without the last question."""
    of = carried(letter)
    _store(ctx, letter, replace(of, quiz=of.quiz[:-1], unfinished=None))
    return _extras(ctx, letter)


def _survey(ctx: Context, letter: Letter) -> Reply:
    """`broadcast:survey:ID`: without a survey, or with one; `usual` or what was typed says what it asks."""
    of = carried(letter)
    said = ctx.args[-1] if len(ctx.args) > 2 else ""
    if not said and of.survey:
        _store(ctx, letter, replace(of, survey=()))
        return _extras(ctx, letter)
    usual = terms_of(letter, ctx.zone).survey.question[0].title_in(ctx.say.language)
    text = ctx.say("extras.ask_survey", usual=usual, most=SURVEY_MAX)
    if said:
        read = ("",) if said == "usual" else survey_lines(said, ctx.incoming.text)
        if not isinstance(read, Fault):
            _store(ctx, letter, replace(of, survey=read))
            return _extras(ctx, letter)
        text = letter_refusals.content(ctx, letter, read)
    steps = (Button(ctx.say("extras.usual"), f"broadcast:survey:{letter.id}:usual"),)
    return Reply(text, steps, expect=f"broadcast:survey:{letter.id}", back=f"broadcast:extras:{letter.id}")


def _replies(ctx: Context, letter: Letter) -> Reply:
    """`broadcast:replies:ID`: with or without the wish for replies."""
    of = carried(letter)
    _store(ctx, letter, replace(of, replies=not of.replies))
    return _extras(ctx, letter)


STEPS = {
    "extras": _with_draft(_extras),
    "question": _with_draft(_question),
    "right": _with_draft(_right),
    "unask": _with_draft(_unask),
    "survey": _with_draft(_survey),
    "replies": _with_draft(_replies),
}
"""Beside the other steps of `broadcast`."""
