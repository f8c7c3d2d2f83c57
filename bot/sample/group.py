"""The group of the sample branch: connected since a month, without topics, for the demo has no Telegram."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session

from bot.sample.directory import People, sample_branch
from db import group_calls, group_topics, groups, members
from db.duties import CITY
from notices.group_posts import CALL_LASTS, monday_of

ADDRESS = "-1000000000001"  # no group has it
CALL = "周六上午九点清扫楼道，请带手套"
TOPICS = ("三号楼的路灯又暗了，谁方便去看一眼？", "夏夜巡逻，您愿意排哪一晚？")
DAYS_AGO, ANSWERS = 2, 9


def begin(session: Session, people: People, now: datetime) -> None:
    """A group with two weeks of numbers, a call that is over, and two topics of its own."""
    branch = sample_branch(session)
    today, secretary = now.astimezone(CITY).date(), people.secretary.id
    assert branch.id is not None
    groups.bind(
        session,
        channel="telegram",
        address=ADDRESS,
        organization_id=branch.id,
        member_id=secretary,
        language="zh",
        now=now - timedelta(days=30),
        monday=monday_of(today),
    )
    group = groups.of_branch(session, branch.id)
    assert group is not None
    assert group.id is not None
    for back in range(14):
        groups.count(session, group.id, today - timedelta(days=back), topics=1, heard=(5 * back + 3) % 8)
    at = now - timedelta(days=DAYS_AGO)
    call_id = group_calls.draft(session, group.id, secretary, CALL, at)
    group_calls.send_out(session, call_id, now=at, closes_at=at + CALL_LASTS)
    for one in members.members_of(session, branch.id, today)[:ANSWERS]:
        assert one.id is not None
        group_calls.answer(session, call_id, one.id, at)
    group_calls.close(session, call_id)
    groups.count(session, group.id, at.astimezone(CITY).date(), calls=1, answers=ANSWERS)
    group_topics.add(session, branch.id, TOPICS, secretary, now)
