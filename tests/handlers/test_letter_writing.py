"""What a letter may hold, what is refused, templates, and letters that go out again by themselves."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import select

from db import letter_templates, pictures
from db.audit import AuditEvent
from db.deliveries import Delivery
from db.letter_series import LetterTrigger
from db.letters import Letter
from db.members import Member, Membership, Role
from db.occurrences import Occurrence
from notices import letter_series
from notices.letter_series import send_next
from tests.cast import ALICE, BOB, CHARLIE, COMMITTEE, LIANGFENG, MO, NOON, OLGA, QIAN, RUI, SHAZHOU, SUN
from tests.conftest import ZONE
from tests.notices.sending import FakeChannel, bind, engine, rows

BODY = "关于做好防汛值守的通知\n今晚有大雨，请**各网格**留人值守。"
PNG = b"\x89PNG\r\n\x1a\nred"


async def audit_of(look, *actions):
    lines = await look(lambda s: s.exec(select(AuditEvent).order_by(AuditEvent.id)).all())
    return [(line.actor_id, json.loads(line.detail)) for line in lines if line.action in actions]


async def the_letters(look):
    return await look(lambda s: (s.expire_all(), s.exec(select(Letter).order_by(Letter.id)).all())[1])


def fetched(session, reference, content=PNG):
    picture = session.exec(select(pictures.Picture).where(pictures.Picture.reference == reference)).one()
    pictures.keep(session, picture.id, "image/png", content, "0" * 64)


async def test_marks_a_link_and_a_picture_go_from_the_author_to_every_reader(say, look, writer, clock):
    asked = await say.all(SUN, "发红信", "1", "1")
    assert "**粗体**" in asked.text
    only = await say(SUN, "", kind="image", picture="photo-1")
    assert only.text == "图片已收下。请再发文字：看不到图片的人也要看得懂。"
    shown = await say(SUN, f"{BODY}\n- [看通知](https://www.gov.cn/a)")
    marked = {shown.text[one.start : one.end]: one.kind for one in shown.marks}
    assert marked == {"各网格": "bold", "看通知": "link"}
    assert "**" not in shown.text
    assert shown.picture.alt == "红信“关于做好防汛值守的通知”的图片"
    assert (await say(SUN, "7")).text.startswith("图片还在传，没有发送。")
    assert await look(rows) == []
    await look(lambda s: fetched(s, "photo-1"))
    await say(SUN, "7")
    web = FakeChannel()
    sender = engine(writer, clock, web)
    sender._channels.marked.add("web")
    await sender.drain_once()
    got = web.sent[0][1]
    assert [got.text[one.start : one.end] for one in got.marks] == ["各网格", "看通知"]
    assert (got.picture.kind, got.picture.data) == ("stored", {"id": shown.picture.data["id"]})
    again = await say.all(ALICE, "最近的红信", "1")
    assert (again.marks, again.picture) == (got.marks, got.picture)
    letter = (await the_letters(look))[0]
    assert letter.title == "关于做好防汛值守的通知"
    await engine(writer, clock, FakeChannel("wechat")).drain_once()


async def test_what_cannot_be_a_letter_is_refused_in_words_written_down_and_not_sent(say, look):
    await say.all(SUN, "发红信", "1", "1")
    bad = {
        "字" * 60_000: ("too_long", "这封信有 60000 字，最多 5000 字"),
        "👍🎉❤️ 🎉…": ("only_signs", "只有表情或符号"),
        "\u202e雨大有晚今": ("turning", "隐藏字符"),
        "好\n请**留人值守": ("unpaired", "第 2 行的 ** 没有成对：“**留人值守”"),
        "请看[通知](https://www.gov.cn": ("link_open", "第 1 行的链接没有写完"),
        "请看[通知](javascript:x)": ("link_bad", "第 1 行的链接不能用"),
        "请看[www.gov.cn](https://evil.com/)": ("link_differs", "去的却是别的网站"),
        "看 https://a.cn 和 https://b.cn": ("many_links", "有 2 个链接"),
        "{电话}同志，您好": ("unknown_place", "没有“{电话}”这一项。可以用 {姓名}"),
    }
    for text, (_, told) in bad.items():
        assert told in (await say(SUN, text)).text
    lines = await audit_of(look, "letter.content_refused")
    assert [(actor, detail["why"]) for actor, detail in lines] == [(SUN, why) for why, _ in bad.values()]
    assert (await the_letters(look))[0].body == ""
    assert await look(rows) == []
    assert "将发给 7 人" in (await say(SUN, "<script>alert(1)</script> 3*4=12")).text


async def test_a_picture_that_is_too_large_is_taken_off_and_nothing_is_sent(say, look):
    await say.all(SUN, "发红信", "1", "1", BODY)
    await say(SUN, "", kind="image", picture="40-MB")
    await look(lambda s: pictures.give_up(s, pictures.receive(s, "web", "40-MB", SUN, NOON), "too_large"))
    told = await say(SUN, "7")
    assert told.text.startswith("图片太大，没有收下，已从信里拿掉。")
    assert told.picture is None
    assert await look(rows) == []
    ((actor, detail),) = await audit_of(look, "letter.content_refused")
    assert (actor, detail["reason"]) == (SUN, "too_large")
    assert "已开始发送" in (await say(SUN, "7")).text


async def test_an_audience_elsewhere_is_refused_by_name_by_number_and_by_a_stale_button(say, look):
    assert (await say(SUN, "发红信 梁丰社区党支部")).text == "发给谁？（梁丰社区党支部）"
    assert (await say(OLGA, "发红信 沙洲")).text == "发给谁？（沙洲村党支部）"
    nowhere = "没有这个发送范围。只能发给您任职的组织和它的下级。"
    for asked in (
        "发红信 沙洲村党支部",
        "发红信 没有的支部",
        f"broadcast:whom:{SHAZHOU}",
        "broadcast:topic:999:all",
    ):
        assert (await say(SUN, asked)).text == nowhere
    stale = await say.all(SUN, "发红信", "1", "1", BODY)
    confirm = next(one.action for _, one in stale.numbered() if "until" in one.action).replace("until", "show")
    await look(
        lambda s: setattr(s.exec(select(Role).where(Role.member_id == SUN)).one(), "organization_id", SHAZHOU)
    )
    assert (await say(SUN, confirm)).text == "这封草稿已经发出、放弃或不在了。"
    assert (await say(QIAN, confirm)).text == "这封草稿已经发出、放弃或不在了。"
    assert len(await audit_of(look, "letter.audience_refused")) == 4
    await say.all(SUN, "发红信", "1", "1", BODY)
    assert (await say(SUN, "发红信 梁丰社区党支部")).text == nowhere, "at a preview, too"
    assert len(await audit_of(look, "letter.audience_refused")) == 5
    assert await look(rows) == []
    assert [actor for actor, _ in await audit_of(look, "letter.draft_refused")] == [SUN, QIAN]
    assert await look(rows) == []


async def test_a_template_is_kept_begun_from_and_gives_everybody_their_own_name(say, look, writer, clock):
    shown = await say.all(SUN, "发红信", "1", "1", "{姓名}同志，您好！\n**{支部}**{日期}开会，请准时。")
    assert "孙书记同志，您好！\n梁丰社区党支部6 月 15 日开会" in shown.text
    assert "上面的姓名、支部是您的" in shown.text
    letter = (await the_letters(look))[0]
    assert (await say(SUN, f"broadcast:keep:{letter.id}")).text.startswith("已存为模板“同志，您好！")
    assert "已换成这一份" in (await say(SUN, f"broadcast:keep:{letter.id}")).text
    await say(SUN, "7")
    await look(
        lambda s: (bind(s, ALICE, "telegram"), setattr(s.get(Member, ALICE), "preferred_channel", "telegram"))
    )
    web, telegram = FakeChannel(), FakeChannel("telegram")
    sender = engine(writer, clock, web, telegram)
    sender._channels.abroad.add("telegram")
    await sender.drain_once()
    assert "艾同志同志，您好！\n梁丰社区党支部6 月 15 日开会" in telegram.texts[0]
    texts = dict(zip([address for address, _ in web.sent], web.texts, strict=True))
    assert "鲍勃同志，您好！" in texts[f"member:{BOB}"]

    begun = await say.all(SUN, "发红信", "1", "1", "用模板", "1")
    assert "孙书记同志，您好！" in begun.text
    mine = await look(lambda s: letter_templates.seen_by(s, SUN, ["/1/2/10/"]))
    draft = (await the_letters(look))[-1]
    assert (await say(QIAN, f"broadcast:begin:{draft.id}:{mine[0].id}")).text.startswith("这封草稿")
    assert "模板已删" in (await say(SUN, f"broadcast:forget:{draft.id}:{mine[0].id}")).text
    assert await look(lambda s: letter_templates.seen_by(s, SUN, ["/1/2/10/"])) == []


async def test_a_template_of_the_city_is_there_for_everybody_below_and_dropped_by_its_author_alone(say, look):
    await say.all(
        OLGA, "发红信", "4", f"broadcast:topic:{COMMITTEE}:all:superior_spirit", "全市统一的话\n请大家照办。"
    )
    letter = (await the_letters(look))[0]
    assert (await say(OLGA, f"broadcast:keep:{letter.id}")).text == "存给谁用？"
    await say(OLGA, "2")
    assert [actor for actor, _ in await audit_of(look, "letter.template_shared")] == [OLGA]
    offered = await say.all(SUN, "发红信", "1", "1", "用模板")
    assert offered.labels()[0] == "1 全市统一的话（共用）"
    assert "请大家照办。" in (await say(SUN, "1")).text
    own, shared = (
        (await the_letters(look))[-1],
        (await look(lambda s: letter_templates.seen_by(s, SUN, ["/1/"])))[0],
    )
    assert "不在了" in (await say(SUN, f"broadcast:forget:{own.id}:{shared.id}")).text
    assert await look(lambda s: letter_templates.seen_by(s, SUN, ["/90/"])) == []


# Letters that go out again.


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
