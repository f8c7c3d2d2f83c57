"""Reminders: rows that are planned ahead of an activity and told when they are due, if they are still true.

What cannot wait (an hour before, check-in is open) is told at once. Everything else of a day goes into one
digest (`notices.digest`), so that nobody gets more than one of those a day: its key holds the day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import activities, attendance, members, occurrences, remote_seats
from db.activities import ONSITE_ONLY, Activity
from db.members import Member
from db.occurrences import NOTE, Reminder
from notices import digest, outbox
from notices.channel import Button, Message, message_from_json
from notices.said_time import clock, said
from notices.voices import voices
from notices.wording import Wording

AT_ONCE = ("check_in_opens", "remote_opens", "activity_hour")
IN_DIGEST = ("activity_soon", "activity_day", "activity_morning", NOTE)
DAYS_BEFORE, DAY_BEFORE, HOUR_BEFORE = timedelta(days=3), timedelta(days=1), timedelta(hours=1)
EARLY_KIND = "theme_party_day"  # people keep this day free: they hear of it three days before, too
EVENING_BEFORE = time(18)  # of a theme day, not a whole day before; and once more in its morning
NO_DAY_WITHIN = timedelta(hours=2)  # made so late that the reminder an hour before says it all
HORIZON = timedelta(days=4)  # rows are planned this far ahead: a digest looks to the end of its day
DIGEST_FROM = time(7, 30)  # when the digest of a day may go out at the earliest
BATCH = 200  # members of one transaction
PLANNED_AT_ONCE = 50  # activities of one transaction


def plan_activities(session: Session, now: datetime, zone: ZoneInfo) -> int:
    """Plan the reminders of activities that come up; how many activities. Each is planned once per start."""
    found = occurrences.to_plan(session, now, now + HORIZON, PLANNED_AT_ONCE)
    for activity in found:
        if occurrences.record(session, f"{occurrences.PLANNED}{activity.id}", activity.starts_at, ran_at=now):
            occurrences.remind_all(session, _rows(session, activity, now, zone))
    return len(found)


def _rows(session: Session, activity: Activity, now: datetime, zone: ZoneInfo) -> list[dict[str, object]]:
    assert activity.id is not None
    away = {row.member_id for row in attendance.roll(session, activity.id) if row.state != "undone"}
    day = activity.starts_at.astimezone(zone).date()
    due = _due(activity, now, zone)
    return [
        {
            "member_id": member.id,
            "kind": kind,
            "subject": subject_of(activity.id),
            "due_at": max(due_at, now),
            "expires_at": activity.starts_at,
        }
        for member in activities.invited_members(session, activity, day)
        if member.id not in away
        for kind, due_at in due.items()
    ]


def _due(activity: Activity, now: datetime, zone: ZoneInfo) -> dict[str, datetime]:
    """Kind of a reminder -> when it is due. A theme day: three days and the evening before, and in the morning."""
    starts = activity.starts_at
    due = {"activity_hour": starts - HOUR_BEFORE}
    theme = EARLY_KIND in activity.kinds.split(";")
    day = starts.astimezone(zone).date()
    evening = datetime.combine(day - timedelta(days=1), EVENING_BEFORE, zone).astimezone(UTC)
    morning = datetime.combine(day, digest.GOES_AT, zone).astimezone(UTC)
    if starts - now > NO_DAY_WITHIN:
        due["activity_day"] = evening if theme else starts - DAY_BEFORE
    if theme and now < morning <= starts - NO_DAY_WITHIN:  # else the reminder an hour before says the same
        due["activity_morning"] = morning
    if theme and starts - now > DAYS_BEFORE:
        due["activity_soon"] = starts - DAYS_BEFORE
    return due


def subject_of(activity_id: int | None) -> str:
    """What a reminder about an activity is about."""
    return f"activity:{activity_id}"


@dataclass(slots=True)
class _Known:
    """What telling needs to know of one batch of members."""

    session: Session
    now: datetime
    zone: ZoneInfo
    members: Mapping[int, Member]
    speaking: Mapping[int, Wording]
    settled: set[tuple[int, int]]
    activities: dict[int, Activity | None] = field(default_factory=dict)
    ends: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))  # state -> reminders

    def activity(self, reminder: Reminder) -> Activity | None:
        """The activity that the reminder is about, while it is worth reminding of."""
        activity_id = _about(reminder)
        if activity_id not in self.activities:
            self.activities[activity_id] = activities.get(self.session, activity_id)
        found = self.activities[activity_id]
        if found is None or found.state != "planned":
            return None
        return None if (activity_id, reminder.member_id) in self.settled else found


def _about(reminder: Reminder) -> int:
    return int(reminder.subject.partition(":")[2])


def tell_due(session: Session, now: datetime, zone: ZoneInfo) -> int:
    """Tell what is due to up to BATCH members; to how many. 0 means that nothing is due any more."""
    member_ids = occurrences.due_members(session, (*AT_ONCE, *IN_DIGEST), now, BATCH)
    if not member_ids:
        return 0
    midnight = datetime.combine(now.astimezone(zone).date() + timedelta(days=1), time(), zone)
    at_once = occurrences.waiting(session, member_ids, AT_ONCE, now)
    in_digest = occurrences.waiting(session, member_ids, IN_DIGEST, midnight)
    about = {_about(reminder) for reminder in (*at_once, *in_digest) if reminder.kind != NOTE}
    known = _Known(
        session,
        now,
        zone,
        members.by_ids(session, member_ids),
        voices(session, member_ids),
        attendance.settled(session, about, member_ids),
    )
    for reminder in at_once:
        _tell_one(known, reminder)
    for member_id, group in groupby(in_digest, key=lambda row: row.member_id):
        reminders = list(group)
        if any(reminder.due_at <= now for reminder in reminders):
            _tell_digest(known, member_id, reminders, midnight)
    for state, reminder_ids in known.ends.items():
        occurrences.settle(session, reminder_ids, state)
    return len(member_ids)


def _open(known: _Known, reminder: Reminder) -> Activity | None:
    """The activity of a reminder that still has to be told; a reminder without one is over."""
    return known.activity(reminder) if _stands(known, reminder, known.activity(reminder) is not None) else None


def _stands(known: _Known, reminder: Reminder, worth: bool) -> bool:
    """Whether the reminder still has to be told; if not, it comes to its end."""
    assert reminder.id is not None
    member = known.members.get(reminder.member_id)
    late = reminder.expires_at is not None and known.now >= reminder.expires_at
    stands = worth and not late and member is not None and member.status == "active"
    if not stands:
        known.ends["expired" if late else "withdrawn"].append(reminder.id)
    return stands


def _tell_one(known: _Known, reminder: Reminder) -> None:
    activity = _open(known, reminder)
    if activity is None:
        return
    assert reminder.id is not None
    say = known.speaking[reminder.member_id]
    name = {"activity_hour": "hour", "remote_opens": "remote_opens"}.get(reminder.kind, "opens")
    text = say(
        f"reminders.{name}",
        title=activity.title,
        time=clock(activity.starts_at, known.zone),
        place=activity.place,
    )
    buttons = _steps(known, reminder.member_id, activity, say)
    if name == "opens":
        buttons = (Button(say("reminders.check_in"), f"check_in:{activity.code}"),)
    key = f"reminder:{reminder.subject}:{name}"
    if not _send(known, reminder.member_id, key, Message(text, buttons), [reminder]):
        known.ends["told"].append(reminder.id)  # by another process, in the same moment


def _tell_digest(known: _Known, member_id: int, reminders: Sequence[Reminder], midnight: datetime) -> None:
    """One message about everything of the day. What comes after it waits for the next day's."""
    say = known.speaking[member_id]
    found = [one for row in reminders if (one := _item(known, row, say)) is not None]
    if not found:
        return
    rows = [one.row for one in found]
    items = list({one.row.subject: one for one in found}.values())  # after an outage two may be about one activity
    day = known.now.astimezone(known.zone).date()
    if not _send(known, member_id, f"digest:{day}", digest.message_of(say, items), rows):
        tomorrow = midnight + timedelta(hours=DIGEST_FROM.hour, minutes=DIGEST_FROM.minute)
        occurrences.postpone(known.session, [row.id for row in rows if row.id], tomorrow)


def _item(known: _Known, row: Reminder, say: Wording) -> digest.Item | None:
    """What the reminder says in a digest; None when it is over."""
    if row.kind == NOTE:
        stands = _stands(known, row, row.content is not None)
        return digest.item_of(row, message_from_json(row.content or {})) if stands else None
    activity = _open(known, row)
    if activity is None:
        return None
    line = say(
        f"reminders.line_{activity.scope}",
        when=said(say, activity.starts_at, known.now, known.zone),
        title=activity.title,
        place=activity.place,
    )
    alone = Message(say("reminders.one", line=line), _steps(known, row.member_id, activity, say))
    step = Button(activity.title, f"activities:show:{activity.id}")
    return digest.Item(row, line, alone, step, is_activity=True)


def _steps(known: _Known, member_id: int, activity: Activity, say: Wording) -> tuple[Button, ...]:
    steps = [
        Button(say("reminders.leave"), f"activities:leave:{activity.id}"),
        Button(say("reminders.show"), f"activities:show:{activity.id}"),
    ]
    allowed = activity.remote_allowed and ONSITE_ONLY.isdisjoint(activity.kinds.split(";"))
    if known.members[member_id].mobile and allowed and activity.id is not None:
        seat = remote_seats.seat_for(known.session, activity.id, member_id, known.now)
        steps.insert(0, Button(say("reminders.remote"), f"remote:{seat.token}"))
    return tuple(steps)


def _send(known: _Known, member_id: int, key: str, message: Message, reminders: Sequence[Reminder]) -> bool:
    expires = [reminder.expires_at for reminder in reminders if reminder.expires_at is not None]
    told = outbox.tell(
        known.session,
        member_id=member_id,
        key=key,
        message=message,
        now=known.now,
        lane=1,
        expires_at=max(expires, default=None),
    )
    if told:
        known.ends["told"].extend(row.id for row in reminders if row.id is not None)
    return told
