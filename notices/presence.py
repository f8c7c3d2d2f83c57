"""Joining from afar: when one may join, and the random moments at which people are asked if they are there."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import attendance, members, remote_seats
from db.activities import ONSITE_ONLY, Activity
from db.attendance import CAME
from notices import outbox
from notices.channel import Button, Message
from notices.voices import voices
from scoring.booking import book_attendance

ANSWER_FOR = timedelta(minutes=10)
MOMENTS = 2  # how often presence is asked
BATCH = 200  # prompts of one transaction
_UNPREDICTABLE = random.SystemRandom()


def remote_possible(activity: Activity) -> bool:
    """Whether mobile members may join this activity from afar. Elections never are."""
    return activity.remote_allowed and ONSITE_ONLY.isdisjoint(activity.kinds.split(";"))


def joins_until(activity: Activity) -> datetime:
    """The last instant at which one may join: the middle of the activity, so that presence can still be asked."""
    return activity.starts_at + (activity.ends_at - activity.starts_at) / 2


def moments(activity: Activity, joined_at: datetime, *, rng: random.Random = _UNPREDICTABLE) -> Sequence[datetime]:
    """When to ask, in order: one random second in each equal part of what is left.

    The last answer is due before the end. An activity with less than ANSWER_FOR left is not asked about.
    """
    begin = max(activity.starts_at, joined_at)
    part_s = int((activity.ends_at - ANSWER_FOR - begin).total_seconds()) // MOMENTS
    if part_s <= 0:
        return []
    return [begin + timedelta(seconds=part_s * number + rng.randrange(part_s)) for number in range(MOMENTS)]


def ask_due(session: Session, now: datetime) -> int:
    """Ask those whose moment has come; how many. One that was missed in an outage is asked while there is time."""
    found = remote_seats.due_prompts(session, now, BATCH)
    speaking = voices(session, {member_id for _, member_id, _ in found})
    count = 0
    for prompt, member_id, activity in found:
        assert prompt.id is not None
        until = now + ANSWER_FOR
        if not remote_seats.ask(session, prompt.id, now, until):
            continue
        say = speaking[member_id]
        minutes = int(ANSWER_FOR.total_seconds()) // 60
        outbox.tell(
            session,
            member_id=member_id,
            key=f"presence:{prompt.id}",
            message=Message(
                say("remote.prompt", title=activity.title, minutes=minutes),
                (Button(say("remote.here"), f"remote:here:{prompt.id}"),),
            ),
            now=now,
            lane=0,
            expires_at=until,
            urgent=True,  # an evening meeting may run into the quiet hours
        )
        count += 1
    return count


def settle_seats(session: Session, activity: Activity, now: datetime, zone: ZoneInfo) -> int:
    """Record who stayed to the end of an activity from afar, and tell everybody who joined; how many stayed.

    Who answered every question that was asked has attended. A question that the service itself could not ask
    in time is not held against anybody.
    """
    assert activity.id is not None
    stayed = 0
    seats = remote_seats.joined(session, activity.id, now)
    speaking = voices(session, [seat.member_id for seat in seats])
    for seat in seats:
        row = attendance.found(session, activity.id, seat.member_id)
        if row is not None and row[0] == "present":
            stayed += row[3] in CAME
            continue
        say = speaking[seat.member_id]
        if seat.answered == seat.asked:
            points = _record(session, activity, seat, now, zone)
            text = say("remote.stayed", title=activity.title, points=points)
            stayed += 1
        else:
            missed = seat.asked - seat.answered
            text = say("remote.missed", title=activity.title, asked=seat.asked, missed=missed)
        buttons = (Button(say("remote.lines"), "points:lines"),)
        key = f"activity:{activity.id}:remote"
        outbox.tell(session, member_id=seat.member_id, key=key, message=Message(text, buttons), now=now)
    return stayed


def _record(session: Session, activity: Activity, seat: remote_seats.Seat, now: datetime, zone: ZoneInfo) -> int:
    """Write the attendance and its points; how many points."""
    assert activity.id is not None
    attended_round = attendance.record(
        session,
        activity_id=activity.id,
        member_id=seat.member_id,
        mode="remote",
        evidence=f"seat:{seat.id} {seat.answered}/{seat.asked}",
        at=now,
    )
    assert attended_round is not None, "read as absent in this transaction"
    day = activity.starts_at.astimezone(zone).date()
    branch = members.branch_of(session, seat.member_id, day)
    return book_attendance(
        session,
        activity_id=activity.id,
        scope=activity.scope,
        title=activity.title,
        starts_at=activity.starts_at,
        member_id=seat.member_id,
        organization_id=branch.id if branch else None,
        attended_round=attended_round,
        zone=zone,
        at=now,
    )
