"""What people are told about records, dues, grades, resolutions and appeals; no names, for the way is unknown."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta

from sqlmodel import Session

from db import members, organizations
from db.members import Member
from db.proposals import Proposal
from notices import outbox
from notices.channel import Button, Message
from notices.voices import voices
from notices.wording import Wording
from scoring.booking import worth
from scoring.catalogue import shipped
from scoring.record_rules import record_rules

KEPT_FOR = timedelta(days=14)  # whoever could not be told in two weeks is told by the secretary
Step = tuple[str, str]  # name of the button's words, action


def short_title(say: Wording, rule_id: str) -> str:
    """The rule's title, cut to what a button holds: the first of several names."""
    title = shipped().rule(rule_id).title_in(say.language)
    return title if len(title) <= 20 else f"{re.split('[：:]', title)[0][:20]}"


def tell(
    session: Session,
    member_ids: Iterable[int],
    name: str,
    key: str,
    now: datetime,
    steps: Sequence[Step] = (),
    *,
    rule_id: str | None = None,
    grade: str = "",
    **values: object,
) -> int:
    """Tell each the text `recording.told_NAME` in the own language; how many were not told under this key before.

    rule_id, grade: put the rule's title (`rule`) and the choice's into the text.
    """
    told = 0
    ids = list(member_ids)
    for member_id, say in voices(session, ids).items():
        if rule_id is not None:
            record = record_rules().of(rule_id)
            choice = record.named(grade) if record else None
            title = shipped().rule(rule_id).title_in(say.language)
            behind = say("record_tree.choice", choice=choice.title_in(say.language)) if choice else ""
            values["rule"] = f"{title}{behind}"
        text = say(f"recording.told_{name}", **values)
        message = Message(text, tuple(Button(say(label), action) for label, action in steps))
        told += outbox.tell(
            session, member_id=member_id, key=key, message=message, now=now, expires_at=now + KEPT_FOR
        )
    return told


def heard(session: Session, one: Proposal, member_ids: Sequence[int], now: datetime) -> None:
    """The member learns what is proposed, and until when to object."""
    assert one.day is not None
    assert one.hear_until is not None
    due = worth(one.rule_id, one.day, one.grade, one.hundredths)
    tell(
        session,
        member_ids,
        "heard" if due and due.points else "heard_clear",
        f"proposal:{one.id}:heard",
        now,
        [("recording.object", f"objection:{one.id}")],
        rule_id=one.rule_id,
        grade=one.grade,
        points=due.points if due else 0,
        day=one.day.isoformat(),
        words=one.words,
        month=one.hear_until.month,
        until=one.hear_until.day,
    )


def dropped(session: Session, one: Proposal, people: Sequence[Member], now: datetime) -> None:
    """Whoever was heard learns that nothing is deducted."""
    ids = [member.id for member in people if member.id is not None]
    tell(session, ids, "dropped", f"proposal:{one.id}:dropped", now, rule_id=one.rule_id, grade=one.grade)


def waiting(
    session: Session,
    organization_id: int,
    roles: Sequence[str],
    now: datetime,
    today: date,
    *,
    but: Collection[int] = (),
) -> None:
    """Tell those who can confirm that something waits: the nearest role with anybody else in it, once a day."""
    node = organizations.get(session, organization_id)
    for role in roles:
        ids = [one.id for one in members.holders(session, node, role, today) if one.id and one.id not in but]
        if ids:
            steps = [("recording.review", "record_review")]
            tell(session, ids, "waiting", f"record_review:{today.isoformat()}", now, steps)
            return
