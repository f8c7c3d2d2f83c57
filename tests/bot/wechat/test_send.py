"""Sending: what WeChat's verdicts mean, mass letters, pictures, and what cannot be known."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bot.channels.wechat import WeChat
from bot.channels.wechat.codes import MEANINGS, refusal
from notices.channel import Button, Channel, Message, Picture, SendError
from tests.bot.wechat.conftest import ALICE, BOB, PNG, Accounts, Clock
from tests.bot.wechat.server import (
    ACCEPT_AND_DROP,
    ACCEPT_AND_HANG,
    NONSENSE,
    Outcome,
    Seen,
    WeChatServer,
    errcode,
    status,
)

SEND, MASS, UPLOAD = "message/custom/send", "message/mass/send", "media/upload"
HELLO = Message("您好，<b>\\u4e2d</b> & 😀")
CODE = Picture("qr", {"text": "7K4M-29QD"}, "取货码 7K4M-29QD")


async def refused(wechat: WeChat, server: WeChatServer, *outcomes: Outcome) -> SendError:
    """The error of one message that meets `outcomes`."""
    server.script(SEND, *outcomes)
    with pytest.raises(SendError) as caught:
        await wechat.channel.send(ALICE, HELLO, key="k")
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__  # it may name the URL
    return caught.value


def test_the_channel_keeps_the_contract(wechat: WeChat) -> None:
    channel: Channel = wechat.channel
    assert channel.name == "wechat"


async def test_a_message_arrives_as_it_was_written(wechat: WeChat, server: WeChatServer) -> None:
    message = Message(HELLO.text, (Button("收到", "letter:1:yes"), Button("菜单", "menu", 0)))
    assert await wechat.channel.send(ALICE, message, key="k") == ""
    assert server.sent(ALICE) == [Seen("customer", HELLO.text + "\n1 收到\u30000 菜单")]


async def test_chinese_goes_out_as_it_is(wechat: WeChat, server: WeChatServer) -> None:
    await wechat.channel.send(ALICE, Message("您好"), key="k")
    assert "您好".encode() in server.last_body  # WeChat shows an escape as it stands


async def test_a_redirect_is_not_followed(wechat: WeChat, server: WeChatServer) -> None:
    error = await refused(wechat, server, Outcome(status=302, location="/cgi-bin/somebody/else"))
    assert (error.verdict, error.reason) == ("retry", "http_302")
    assert "somebody/else" not in server.requests


# Both lists are written out: a code that moves from one to the other has to be moved by hand here, too.
VERDICTS = [
    (-1, "retry", "busy", False),
    (45011, "retry", "too_fast", False),
    (45009, "retry", "daily_quota", False),
    (40003, "permanent", "wrong_openid", True),
    (43004, "permanent", "not_following", True),
    (45015, "permanent", "window_closed", False),
    (45047, "permanent", "window_closed", False),
    (43101, "permanent", "no_consent", False),
    (45028, "permanent", "mass_quota", False),
    (45066, "retry", "same_key_too_soon", False),
    (45067, "permanent", "content_refused", False),
    (40130, "permanent", "content_refused", False),
    (48002, "permanent", "user_refuses", False),
    (48001, "permanent", "not_permitted", False),
    (48004, "permanent", "api_banned", False),
    (50002, "permanent", "account_limited", False),
    (40037, "permanent", "content_refused", False),
    (47003, "permanent", "content_refused", False),
    (45002, "permanent", "content_refused", False),
    (99999, "retry", "errcode_99999", False),  # unknown: never given up for good
]


@pytest.mark.parametrize(("code", "verdict", "reason", "disables"), VERDICTS)
async def test_each_code_has_its_verdict(
    code: int, verdict: str, reason: str, disables: bool, wechat: WeChat, server: WeChatServer
) -> None:
    error = await refused(wechat, server, errcode(code))
    assert (error.verdict, error.reason, error.disables) == (verdict, reason, disables)
    assert server.sent(ALICE) == []


def test_only_two_codes_make_a_person_unreachable() -> None:
    assert {code for code, meaning in MEANINGS.items() if meaning.disables} == {40003, 43004}


def test_every_retry_says_when() -> None:
    now = datetime.fromisoformat("2026-06-15T04:00:00+00:00")
    for code in [*MEANINGS, 45009, 40001, 31415]:
        error = refusal(code, now=now)
        assert (error.verdict != "retry") == (error.retry_after_s is None), code


@pytest.mark.parametrize(
    ("outcome", "verdict", "reason"),
    [
        (status(500), "ambiguous", "http_500"),
        (status(502), "ambiguous", "http_502"),
        (status(404), "retry", "http_404"),
        (Outcome(status=302), "retry", "http_302"),
        (NONSENSE, "ambiguous", "nonsense"),
        (Outcome(body=b"[]"), "ambiguous", "nonsense"),
        (Outcome(body=b'{"logged_in": false}'), "ambiguous", "nonsense"),
        (Outcome(body=b'{"errcode": "good"}'), "ambiguous", "nonsense"),
        (Outcome(body=b'{"errcode": true}'), "ambiguous", "nonsense"),
        (Outcome(body=b'{"errcode": null}'), "ambiguous", "nonsense"),
        (ACCEPT_AND_DROP, "ambiguous", "connection_lost"),
    ],
)
async def test_what_is_no_verdict_is_told_apart(
    outcome: Outcome, verdict: str, reason: str, wechat: WeChat, server: WeChatServer
) -> None:
    error = await refused(wechat, server, outcome)
    assert (error.verdict, error.reason) == (verdict, reason)


async def test_a_code_in_quotes_counts_as_a_number(wechat: WeChat, server: WeChatServer) -> None:
    server.script(SEND, Outcome(accept=True, body=b'{"errcode": "0", "errmsg": "ok"}'))
    await wechat.channel.send(ALICE, HELLO, key="k")
    assert (await refused(wechat, server, Outcome(body=b'{"errcode": "-1"}'))).reason == "busy"


async def test_no_answer_in_time_is_ambiguous(account: Accounts, server: WeChatServer) -> None:
    wechat = await account(total_s=0.1)
    error = await refused(wechat, server, ACCEPT_AND_HANG)
    assert (error.verdict, error.reason) == ("ambiguous", "read_timeout")
    assert server.words(ALICE) == [HELLO.text]  # it may well have arrived


async def test_nobody_there_is_certainly_not_sent(account: Accounts) -> None:
    wechat = await account(api_url="http://127.0.0.1:9")
    with pytest.raises(SendError, match="retry: token_unreachable"):
        await wechat.channel.send(ALICE, HELLO, key="k")


@pytest.mark.parametrize(
    ("now", "retry_after_s"),
    [("2026-06-15T15:59:59+00:00", 1.0), ("2026-06-15T16:00:00+00:00", 86_400.0)],
)
async def test_a_used_up_day_ends_at_midnight_in_beijing(
    now: str, retry_after_s: float, wechat: WeChat, server: WeChatServer, clock: Clock
) -> None:
    clock.now = datetime.fromisoformat(now)
    error = await refused(wechat, server, errcode(45009))
    assert error.retry_after_s == retry_after_s


async def test_a_used_up_day_stops_this_api_and_no_other(
    wechat: WeChat, server: WeChatServer, clock: Clock
) -> None:
    await refused(wechat, server, errcode(45009))
    server.requests.clear()
    clock.now += timedelta(hours=11, minutes=59)
    with pytest.raises(SendError, match="daily_quota"):
        await wechat.channel.send(BOB, HELLO, key="k")
    assert server.requests == []
    await wechat.channel.send_mass([ALICE, BOB], HELLO, key="k")
    clock.now += timedelta(minutes=1)
    await wechat.channel.send(BOB, HELLO, key="k")
    assert [seen.way for seen in server.sent(BOB)] == ["mass", "customer"]


async def test_a_message_that_breaks_off_in_the_middle_is_ambiguous(wechat: WeChat, server: WeChatServer) -> None:
    server.script(SEND, Outcome(accept=True, body=b'{"errcode": 0}'), errcode(-1))
    with pytest.raises(SendError) as caught:
        await wechat.channel.send(ALICE, Message("一句话。" * 300), key="k")
    assert (caught.value.verdict, caught.value.reason) == ("ambiguous", "partly_sent:busy")


@pytest.mark.parametrize(("more", "messages"), [("ab", 1), ("abc", 2)])
async def test_2048_bytes_go_in_one_message(
    more: str, messages: int, wechat: WeChat, server: WeChatServer
) -> None:
    message = Message("红" * 682 + more)  # 2,046 bytes and some
    assert wechat.channel.cost(message) == messages
    await wechat.channel.send(ALICE, message, key="k")
    assert len(server.sent(ALICE)) == messages


async def test_the_words_go_before_the_picture(wechat: WeChat, server: WeChatServer) -> None:
    message = Message("已为您留好：水杯。", picture=CODE)
    assert wechat.channel.cost(message) == 2
    await wechat.channel.send(ALICE, message, key="k")
    image = PNG + CODE.alt.encode()
    assert server.sent(ALICE) == [Seen("customer", message.text), Seen("customer", image=image)]


async def test_the_same_picture_is_uploaded_once_in_60_hours(
    wechat: WeChat, server: WeChatServer, clock: Clock
) -> None:
    message = Message("码", picture=CODE)
    for address in (ALICE, BOB):
        await wechat.channel.send(address, message, key="k")
    clock.now += timedelta(hours=60, seconds=-1)
    await wechat.channel.send(ALICE, message, key="k")
    assert len(server.accepted(UPLOAD)) == 1
    clock.now += timedelta(seconds=1)
    await wechat.channel.send(ALICE, message, key="k")
    assert len(server.accepted(UPLOAD)) == 2


async def test_a_picture_that_wechat_has_forgotten_is_uploaded_anew_next_time(
    wechat: WeChat, server: WeChatServer
) -> None:
    message = Message("码", picture=CODE)
    await wechat.channel.send(ALICE, message, key="k")
    server.media.clear()
    await wechat.channel.send(ALICE, message, key="k")
    await wechat.channel.send(ALICE, message, key="k")
    assert [bool(seen.image) for seen in server.sent(ALICE)] == [False, True, False, False, True]


async def test_an_upload_that_fails_for_now_leaves_nothing_half_sent(wechat: WeChat, server: WeChatServer) -> None:
    server.script(UPLOAD, ACCEPT_AND_DROP)
    with pytest.raises(SendError, match="retry: connection_lost"):
        await wechat.channel.send(ALICE, Message("码", picture=CODE), key="k")
    assert server.sent(ALICE) == []


async def test_a_picture_that_wechat_refuses_is_told_in_words(wechat: WeChat, server: WeChatServer) -> None:
    server.script(UPLOAD, errcode(87014))
    await wechat.channel.send(ALICE, Message("已为您留好。", picture=CODE), key="k")
    assert server.words(ALICE) == ["已为您留好。", CODE.alt]


async def test_a_picture_that_cannot_be_drawn_is_told_in_words(account: Accounts, server: WeChatServer) -> None:
    async def draw(_: Picture) -> bytes:
        raise RuntimeError("no such chart")

    wechat = await account(draw=draw)
    await wechat.channel.send(ALICE, Message("已为您留好。", picture=CODE), key="k")
    assert server.words(ALICE) == ["已为您留好。", CODE.alt]


async def test_an_upload_without_an_id_is_no_upload(wechat: WeChat, server: WeChatServer) -> None:
    server.script(UPLOAD, Outcome(body=b'{"type": "image"}'))
    with pytest.raises(SendError, match="retry: nonsense"):
        await wechat.channel.send(ALICE, Message("码", picture=CODE), key="k")


async def test_a_picture_alone_has_no_empty_words_before_it(wechat: WeChat, server: WeChatServer) -> None:
    await wechat.channel.send(ALICE, Message("", picture=CODE), key="k")
    assert [bool(seen.image) for seen in server.sent(ALICE)] == [True]
