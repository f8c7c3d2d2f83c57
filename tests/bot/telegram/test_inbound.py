"""Updates as Incoming; whatever shape arrives, reading it never fails."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.telegram.inbound import Arrival, Me, read
from handlers.conversation import Incoming

NOW = datetime(2026, 6, 15, 4, 0, tzinfo=UTC)
ME = Me(4242, "HongxinTestBot")
PRIVATE = {"id": 7, "type": "private"}
GROUP = {"id": -100, "type": "supergroup"}


def arrival(**body: Any) -> Arrival | None:
    return read({"update_id": 55, **body}, me=ME, now=NOW)


def message(**content: Any) -> Incoming:
    """What a private message becomes."""
    found = arrival(message={"message_id": 1, "chat": PRIVATE, "from": {"id": 7}, "date": 1781496000, **content})
    assert found
    assert found.incoming
    return found.incoming


def test_a_text_carries_who_what_and_when() -> None:
    assert message(text="签到 8841") == Incoming("telegram", "7", "u55", NOW, "text", "签到 8841")


@pytest.mark.parametrize(
    ("typed", "kind", "text"),
    [
        ("/start 48271935", "scan", "48271935"),
        ("/start@HongxinTestBot Ab-9_", "scan", "Ab-9_"),
        ("/start " + "a" * 64, "scan", "a" * 64),
        ("/start " + "a" * 65, "text", "/start " + "a" * 65),
        ("/start a b", "text", "/start a b"),
        ("/start", "text", "/start"),
        ("/checkin@hongxintestbot 4", "text", "/checkin 4"),
        ("/checkin@OtherBot 4", "text", "/checkin@OtherBot 4"),
    ],
)
def test_deep_links_and_commands(typed: str, kind: str, text: str) -> None:
    incoming = message(text=typed)
    assert (incoming.kind, incoming.text) == (kind, text)


def test_a_photo_is_its_largest_size_with_its_caption() -> None:
    sizes = [{"file_id": "s", "width": 90, "height": 60}, {"file_id": "L", "width": 900, "height": 600}, {"x": 1}]
    incoming = message(photo=sizes, caption="完成了")
    assert (incoming.kind, incoming.picture, incoming.text) == ("image", "L", "完成了")


def test_a_picture_sent_as_a_file_is_a_picture_and_another_file_is_not() -> None:
    assert message(document={"file_id": "d", "mime_type": "image/png"}).picture == "d"
    assert message(document={"file_id": "d", "mime_type": "application/pdf"}).kind == "other"


def test_a_table_is_a_file_with_its_name():
    found = message(document={"file_id": "d", "file_name": "五月.XLSX"}, caption="报数据")
    assert (found.kind, found.file, found.file_name, found.text) == ("file", "d", "五月.XLSX", "报数据")
    assert message(document={"file_id": "d", "file_name": "五月.docx"}).kind == "other"
    assert message(document={"file_id": 7, "file_name": "五月.csv"}).kind == "other"


def test_a_location_is_a_point_and_a_forwarded_or_picked_one_is_not() -> None:
    place = {"latitude": 31.87, "longitude": 120.55}
    assert message(location=place).point == (31.87, 120.55)
    assert message(location=place).kind == "location"
    assert message(location=place, venue={"title": "x"}).kind == "other"
    assert message(location=place, forward_origin={"type": "user"}).kind == "other"


@pytest.mark.parametrize(
    "place",
    [
        {},
        [],
        {"latitude": 91, "longitude": 0},
        {"latitude": "1", "longitude": 2},
        {"latitude": True, "longitude": 0},
    ],
)
def test_a_place_off_the_globe_is_no_place(place: Any) -> None:
    assert message(location=place).kind == "other"


@pytest.mark.parametrize("content", ["voice", "sticker", "video_note", "contact", "dice"])
def test_what_we_cannot_read_is_answered_all_the_same(content: str) -> None:
    assert message(**{content: {"file_id": "x"}}).kind == "other"


def test_a_service_message_is_nothing() -> None:
    assert arrival(message={"chat": PRIVATE, "from": {"id": 7}, "date": 1, "pinned_message": {}}) is None


def test_a_message_without_a_good_date_was_sent_now() -> None:
    assert message(text="x", date=-5).sent_at == NOW
    assert message(text="x", date="soon").sent_at == NOW
    assert message(text="x", date=2**60).sent_at == NOW


def test_a_press_carries_its_data_and_names_the_message_to_edit() -> None:
    shown = {"message_id": 9, "chat": PRIVATE, "date": 1, "text": "?"}
    found = arrival(callback_query={"id": "c1", "from": {"id": 7}, "data": "check_in:17", "message": shown})
    assert found == Arrival("7", Incoming("telegram", "7", "u55", NOW, "button", "check_in:17"), "c1", 9)


@pytest.mark.parametrize("shown", [{"date": 0, "text": "?"}, {"date": 1, "photo": []}, {"date": 1}])
def test_an_old_message_and_a_photo_are_not_edited(shown: dict[str, Any]) -> None:
    found = arrival(callback_query={"id": "c", "data": "x", "message": {"message_id": 9, "chat": PRIVATE} | shown})
    assert found
    assert found.incoming
    assert found.edits is None


def test_blocking_and_unblocking_are_unfollow_and_follow() -> None:
    def change(status: str) -> Arrival | None:
        return arrival(my_chat_member={"chat": PRIVATE, "date": 1781496000, "new_chat_member": {"status": status}})

    blocked, back = change("kicked"), change("member")
    assert blocked and blocked.incoming and blocked.incoming.kind == "unfollow"  # noqa: PT018
    assert back and back.incoming and back.incoming.kind == "follow"  # noqa: PT018
    assert change("restricted") is None


def in_group(**content: Any) -> Arrival | None:
    return arrival(message={"message_id": 1, "chat": GROUP, "from": {"id": 7}, "date": 1, **content})


@pytest.mark.parametrize(
    ("content", "heard"),
    [
        ({"text": "/start@HongxinTestBot 48271935"}, ("7", "/start 48271935", "")),
        ({"text": "/start 48271935"}, ("7", "/start 48271935", "")),
        ({"text": "hello @hongxintestbot!"}, ("7", "hello !", "")),
        ({"caption": "look @HongxinTestBot", "photo": [{"file_id": "x"}]}, ("7", "look", "")),
        ({"text": "why", "reply_to_message": {"message_id": 9, "from": {"id": 4242}}}, ("7", "why", "9")),
        ({"text": "/call x", "from": {"id": 1, "is_bot": True}, "sender_chat": {"id": -100}}, ("", "/call x", "")),
    ],
)
def test_in_a_group_only_what_is_addressed_to_the_bot_is_handed_on(
    content: dict[str, Any], heard: tuple[str, str, str]
) -> None:
    found = in_group(**content)
    assert found and found.incoming  # noqa: PT018
    said = found.incoming
    assert (said.address, said.text, said.on, said.group, said.picture) == (*heard, "-100", None)
    assert (found.address, found.edits) == ("-100", None)


@pytest.mark.parametrize(
    "content",
    [
        {"text": "签到"},
        {"text": "48271935"},
        {"text": "/start@OtherBot 48271935"},
        {"text": "@HongxinTestBotX hi"},
        {"text": "why", "reply_to_message": {"from": {"id": 7}}},
        {"text": "@HongxinTestBot hi", "from": {"id": 8, "is_bot": True}},
        {"photo": [{"file_id": "x"}]},
        {"new_chat_members": []},
    ],
)
def test_in_a_group_everything_else_is_dropped(content: dict[str, Any]) -> None:
    assert in_group(**content) is None
    if "@" in content.get("text", ""):
        update = {"update_id": 5, "message": {"chat": GROUP, "from": {"id": 7}, "date": 1, **content}}
        assert read(update, me=None, now=NOW) is None, "not yet told who we are"


def test_a_press_in_a_group_comes_from_its_person() -> None:
    shown = {"message_id": 9, "chat": GROUP, "date": 1, "text": "?"}
    found = arrival(callback_query={"id": "c", "data": "group_call:4", "from": {"id": 7}, "message": shown})
    assert found and found.incoming  # noqa: PT018
    said = found.incoming
    assert (said.address, said.group, said.text, said.on, said.kind) == (
        "7",
        "-100",
        "group_call:4",
        "9",
        "button",
    )
    assert (found.address, found.callback_id, found.edits) == ("-100", "c", None)


@pytest.mark.parametrize(
    ("was", "now", "heard"),
    [
        ("left", {"status": "member"}, ("group_joined", "new")),
        ("kicked", {"status": "administrator"}, ("group_joined", "new")),
        ("member", {"status": "administrator"}, ("group_joined", "")),
        ("restricted", {"status": "restricted", "can_send_messages": True}, ("group_joined", "")),
        ("member", {"status": "restricted", "can_send_messages": False}, ("group_silent", "")),
        ("member", {"status": "left"}, ("group_left", "")),
        ("member", {"status": "kicked"}, ("group_left", "")),
    ],
)
def test_what_becomes_of_the_bot_in_a_group(was: str, now: dict[str, Any], heard: tuple[str, str]) -> None:
    change = {"chat": GROUP, "from": {"id": 7}, "old_chat_member": {"status": was}, "new_chat_member": now}
    found = arrival(my_chat_member=change)
    assert found and found.incoming  # noqa: PT018
    assert (found.incoming.kind, found.incoming.text, found.incoming.address) == (*heard, "")
    assert arrival(my_chat_member=change | {"chat": {"id": -5, "type": "channel"}}) is None


def test_a_group_that_moves_says_so_on_both_sides() -> None:
    old, new = {"id": -5, "type": "group"}, {"id": -1005, "type": "supergroup"}
    for body in ({"chat": old, "migrate_to_chat_id": -1005}, {"chat": new, "migrate_from_chat_id": -5}):
        found = arrival(message={"message_id": 1, "from": {"id": 1, "is_bot": True}, "date": 1, **body})
        assert found and found.incoming  # noqa: PT018
        assert (found.incoming.kind, found.incoming.group, found.incoming.text) == ("group_moved", "-5", "-1005")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"message": None},
        {"message": []},
        {"message": {"chat": {"id": "7", "type": "private"}, "text": "x"}},
        {"message": {"chat": {"id": True, "type": "private"}, "text": "x"}},
        {"message": {"chat": PRIVATE, "text": 5}},
        {"message": {"chat": PRIVATE, "from": {"is_bot": True}, "text": "x"}},
        {"callback_query": {"id": 5, "data": "x", "message": {"chat": PRIVATE}}},
        {"callback_query": {"id": "c", "data": "x", "inline_message_id": "i"}},
        {"my_chat_member": {"chat": PRIVATE, "new_chat_member": {"status": ["kicked"]}}},
        {"my_chat_member": {"chat": GROUP, "new_chat_member": {"status": "creator"}}},
        {"edited_message": {"chat": PRIVATE, "text": "x"}},
    ],
)
def test_odd_updates_are_nothing(body: dict[str, Any]) -> None:
    assert arrival(**body) is None


@pytest.mark.parametrize("update", [None, [], "x", 5, {"update_id": "1"}, {"update_id": True, "message": {}}])
def test_what_is_no_update_is_nothing(update: object) -> None:
    assert read(update, me=None, now=NOW) is None


NAMES = [
    "message", "callback_query", "my_chat_member", "chat", "from", "id", "type", "text", "data", "date", "photo",
    "location", "latitude", "longitude", "file_id", "width", "new_chat_member", "status", "document", "mime_type",
    "reply_to_message", "message_id", "caption",
]  # fmt: skip
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["private", "kicked"]),
)
SHAPES = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5)
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), SHAPES, max_size=3))
def test_no_shape_breaks_the_reading(body: dict[str, Any]) -> None:
    found = arrival(**body)
    assert found is None or isinstance(found, Arrival)
