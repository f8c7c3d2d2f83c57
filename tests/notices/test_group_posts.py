"""What goes into groups on its own: topics at their hour, through the outbox; weeks told once; refusals understood."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import Session, select

from db import group_calls, group_topics, groups
from db.deliveries import Delivery
from db.groups import GroupChat
from db.members import Role
from db.occurrences import Reminder
from notices import group_posts, quiet
from notices.channel import SendError
from notices.group_posts import CALL_IS_NEWS, MINUTES, TOPIC_LASTS, city_topic, city_topics
from notices.schedule import Moment, Task, next_after, plan
from tests.cast import DAY, LIANGFENG, NOON, QIAN, SHAZHOU, SUN
from tests.conftest import ZONE
from tests.notices.sending import FakeChannel, engine

HERE, THERE = "-100500", "-100700"
NINE = datetime(2026, 6, 15, 1, 0, tzinfo=UTC)  # 09:00 on a Monday in Shanghai
HOUR, DAYS = timedelta(hours=1), timedelta(days=1)


def bound(session: Session, organization_id: int = LIANGFENG, address: str = HERE, **more: object) -> None:
    """A group of this branch, with a topic at nine on working days."""
    who = SUN if organization_id == LIANGFENG else QIAN
    values = {"organization_id": organization_id, "member_id": who, "language": "zh"}
    groups.bind(session, channel="web", address=address, now=NOON, monday=date(2026, 6, 8), **values)
    group = groups.at(session, "web", address)
    assert group is not None
    groups.set_topic(session, group.id or 0, 9 * 60, daily=False)
    for name, value in more.items():
        setattr(group, name, value)
    session.add(group)
    session.flush()


def topics(session: Session, at: datetime) -> list[str]:
    """What is posted at this planned instant."""
    before = {row.id for row in session.exec(select(Delivery))}
    group_posts.mark_topics(session, Moment(at, at, ZONE))
    while group_posts.post_topics(session, at, ZONE):
        pass
    rows = session.exec(select(Delivery).order_by(Delivery.id))  # type: ignore[arg-type]
    return [(row.content or {})["text"].split("】")[1].split("\n")[0] for row in rows if row.id not in before]


def test_both_lists_are_as_long_and_no_hour_is_at_night():
    assert len(city_topics("zh")) == len(city_topics("en")) >= 28
    assert max(map(len, city_topics("zh"))) <= 60
    task = Task("group_topics", group_posts.CRON, lambda _session, _moment: None, "skip")
    instant, hours = NINE, set()
    for _ in range(8):
        instant = next_after(task, instant, ZONE)
        hours.add(60 * instant.astimezone(ZONE).hour + instant.astimezone(ZONE).minute)
    assert set(MINUTES) <= hours
    assert all(
        quiet.until(datetime(2026, 6, 15, tzinfo=ZONE) + timedelta(minutes=one), ZONE) is None for one in MINUTES
    )
    missed = plan(task, NINE - HOUR, NINE + timedelta(minutes=6), ZONE)
    assert (missed.run, missed.skipped) == ((), (NINE,)), "a topic of an hour that is over is left out"


def test_a_topic_comes_at_its_hour_on_its_days_from_the_own_list_first(engine):
    with Session(engine) as session:
        bound(session)
        bound(session, SHAZHOU, THERE, topic_daily=True)
        group_topics.add(session, LIANGFENG, ["楼道里的灯", "谁会修车"], SUN, NOON)
        assert topics(session, NINE - HOUR) == []
        assert topics(session, NINE) == ["楼道里的灯", city_topic("zh", DAY)]
        assert topics(session, NINE) == [], "once a day"
        assert topics(session, NINE + 5 * DAYS) == [city_topic("zh", DAY + 5 * DAYS)], "on Saturday only every day"
        holiday = datetime(2026, 10, 1, 1, tzinfo=UTC)
        assert topics(session, holiday) == [city_topic("zh", date(2026, 10, 1))]
        assert topics(session, NINE + DAYS) == ["谁会修车", city_topic("zh", DAY + DAYS)]
        assert topics(session, NINE + 2 * DAYS)[0] == city_topic("zh", DAY + 2 * DAYS)
        groups.hush(session, 1, group_posts.NO_RIGHT)
        for role in session.exec(select(Role).where(Role.member_id == QIAN)):
            role.to_day = DAY
            session.add(role)
        assert topics(session, NINE + 3 * DAYS) == [], "one may not write, the other has nobody who answers for it"
        week = groups.week(session, 1, DAY)
        assert (week.topics, groups.week(session, 1, DAY + 7 * DAYS).topics) == (3, 0)
        row = session.exec(select(Delivery)).first()
        assert row is not None
        assert (row.member_id, row.urgent, row.expires_at) == (SUN, False, NINE + TOPIC_LASTS)


def test_last_week_goes_into_the_secretarys_digest_once(engine):
    with Session(engine) as session:
        bound(session)
        groups.count(session, 1, DAY - DAYS, heard=4, answers=2)
        groups.count(session, 1, DAY - DAYS, heard=3)
        groups.count(session, 1, DAY, heard=100)
        early = datetime(2026, 6, 14, 22, 29, tzinfo=UTC)  # 06:29 on Monday
        assert group_posts.tell_weeks(session, early, ZONE) == 0
        assert group_posts.tell_weeks(session, early + timedelta(minutes=1), ZONE) == 1
        assert group_posts.tell_weeks(session, NINE, ZONE) == 0
        (note,) = session.exec(select(Reminder)).all()
        assert note.member_id == SUN
        assert "互动 7 次" in (note.content or {})["text"]
        assert group_posts.tell_weeks(session, NINE + 9 * DAYS, ZONE) == 1, "after an outage the last one"


def call(session: Session) -> int:
    group = groups.of_branch(session, LIANGFENG)
    assert group is not None
    call_id = group_calls.draft(session, group.id or 0, SUN, "来清理河道", NOON)
    group_posts.send_call(session, group, call_id, "来清理河道", SUN, NOON, DAY)
    return call_id


def state(session: Session) -> tuple[str, str, str | None]:
    row = session.exec(select(Delivery).where(Delivery.letter_id == None, Delivery.part == 1)).first()  # noqa: E711
    assert row is not None
    return row.state, row.reason, row.address


@pytest.mark.parametrize(
    ("error", "ended", "silent", "ends"),
    [
        (SendError("permanent", "kicked", disables=True), "gone", None, ("cancelled", "group_ended", HERE)),
        (SendError("permanent", "no_right"), "", "no_right", ("failed", "no_right", HERE)),
        (SendError("permanent", "empty"), "", None, ("failed", "empty", HERE)),
        (SendError("retry", "moved", moved_to=THERE), "", None, ("sent", "", THERE)),
        (SendError("ambiguous", "read_timeout"), "", None, ("ambiguous", "read_timeout", HERE)),
    ],
    ids=["kicked", "no right", "unfit", "moved", "doubt"],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_a_refusal_means_for_the_group(look, writer, clock, error, ended, silent, ends):
    await look(bound)
    call_id = await look(call)
    channel = FakeChannel("web", error)
    sender = engine(writer, clock, channel)
    for _ in range(3):
        await sender.drain_once()
        clock.now += timedelta(seconds=6)
    assert await look(state) == ends
    group = await look(lambda session: session.get(GroupChat, 1).model_dump())
    assert (group["ended_why"], group["silent"]) == (ended, silent)
    telling = [text for address, text in ((a, m.text) for a, m in channel.sent) if address == f"member:{SUN}"]
    assert len(telling) == (1 if ended or silent else 0)
    if ends[0] == "ambiguous":  # never posted twice; a press shows that it did arrive
        assert [address for address, _ in channel.sent] == []
        await look(lambda session: group_calls.seen_at(session, call_id, "77"))
        assert await look(state) == ("sent", "answered", HERE)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_call_rings_at_night_a_topic_does_not_and_neither_comes_when_it_is_old(look, writer, clock):
    await look(bound)
    clock.now = datetime(2026, 6, 15, 13, 30, tzinfo=UTC)  # 21:30, the first quiet minute
    await look(lambda session: topics(session, NINE))
    await look(lambda session: session.exec(select(Delivery)).one().sqlmodel_update({"expires_at": None}))
    channel, off = FakeChannel(), FakeChannel("telegram")
    sender = engine(writer, clock, channel)
    await sender.drain_once()
    assert channel.sent == []
    await look(call)
    await sender.drain_once()
    assert channel.texts == [], "a call is news for an hour"
    assert (await look(lambda s: [row.state for row in s.exec(select(Delivery))])) == ["queued", "expired"]
    clock.now = NOON + CALL_IS_NEWS - timedelta(seconds=1)
    await look(lambda session: groups.move(session, "web", HERE, THERE))

    def again(session):
        group = groups.of_branch(session, LIANGFENG)
        made = group_calls.draft(session, group.id, SUN, "再来", NOON)
        group_posts.send_call(session, group, made, "再来", SUN, clock.now, DAY)

    clock.now = datetime(2026, 6, 15, 14, 0, tzinfo=UTC)
    await look(again)
    await engine(writer, clock, off).drain_once()
    assert (await look(lambda s: [row.reason for row in s.exec(select(Delivery))]))[2] == "channel_off"
    await look(again)
    await sender.drain_once()
    assert [address for address, _ in channel.sent] == [THERE]
