"""收到 with a deadline: one reminder, then the secretary's list, then the committee's branches; each once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from sqlmodel import Session, select

from bot.dispatch import Dispatcher
from db.accounts import Chat
from db.letter_deadlines import LetterDeadline
from db.letters import Letter
from db.members import Member, Membership
from db.organizations import Organization
from notices.letter_deadlines import keep_next
from notices.letter_stops import stop
from tests.at_once import at_once
from tests.cast import ALICE, BOB, CHARLIE, COMMITTEE, LIANGFENG, MO, NAMES, NOON, OLGA, QIAN, RUI, SHAZHOU, SUN
from tests.conftest import ZONE, Voice
from tests.notices.sending import FakeChannel, bind, engine, queued, rows

UNTIL = datetime(2026, 6, 17, 10, 0, tzinfo=UTC)  # Wednesday 18:00
TO_COMMITTEE = {
    "author_id": OLGA,
    "organization_id": 1,
    "audience": {"node": COMMITTEE, "who": "all"},
    "answer_until": UNTIL,
}


async def send(look, writer, clock, **more):
    letter_id, now = await look(lambda s: queued(s, **more)), clock.now
    await engine(writer, clock, FakeChannel()).drain_once()
    clock.now = now
    return letter_id


async def keep(look, at):
    """Do everything that is due at `at`, and a second time for nothing; how many parts."""
    done = 0
    while await look(lambda s: keep_next(s, at, ZONE)):
        done += 1
    return done


async def told(look, part):
    """(member, text, first action) of the rows whose key holds `part`."""
    found = [row for row in await look(rows) if part in row.key]
    return [
        (row.member_id, row.content and row.content["text"], row.content and row.content["buttons"][0][1])
        for row in found
    ]


def a_group(session):
    """Bob belongs to a Party group of branch 10; Mo has no chat."""
    group = Organization(
        id=11, code="G", name="一组", level="party_group", parent_id=LIANGFENG, path="/1/2/10/11/"
    )
    session.add(group)
    session.flush()
    session.exec(select(Membership).where(Membership.member_id == BOB)).one().organization_id = 11
    session.delete(session.exec(select(Chat).where(Chat.member_id == MO)).one())


async def test_the_whole_way_of_a_deadline(look, writer, clock, say):
    await look(a_group)
    letter_id = await send(look, writer, clock, **TO_COMMITTEE)
    for person in (ALICE, SUN, RUI, OLGA):
        await say(person, f"letters:ack:{letter_id}")
    await say(CHARLIE, f"letters:help:{letter_id}")  # an answer, too

    assert await keep(look, UNTIL - timedelta(hours=24, seconds=1)) == 0
    assert await keep(look, UNTIL - timedelta(hours=24)) == 1
    reminded = [member for member, _, _ in await told(look, "chase:deadline")]
    assert sorted(reminded) == sorted({BOB, QIAN, 302})  # Ke; those who answered, and Mo without a chat, are not

    assert await keep(look, UNTIL - timedelta(seconds=1)) == 0
    await say(QIAN, f"letters:ack:{letter_id}")
    assert await keep(look, UNTIL) > 0
    assert await told(look, ":not_yet:") == [
        (
            SUN,
            "【任务直达】红信“关于做好防汛值守的通知”请在今天 18:00前回复，时间到了。\n"
            "梁丰社区党支部还有 3 位没有回复，请直接联系他们。",
            f"not_yet:people:{letter_id}:{LIANGFENG}",
        )
    ]  # branch 20 has answered in full: nobody is told
    assert await keep(look, UNTIL + timedelta(hours=1)) == 0

    clock.now = UNTIL
    people = await say(SUN, f"not_yet:people:{letter_id}:{LIANGFENG}", kind="button")
    assert people.text.split("\n") == [
        "“关于做好防汛值守的通知”还没回复的：",
        "1. 鲍勃，还没看",
        "2. 莫流动，没有绑定，收不到",
        "3. 柯保管，还没看",
    ]
    assert (await say.all(SUN, "未回复", "1")).text == people.text
    for person in (QIAN, ALICE, INSIDER := RUI):
        assert "鲍勃" not in (await say(person, f"not_yet:people:{letter_id}:{LIANGFENG}", kind="button")).text, (
            INSIDER
        )
    assert "不归您管" in (await say(QIAN, f"not_yet:branches:{letter_id}", kind="button")).text

    await look(lambda s: bind(s, SUN, "telegram"))
    abroad = Voice(Dispatcher(writer, zone=ZONE, clock=clock, abroad=frozenset({"telegram"})), clock)
    action = f"not_yet:people:{letter_id}:{LIANGFENG}"
    answer = await abroad(SUN, action, kind="button", channel="telegram", address=f"telegram:{SUN}")
    assert "不在国内" in answer.text
    assert not any(name in answer.text for name in NAMES.values())

    nine = datetime(2026, 6, 22, 1, 0, tzinfo=UTC)  # 19 June is a holiday: the second working day is Monday 22
    assert await keep(look, nine - timedelta(seconds=1)) == 0
    assert await keep(look, nine) > 0
    assert await told(look, ":open_branches:") == [
        (
            RUI,
            "【任务直达】红信“关于做好防汛值守的通知”的回复时间（6 月 17 日（周三）18:00）已过。\n"
            "杨舍党工委还有 1 个支部没有全部回复：\n梁丰社区党支部：3 位",
            f"not_yet:branches:{letter_id}",
        )
    ]
    clock.now = nine
    for person in (RUI, OLGA):
        assert "梁丰社区党支部：3 位" in (await say(person, f"not_yet:branches:{letter_id}", kind="button")).text
    for person in (BOB, MO, 302):
        await say(person, f"letters:ack:{letter_id}")
    await say(BOB, "菜单")
    assert await keep(look, nine + timedelta(days=30)) == 0


async def test_who_came_later_is_not_asked_and_what_is_too_late_or_stopped_is_void(look, writer, clock, say):
    def newcomer(session):
        session.add(Member(id=950, code="X950", name="新来的", created_at=NOON))
        session.flush()
        session.add(Membership(member_id=950, organization_id=SHAZHOU, from_day=date(2026, 6, 16)))

    short = await send(look, writer, clock, answer_until=NOON + timedelta(minutes=59))
    plain = await send(look, writer, clock, ask="none", answer_until=UNTIL)
    village = {**TO_COMMITTEE, "audience": {"node": SHAZHOU, "who": "all"}}
    answered = await send(look, writer, clock, **village)
    stopped = await look(lambda s: queued(s, answer_until=UNTIL))
    await look(lambda s: stop(s, s.get(Letter, stopped), by=SUN, why="author", now=NOON))
    for person in (QIAN, CHARLIE):
        await say(person, f"letters:ack:{answered}")
    await look(newcomer)
    await keep(look, UNTIL + timedelta(days=3))  # an outage: the reminders are too late, the lists are not
    found = await look(lambda s: s.exec(select(LetterDeadline)).all())
    states = {(one.letter_id, one.stage): one.state for one in found}
    assert states == {
        (short, "secretaries"): "done",  # an hour is needed for a reminder
        (short, "committees"): "waiting",
        (answered, "remind"): "void",
        (answered, "secretaries"): "done",
        (answered, "committees"): "waiting",
        (stopped, "remind"): "void",
        (stopped, "secretaries"): "void",
    }
    assert plain not in {letter_id for letter_id, _ in states}
    assert await told(look, "chase:deadline") == []
    assert [member for member, _, _ in await told(look, ":not_yet:")] == [SUN]


def test_two_processes_at_one_instant_tell_everybody_once(engine, database_url):
    with Session(engine) as session:
        letter_id = queued(session, **TO_COMMITTEE)
        session.commit()

    def work(session):
        for at in (UNTIL, UNTIL + timedelta(days=9)):
            while keep_next(session, at, ZONE):
                session.commit()
            session.commit()

    at_once(database_url, *[work] * 4)
    with Session(engine) as session:
        found = [(row.member_id, row.key.split(":")[2]) for row in rows(session) if row.letter_id is None]
        states = session.exec(
            select(LetterDeadline.stage, LetterDeadline.state).where(LetterDeadline.letter_id == letter_id)
        ).all()
    assert sorted(found) == sorted([(SUN, "not_yet"), (QIAN, "not_yet"), (RUI, "open_branches")])
    assert sorted(states) == [("committees", "done"), ("remind", "void"), ("secretaries", "done")]
