"""The correction of a letter that should not have gone out: ready as soon as the letter is stopped."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import audiences, letter_corrections
from db.audiences import Audience
from db.letters import Letter
from notices.letter_stops import take_back
from notices.letters import TITLE_MAX, name_of
from notices.outbox import queue_letter
from notices.wording import Wording

CORRECTABLE_FOR = timedelta(days=30)  # later nobody acts on the letter any more
WORDS_MAX = 200  # characters of one's own below the prepared words


def got_by(letter: Letter) -> Audience:
    """Exactly those who got the letter, or may have got it."""
    return Audience(int(letter.audience["node"]), got=letter.id)


def prepare(session: Session, letter: Letter, author_id: int, say: Wording, now: datetime) -> Letter | None:
    """The correction of the letter by this author, written at the first call; None when nobody got the letter.

    It names the letter, goes to exactly those who got it, in the urgent lane and in quiet hours, too.
    """
    day = now.date()
    if letter.id is None or not audiences.more_than(session, got_by(letter), day, 0):
        return None
    known = letter_corrections.unsent(session, letter.id, author_id)
    if known is not None:
        return known
    made = Letter(
        topic_id=letter.topic_id,
        author_id=author_id,
        organization_id=letter.organization_id,
        audience=got_by(letter).to_json(),
        title=say("letters.correction_of", name=name_of(letter))[:TITLE_MAX],
        body="",
        ask="none",
        urgent=True,
        lane=0,
        corrects=letter.id,
        created_at=now,
    )
    session.add(made)
    session.flush()
    return made


def send(session: Session, made: Letter, *, by: int, now: datetime, zone: ZoneInfo) -> None:
    """Take the letter back for good, and send its correction to those who got it."""
    source = session.get(Letter, made.corrects)
    assert source is not None
    take_back(session, source, by=by, now=now)
    queue_letter(session, made, now, zone)
