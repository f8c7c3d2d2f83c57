"""What a letter carries beside its words: a quiz, a survey, the wish for replies. The letter's hash covers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from db.letters import Letter
from notices.answer_terms import sent_on, terms_of
from notices.channel import Button
from notices.wording import Wording
from scoring.catalogue import shipped
from scoring.letter_answers import SurveyTerms

QUESTIONS_MAX = 5
ANSWERS_MIN, ANSWERS_MAX = 2, 4
SURVEY_MAX = 3  # questions of a survey
RULE = "QUIZ"  # of the wallet: what a quiz pays
OPEN_FOR = timedelta(days=30)  # a quiz without a deadline
UNDER_WAY = ("sending", "done")  # a letter that was stopped takes no answers any more


@dataclass(frozen=True, slots=True)
class Question:
    """One question with its answers. right: the number of the right one, from 1; 0: not said yet."""

    words: str
    answers: tuple[str, ...]
    right: int = 0


@dataclass(frozen=True, slots=True)
class Carried:
    """What a letter carries.

    survey: its questions, an empty one is the usual one. shares: ids of the replies that its words are made of.
    """

    quiz: tuple[Question, ...] = ()
    survey: tuple[str, ...] = ()
    replies: bool = False
    shares: tuple[int, ...] = ()
    unfinished: Question | None = field(default=None, compare=False)  # its right answer is still to be said

    def to_json(self) -> dict[str, Any] | None:
        """The stored form; None for nothing."""
        asked = [*self.quiz, *([self.unfinished] if self.unfinished else [])]
        stored: dict[str, Any] = {}
        if asked:
            stored["quiz"] = [[one.words, list(one.answers), one.right] for one in asked]
        if self.survey:
            stored["survey"] = list(self.survey)
        if self.replies:
            stored["replies"] = True
        if self.shares:
            stored["shares"] = list(self.shares)
        return stored or None


def carried(letter: Letter) -> Carried:
    """What the letter carries."""
    return from_json(letter.carries or {})


def from_json(stored: Mapping[str, Any]) -> Carried:
    """What `Carried.to_json` stored."""
    asked = [Question(words, tuple(answers), right) for words, answers, right in stored.get("quiz", ())]
    return Carried(
        tuple(one for one in asked if one.right),
        tuple(stored.get("survey", ())),
        bool(stored.get("replies")),
        tuple(stored.get("shares", ())),
        next((one for one in asked if not one.right), None),
    )


def closes_at(letter: Letter) -> datetime | None:
    """Until when a quiz takes answers; None for a letter that was not sent."""
    if letter.sent_at is None:
        return None
    until = letter.answer_until
    return until if until is not None and until > letter.sent_at else letter.sent_at + OPEN_FOR


def survey_closes_at(letter: Letter, zone: ZoneInfo) -> datetime:
    """Until when a survey takes answers: the letter's deadline, or as many days as the rules say."""
    assert letter.sent_at is not None
    until = letter.answer_until
    if until is not None and until > letter.sent_at:
        return until
    return letter.sent_at + timedelta(days=terms_of(letter, zone).survey.open_days)


def survey_questions(of: Carried, terms: SurveyTerms, say: Wording) -> list[str]:
    """The questions of the survey as people read them."""
    return [words or terms.question[0].title_in(say.language) for words in of.survey]


def quiz_pays(day: date) -> int:
    """Points for whoever passes a quiz on `day`."""
    return shipped().ratings.letter_answers.terms_on(day).quiz.points


def buttons(letter: Letter, say: Wording) -> tuple[Button, ...]:
    """The next steps that the letter's readers get for it."""
    of = carried(letter)
    found = []
    if of.quiz:
        found.append(Button(say("quiz.button", count=len(of.quiz)), f"quiz:{letter.id}"))
    if of.survey:
        found.append(Button(say("survey.button"), f"survey:{letter.id}"))
    if of.replies:
        found.append(Button(say("reply.button"), f"reply:{letter.id}"))
    return tuple(found)


def described(letter: Letter, say: Wording, zone: ZoneInfo) -> list[str]:
    """All of it in lines, with the right answers: for its author and for whoever approves it."""
    of = carried(letter)
    lines = []
    if of.quiz:
        day = sent_on(letter, zone)
        share = terms_of(letter, zone).quiz.pass_share
        lines.append(say("quiz.carried", count=len(of.quiz), percent=round(share * 100), points=quiz_pays(day)))
    for number, one in enumerate(of.quiz, 1):
        marked = [say("quiz.right_mark", answer=a) if n == one.right else a for n, a in enumerate(one.answers, 1)]
        lines.append(say("quiz.line", number=number, words=one.words, answers=" / ".join(marked)))
    if of.survey:
        asked = survey_questions(of, terms_of(letter, zone).survey, say)
        lines.append(say("survey.carried", words=" / ".join(asked)))
    if of.replies:
        lines.append(say("reply.carried"))
    return lines
