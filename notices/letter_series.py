"""Standing letters at work: each makes letters of its own, as long as what was approved stands unchanged.

Every instant by the calendar is an occurrence, every answer to an event a trigger: whatever runs twice, or in two
processes at once, makes one letter.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import audit, letter_rights, letter_series, letters, members, occurrences, organizations
from db.audiences import Audience, audience
from db.engine import OUT_OF_ORDER
from db.letters import CONTENT, Letter, Topic, fingerprint
from notices import mandatory, schedule
from notices.birthdays import days_kept
from notices.channel import Message
from notices.letter_repeats import BY_CALENDAR, BY_EVENT, Repeat, next_at, repeat
from notices.letters import key_of, name_of
from notices.outbox import queue_letter, tell
from notices.said_time import said
from notices.voices import voice

log = logging.getLogger(__name__)

AFTER_FAILURE = timedelta(minutes=10)  # the look that follows makes up for what was missed
LETTERS_MAX = 5  # standing letters looked at in one round
PEOPLE_MAX = 500  # people answered by one letter; the next look takes the others
ARRIVED_WITHIN = timedelta(days=60)  # a membership that began earlier is no news when it is written down
OWN = frozenset({"audience", "repeats", "answer_until"})  # of the content, what a letter does not take over
BIRTHDAYS_WITHIN = timedelta(days=3)  # after an outage: later it is no birthday letter


def begin(session: Session, letter: Letter, now: datetime, zone: ZoneInfo) -> bool:
    """Let a letter that may go out begin: at once, or again and again. True when it stands from now on."""
    if letter.repeats is None:
        queue_letter(session, letter, now, zone)
        return False
    assert letter.id is not None
    one = repeat(letter.repeats)
    first = now if one.when in BY_EVENT else next_at(one, letter.id, now, zone)
    letter.state, letter.next_at, letter.content_hash = "standing", first, fingerprint(letter)
    letter.submitted_at = letter.submitted_at or now
    if first is None:
        letter.state = "done"
    session.add(letter)
    session.flush()
    occurrences.record(session, key_of(letter), now - timedelta(microseconds=1), ran_at=now, state="begun")
    return True


def end(session: Session, letter: Letter, *, by: int | None, why: str, now: datetime) -> bool:
    """Let a standing letter make no more letters; what it has made stays. False when it did not stand any more."""
    values: dict[str, Any] = {"state": "stopped", "stopped_at": now, "stop_reason": why, "next_at": None}
    if not letters.move(session, letter, was=("standing",), **values):
        return False
    audit.record(session, at=now, actor_id=by, action="letter.series_ended", subject=key_of(letter), why=why)
    return True


def send_next(session: Session, now: datetime, zone: ZoneInfo) -> int:
    """Make the letters that are due; how many standing ones were looked at. One that fails stops no other."""
    found = [(letter, letter.id) for letter in letter_series.due(session, now, LETTERS_MAX)]
    for letter, letter_id in found:
        try:
            with session.begin_nested():
                _look(session, letter, now, zone)
        except OUT_OF_ORDER:
            raise  # nothing of this transaction stands
        except Exception:
            log.exception("standing letter %s could not be looked at; it is tried again later", letter_id)
            letter_series.look_again(session, letter, now + AFTER_FAILURE)
    return len(found)


def _look(session: Session, letter: Letter, now: datetime, zone: ZoneInfo) -> None:
    assert letter.id is not None
    assert letter.repeats is not None
    if why := _lost_right(session, letter, now.astimezone(zone).date()):
        if end(session, letter, by=None, why=why, now=now) and letter.author_id is not None:
            text = voice(session, letter.author_id)(f"letter_series.ended_{why}", name=name_of(letter))
            key = f"{key_of(letter)}:ended"
            tell(session, member_id=letter.author_id, key=key, message=Message(text), now=now)
        return
    one = repeat(letter.repeats)
    if one.when in BY_CALENDAR:
        _by_calendar(session, letter, one, now, zone)
    else:
        _by_event(session, letter, one, now, zone)
    letter_series.look_again(session, letter, next_at(one, letter.id, now, zone))


def _lost_right(session: Session, letter: Letter, day: date) -> str:
    """Why it may make no more letters; empty while it may. What was approved is this content and no other."""
    if fingerprint(letter) != letter.content_hash:
        return "changed"
    if not letter_rights.author_may(session, letter, day):
        return "role_ended"
    return "" if letter_rights.approver_may(session, letter, day) else "approver_ended"


def _by_calendar(session: Session, letter: Letter, one: Repeat, now: datetime, zone: ZoneInfo) -> None:
    assert letter.id is not None
    task = one.task(letter.id)
    last = occurrences.last_of(session, [task.name]).get(task.name, now)
    plan = schedule.plan(task, last, now, zone)
    schedule.give_up(session, task, plan.skipped, now)
    for instant in plan.run:
        day = instant.astimezone(zone).date()
        if day > one.until:
            continue
        state = "skipped" if _is_rare(session, letter, now, zone) else "done"
        if occurrences.record(session, task.name, instant, ran_at=now, state=state) and state == "done":
            _make(session, letter, audience(letter.audience), day.isoformat(), now, zone)


def _is_rare(session: Session, letter: Letter, now: datetime, zone: ZoneInfo) -> bool:
    """Whether its sender has had the mandatory letters of these days, and it is one; its author is told once."""
    topic = session.get(Topic, letter.topic_id)
    again = (
        mandatory.next_from(session, letter.organization_id, now)
        if topic is not None and topic.mandatory
        else None
    )
    if again is None:
        return False
    if letter.author_id is not None:
        say, rule = voice(session, letter.author_id), mandatory.limit()
        when = said(say, again, now, zone)
        text = say("letter_series.rare", name=name_of(letter), most=rule.most, days=rule.days, again=when)
        key = f"{key_of(letter)}:rare:{again.isoformat()}"
        tell(session, member_id=letter.author_id, key=key, message=Message(text), now=now)
    return True


def _by_event(session: Session, letter: Letter, one: Repeat, now: datetime, zone: ZoneInfo) -> None:
    here = now.astimezone(zone)
    node = organizations.find(session, int(letter.audience["node"]))
    if node is None or 60 * here.hour + here.minute < one.minute:
        return
    if _is_rare(session, letter, now, zone):
        return  # nobody is noted, so whoever has come gets it when it may go out again
    assert letter.id is not None
    if one.when == "birthday":
        causes = _birthdays(session, letter, node.path, here.date(), zone)
    else:
        since = letter.approved_at or letter.submitted_at or letter.created_at
        days = (here.date() - ARRIVED_WITHIN, here.date())
        came = letter_series.arrivals(
            session, letter.id, node.path, first=one.when == "joined", days=days, since=since, most=PEOPLE_MAX
        )
        causes = [(member_id, f"membership:{membership_id}") for member_id, membership_id in came]
    people = [who for who, cause in causes if letter_series.note(session, letter.id, who, cause, now)]
    if people:
        whom = replace(audience(letter.audience), people=people)
        _make(session, letter, whom, f"{here.date().isoformat()}:{people[0]}:{len(people)}", now, zone)


def _birthdays(
    session: Session, letter: Letter, path: str, today: date, zone: ZoneInfo
) -> Sequence[tuple[int, str]]:
    """(member, cause) of the political birthdays of today, and of the last days since it stands."""
    begun = (letter.approved_at or letter.submitted_at or letter.created_at).astimezone(zone).date()
    causes: dict[int, str] = defaultdict(str)
    for back in range(BIRTHDAYS_WITHIN.days):
        day = today - timedelta(days=back)
        if day < begun:
            break
        found = members.admitted_on_days(session, day.month, days_kept(day), date(day.year, 1, 1))
        causes.update({member.id: f"birthday:{day.year}" for member in found if member.id is not None})
    own = letter_series.belonging(session, path, causes, today)
    return [(member_id, cause) for member_id, cause in sorted(causes.items()) if member_id in own]


def _make(
    session: Session, series: Letter, whom: Audience, when: str, now: datetime, zone: ZoneInfo
) -> Letter | None:
    """One letter of the standing one, queued; None when it was made before."""
    origin = f"{key_of(series)}:{when}"
    if letters.by_origin(session, origin) is not None:
        return None
    content = {name: getattr(series, name) for name in CONTENT - OWN}
    made = Letter(
        **content,
        audience=whom.to_json(),
        lane=series.lane,
        state="approved",
        approved_by=series.approved_by,
        approved_at=series.approved_at,
        series_id=series.id,
        origin=origin,
        created_at=now,
    )
    session.add(made)
    session.flush()
    queue_letter(session, made, now, zone)
    audit.record(
        session,
        at=now,
        actor_id=None,
        action="letter.made",
        subject=key_of(made),
        series=series.id,
        content=series.content_hash,
        recipients=made.recipients,
    )
    return made
