"""Letters that go out again by themselves: when, to whom, and what ends them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import select

from db.deliveries import Delivery
from db.letter_series import LetterTrigger
from db.letters import Letter, Topic
from db.members import Member, Membership, Role
from db.occurrences import Occurrence
from notices import letter_series
from notices.letter_series import send_next
from tests.cast import BOB, CHARLIE, COMMITTEE, LIANGFENG, MO, NOON, OLGA, QIAN, RUI, SUN
from tests.conftest import ZONE
from tests.handlers.letter_steps import BODY, audit_of, the_letters
from tests.notices.sending import bind, rows


async def stand(say, *steps):
    """A letter of branch 10 that repeats by these answers, standing; the last reply."""
    await say.all(SUN, "发红信", "1", "1", BODY, "9", "更多", "1", *steps)
    return await say(SUN, "7")


async def run(look, clock, at):
    """Look at the standing letters at this instant as often as there is something."""
    clock.now = at
    while await look(lambda s: send_next(s, clock.now, ZONE)):
        pass


def local(text):
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)


async def test_a_weekly_letter_is_one_letter_a_week_until_its_last_day(say, look, clock):
    begun = await stand(say, "1", "周一 9:30", "7月6日")
    assert begun.text.startswith("已设好，从现在起有效。每周一 09:30 发，到 2026-07-06 为止。")
    assert await look(rows) == []
    await run(look, clock, local("2026-06-22T09:29:59"))
    assert len(await the_letters(look)) == 1
    await run(look, clock, local("2026-06-22T09:30:00"))
    await run(look, clock, local("2026-06-22T09:31:00"))
    series, first = await the_letters(look)
    assert (first.series_id, first.recipients, first.title, first.state) == (series.id, 7, series.title, "sending")
    await look(lambda s: setattr(s.get(Member, BOB), "status", "left"))
    await run(look, clock, local("2026-07-06T10:00:00"))  # an outage: the 29th is over, the 6th is not
    assert [one.recipients for one in await the_letters(look)] == [0, 7, 6]
    states = await look(
        lambda s: s.exec(select(Occurrence.state).where(Occurrence.task == f"letter:{series.id}")).all()
    )
    assert sorted(states) == ["begun", "done", "done", "skipped"]
    await run(look, clock, local("2026-07-13T09:30:00"))
    assert (await the_letters(look))[0].state == "done"
    assert len(await the_letters(look)) == 3
    assert len(await audit_of(look, "letter.made")) == 2


async def test_a_standing_letter_that_fails_holds_up_no_other_and_is_made_up_for(say, look, clock, monkeypatch):
    await stand(say, "1", "周一 9:30", "7月6日")
    await stand(say, "1", "周一 9:30", "7月6日")
    broken, whole = [one.id for one in await the_letters(look)]
    right, fails = letter_series.queue_letter, [True]

    def queue(session, letter, *when):
        right(session, letter, *when)
        if letter.series_id == broken and fails:
            raise KeyError("half of it is written")

    monkeypatch.setattr(letter_series, "queue_letter", queue)
    await run(look, clock, local("2026-06-22T09:30:00"))
    *_, made = found = await the_letters(look)
    assert [one.series_id for one in found] == [None, None, whole]
    assert {row.letter_id for row in await look(rows)} == {made.id}, "nothing of the other stands"
    fails.clear()
    await run(look, clock, local("2026-06-22T09:41:00"))
    assert sorted(one.series_id for one in await the_letters(look) if one.series_id) == [broken, whole]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_letters_that_nobody_can_leave_stay_rare_when_they_repeat(say, look, clock):
    await stand(say, "1", "周一 9:30", "8月3日")
    await stand(say, "3", "8月3日")
    weekly, joined = [one.id for one in await the_letters(look)]
    await look(lambda s: setattr(s.get(Topic, "superior_spirit"), "mandatory", True))

    def arrive(session):
        session.add(Member(id=900, code="X", name="新"))
        session.flush()
        came = {"from_day": date(2026, 7, 1), "recorded_at": local("2026-07-01T09:00")}
        session.add(Membership(member_id=900, organization_id=LIANGFENG, **came))
        bind(session, 900, "telegram")

    for number in range(14, 42):
        if number == 25:
            await look(arrive)
        await run(look, clock, local("2026-06-08T10:00") + timedelta(days=number))
    days = [
        (one.series_id, one.sent_at.astimezone(ZONE).strftime("%m-%d")) for one in (await the_letters(look))[2:]
    ]
    assert days == [(weekly, "06-22"), (weekly, "06-29")]
    await run(look, clock, local("2026-07-22T10:00"))  # thirty days after the first
    last = (await the_letters(look))[-1]
    assert (last.series_id, last.audience["people"]) == (joined, [900]), "late, and not lost"
    told = [row.content["text"] for row in await look(rows) if ":rare:" in row.key]
    assert told[0].startswith("定期红信“关于做好防汛值守的通知”这一次没有发：必读红信同一组织 30 天内最多发 2 封")
    assert len(told) == 2, "once for each of the two"


@pytest.mark.parametrize(("spoilt", "why"), [("body", "changed"), ("role", "role_ended")])
async def test_a_standing_letter_ends_with_its_words_and_with_its_authors_post(say, look, clock, spoilt, why):
    await stand(say, "2", "最后一天 9:30", "1")
    series = (await the_letters(look))[0]
    assert series.next_at == local("2026-06-30T09:30:00")

    def spoil(session):
        if spoilt == "body":
            session.get(Letter, series.id).body = "换了一句"
        else:
            session.exec(select(Role).where(Role.member_id == SUN)).one().to_day = date(2026, 6, 20)

    await look(spoil)
    await run(look, clock, local("2026-06-30T09:30:00"))
    (only,) = await the_letters(look)
    assert (only.state, only.stop_reason) == ("stopped", why)
    assert [row.member_id for row in await look(rows)] == [SUN]


async def test_its_author_sees_and_ends_it_and_nobody_else(say, look, clock):
    await stand(say, "1", "周一 9:30", "2")
    series = (await the_letters(look))[0]
    assert "定期和自动的红信（1）" in " ".join((await say(SUN, "发红信")).labels())
    shown = await say.all(SUN, "定期红信", "1")
    assert "每周一 09:30 发，到 2027-06-16 为止" in shown.text
    assert "不是您的" in (await say(QIAN, f"broadcast:series_end:{series.id}")).text
    assert (await say(SUN, "1")).text.startswith("已停掉“关于做好防汛值守的通知”")
    await run(look, clock, local("2026-06-22T09:30:00"))
    assert len(await the_letters(look)) == 1


@pytest.mark.parametrize("typed", ["9月40日", "很久", "2027-06-17", "2026-06-14"])
async def test_the_last_day_is_within_a_year(say, look, typed):
    asked = await say.all(SUN, "发红信", "1", "1", BODY, "9", "更多", "1", "1", "看不懂", "周一 9:30", typed)
    assert "没看明白，或者超过一年了" in asked.text
    assert "每周一 09:30 发，到 2027-06-16 为止" in (await say(SUN, "2027-06-16")).text


async def test_who_joins_and_who_is_transferred_get_their_letter_once(say, look, clock):
    for way in ("3", "4"):
        await stand(say, way, "1")
    joined, transferred = await the_letters(look)

    def arrive(session):
        session.add(Member(id=900, code="X", name="新"))
        session.flush()
        later = {
            "organization_id": LIANGFENG,
            "from_day": date(2026, 6, 16),
            "recorded_at": NOON + timedelta(hours=1),
        }
        session.add(Membership(member_id=900, **later))
        old = session.exec(select(Membership).where(Membership.member_id == CHARLIE)).one()
        old.to_day = date(2026, 6, 16)
        session.flush()
        session.add(Membership(member_id=CHARLIE, **later))
        bind(session, 900, "telegram")

    await look(arrive)
    await run(look, clock, local("2026-06-15T23:59:00"))  # not before the day itself
    assert await look(rows) == []
    for at in ("2026-06-16T08:59:00", "2026-06-16T09:00:00", "2026-06-16T12:00:00", "2026-06-17T12:00:00"):
        await run(look, clock, local(at))
    made = {row.letter_id: row.member_id for row in await look(rows)}
    by_series = {one.series_id: made[one.id] for one in await the_letters(look) if one.series_id}
    assert by_series == {joined.id: 900, transferred.id: CHARLIE}
    assert len(await look(lambda s: s.exec(select(LetterTrigger)).all())) == 2


async def test_a_birthday_letter_reaches_those_of_the_branch_on_their_day(say, look, clock):
    await stand(say, "5", "1")
    await look(lambda s: setattr(s.get(Member, MO), "admitted_on", date(2000, 6, 16)))
    await look(lambda s: setattr(s.get(Member, CHARLIE), "admitted_on", date(2000, 6, 16)))
    for at in ("2026-06-16T08:59:59", "2026-06-16T09:00:00", "2026-06-17T09:00:00"):
        await run(look, clock, local(at))
    assert [(row.member_id, row.key) for row in await look(rows)] == [(MO, "letter:2")]


async def test_above_the_branch_a_second_person_approves_what_stands(say, look, clock):
    await say.all(OLGA, "发红信", "4", f"broadcast:topic:{COMMITTEE}:all:superior_spirit", BODY)
    letter = (await the_letters(look))[0]
    shown = await say.all(OLGA, f"broadcast:repeat:{letter.id}", "1", "周一 9:30", "1")
    assert "请回复人数 9 提交" in shown.text
    await say(OLGA, "9")
    asked = await say.all(RUI, "审红信", "1")
    assert "每周一 09:30 发，到 2026-12-31 为止" in asked.text
    assert (await say(RUI, "1")).text.startswith("已同意，从现在起有效。每周一 09:30")
    await run(look, clock, local("2026-06-22T09:30:00"))
    made = (await the_letters(look))[-1]
    assert (made.approved_by, made.recipients, made.lane) == (RUI, 9, 2)
    assert len(await look(lambda s: s.exec(select(Delivery).where(Delivery.letter_id == made.id)).all())) == 9


async def test_whoever_approved_it_and_those_above_end_it_with_the_same_word(say, look, clock):
    async def approved():
        await say.all(OLGA, "发红信", "4", f"broadcast:topic:{COMMITTEE}:all:superior_spirit", BODY)
        letter = (await the_letters(look))[-1]
        await say.all(OLGA, f"broadcast:repeat:{letter.id}", "1", "周一 9:30", "1", "9")
        await say.all(RUI, "审红信", "1", "1")
        return letter.id

    letter_id = await approved()
    assert "没有找到" in (await say(SUN, f"stop_letter:{letter_id}")).text
    going = await say(RUI, "停止")
    assert "现在没有正在发送的红信。定期的有：" in going.text
    assert going.labels()[0] == "1 停掉“关于做好防汛值守的通知”"
    assert (await say(RUI, "1")).text.startswith("已停掉“关于做好防汛值守的通知”，以后不再发。")
    assert (await the_letters(look))[0].stop_reason == "above"
    told = [row for row in await look(rows) if row.key == f"letter:{letter_id}:ended"]
    assert [row.member_id for row in told] == [OLGA]
    await approved()
    assert (await say.all(OLGA, "停止", "1")).text.startswith("已停掉")
    await run(look, clock, local("2026-06-22T09:30:00"))
    assert [one.state for one in await the_letters(look)] == ["stopped", "stopped"]
    assert len(await audit_of(look, "letter.series_ended")) == 2
