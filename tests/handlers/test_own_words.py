"""What members say in their own words: it comes to a sensible place, and nothing is done on a guess."""

from __future__ import annotations

import pytest

from db import attendance, ledger
from handlers import meaning
from tests.cast import ALICE, OWN_CODE, SUN


@pytest.mark.parametrize(
    ("words", "begins"),
    [
        ("我想换个杯子", "您有 "),
        ("上次开会签到了吗", "积分余额"),
        ("我有几分", "积分余额"),
        ("党费交了没有", "积分余额"),
        ("怎么才能升四星", "先锋指数"),
        ("怎么加分", "先锋指数"),
        ("为什么扣分", "先锋指数"),
        ("我们支部多少分", "梁丰社区"),
        ("组织力指数是多少", "梁丰社区党支部 还没有组织力指数"),
        ("雷达图", "梁丰社区党支部 还没有组织力指数"),
        ("帮老人买药", "现在没有等人认领的心愿"),
        ("我要帮忙", "现在没有等人认领的心愿"),
        ("我想要一副老花镜", "请用一句话写您的心愿"),
        ("我许的心愿", "您还没有许过心愿"),
        ("我的取货码", "您还没有兑换过礼品"),
        ("别给我发消息了", "回复数字，订阅或退订"),
        ("太吵了晚上别发", "现在的勿扰时间"),
        ("有新通知吗", "还没有收到过红信"),
        ("我来不了", "近期活动"),
        ("下次开会什么时候", "近期活动"),
        ("换手机了", "您的支部书记"),
        ("我要投诉", "您的支部书记"),
        ("我要退出", "要解绑这个聊天吗"),
        ("谁能看到我的信息", "我们保存"),
        ("导出我的资料", "为您保存的资料"),
        ("你好", "艾丽丝，您好"),
        ("我不会用", "艾丽丝，您好"),
        ("在吗", "艾丽丝，您好"),
        ("i want a cup", "您有 "),
        ("unsubscribe", "回复数字，订阅或退订"),
    ],
)
async def test_everyday_sentences_come_to_a_sensible_place(say, words, begins):
    assert (await say(ALICE, words)).text.startswith(begins)


@pytest.mark.parametrize("words", ["不想签到", "签到了吗", "没法签到", "昨天签到没成功怎么办"])
async def test_a_sentence_with_the_word_in_it_checks_nobody_in(say, look, words):
    await say(ALICE, f"签到 {OWN_CODE}")  # so that a single one is left open, which takes no question
    before = await look(lambda session: ledger.balance(session, ALICE))
    assert "签到成功" not in (await say(ALICE, words)).text
    assert await look(lambda session: ledger.balance(session, ALICE)) == before


@pytest.mark.parametrize("words", ["没收到", "我有困难怎么跟你说"])
async def test_a_sentence_with_the_word_in_it_answers_no_letter(say, words):
    reply = await say(ALICE, words)
    assert "没看明白" in reply.text
    assert reply.buttons


@pytest.mark.parametrize("words", ["撤销", "撤销签到", "取消签到", "我签错了", "Undo"])
async def test_a_check_in_is_undone_in_words(say, look, words):
    await say(ALICE, f"签到 {OWN_CODE}")
    await say(ALICE, "菜单")
    assert (await say(ALICE, words)).text.startswith("已撤销签到")
    assert await look(lambda session: attendance.last_present(session, ALICE)) is None


async def test_undoing_without_a_check_in_says_so(say):
    assert (await say(ALICE, "撤销签到")).text == "没有可以撤销的签到。"


async def test_the_first_words_of_a_choice_pick_it(say):
    await say(ALICE, "兑换")
    assert (
        "换水杯要 20 分" in (await say(ALICE, "水杯")).text
        or "用 20 分换 1 个水杯" in (await say(ALICE, "水杯")).text
    )


async def test_words_that_begin_two_choices_pick_none_of_them(say):
    shown = await say(ALICE, "签到")
    assert [label for label in shown.labels() if label.startswith("1 ")]
    assert "签到成功" not in (await say(ALICE, "主题")).text


async def test_naming_a_language_speaks_it_and_saying_it_twice_changes_nothing(say):
    for _ in range(2):
        assert (await say(ALICE, "English")).text == "All right, English from now on."
    for _ in range(2):
        assert (await say(ALICE, "中文")).text == "好的，以后用中文。"


async def test_a_number_that_stands_for_nothing_is_named(say):
    await say(ALICE, "兑换")
    reply = await say(ALICE, "77")
    assert reply.text == "没有 77 这一项。请回复下面的数字，或找孙书记帮忙。"
    assert reply.labels()[0] == "1 签到"


async def test_a_secretary_who_is_stuck_is_not_sent_to_herself(say):
    assert "找上级党组织帮忙" in (await say(SUN, "77")).text


async def test_an_answer_may_begin_with_a_commands_word(say):
    await say(ALICE, "我要许心愿")
    assert (await say(ALICE, "我 想要一把椅子")).text.startswith("在哪里")


async def test_a_command_is_still_a_command_in_the_middle_of_a_question(say):
    for words in ("积分", "check in", f"签到 {OWN_CODE}", "签到 ABCD", "/points"):
        await say(ALICE, "我要许心愿")
        assert "在哪里" not in (await say(ALICE, words)).text, words


async def test_english_lines_say_their_rule_in_english(say):
    await say(ALICE, f"签到 {OWN_CODE}")
    await say(ALICE, "English")
    assert "+2 own-branch activity attended" in (await say(ALICE, "points")).text


@pytest.mark.parametrize(
    ("spoken", "begins"), [("一", "现在可以"), ("二。", "积分余额"), ("七", "近期活动"), ("八", "艾丽丝\n支部")]
)
async def test_a_dictated_number_picks(say, spoken, begins):
    await say(ALICE, "菜单")
    assert (await say(ALICE, spoken)).text.startswith(begins)


async def test_an_english_word_counts_only_as_a_whole(say):
    assert "艾丽丝\n支部" not in (await say(ALICE, "name")).text


def test_long_texts_are_not_kept_in_memory():
    before = meaning._folded_word.cache_info().currsize
    assert meaning.folded("Ａ" * 5000 + "。") == "a" * 5000
    assert meaning._folded_word.cache_info().currsize == before
