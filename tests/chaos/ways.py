"""What goes out on cards and into groups: much of it, and what must be true in the end."""

from __future__ import annotations

import collections
import random
from datetime import date
from pathlib import Path

from sqlalchemy import update
from sqlmodel import Session, select

from db import consents, group_calls, groups
from db.accounts import Chat
from db.consents import Consent
from db.deliveries import Delivery
from db.engine import write_engine
from db.groups import GroupChat, GroupDay
from db.members import Member, Membership, Role
from db.organizations import Organization
from db.recovering import DEATHS_MAX
from notices.channel import Message
from notices.group_posts import send_call
from notices.outbox import tell
from tests.cast import COMMITTEE, DAY, NOON, SHAZHOU, SUN
from tests.chaos.sender import TEMPLATE

PEOPLE, GROUPS = 60, 60
NOTES = 2  # to each
CARDS = "wechat:subscription"
ALLOWED = {"sent": {1}, "ambiguous": {0, 1}, "failed": {0}, "queued": {0}, "suppressed": {0}}


def fill(path: Path) -> None:
    """People who can be reached by the cards alone to which they have agreed, and groups that wait for their topic."""
    engine = write_engine(f"sqlite:///{path}")
    with Session(engine) as session:
        _people(session)
        _groups(session)
        session.commit()
    engine.dispose()


def _people(session: Session) -> None:
    for number in range(PEOPLE):
        session.add(Member(id=1000 + number, code=f"X{number}", name=f"群众{number}"))
    session.flush()
    dice = random.Random(3)
    for number in range(PEOPLE):
        here = {"channel": "wechat", "address": f"x{number}"}
        session.add(Membership(member_id=1000 + number, organization_id=SHAZHOU, from_day=date(2020, 1, 1)))
        session.add(Chat(**here, member_id=1000 + number, choices={}))
        for given in range(dice.choice([0, 1, 1, 2, 3])):
            consents.give(session, **here, template=TEMPLATE, key=f"{number}:{given}", at=NOON)
        for note in range(NOTES):
            message = Message(f"第{note + 1}件事")
            tell(session, member_id=1000 + number, key=f"note:{note}", message=message, now=NOON)


def _groups(session: Session) -> None:
    for number in range(GROUPS):
        branch_id = 1000 + number
        session.add(
            Organization(
                id=branch_id,
                code=f"G{number}",
                name=f"第{number}支部",
                level="branch",
                parent_id=COMMITTEE,
                path=f"/1/{COMMITTEE}/{branch_id}/",
            )
        )
        session.flush()
        session.add(Role(member_id=SUN, organization_id=branch_id, role="secretary", from_day=date(2020, 1, 1)))
        at = {"channel": "web", "address": f"-{branch_id}"}
        groups.bind(
            session,
            **at,
            organization_id=branch_id,
            member_id=SUN,
            language="zh",
            now=NOON,
            monday=date(2026, 6, 8),
        )
        group = groups.at(session, **at)
        assert group is not None
        assert group.id is not None
        if number % 3 == 0:
            call_id = group_calls.draft(session, group.id, SUN, "今晚谁能值守？", NOON)
            assert send_call(session, group, call_id, "今晚谁能值守？", SUN, NOON, DAY)
    session.execute(update(GroupChat).values(topic_due_on=DAY))


def judge(url: str, accepted: list[str], told: str) -> None:
    """Hold the outbox, the consents and the groups against what the platform has really taken."""
    seen = collections.Counter(accepted)
    assert [key for key, times in seen.items() if times > 1] == [], told
    engine = write_engine(url)
    with Session(engine) as session:
        rows = session.exec(select(Delivery)).all()
        given = session.exec(select(Consent)).all()
        days = session.exec(select(GroupDay.topics, GroupDay.calls)).all()
    engine.dispose()
    for row in rows:
        known = f"{row.key}:{row.member_id}:{row.part}"
        assert seen.pop(known, 0) in ALLOWED[row.state], f"{told}: {row}"
        assert row.state != "queued" or row.channel == "mailbox", f"{told}: {row}"
        in_group = row.key.startswith("group")
        assert row.state != "failed" or in_group or row.died >= DEATHS_MAX, f"{told}: {row}"
    assert not seen, f"{told}: of no row"
    _judge_consents(rows, given, told)
    topics = [row.key for row in rows if ":topic:" in row.key]
    assert len(topics) == len(set(topics)) == GROUPS, told
    assert sorted(days) == sorted([(1, 0)] * (GROUPS - GROUPS // 3) + [(1, 1)] * (GROUPS // 3)), told
    notes = collections.Counter(row.state for row in rows if row.channel == CARDS)
    posts = collections.Counter(row.state for row in rows if row.key.startswith("group"))
    assert notes["sent"] > PEOPLE / 4, f"{told}: {notes}"
    assert posts["sent"] > GROUPS / 2, f"{told}: {posts}"


def _judge_consents(
    rows: collections.abc.Sequence[Delivery], given: collections.abc.Sequence[Consent], told: str
) -> None:
    """One card has cost one consent, and what showed no card has cost none."""
    taken = collections.Counter(one.spent_by for one in given if one.spent_by is not None)
    assert set(taken.values()) <= {1}, told
    for row in rows:
        cost = row.channel == CARDS and row.state in ("sent", "ambiguous")
        assert taken.pop(row.id, 0) == cost, f"{told}: {row}"
    assert not taken, f"{told}: of no row"
