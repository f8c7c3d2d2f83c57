"""Days of the sample branch from which reminders follow, and its offices; the first reminders wait already."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session

from bot.sample.directory import People, sample_branch
from db import companions, dated_facts, members, offices
from db.dated_facts import DatedFact
from db.duties import CITY
from notices import duties
from notices.duty_days import months_before

APPLICANTS = (("intake_talk", "ZWM", 15), ("activist_review", "17", 170), ("approval_limit", "LYQ", 62))
"""Kind, label, and how many days ago: each with a reminder of this week or the next."""
OF_MEMBERS = (("mobile_six_months", 151), ("lost_contact", 95), ("transfer_letter", -14))
"""Kind, and how many days ago (a minus: to come), of members who live elsewhere."""
NAMED = ("deputy_secretary", "organization_officer", "publicity_officer", "discipline_officer")
TERM_MONTHS = 4  # until the end of the committee's term


def begin(session: Session, people: People, now: datetime) -> None:
    """Offices, dates and a term for the sample branch, and this morning's reminders of them."""
    branch = sample_branch(session)
    assert branch.id is not None
    today, noted_at = now.astimezone(CITY).date(), now - timedelta(days=1)
    secretary = people.secretary.id
    there = [one for one in members.members_of(session, branch.id, today) if one.id not in (None, secretary)]
    for office, holder in zip(NAMED, there, strict=False):
        offices.name(session, branch.id, office, holder.id or 0, today)
    branch.committee_members = 1 + len(NAMED)
    branch.term_ends_on = months_before(today, -TERM_MONTHS)
    for kind, label, days in APPLICANTS:
        day = today - timedelta(days=days)
        dated_facts.note(
            session,
            DatedFact(
                organization_id=branch.id,
                kind=kind,
                day=day,
                label=label,
                noted_by=secretary,
                noted_at=noted_at,
            ),
        )
    if there:
        companions.name_mentor(session, branch.id, "17", there[0].id or 0)
    away = [one for one in there if one.mobile]
    for (kind, days), member in zip(OF_MEMBERS, away, strict=False):
        day = today - timedelta(days=days)
        dated_facts.from_roll(session, member.id or 0, branch.id, kind, day, noted_at)
        companions.put(session, member.id or 0, "contact", [there[0].id or 0])
    session.flush()
    duties.remind(session, [branch.id], now, CITY)
