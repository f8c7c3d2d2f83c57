"""How a message is written in WeChat: numbered steps, cuts at sentence ends, and nothing that breaks the XML."""

from __future__ import annotations

import pytest
import xmltodict
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.wechat import WeChat
from bot.channels.wechat.reply import TEXT_MAX, parts, passive_reply, words
from notices.channel import Button, Message
from tests.bot.wechat.conftest import ALICE, EchoDispatcher
from tests.bot.wechat.server import WeChatServer


def test_short_steps_share_a_line() -> None:
    message = Message(
        "绑定成功。", (Button("签到", "check_in"), Button("我的积分", "points"), Button("菜单", "menu", 0))
    )
    assert words(message) == "绑定成功。\n1 签到\u30002 我的积分\u30000 菜单"


def test_long_steps_have_a_line_each() -> None:
    message = Message(
        "现在可以签到的活动：",
        (
            Button("主题党日：重温入党誓词（本支部，19:00）", "check_in:1"),
            Button("区域联建：沙洲湖清洁日（+3 分）", "check_in:2"),
            Button("返回", "menu", 9),
            Button("菜单", "menu", 0),
        ),
    )
    assert words(message).splitlines() == [
        "现在可以签到的活动：",
        "1 主题党日：重温入党誓词（本支部，19:00）",
        "2 区域联建：沙洲湖清洁日（+3 分）",
        "9 返回\u30000 菜单",
    ]


@pytest.mark.parametrize(("label", "lines"), [("一二三四五六七八九十", 1), ("一二三四五六七八九十一", 2)])
def test_a_step_of_more_than_12_characters_is_long(label: str, lines: int) -> None:
    message = Message("", (Button(label, "a"), Button("菜单", "menu", 0)))
    assert len(words(message).strip().splitlines()) == lines


async def test_a_wish_for_the_place_is_put_in_words(
    wechat: WeChat, server: WeChatServer, echo: EchoDispatcher
) -> None:
    echo.reply = lambda _: Message("您在哪里？", (Button("菜单", "menu", 0),), ask_location=True)
    assert await server.say(ALICE, "远程") == (
        "您在哪里？\n请点输入框旁的“＋”，选“位置”，把您的位置发给我。\n0 菜单"
    )


@pytest.mark.parametrize(
    "text",
    [
        "a ]]> b",
        "]]></Content><MsgType><![CDATA[image]]></MsgType><Content><![CDATA[",
        "]]]]>>",
        "& < > \" '",
        "bell \x07 and \x00 and \x1f and \x0b no more",
        "lone \ud800 surrogate \ufffe \uffff no more",
        "\u202e right to left \u200b",
        "two\nlines\tand a tab",
    ],
)
async def test_no_words_break_out_of_the_reply(
    text: str, wechat: WeChat, server: WeChatServer, echo: EchoDispatcher
) -> None:
    echo.reply = lambda _: Message(text)
    letter = server.typed(ALICE, "x")
    _, body = await server.attempt(letter)
    reply = server.opened(body)
    assert set(reply) == {"ToUserName", "FromUserName", "CreateTime", "MsgType", "Content"}
    assert reply["MsgType"] == "text"
    kept = "".join(sign for sign in text if sign >= " " or sign in "\n\t")
    assert reply["Content"] == "".join(sign for sign in kept if sign not in "\ud800\ufffe\uffff")


@given(st.text(max_size=60), st.text(max_size=20))
def test_any_words_come_back_as_one_text(text: str, name: str) -> None:
    document = passive_reply(text, to=name, account="gh_hongxin", created_at_s=1)
    reply = xmltodict.parse(document)["xml"]
    assert list(reply) == ["ToUserName", "FromUserName", "CreateTime", "MsgType", "Content"]
    assert reply["MsgType"] == "text"


def test_2048_bytes_are_one_piece_and_one_more_makes_two() -> None:
    exact = "红" * 600 + "。" + "红" * 81 + "ab"
    assert parts(exact) == [exact]
    assert parts(exact + "c") == ["红" * 600 + "。", "红" * 81 + "abc"]


def test_pieces_end_with_a_sentence() -> None:
    sentence = "全体党员请按时参加本月的主题党日活动。"
    pieces = parts(sentence * 100)
    assert len(pieces) > 1
    assert all(piece.endswith("。") for piece in pieces)
    assert "".join(pieces) == sentence * 100


def test_a_line_end_is_a_better_place_than_a_sentence_end() -> None:
    head, tail = "甲。" * 20 + "乙", "丙。" * 4
    assert parts(f"{head}\n{tail}" + "丁" * 9, 160) == [head, tail + "丁" * 9]


def test_a_break_near_the_beginning_is_not_used() -> None:
    text = "短。" + "长" * 100
    assert parts(text, 150)[0] == "短。" + "长" * 48


def test_words_without_a_break_are_cut_between_characters() -> None:
    pieces = parts("😀" * 1000)
    assert "".join(pieces) == "😀" * 1000
    assert [len(piece.encode()) for piece in pieces] == [2048, 1952]


def test_nothing_is_one_empty_piece() -> None:
    assert parts("") == [""]
    assert parts(" \n" * 2000) == [""]


@given(st.text(max_size=300), st.integers(4, 200))
def test_every_piece_fits_and_no_word_is_lost(text: str, bytes_max: int) -> None:
    pieces = parts(text, bytes_max)
    assert pieces
    assert all(len(piece.encode()) <= bytes_max for piece in pieces)
    seen = "".join("".join(pieces).split())
    assert seen == "".join("".join(parts(text, 10**6)).split())
    assert TEXT_MAX == 2048
