"""Numbers, words, meaning, and everything that is not understood."""

from __future__ import annotations

import pytest

from handlers.meaning import clean
from tests.cast import ALICE, OWN_CODE, SUN


async def test_every_reply_shows_a_way_on(say):
    for words in ("你好吗我想问问天气", "签到", "积分", "0", "9", "菜单", "隐私", "我的"):
        assert (await say(ALICE, words)).buttons, words


async def test_numbers_pick_in_every_writing(say):
    for number in ("2", "２", " 2 ", "2.", "2。", "2、"):
        await say(ALICE, "签到")
        message = await say(ALICE, number)
        assert "+3 分" in message.text or "已经签到" in message.text, number


async def test_zero_goes_home_and_nine_goes_back(say):
    assert "请回复数字" in (await say(ALICE, "0")).text
    await say(ALICE, "我的")
    await say(ALICE, "1")
    assert (await say(ALICE, "9")).text.startswith("艾丽丝\n支部：")


async def test_a_number_that_was_not_offered_does_nothing(say):
    await say(ALICE, "签到")
    message = await say(ALICE, "77")
    assert "签到成功" not in message.text
    assert message.buttons


@pytest.mark.parametrize(
    ("words", "begins"),
    [
        ("看看我有多少分", "积分余额"),
        ("我要签到", "现在可以签到的活动"),
        ("qiandao", "现在可以签到的活动"),
        ("jifen", "积分余额"),
        ("联系书记", "您的支部书记：孙书记"),
    ],
)
async def test_free_words_are_understood_by_meaning(say, words, begins):
    assert (await say(ALICE, words)).text.startswith(begins)


async def test_what_is_not_understood_leads_to_numbers_and_to_the_secretary(say):
    await say(ALICE, "嗯嗯啊啊呃呃")
    message = await say(ALICE, "呜呜呜呜哇")
    assert message.text == "请直接回复数字。也可以找孙书记帮忙。"
    assert message.labels()[0] == "1 签到"


@pytest.mark.parametrize(
    "text", ["😀", "👩‍👩‍👧‍👦", "啊" * 5000, "\u202e\u200b反\u2066", "\x00\x07", "   ", "', DROP TABLE member; --"]
)
async def test_odd_text_gets_a_clear_answer(say, text):
    message = await say(ALICE, text)
    assert message.buttons
    assert len(message.text) < 300


async def test_invisible_characters_do_not_hide_a_word(say):
    assert (await say(ALICE, "签\u200b到\u202c")).text.startswith("现在可以签到")
    assert clean("a\u202eb\u200dc") == "abc"


@pytest.mark.parametrize("kind", ["image", "location", "voice", "other"])
async def test_things_that_are_not_words_are_answered(say, kind):
    message = await say(ALICE, "", kind=kind)
    assert message.buttons


async def test_a_button_of_the_past_says_that_it_is_out_of_date(say):
    for action in ("no_such_command:1", "check_in:8841:no:such", "签到", "x" * 64):
        assert (await say(ALICE, action, kind="button")).buttons


async def test_a_command_of_a_role_is_refused_to_others(say):
    message = await say(ALICE, "发红信")
    assert "职责" in message.text


async def test_leaving_says_nothing_and_writing_again_is_heard(say):
    assert await say(ALICE, "", kind="unfollow") is None
    assert (await say(ALICE, f"签到 {OWN_CODE}")).text.startswith("签到成功")


async def test_the_secretary_sees_more_in_the_menu_than_a_member(say):
    of_member, of_secretary = (await say(ALICE, "菜单")).labels(), (await say(SUN, "菜单")).labels()
    assert any("工作" in label for label in of_secretary)
    assert not any("工作" in label for label in of_member)
