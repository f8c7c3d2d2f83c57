"""The end of a letter's survey: figures for all, and for the branches that can be shown; no papers remain."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import surveys
from db.letters import Letter
from notices import outbox
from notices.answer_terms import terms_of
from notices.carried import carried, survey_questions
from notices.channel import Button, Message
from notices.letters import key_of, name_of
from notices.voices import voice
from notices.wording import Wording
from scoring.letter_answers import SurveyTerms

KEPT_FOR = timedelta(days=30)


def close_due(session: Session, now: datetime, zone: ZoneInfo) -> int:
    """Close the survey whose time has been over longest and tell the letter's author; 0: there is none."""
    due = surveys.due(session, now)
    if due is None:
        return 0
    letter = session.get(Letter, due.letter_id)
    assert letter is not None
    assert letter.id is not None
    if not surveys.close(session, letter.id):
        return 1  # another process has closed it
    answers = surveys.count_papers(session, letter.id)
    surveys.put_away(session, letter.id, answers, _kept(session, letter.id, terms_of(letter, zone).survey))
    if letter.author_id is not None:
        say = voice(session, letter.author_id)
        text = say("survey.told", name=name_of(letter), answers=answers)
        see = Button(say("survey.look"), f"survey:result:{letter.id}")
        outbox.tell(
            session,
            member_id=letter.author_id,
            key=f"{key_of(letter)}:survey",
            message=Message(text, (see,)),
            now=now,
            expires_at=now + KEPT_FOR,
        )
    return 1


def _kept(session: Session, letter_id: int, terms: SurveyTerms) -> surveys.Tallies:
    """What may be kept: nothing of a question with too few answers, and small branches only in the sum of all."""
    kept: dict[int, Mapping[int, Mapping[str, int]]] = {}
    for question, branches in surveys.tallies(session, letter_id).items():
        if terms.good_share(surveys.merged(branches.values())) is None:
            continue
        sizes = {branch: sum(votes.values()) for branch, votes in branches.items() if branch != surveys.REST}
        rest = branches.get(surveys.REST, {})
        shown = terms.shown_groups({**sizes, surveys.REST: sum(rest.values())} if rest else sizes)
        kept[question] = surveys.without_small(branches, shown - {surveys.REST})
    return kept


def percent(share: Fraction) -> str:
    """`98.1%`: one decimal, rounded half up."""
    tenths = (share.numerator * 2000 + share.denominator) // (2 * share.denominator)
    return f"{tenths // 10}.{tenths % 10}%"


def said_result(session: Session, letter: Letter, say: Wording, zone: ZoneInfo) -> list[str]:
    """One line per question of a closed survey, for all who have answered."""
    assert letter.id is not None
    terms, found = terms_of(letter, zone).survey, surveys.tallies(session, letter.id)
    lines = []
    for number, words in enumerate(survey_questions(carried(letter), terms, say)):
        share = terms.good_share(surveys.merged(found.get(number, {}).values()))
        if share is None:
            lines.append(say("survey.line_few", words=words, few=terms.answers_min))
        else:
            lines.append(say("survey.line", words=words, percent=percent(share)))
    return lines


def by_branch(session: Session, letter: Letter, zone: ZoneInfo) -> dict[int, list[str]]:
    """The figures of each branch that can be shown, question by question; `-` where one cannot."""
    assert letter.id is not None
    terms, found = terms_of(letter, zone).survey, surveys.tallies(session, letter.id)
    shown = {branch for branches in found.values() for branch in branches if branch != surveys.REST}
    figures: dict[int, list[str]] = {branch: [] for branch in sorted(shown)}
    for number in range(len(carried(letter).survey)):
        for branch, said in figures.items():
            share = terms.good_share(found.get(number, {}).get(branch, {}))
            said.append(percent(share) if share is not None else "-")
    return figures
