"""What people do in WeChat, as every conversation understands it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.wechat.inbound import UNSHOWABLE, Arrived, arrived
from handlers.conversation import Incoming

NOW = datetime.fromisoformat("2026-06-15T04:00:00+00:00")
NOW_S = int(NOW.timestamp())


def document(**fields: Any) -> bytes:
    """A document of WeChat's with these fields; None leaves one out."""
    whole = {"ToUserName": "gh_hongxin", "FromUserName": "oAlice", "CreateTime": NOW_S, **fields}
    lines = "".join(f"<{name}><![CDATA[{text}]]></{name}>" for name, text in whole.items() if text is not None)
    return f"<xml>{lines}</xml>".encode()


def event(name: str, **fields: Any) -> bytes:
    return document(MsgType="event", Event=name, **fields)


def incoming(content: bytes) -> Incoming:
    found = arrived(content, now=NOW)
    assert found is not None
    return found.incoming


def test_a_text_is_read_whole() -> None:
    assert arrived(document(MsgType="text", Content="签到", MsgId=23000000000000001), now=NOW) == Arrived(
        Incoming(
            channel="wechat",
            address="oAlice",
            key="23000000000000001",
            sent_at=NOW,
            kind="text",
            text="签到",
        ),
        "gh_hongxin",
    )


@pytest.mark.parametrize(
    ("content", "kind", "text"),
    [
        (event("CLICK", EventKey="check_in:17"), "button", "check_in:17"),
        (event("SCAN", EventKey="48271935", Ticket="t"), "scan", "48271935"),
        (event("subscribe", EventKey="qrscene_48271935", Ticket="t"), "follow", "48271935"),
        (event("subscribe", EventKey=""), "follow", ""),
        (event("subscribe"), "follow", ""),
        (event("subscribe", EventKey="last_trade_no_4007"), "follow", ""),
        (event("unsubscribe", EventKey=""), "unfollow", ""),
        (document(MsgType="voice", MediaId="v", Recognition="我要签到。", MsgId=1), "voice", "我要签到。"),
        (document(MsgType="voice", MediaId="v", MsgId=1), "voice", ""),
        (document(MsgType="text", Content="", MsgId=1), "text", ""),
        (document(MsgType="text", Content=UNSHOWABLE, MsgId=1), "other", ""),
        (document(MsgType="video", MediaId="v", ThumbMediaId="t", MsgId=1), "other", ""),
        (document(MsgType="link", Title="a", Url="http://a", MsgId=1), "other", ""),
        (document(MsgType="some_day", MsgId=1), "other", ""),
    ],
)
def test_each_act_has_its_kind(content: bytes, kind: str, text: str) -> None:
    found = incoming(content)
    assert (found.kind, found.text, found.point, found.picture) == (kind, text, None, None)


def test_a_picture_is_known_by_its_id_and_not_by_an_address() -> None:
    found = incoming(document(MsgType="image", MediaId="m-1_A", PicUrl="http://evil.test/", MsgId=1))
    assert (found.kind, found.picture, found.text) == ("image", "m-1_A", "")


@pytest.mark.parametrize("media_id", ["", "../../etc/passwd", "a" * 257, "图"])
def test_a_picture_without_a_usable_id_is_something_else(media_id: str) -> None:
    assert incoming(document(MsgType="image", MediaId=media_id, MsgId=1)).kind == "other"


@pytest.mark.parametrize(
    "content",
    [
        document(MsgType="location", Location_X="31.875", Location_Y="120.555", Label="党员活动室", MsgId=1),
        event("LOCATION", Latitude="31.875", Longitude="120.555", Precision="30"),
    ],
)
def test_a_place_comes_as_a_message_or_as_an_event(content: bytes) -> None:
    found = incoming(content)
    assert (found.kind, found.point) == ("location", (31.875, 120.555))


@pytest.mark.parametrize(
    ("latitude", "longitude", "kind"),
    [
        ("90", "180", "location"),
        ("-90", "-180", "location"),
        ("90.1", "0", "other"),
        ("0", "180.1", "other"),
        ("nan", "0", "other"),
        ("0", "inf", "other"),
        ("", "0", "other"),
        ("north", "0", "other"),
        ("1e999", "0", "other"),
        ("1" * 5000, "0", "other"),
    ],
)
def test_a_place_that_is_not_on_earth_is_none(latitude: str, longitude: str, kind: str) -> None:
    assert incoming(event("LOCATION", Latitude=latitude, Longitude=longitude)).kind == kind


@pytest.mark.parametrize("message_id", ["seven", "-7", "７", "9" * 21, "9" * 5000, "", None])
def test_a_message_without_a_plain_id_is_known_by_sender_second_and_content(message_id: str | None) -> None:
    def key(text: str) -> str:
        return incoming(document(MsgType="text", Content=text, MsgId=message_id)).key

    assert key("签到") == key("签到")
    assert key("签到") != key("积分")
    assert key("签到").startswith(f"oAlice|{NOW_S}||")


def test_events_are_told_apart_by_sender_second_event_and_key() -> None:
    keys = {
        incoming(content).key
        for content in [
            event("CLICK", EventKey="menu"),
            event("CLICK", EventKey="points"),
            event("SCAN", EventKey="menu"),
            event("CLICK", EventKey="menu", CreateTime=NOW_S + 1),
            event("CLICK", EventKey="menu", FromUserName="oBob"),
        ]
    }
    assert len(keys) == 5
    assert f"oAlice|{NOW_S}|CLICK|menu" in keys
    assert incoming(event("CLICK", EventKey="menu")).key in keys


def test_a_long_key_stays_short_and_distinct() -> None:
    keys = [incoming(event("CLICK", EventKey="a" * 5000 + end)).key for end in "xy"]
    assert len(set(keys)) == 2
    assert all(len(key) < 80 for key in keys)


@pytest.mark.parametrize(
    ("instant", "sent_at"),
    [
        (NOW_S - 86_400, NOW_S - 86_400),
        (NOW_S - 86_401, NOW_S),
        (NOW_S + 300, NOW_S + 300),
        (NOW_S + 301, NOW_S),
        ("9" * 5000, NOW_S),
        ("99999999999", NOW_S),
        ("noon", NOW_S),
        ("-1", NOW_S),
        ("１７", NOW_S),
    ],
)
def test_an_instant_that_cannot_be_is_replaced_by_ours(instant: int | str, sent_at: int) -> None:
    found = incoming(document(MsgType="text", Content="签到", MsgId=1, CreateTime=instant))
    assert found.sent_at == datetime.fromtimestamp(sent_at, UTC)


def test_words_are_kept_as_they_came() -> None:
    words = "张\u200b三\u202e😀 ]]> &amp; <b>" + "长" * 5000
    whole = document(MsgType="text", MsgId=1).replace(
        b"</xml>", f"<Content>{_as_text(words)}</Content></xml>".encode()
    )
    assert incoming(whole).text == words


def _as_text(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@given(st.binary(max_size=400))
def test_no_bytes_whatever_raise(content: bytes) -> None:
    assert arrived(content, now=NOW) is None


NAMES = [
    "ToUserName",
    "FromUserName",
    "CreateTime",
    "MsgType",
    "Event",
    "EventKey",
    "MsgId",
    "Content",
    "Latitude",
]
VALUES = st.one_of(
    st.sampled_from(["event", "text", "CLICK", "LOCATION", "subscribe", "qrscene_", "7", "nan", "oAlice", ""]),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20).map(_as_text),
)


@given(st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=14))
def test_no_fields_whatever_raise(found: list[tuple[str, str]]) -> None:
    content = "".join(f"<{name}>{value}</{name}>" for name, value in found)
    result = arrived(f"<xml>{content}</xml>".encode(), now=NOW)
    assert result is None or result.incoming.channel == "wechat"
