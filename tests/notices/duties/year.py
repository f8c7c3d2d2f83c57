"""What happens in a branch's year, and what its people are told of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from sqlmodel import select

from db import offices
from db.activities import Activity
from db.deliveries import Delivery
from db.occurrences import Reminder
from notices import digest, duties, reminders
from notices.channel import Button, Message
from notices.duty_days import due_on
from tests.cast import LIANGFENG, SHAZHOU, SUN
from tests.conftest import ZONE

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def at(day: date, hour: int = 6, minute: int = 30) -> datetime:
    return datetime.combine(day, time(hour, minute), ZONE).astimezone(UTC)


def remind(session, day):
    duties.remind(session, [LIANGFENG, SHAZHOU], at(day), ZONE)


def ids_on(day):
    return {duty.id for duty, _ in due_on(day)}


def subjects(session, person=SUN):
    rows = session.execute(select(Reminder.subject).where(Reminder.member_id == person).order_by(Reminder.id))
    return [row.removeprefix("duty:") for row in rows.scalars()]


def meeting(session, kind, day, clock=(9, 0), **more):
    starts = at(day, *clock)
    made = Activity(
        code=f"{day:%m%d}{kind[:3]}",
        organization_id=LIANGFENG,
        scope="branch",
        kinds=kind,
        title=kind,
        place="活动室",
        starts_at=starts,
        ends_at=starts + HOUR,
        check_in_opens_at=starts,
        check_in_closes_at=starts + HOUR,
        **more,
    )
    session.add(made)
    session.flush()
    return made


def hold(session, office, person, organization_id=LIANGFENG):
    offices.name(session, organization_id, office, person, date(2026, 1, 1))


def duties_of(session, person):
    """Ids of the duties that the person was told of so far."""
    return {one.partition(":")[0] for one in subjects(session, person)}


def told(session, person=SUN):
    rows = session.execute(select(Delivery).where(Delivery.member_id == person).order_by(Delivery.id)).scalars()
    return [(row.key, row.content["text"], [label for label, *_ in row.content["buttons"]]) for row in rows]


def tick(session, now):
    reminders.plan_activities(session, now, ZONE)
    while reminders.tell_due(session, now, ZONE):
        pass


def later(session, key, now, text="请交材料。", **more):
    message = Message(text, (Button("去交", "menu"),))
    return digest.later(session, member_id=SUN, key=key, message=message, now=now, zone=ZONE, **more)
