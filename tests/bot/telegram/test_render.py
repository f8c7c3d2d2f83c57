"""A message as calls of the Bot API, on both sides of every limit."""

from __future__ import annotations

from typing import Any

import pytest

from bot.channels.telegram.render import calls, columns, edit
from notices.channel import Button, Message, Picture
from notices.wording import wording
from tests.bot.telegram.conftest import PNG

QR = Picture("qr", {"text": "7K4M"}, "取货码的二维码")


def rendered(message: Message, image: bytes | None = None) -> list[tuple[str, dict[str, Any]]]:
    return calls("7", message, image, wording("zh"))


def rows(*labels: str) -> list[list[str]]:
    """The rows of the keyboard, as labels."""
    message = Message("?", tuple(Button(label, f"a:{place}") for place, label in enumerate(labels)))
    keyboard = rendered(message)[0][1]["reply_markup"]["inline_keyboard"]
    return [[key["text"] for key in row] for row in keyboard]


def test_a_text_is_one_message_without_markup_and_without_a_link_preview() -> None:
    ((method, arguments),) = rendered(Message("<b>*hello*</b> https://example.org"))
    assert method == "sendMessage"
    assert arguments["text"] == "<b>*hello*</b> https://example.org"
    assert "parse_mode" not in arguments
    assert arguments["link_preview_options"] == {"is_disabled": True}


def test_buttons_show_their_numbers_and_carry_their_actions() -> None:
    message = Message("?", (Button("签到", "check_in"), Button("菜单", "menu", 0)))
    keyboard = rendered(message)[0][1]["reply_markup"]["inline_keyboard"]
    assert keyboard == [
        [{"text": "1 签到", "callback_data": "check_in"}, {"text": "0 菜单", "callback_data": "menu"}]
    ]


def test_three_short_buttons_share_a_row_and_a_fourth_begins_one() -> None:
    assert rows("签到", "积分", "兑换", "心愿") == [["1 签到", "2 积分", "3 兑换"], ["4 心愿"]]


def test_medium_buttons_go_in_pairs() -> None:
    assert rows("我的积分", "红信订阅", "菜单") == [["1 我的积分", "2 红信订阅"], ["3 菜单"]]


def test_a_long_button_has_its_row_alone() -> None:
    long = "主题党日：重温入党誓词（本支部，19:00）"
    assert rows("签到", long, "积分", "兑换") == [["1 签到"], [f"2 {long}"], ["3 积分", "4 兑换"]]


def test_sixteen_columns_share_a_row_and_seventeen_do_not() -> None:
    assert rows("a" * 14, "b" * 14) == [["1 " + "a" * 14, "2 " + "b" * 14]]
    assert rows("a" * 14, "b" * 15) == [["1 " + "a" * 14], ["2 " + "b" * 15]]
    assert columns("红a") == 3


def test_an_action_of_64_bytes_is_a_button_and_one_of_65_can_only_be_typed() -> None:
    message = Message("?", (Button("fits", "a" * 64), Button("does not", "红" * 21 + "aa")))
    ((_, arguments),) = rendered(message)
    assert [[key["text"] for key in row] for row in arguments["reply_markup"]["inline_keyboard"]] == [["1 fits"]]
    assert arguments["text"] == "?\n2 does not"


def test_a_caption_of_1024_units_fits_and_1025_follow_as_text() -> None:
    button = (Button("ok", "ok"),)
    ((method, photo),) = rendered(Message("红" * 1024, button, QR), PNG)
    assert (method, photo["caption"]) == ("sendPhoto", "红" * 1024)
    assert "reply_markup" in photo
    (_, photo), (method, words) = rendered(Message("红" * 1025, button, QR), PNG)
    assert (method, words["text"], photo["caption"]) == ("sendMessage", "红" * 1025, QR.alt)
    assert "reply_markup" in words
    assert "reply_markup" not in photo


def test_emoji_count_double_in_a_caption() -> None:
    assert len(rendered(Message("🎉" * 512, picture=QR), PNG)) == 1
    assert len(rendered(Message("🎉" * 513, picture=QR), PNG)) == 2


def test_a_picture_that_cannot_be_drawn_is_said_in_words() -> None:
    ((method, arguments),) = rendered(Message("您的取货码", picture=QR), None)
    assert (method, arguments["text"]) == ("sendMessage", "您的取货码\n取货码的二维码")


def test_a_text_of_4096_is_one_message_and_of_4097_two_with_the_keyboard_on_the_last() -> None:
    button = (Button("ok", "ok"),)
    assert len(rendered(Message("红" * 4096, button))) == 1
    first, last = rendered(Message("红" * 4097, button))
    assert "reply_markup" not in first[1]
    assert "reply_markup" in last[1]


def test_asking_for_a_place_needs_a_keyboard_of_another_kind() -> None:
    message = Message("在哪里？", (Button("取消", "cancel"), Button("菜单", "menu", 0)), ask_location=True)
    ((_, arguments),) = rendered(message)
    assert arguments["reply_markup"]["keyboard"] == [
        [{"text": "发送我的位置", "request_location": True}],
        [{"text": "1"}, {"text": "0"}],
    ]
    assert arguments["text"] == "在哪里？\n1 取消\n0 菜单"


@pytest.mark.parametrize(
    "message",
    [Message("?", picture=QR), Message("?", ask_location=True), Message("红" * 4097)],
    ids=["picture", "place", "long"],
)
def test_what_an_edit_cannot_show_needs_a_new_message(message: Message) -> None:
    assert edit("7", 5, message) is None


def test_an_edit_without_buttons_takes_the_old_ones_away() -> None:
    call = edit("7", 5, Message("done"))
    assert call
    assert call[0] == "editMessageText"
    assert call[1]["message_id"] == 5
    assert "reply_markup" not in call[1]
