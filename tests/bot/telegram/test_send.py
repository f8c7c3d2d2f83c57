"""The outbox's view: one try, one verdict, and only listed refusals make a person unreachable."""

from __future__ import annotations

import pytest

from bot.channels.telegram.api import Api
from bot.channels.telegram.send import UNREACHABLE, TelegramChannel
from notices.channel import Button, Message, Picture, SendError
from notices.wording import wording
from tests.bot.telegram.conftest import ALICE, PNG, FakeTime, draw
from tests.bot.telegram.server import TelegramServer

LETTER = Message("【红信】防汛值守", (Button("收到", "ack:12"), Button("有困难，请联系我", "help:12")))
LONG_WITH_PICTURE = Message("字" * 1025, picture=Picture("qr", {"text": "x"}, "二维码"))


@pytest.fixture
def channel(api: Api, server: TelegramServer) -> TelegramChannel:
    """The channel, and Alice who has opened a chat."""
    server.chats.meet(ALICE)
    return TelegramChannel(api, draw=draw, say=wording("zh"))


async def refusal(channel: TelegramChannel, message: Message = LETTER, address: int = ALICE) -> SendError:
    with pytest.raises(SendError) as caught:
        await channel.send(str(address), message, key="letter:12:7:1")
    return caught.value


async def test_a_letter_arrives_with_its_buttons(channel: TelegramChannel, server: TelegramServer) -> None:
    number = await channel.send(str(ALICE), LETTER, key="k")
    (seen,) = server.sent(ALICE)
    assert (str(seen.message_id), seen.text) == (number, LETTER.text)
    assert seen.buttons == (("1 收到", "ack:12"), ("2 有困难，请联系我", "help:12"))


async def test_a_picture_arrives_as_a_photo_with_the_text_below(
    channel: TelegramChannel, server: TelegramServer
) -> None:
    await channel.send(str(ALICE), Message("取货码 7K4M", picture=Picture("qr", {"text": "x"}, "码")), key="k")
    (seen,) = server.sent(ALICE)
    assert (seen.photo, seen.text) == (PNG, "取货码 7K4M")


async def test_a_letters_picture_is_uploaded_once_for_all_its_readers(api: Api, server: TelegramServer) -> None:
    drawings: list[Picture] = []

    async def draw_counted(picture: Picture) -> bytes:
        drawings.append(picture)
        return PNG

    channel = TelegramChannel(api, draw=draw_counted, say=wording("zh"))
    letter = Message("今晚有大雨。", picture=Picture("stored", {"id": 7}, "红信的图片"))
    for reader in (ALICE, ALICE + 1):
        server.chats.meet(reader)
        await channel.send(str(reader), letter, key=f"letter:1:{reader}:1")
    assert [server.sent(reader)[0].photo for reader in (ALICE, ALICE + 1)] == [PNG, PNG]
    assert (len(drawings), len(server.chats.uploaded)) == (1, 1)
    server.chats.uploaded.clear()
    assert (await refusal(channel, letter)).verdict == "retry"
    await channel.send(str(ALICE), letter, key="letter:1:again")
    assert len(drawings) == 2


async def test_a_picture_that_telegram_takes_from_nobody_leaves_the_words_and_is_uploaded_once(
    channel: TelegramChannel, server: TelegramServer
) -> None:
    letter = Message(
        "今晚有大雨。", (Button("收到", "letters:ack:1"),), Picture("stored", {"id": 7}, "红信的图片")
    )
    server.refuse("sendPhoto", 400, "Bad Request: PHOTO_INVALID_DIMENSIONS")
    for number in (1, 2):
        await channel.send(str(ALICE), letter, key=f"letter:{number}")
    assert [call.method for call in server.calls] == ["sendPhoto", "sendMessage", "sendMessage"]
    seen = server.sent(ALICE)
    assert [(one.photo, one.text) for one in seen] == [(None, "今晚有大雨。\n红信的图片")] * 2
    assert seen[0].buttons


async def test_a_paid_letter_says_so_and_a_free_one_does_not(
    channel: TelegramChannel, server: TelegramServer, fake_time: FakeTime
) -> None:
    await channel.send_paid(str(ALICE), LETTER, key="k")
    await channel.send(str(ALICE), LETTER, key="k2")
    assert [call.arguments.get("allow_paid_broadcast") for call in server.calls] == [True, None]


async def test_blocked_disables(channel: TelegramChannel, server: TelegramServer) -> None:
    await server.block(ALICE)
    error = await refusal(channel)
    assert (error.verdict, error.reason, error.disables) == ("permanent", "blocked", True)


async def test_a_chat_that_nobody_opened_disables(channel: TelegramChannel) -> None:
    error = await refusal(channel, address=999)
    assert (error.verdict, error.reason, error.disables) == ("permanent", "chat_not_found", True)


@pytest.mark.parametrize("words", sorted(UNREACHABLE))
@pytest.mark.parametrize("prefix", ["", "Forbidden: ", "Bad Request: "])
async def test_every_listed_refusal_disables_with_and_without_its_prefix(
    channel: TelegramChannel, server: TelegramServer, words: str, prefix: str
) -> None:
    server.refuse("sendMessage", 403 if prefix == "Forbidden: " else 400, prefix + words.upper())
    error = await refusal(channel)
    assert (error.verdict, error.disables, error.reason) == ("permanent", True, UNREACHABLE[words])


@pytest.mark.parametrize("words", ["not enough rights to send text messages to the chat", "CHAT_WRITE_FORBIDDEN"])
async def test_a_group_that_lets_us_not_write_is_no_chat_that_is_gone(
    channel: TelegramChannel, server: TelegramServer, words: str
) -> None:
    server.refuse("sendMessage", 400, f"Bad Request: {words}")
    error = await refusal(channel)
    assert (error.verdict, error.disables, error.reason) == ("permanent", False, "no_right")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (403, "Forbidden: the moon is in the wrong phase"),
        (403, "Forbidden"),
        (400, "Bad Request: something new"),
        (413, "Request Entity Too Large"),
        (420, "bot was blocked by the user"),
        (404, "Not Found: chat not found"),
    ],
)
async def test_an_unknown_refusal_never_disables(
    channel: TelegramChannel, server: TelegramServer, status: int, words: str
) -> None:
    server.refuse("sendMessage", status, words)
    error = await refusal(channel)
    assert (error.verdict, error.disables) == ("retry", False)


async def test_an_unknown_refusal_is_logged_in_telegrams_words(
    channel: TelegramChannel, server: TelegramServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.refuse("sendMessage", 403, "Forbidden: a new reason")
    await refusal(channel)
    assert "a new reason" in caplog.text


async def test_a_message_that_does_not_fit_is_refused_for_good_but_keeps_the_chat(
    channel: TelegramChannel, server: TelegramServer
) -> None:
    server.refuse("sendMessage", 400, "Bad Request: BUTTON_DATA_INVALID")
    error = await refusal(channel)
    assert (error.verdict, error.reason, error.disables) == ("permanent", "bad_button", False)


async def test_an_empty_message_never_reaches_telegram(channel: TelegramChannel, server: TelegramServer) -> None:
    error = await refusal(channel, Message(" \n"))
    assert (error.verdict, error.reason) == ("permanent", "empty")
    assert server.calls == []


async def test_a_message_that_nobody_has_cut_arrives_in_parts(
    channel: TelegramChannel, server: TelegramServer
) -> None:
    number = await channel.send(str(ALICE), Message("红" * 4097), key="k")
    assert [len(seen.text) for seen in server.sent(ALICE)] == [4096, 1]
    assert number == str(server.sent(ALICE)[-1].message_id)


async def test_a_picture_that_cannot_be_drawn_leaves_the_words(
    channel: TelegramChannel, server: TelegramServer
) -> None:
    await channel.send(str(ALICE), Message("码", picture=Picture("qr", {"text": "broken"}, "7K4M")), key="k")
    assert [seen.text for seen in server.sent(ALICE)] == ["码\n7K4M"]


async def test_a_moved_group_names_the_new_address(channel: TelegramChannel, server: TelegramServer) -> None:
    server.refuse("sendMessage", 400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-1001)
    error = await refusal(channel)
    assert (error.verdict, error.moved_to, error.disables) == ("retry", "-1001", False)


async def test_a_pause_is_told_and_kept(
    channel: TelegramChannel, server: TelegramServer, fake_time: FakeTime
) -> None:
    server.flood("sendMessage", 7)
    error = await refusal(channel)
    assert (error.verdict, error.retry_after_s) == ("retry", 7.0)
    fake_time.now_s += 6
    error = await refusal(channel)
    assert (error.reason, error.retry_after_s) == ("paused", 1.0)
    assert len(server.calls) == 1


async def test_silence_is_ambiguous_and_not_repeated(channel: TelegramChannel, server: TelegramServer) -> None:
    server.hang("sendMessage", accept=True)
    assert (await refusal(channel)).verdict == "ambiguous"
    assert len(server.sent(ALICE)) == 1


async def test_a_second_try_goes_on_where_the_first_one_stopped(
    channel: TelegramChannel, server: TelegramServer, fake_time: FakeTime
) -> None:
    server.flood("sendMessage", 2)
    assert (await refusal(channel, LONG_WITH_PICTURE)).reason == "429"
    fake_time.now_s += 2
    await channel.send(str(ALICE), LONG_WITH_PICTURE, key="letter:12:7:1")
    assert [(seen.photo is not None, seen.text) for seen in server.sent(ALICE)] == [
        (True, "二维码"),
        (False, "字" * 1025),
    ]
    await channel.send(str(ALICE), LONG_WITH_PICTURE, key="letter:12:7:1")
    assert len(server.sent(ALICE)) == 4  # a finished delivery is forgotten: the key alone stops nobody


def test_names_are_masked_unless_the_operator_decides_otherwise(api: Api) -> None:
    assert TelegramChannel(api, draw=draw, say=wording("zh")).masks_names
    assert not TelegramChannel(api, draw=draw, say=wording("zh"), full_names=True).masks_names


def test_parts_are_cut_for_telegram(channel: TelegramChannel) -> None:
    assert channel.parts("短") == ["短"]
    assert [len(part) for part in channel.parts("红" * 4097)] == [4096, 1]
