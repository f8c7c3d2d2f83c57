"""What a letter may hold, what is refused, and templates."""

from __future__ import annotations

import pytest
from sqlmodel import select

from db import letter_templates, pictures
from db.members import Member, Role
from tests.cast import ALICE, BOB, COMMITTEE, NOON, OLGA, QIAN, SHAZHOU, SUN
from tests.handlers.letter_steps import BODY, audit_of, the_letters
from tests.notices.sending import FakeChannel, bind, engine, rows
from tests.sent_letters import SENT, end

PNG = b"\x89PNG\r\n\x1a\nred"


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


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_text_that_comes_in_several_messages_is_one_letter(say, look):
    first, second, third = (
        BODY,
        "请各网格在今晚八点以前，把值守名单报给社区办公室。",
        "第三段\n请老党员互相转告，不要冒雨出门。",
    )
    await say.all(SUN, "发红信", "1", "1", first)
    added = await say(SUN, second)
    assert added.text == f"这一段已接在后面，现在共 {len(first) - 12 + 1 + len(second)} 字。还有就接着发。"
    assert (await say(SUN, third)).labels()[:3] == ["1 写完了，看一看", "2 不要这一段", "3 从头重写"]
    shown = await say(SUN, "7")  # the number of people counts below the whole text alone
    assert await look(rows) == []
    assert shown.text.index("留人值守。") < shown.text.index(second) < shown.text.index("不要冒雨出门。")
    await say(SUN, third)
    stale = (await say(SUN, "2")).text
    assert stale.startswith("已去掉那一段。")
    assert stale.count("不要冒雨出门。") == 1
    assert (await say(SUN, "字" * 5000)).text.startswith("这段文字有 50")
    assert (await say(SUN, "7")).text.startswith("已开始发送")
    (letter,) = await the_letters(look)
    assert letter.body.endswith(f"留人值守。\n{second}\n{third}")


async def test_what_cannot_be_a_letter_is_refused_in_words_written_down_and_not_sent(say, look):
    await say.all(SUN, "发红信", "1", "1")
    bad = {
        "字" * 60_000: ("too_long", "这段文字有 60000 字，最多 5000 字"),
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
    assert (await say(SUN, confirm)).text == "这封草稿已经放弃，或不在了。要发就写一封新的。"
    assert (await say(QIAN, confirm)).text == "这封草稿已经放弃，或不在了。要发就写一封新的。"
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


ASKED = {
    "\u202e雨大有晚今？/甲/乙": ("turning", "隐藏字符"),
    "👍？/🎉/❤️": ("only_signs", "只有表情或符号"),
    "看 https://a.cn/b 吗？/看/不看": ("no_markup", "不能有粗体、链接和花括号"),
    "**党**的生日？/七一/八一": ("no_markup", "不能有粗体"),
    "{姓名}几岁？/七十/八十": ("no_markup", "花括号"),
    "没有答案": ("answers_count", "2 到 4 个答案"),
}
SURVEYED = {
    "\u202e吗意满": ("turning", "隐藏字符"),
    "满" * 3_000: ("too_long", "这段文字有 3000 字，最多 100 字"),
    "一\n二\n三\n四": ("survey_count", "您写了 4 题，最多 3 题"),
    "**坏": ("no_markup", "不能有粗体"),
}
CORRECTED = {
    "\u202e雨大有晚今": ("turning", "隐藏字符"),
    "字" * 201: ("too_long", "有 201 字，最多 200 字，请删去 1 字"),
    "👍": ("only_signs", "只有表情或符号"),
    "**坏": ("unpaired", "没有成对"),
    "[x](javascript:alert)": ("link_bad", "不能用"),
    "看 https://a.cn 和 https://b.cn": ("many_links", "有 2 个链接"),
    "请打{电话}": ("unknown_place", "没有“{电话}”"),
}


async def test_questions_and_the_words_of_a_correction_are_looked_at_like_a_letter(say, look):
    async def refused(words):
        for text, (_, said) in words.items():
            assert said in (await say(SUN, text)).text, text

    await say.all(SUN, "发红信", "1", "1", "请大家学习。")
    letter = (await the_letters(look))[0]
    await say(SUN, f"broadcast:question:{letter.id}")
    await refused(ASKED)
    await say(SUN, f"broadcast:survey:{letter.id}")
    await refused(SURVEYED)
    assert "附" not in (await say(SUN, f"broadcast:show:{letter.id}")).text
    await say.all(SUN, "7")
    await look(lambda s: end(s, letter.id, [SENT] * 7))
    await say.all(SUN, "更正红信", "2")
    await refused(CORRECTED)
    assert (await the_letters(look))[1].body == ""
    why = [detail["why"] for _, detail in await audit_of(look, "letter.content_refused")]
    assert why == [one for words in (ASKED, SURVEYED, CORRECTED) for one, _ in words.values()]


async def test_a_dropped_draft_keeps_its_number_and_nothing_else(say, look):
    """The audit log names letters by number: the next one must not get it."""
    await say.all(SUN, "发红信", "1", "1", "**坏", "请大家学习。", "0")
    await say.all(QIAN, "发红信", "1", "1", "请大家学习。")
    dropped, other = await the_letters(look)
    assert (dropped.state, dropped.author_id, dropped.title, dropped.body) == ("dropped", SUN, "", "")
    assert (other.state, other.author_id) == ("draft", QIAN)
    assert "这封草稿已经放弃" in (await say(SUN, f"broadcast:show:{dropped.id}")).text
    for wrong in ("confirm", "text", "edit"):
        assert "已经放弃" in (await say(SUN, f"broadcast:{wrong}:{dropped.id}:7:x:7")).text
    assert (await the_letters(look))[0].body == ""
