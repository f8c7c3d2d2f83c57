"""Appeals of lines that wait too long: whoever decides is reminded, each appeal once."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import appeals, members, organizations
from notices.channel import Button, Message
from notices.digest import later
from notices.duty_days import LOOK_BACK
from notices.voices import voices
from notices.working_days import working_days_since
from scoring.record_rules import record_rules

OLDEST = timedelta(days=60)  # working days and a week of outage fit into it


def remind_deciders(session: Session, now: datetime, zone: ZoneInfo) -> int:
    """Put what has waited long enough into the digests of those who decide; how many reminders are new."""
    today, days = now.astimezone(zone).date(), record_rules().appeal.answer_working_days
    midnight = datetime.combine(today, time(), zone).astimezone(UTC)
    waiting: dict[int, list[int]] = defaultdict(list)
    for one in appeals.undecided(session, midnight - OLDEST, midnight):
        waited = working_days_since(one.made_at.astimezone(zone).date(), today)
        if not days <= waited < days + LOOK_BACK.days or one.id is None:
            continue
        node = organizations.get(session, one.organization_id)
        for held in members.holders(session, node, one.goes_to, today):
            if held.id is not None and held.id not in (one.member_id, one.booked_by):
                waiting[held.id].append(one.id)
    told = 0
    for member_id, say in voices(session, list(waiting)).items():
        step = Button(say("recording.review"), "record_review")
        told += later(
            session,
            member_id=member_id,
            key=f"appeals:{max(waiting[member_id])}",  # with a later one among them it is another message
            message=Message(say("recording.told_appeals_wait", count=len(waiting[member_id]), days=days), (step,)),
            now=now,
            zone=zone,
            expires_at=now + LOOK_BACK,
        )
    return told
