"""What each failure means, decided below the library, which would call them all a network error."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import aiohttp
import pytest

from bot.channels.telegram.api import Api
from bot.channels.telegram.failures import CallError
from notices.pacing import pacer
from tests.bot.telegram.conftest import ALICE, FakeTime
from tests.bot.telegram.faults import Fault
from tests.bot.telegram.server import TelegramServer

WORDS = {"chat_id": str(ALICE), "text": "hello"}


async def _failure(api: Api, method: str = "sendMessage") -> CallError:
    with pytest.raises(CallError) as caught:
        await api.call(method, dict(WORDS))
    return caught.value


def _outcome(error: CallError) -> tuple[str, str]:
    return error.verdict, error.reason


async def test_a_good_answer_gives_the_bare_result(api: Api, server: TelegramServer) -> None:
    server.chats.meet(ALICE)
    assert (await api.call("sendMessage", dict(WORDS)))["message_id"] == server.sent(ALICE)[0].message_id


async def test_a_refused_connection_was_certainly_not_sent(fake_time: FakeTime) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        api = Api(token="7:t", api_url=url, own_pacer=pacer("telegram", clock=fake_time))
        await api.open()
        assert _outcome(await _failure(api)) == ("retry", "connect_refused")
        await api.close()


async def test_an_unknown_host_was_certainly_not_sent(fake_time: FakeTime) -> None:
    api = Api(token="7:t", api_url="http://nowhere.invalid", own_pacer=pacer("telegram", clock=fake_time))
    await api.open()
    assert _outcome(await _failure(api)) in (("retry", "dns"), ("retry", "connect_refused"))
    await api.close()


@pytest.mark.parametrize("accept", [True, False])
async def test_silence_after_the_request_is_ambiguous(api: Api, server: TelegramServer, accept: bool) -> None:
    server.chats.meet(ALICE)
    server.hang("sendMessage", accept=accept)
    assert _outcome(await _failure(api)) == ("ambiguous", "read_timeout")
    assert len(server.sent(ALICE)) == accept  # and this is why nobody can know


async def test_a_cut_connection_is_ambiguous(api: Api, server: TelegramServer) -> None:
    server.chats.meet(ALICE)
    server.cut("sendMessage", accept=True)
    assert _outcome(await _failure(api)) == ("ambiguous", "connection_lost")


async def test_a_connection_that_closed_before_the_request_was_written_has_carried_nothing(
    api: Api, server: TelegramServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = aiohttp.TCPConnector.connect

    async def closed(self: aiohttp.TCPConnector, *more: Any) -> Any:
        connection = await connect(self, *more)
        connection.transport.close()
        return connection

    monkeypatch.setattr(aiohttp.TCPConnector, "connect", closed)
    server.chats.meet(ALICE)
    assert _outcome(await _failure(api)) == ("retry", "not_written")
    assert server.calls == []


async def test_who_finds_no_free_connection_was_certainly_not_sent(
    server: TelegramServer, fake_time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.channels.telegram.request.CONNECT_S", 0.1)
    own = pacer("telegram", clock=fake_time)
    api = Api(token=server.token, api_url=server.url, own_pacer=own, read_s=0.5, pool=1)
    await api.open()
    server.hang("sendMessage")
    first = asyncio.create_task(_failure(api))
    await server.until(lambda: len(server.calls) == 1)
    assert _outcome(await _failure(api)) == ("retry", "connect_timeout")
    assert _outcome(await first) == ("ambiguous", "read_timeout")
    assert len(server.calls) == 1
    await api.close()


async def test_a_pause_that_begins_while_a_call_waits_for_its_connection_holds_it_back(
    server: TelegramServer, fake_time: FakeTime
) -> None:
    own = pacer("telegram", clock=fake_time)
    api = Api(token=server.token, api_url=server.url, own_pacer=own, read_s=0.5, pool=1)
    await api.open()
    server.flood("sendMessage", 30)
    failures = await asyncio.gather(_failure(api), _failure(api), _failure(api))
    assert [_outcome(one) for one in failures] == [("retry", "429"), ("retry", "paused"), ("retry", "paused")]
    assert len(server.calls) == 1
    assert server.hasty == []
    await api.close()


async def test_half_an_answer_is_ambiguous(api: Api, server: TelegramServer) -> None:
    server.chats.meet(ALICE)
    server.half("sendMessage")
    assert _outcome(await _failure(api)) == ("ambiguous", "half_answer")


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"ok":false}', b'{"ok":true}', b'{"ok":1,"result":1}']
)
async def test_an_unreadable_200_is_ambiguous(api: Api, server: TelegramServer, body: bytes) -> None:
    server.garble("sendMessage", body, accept=False)
    assert _outcome(await _failure(api)) == ("ambiguous", "unreadable")


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
async def test_a_broken_server_is_ambiguous(api: Api, server: TelegramServer, status: int) -> None:
    server.garble("sendMessage", b"Bad Gateway", status=status, accept=False)
    assert _outcome(await _failure(api)) == ("ambiguous", f"http_{status}")


async def test_a_redirect_is_not_followed_and_was_not_sent(api: Api, server: TelegramServer) -> None:
    elsewhere = f"{server.url}/bot{server.token}/getMe"  # the token must not follow anybody's directions
    server.fault("sendMessage", Fault("answer", 307, location=elsewhere))
    assert _outcome(await _failure(api)) == ("retry", "http_307")
    assert len(server.calls) == 1


async def test_a_refusal_by_something_on_the_way_is_no_word_of_telegram(api: Api, server: TelegramServer) -> None:
    server.garble("sendMessage", b"<html>blocked by the proxy", status=403, accept=False)
    error = await _failure(api)
    assert _outcome(error) == ("retry", "http_403")
    assert not error.refused


async def test_telegrams_own_refusal_carries_its_words(api: Api, server: TelegramServer) -> None:
    error = await _failure(api)  # nobody has opened this chat
    assert error.refused
    assert error.description == "Bad Request: chat not found"


@pytest.mark.parametrize(("status", "words"), [(401, "Unauthorized"), (404, "Not Found")])
async def test_a_refused_token_stops_the_account_and_tells_the_operator(
    api: Api,
    server: TelegramServer,
    fake_time: FakeTime,
    caplog: pytest.LogCaptureFixture,
    status: int,
    words: str,
) -> None:
    server.refuse("sendMessage", status, words)
    error = await _failure(api)
    assert (*_outcome(error), error.retry_after_s) == ("retry", "token_refused", 600.0)
    assert api.refused
    assert "HONGXIN_TELEGRAM_TOKEN" in caplog.text
    assert server.token not in caplog.text
    assert _outcome(await _failure(api)) == ("retry", "paused")
    assert len(server.calls) == 1
    fake_time.now_s += 600
    await api.call("getMe")
    assert not api.refused


async def test_a_404_by_something_on_the_way_stops_nobody(api: Api, server: TelegramServer) -> None:
    server.garble("sendMessage", b"<html>nothing here", status=404, accept=False)
    assert _outcome(await _failure(api)) == ("retry", "http_404")
    assert not api.refused
    assert api.pacer.paused_s() == 0


async def test_a_pause_of_a_group_and_one_of_paid_messages_halt_nobody_else(
    server: TelegramServer, fake_time: FakeTime
) -> None:
    own = pacer("telegram", paid_per_s=100, clock=fake_time)
    api = Api(token=server.token, api_url=server.url, own_pacer=own)
    await api.open()
    for chat in (-7, ALICE):
        server.chats.meet(chat)
    server.flood("sendMessage", 30, times=2)
    for more in ({"chat_id": "-7"}, {"chat_id": str(ALICE), "allow_paid_broadcast": True}):
        with pytest.raises(CallError):
            await api.call("sendMessage", {**WORDS, **more})
    await api.call("sendMessage", dict(WORDS))
    assert (own.paused_s("-7"), own.paused_s(str(ALICE), paid=True), own.paused_s(str(ALICE))) == (30, 30, 0)
    await api.close()


async def test_a_group_that_became_a_supergroup_names_its_new_address(api: Api, server: TelegramServer) -> None:
    words = "Bad Request: group chat was upgraded to a supergroup chat"
    server.refuse("sendMessage", 400, words, migrate_to_chat_id=-100123)
    error = await _failure(api)
    assert (*_outcome(error), error.moved_to) == ("retry", "moved", "-100123")


async def test_no_request_leaves_inside_a_pause(api: Api, server: TelegramServer, fake_time: FakeTime) -> None:
    server.chats.meet(ALICE)
    server.flood("sendMessage", 3)
    first = await _failure(api)
    assert (*_outcome(first), first.retry_after_s) == ("retry", "429", 3.0)
    fake_time.now_s += 2.9
    second = await _failure(api)
    assert _outcome(second) == ("retry", "paused")
    assert second.retry_after_s == pytest.approx(0.1)
    assert len(server.called("sendMessage")) == 1
    fake_time.now_s += 0.1
    await api.call("sendMessage", dict(WORDS))
    assert server.hasty == []


async def test_a_429_without_a_number_pauses_too(api: Api, server: TelegramServer) -> None:
    server.garble("sendMessage", b"{}", status=429, accept=False)
    assert (await _failure(api)).retry_after_s == 5.0
    assert api.pacer.paused_s() == 5.0


async def test_polling_goes_on_while_sending_is_paused(api: Api, server: TelegramServer) -> None:
    api.pacer.pause(60)
    assert await api.call("getUpdates", {"timeout": 0}) == []


async def test_a_file_larger_than_the_limit_is_refused(api: Api, server: TelegramServer) -> None:
    server.files["big"] = b"x" * 101
    assert await api.download("photos/big", 101) == b"x" * 101
    with pytest.raises(CallError) as caught:
        await api.download("photos/big", 100)
    assert _outcome(caught.value) == ("permanent", "too_large")


@pytest.mark.parametrize(("exempt", "calls"), [("", 0), ("127.0.0.1", 1)])
async def test_a_proxy_of_the_environment_is_used_unless_the_host_is_exempt(
    server: TelegramServer, fake_time: FakeTime, monkeypatch: pytest.MonkeyPatch, exempt: str, calls: int
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed.getsockname()[1]}")
        monkeypatch.setenv("no_proxy", exempt)
        api = Api(token=server.token, api_url=server.url, own_pacer=pacer("telegram", clock=fake_time))
        await api.open()
        if exempt:
            await api.call("getMe")
        else:
            assert _outcome(await _failure(api, "getMe")) == ("retry", "connect_refused")
        await api.close()
    assert len(server.calls) == calls
