"""Mass letters, and pictures that people sent."""

from __future__ import annotations

import json

import pytest
from sqlmodel import select

from bot.channels.wechat import WeChat
from db.mass import MassReport
from notices.channel import Message, SendError
from tests.bot.wechat.conftest import ALICE, BOB, EchoDispatcher
from tests.bot.wechat.server import ACCEPT_AND_DROP, Outcome, WeChatServer

MASS = "message/mass/send"
HELLO = Message("您好，<b>\\u4e2d</b> & 😀")


async def test_a_mass_letter_goes_to_all_at_once_under_its_key(wechat: WeChat, server: WeChatServer) -> None:
    job = await wechat.channel.send_mass([ALICE, BOB], HELLO, key="letter:12:1")
    assert job == "1000000"
    (call,) = server.accepted(MASS)
    assert call.payload["clientmsgid"] == "letter:12:1"
    assert server.words(BOB) == [HELLO.text]


async def test_a_repeated_mass_letter_is_a_success_and_reaches_nobody_twice(
    wechat: WeChat, server: WeChatServer
) -> None:
    for _ in range(2):
        await wechat.channel.send_mass([ALICE, BOB], HELLO, key="letter:12:1" * 20)
    assert server.words(ALICE) == [HELLO.text]
    (call,) = server.accepted(MASS)
    assert len(call.payload["clientmsgid"]) == 64


async def test_a_doubtful_mass_letter_may_be_tried_again(wechat: WeChat, server: WeChatServer) -> None:
    server.script(MASS, ACCEPT_AND_DROP)
    with pytest.raises(SendError, match="ambiguous: connection_lost"):
        await wechat.channel.send_mass([ALICE, BOB], HELLO, key="letter:12:1")
    await wechat.channel.send_mass([ALICE, BOB], HELLO, key="letter:12:1")
    assert server.words(ALICE) == [HELLO.text]


@pytest.mark.parametrize(("count", "goes"), [(1, False), (2, True), (10_000, True), (10_001, False)])
async def test_a_mass_letter_has_2_to_10000_addresses(
    count: int, goes: bool, wechat: WeChat, server: WeChatServer
) -> None:
    addresses = [f"o{number}" for number in range(count)]
    if goes:
        await wechat.channel.send_mass(addresses, HELLO, key="k")
    else:
        with pytest.raises(ValueError, match="2 to 10000"):
            await wechat.channel.send_mass(addresses, HELLO, key="k")
    assert len(server.accepted(MASS)) == goes


async def test_a_mass_letter_names_nobody_twice_and_fits_one_text(wechat: WeChat) -> None:
    with pytest.raises(ValueError, match="different"):
        await wechat.channel.send_mass([ALICE, ALICE], HELLO, key="k")
    for text in ("红" * 683, ""):
        with pytest.raises(ValueError, match="2048 bytes"):
            await wechat.channel.send_mass([ALICE, BOB], Message(text), key="k")


FINISHED = {
    "MsgID": 1000000,
    "Status": "sendsuccess",
    "TotalCount": 2,
    "FilterCount": 2,
    "SentCount": 1,
    "ErrorCount": 1,
}


async def test_wechat_is_asked_what_became_of_a_mass_letter(wechat: WeChat, server: WeChatServer) -> None:
    job = await wechat.channel.send_mass([ALICE, BOB], HELLO, key="k")
    assert await wechat.channel.mass_state(job) == "sent"
    server.script("message/mass/get", Outcome(body=b'{"msg_id":1,"msg_status":"RECALLED"}'))
    assert await wechat.channel.mass_state(job) == "unknown"


async def test_the_report_on_a_mass_letter_is_kept_once_and_is_no_message(
    wechat: WeChat, server: WeChatServer, echo: EchoDispatcher
) -> None:
    for _ in range(2):
        assert await server.deliver(server.event("mphelper", "MASSSENDJOBFINISH", **FINISHED)) is None
    (kept,) = await echo.write(lambda session: session.exec(select(MassReport)).all())
    assert (kept.platform_id, kept.status, kept.total, kept.sent) == ("1000000", "send success", 2, 1)
    assert echo.asked == 0


@pytest.mark.parametrize(
    "odd", [{"MsgID": "x"}, {"SentCount": "-1"}, {"SentCount": "9" * 30}, {"Status": "fine"}, {"Event": "MASS"}]
)
async def test_an_odd_report_is_taken_and_not_kept(
    odd: dict[str, str], wechat: WeChat, server: WeChatServer, echo: EchoDispatcher
) -> None:
    values = {**FINISHED, **odd}
    code, _ = await server.attempt(server.event("mphelper", values.pop("Event", "MASSSENDJOBFINISH"), **values))
    assert code == 200
    assert await echo.write(lambda session: session.exec(select(MassReport)).all()) == []


async def test_a_report_that_cannot_be_kept_is_asked_for_again(
    wechat: WeChat, server: WeChatServer, echo: EchoDispatcher
) -> None:
    await echo.write(lambda session: session.connection().exec_driver_sql("DROP TABLE mass_report"))
    code, _ = await server.attempt(server.event("mphelper", "MASSSENDJOBFINISH", **FINISHED))
    assert code == 503


async def test_a_picture_that_a_person_sent_is_fetched(wechat: WeChat, server: WeChatServer) -> None:
    server.media["m1"] = b"\xff\xd8\xff" + b"jpeg"
    assert await wechat.fetch("m1") == server.media["m1"]


async def test_a_picture_that_is_gone_says_so(wechat: WeChat) -> None:
    with pytest.raises(SendError, match="permanent: media_refused"):
        await wechat.fetch("gone")


@pytest.mark.parametrize(("over", "comes"), [(0, True), (1, False)])
async def test_a_picture_has_at_most_10_mb(over: int, comes: bool, wechat: WeChat, server: WeChatServer) -> None:
    server.media["m1"] = b"\xff" * (10 * 1024 * 1024 + over)
    if comes:
        assert await wechat.fetch("m1") == server.media["m1"]
    else:
        with pytest.raises(SendError, match="permanent: too_large"):
            await wechat.fetch("m1")


async def test_a_video_is_no_picture(wechat: WeChat, server: WeChatServer) -> None:
    server.media["m1"] = json.dumps({"video_url": "http://evil.test/v"}).encode()
    with pytest.raises(SendError, match="permanent: no_picture"):
        await wechat.fetch("m1")
