"""What the close of a year says to single people: an objection to its reviewers, the answer to its member."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Session

from db import members
from db.organizations import Organization
from db.year_close import YearObjection
from notices import outbox
from notices.channel import Button, Message
from notices.voices import voices

LANE = 1


def tell_objection(session: Session, branch: Organization, year: int, now: datetime, today: date) -> None:
    """Tell the committee's reviewers that an objection waits; who made it is not said."""
    to = [one.id for one in members.holders(session, branch, "committee_reviewer", today) if one.id is not None]
    for member_id, say in voices(session, to).items():
        text = say("year_close.objection_came", branch=branch.name, year=year)
        message = Message(text, (Button(say("year_close.objections"), "year_close:objections"),))
        key = f"year_close:{year}:objection:{branch.id}:{now.isoformat()}"
        outbox.tell(session, member_id=member_id, key=key, message=message, now=now, lane=LANE)


def tell_answer(session: Session, objection: YearObjection, now: datetime) -> None:
    """Tell the member what was answered."""
    for member_id, say in voices(session, [objection.member_id]).items():
        text = say("year_close.answered", year=objection.year, words=objection.answer)
        key = f"objection:{objection.id}:answered"
        outbox.tell(session, member_id=member_id, key=key, message=Message(text), now=now, lane=LANE)
