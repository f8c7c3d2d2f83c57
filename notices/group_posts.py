"""What the service does in branches' groups on its own: the daily topic, calls, the week's count.

A topic is a line of the branch's own list, else of the city's (`group_topics.toml`). Whatever concerns one person
is said in private.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import audit, group_calls, group_topics, groups
from db.group_calls import GroupCall
from db.groups import GroupChat
from notices import digest
from notices.channel import Button, Message
from notices.group_way import group_of, post
from notices.outbox import CITY, tell
from notices.schedule import Moment
from notices.voices import voices
from notices.wording import Wording, wording
from notices.working_days import is_working_day

TOPICS = Path(__file__).with_name("group_topics.toml")
MINUTES = (9 * 60, 12 * 60, 17 * 60, 19 * 60 + 30)
"""When a daily topic can be posted, in minutes after local midnight: never in quiet hours."""

CRON = "0,30 9,12,17,19 * * *"  # an instant for each of MINUTES, and a few at which nobody's hour is
TOPIC_LASTS = timedelta(hours=2)  # one that could not be posted by then is left out
CALL_LASTS = timedelta(hours=24)
CALL_IS_NEWS = timedelta(hours=1)  # a call that could not be posted by then is not posted
ANSWER = "group_call"
"""The action behind the button of a call: it is understood in a group only."""

GROUPS_MAX = 40  # of one round: a tenth of a second in the writer
TOLD_FROM = time(6, 30)  # on Monday, before the digest of the day
NO_RIGHT = "no_right"


@cache
def city_topics(language: str) -> Sequence[str]:
    """The city's list in this language."""
    return tuple(tomllib.loads(TOPICS.read_text(encoding="utf-8"))[language])


def mark_topics(session: Session, moment: Moment) -> int:
    """Let the groups whose hour this is have their topic; a poll posts them. How many."""
    here = moment.scheduled_for.astimezone(moment.zone)
    day = here.date()
    return groups.mark_topics(session, 60 * here.hour + here.minute, day, working_day=is_working_day(day))


def post_topics(session: Session, now: datetime, zone: ZoneInfo) -> int:
    """Post the topics of the next groups; how many groups. Without a secretary there is none."""
    due = groups.topics_due(session, GROUPS_MAX)
    for group in due:
        day = group.topic_due_on
        assert group.id is not None
        assert day is not None
        responsible = groups.secretaries(session, group.organization_id, day)
        if not groups.topic_taken(session, group) or not responsible or groups.had_topic(session, group.id, day):
            continue
        say = wording(group.language)
        posted = post(
            session,
            group,
            key=f"group:{group.id}:topic:{day.isoformat()}",
            member_id=responsible[0],
            message=Message(say("groups.topic", topic=_topic(session, group, day))),
            now=now,
            expires_at=now + TOPIC_LASTS,
        )
        if posted:
            groups.count(session, group.id, day, topics=1)
    return len(due)


def _topic(session: Session, group: GroupChat, day: date) -> str:
    """The next line of the branch's own list, else the city's line of the day."""
    for line in group_topics.waiting(session, group.organization_id):
        if line.id is not None and group_topics.use(session, line.id, day):
            return line.text
    return city_topic(group.language, day)


def city_topic(language: str, day: date) -> str:
    """The city's line of the day: all groups talk of the same."""
    lines = city_topics(language)
    return lines[day.toordinal() % len(lines)]


def monday_of(day: date) -> date:
    """The first day of the week."""
    return day - timedelta(days=day.weekday())


def tell_weeks(session: Session, now: datetime, zone: ZoneInfo) -> int:
    """Put last week's numbers of the next groups into their secretaries' digest; how many groups."""
    here = now.astimezone(zone)
    monday = monday_of(here.date())
    if here.date() == monday and here.time() < TOLD_FROM:
        return 0
    due = groups.weeks_due(session, monday, GROUPS_MAX)
    for group in due:
        assert group.id is not None
        if not groups.week_taken(session, group.id, monday):
            continue
        counted = groups.week(session, group.id, monday - timedelta(days=7))
        speaking = voices(session, groups.secretaries(session, group.organization_id, here.date()))
        for member_id, say in speaking.items():
            message = Message(week_said(say, counted, "last_week"), (Button(say("menu.group"), "group"),))
            key = f"group:{group.id}:week:{monday.isoformat()}"
            digest.later(session, member_id=member_id, key=key, message=message, now=now, zone=zone)
    return len(due)


def week_said(say: Wording, week: groups.Week, name: str) -> str:
    """The numbers of a week in one line. name: `last_week` or `this_week`."""
    numbers = {one: getattr(week, one) for one in groups.Week.__slots__}
    return say(f"groups.{name}", **numbers)


def call_message(say: Wording, call_id: int, text: str, answers: int = 0, *, is_open: bool = True) -> Message:
    """A call as it stands in the group: how many have answered, never who."""
    words = [say("groups.call", text=text)]
    if answers or not is_open:
        words.append(say("groups.answered" if is_open else "groups.call_closed", count=answers))
    return Message("\n".join(words), (Button(say("groups.answer"), f"{ANSWER}:{call_id}"),) if is_open else ())


def send_call(
    session: Session,
    group: GroupChat,
    call_id: int,
    text: str,
    by: int,
    now: datetime,
    day: date,
    *,
    thread: int | None = None,
) -> bool:
    """Post a call that was written down; False when it was sent out before. `by` answers for it.

    thread: the topic of the forum in which it was made, 0: the general one, None: in private.
    """
    assert group.id is not None
    if not group_calls.send_out(session, call_id, now=now, closes_at=now + CALL_LASTS):
        return False
    message = replace(call_message(wording(group.language), call_id, text), thread=thread)
    key = group_calls.key_of(call_id)
    post(
        session, group, key=key, member_id=by, message=message, now=now, expires_at=now + CALL_IS_NEWS, urgent=True
    )
    groups.count(session, group.id, day, calls=1)
    audit.record(session, at=now, actor_id=by, action="group.called", subject=f"group:{group.id}", call=call_id)
    return True


def is_over(call: GroupCall, now: datetime) -> bool:
    """Whether the time for answers to a call is over, though it may not be closed yet."""
    return call.closes_at is not None and call.closes_at <= now


def close_calls(session: Session, now: datetime, zone: ZoneInfo) -> int:
    """Close the calls whose time is over; how many."""
    due: Sequence[GroupCall] = group_calls.overdue(session, now, GROUPS_MAX)
    return sum(group_calls.close(session, call.id) for call in due if call.id is not None)


def end(
    session: Session, group: GroupChat, why: str, now: datetime, zone: ZoneInfo, *, by: int | None = None
) -> bool:
    """Let the group go; False when it had gone before. Its secretaries are told unless one of them did it."""
    assert group.id is not None
    if not groups.end(session, group.id, why, now):
        return False
    audit.record(session, at=now, actor_id=by, action="group.ended", subject=f"group:{group.id}", why=why)
    if by is None:
        tell_secretaries(session, group.organization_id, f"group:{group.id}:ended", "ended_by_itself", now, zone)
    return True


def hush(session: Session, group: GroupChat, now: datetime, zone: ZoneInfo) -> None:
    """Nothing can be posted in the group now: its secretaries are told once."""
    assert group.id is not None
    if groups.hush(session, group.id, NO_RIGHT):
        key = f"group:{group.id}:silent:{now:%Y%m%d%H%M%S}"
        tell_secretaries(session, group.organization_id, key, "silent", now, zone)


def refused(
    session: Session,
    content: Mapping[str, Any] | None,
    reason: str,
    *,
    gone: bool,
    now: datetime,
    zone: ZoneInfo = CITY,
) -> None:
    """A post was refused for good. gone: the group cannot be reached at all any more."""
    group_id = group_of(content)
    group = session.get(GroupChat, group_id, populate_existing=True) if group_id is not None else None
    if group is None:
        return
    if gone:
        end(session, group, "gone", now, zone)
    elif reason == NO_RIGHT:
        hush(session, group, now, zone)


def move(session: Session, channel: str, address: str, new_address: str, now: datetime | None = None) -> None:
    """A group has become a supergroup: it is the same group under another address.

    now: when the platform said so by itself; then one that was lost just before comes back.
    """
    group_id = groups.move(session, channel, address, new_address, now)
    if group_id is not None:
        group_calls.forget_messages(session, group_id)


def tell_secretaries(
    session: Session, organization_id: int, key: str, name: str, now: datetime, zone: ZoneInfo, **values: Any
) -> None:
    """Tell the branch's secretaries in private. name: of a text of `groups`."""
    whom = groups.secretaries(session, organization_id, now.astimezone(zone).date())
    for member_id, say in voices(session, whom).items():
        message = Message(say(f"groups.{name}", **values), (Button(say("menu.group"), "group"),))
        tell(session, member_id=member_id, key=key, message=message, now=now)
