"""The rules about answers to letters in force, and the steps that a letter's deadline brings."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import letter_deadlines
from db.letters import Letter
from notices.working_days import working_day_after
from scoring.catalogue import shipped
from scoring.letter_answers import LetterAnswersTerms


def terms_of(letter: Letter, zone: ZoneInfo) -> LetterAnswersTerms:
    """The rules of the day on which the letter was sent; for a draft those of the day on which it was begun."""
    return shipped().ratings.letter_answers.terms_on(sent_on(letter, zone))


def sent_on(letter: Letter, zone: ZoneInfo) -> date:
    """The day on which the letter was sent (a draft: begun), on the city's calendar."""
    return (letter.sent_at or letter.created_at).astimezone(zone).date()


def asks_until(letter: Letter) -> datetime | None:
    """Until when 收到 is asked for; None: it is not, or without an end."""
    return letter.answer_until if letter.ask == "ack" else None


def plan_deadline(session: Session, letter: Letter, zone: ZoneInfo) -> None:
    """Note what a letter that has just been sent brings at its deadline; nothing for one without."""
    until = asks_until(letter)
    if until is None or letter.id is None or letter.sent_at is None or until <= letter.sent_at:
        return
    remind_at = terms_of(letter, zone).deadline.remind_at(letter.sent_at, until)
    if remind_at is not None:
        letter_deadlines.plan(session, letter.id, "remind", remind_at)
    letter_deadlines.plan(session, letter.id, "secretaries", until)


def committees_at(letter: Letter, now: datetime, zone: ZoneInfo) -> datetime:
    """When committees are told, after secretaries were told at `now`: some working days later, in the morning."""
    terms = terms_of(letter, zone).deadline
    day = working_day_after(now.astimezone(zone).date(), terms.committee_working_days)
    return datetime.combine(day, time(terms.committee_hour), zone).astimezone(UTC)
