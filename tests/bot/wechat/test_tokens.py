"""The access token: one for all processes, one fetch at a time, one new one after a refusal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session

from bot.channels.wechat import WeChat
from bot.channels.wechat.tokens import LEASE, Tokens
from bot.channels.wechat.transport import Transport
from bot.writer import Writer
from db.tokens import AccessToken, end_lease, lease
from notices.channel import Message, SendError
from tests.bot.wechat.conftest import ALICE, Accounts, Clock
from tests.bot.wechat.server import APP_ID, APP_SECRET, NONSENSE, Outcome, WeChatServer, errcode, status

SEND = "message/custom/send"
HELLO = Message("您好")


@pytest.fixture
def token_writer(writer: Writer) -> Writer:
    """The whole database, so that the shared row is tried on every database that we support."""
    return writer


async def send_all(*channels: Any, times: int) -> list[BaseException | str]:
    """`times` messages through each channel, all at once; what came of each."""
    works = [channel.send(ALICE, HELLO, key=f"k{n}") for n in range(times) for channel in channels]
    return list(await asyncio.gather(*works, return_exceptions=True))


async def test_eight_sends_at_once_fetch_one_token(wechat: WeChat, server: WeChatServer) -> None:
    assert await send_all(wechat.channel, times=8) == [""] * 8
    assert server.tokens_given == 1
    assert len(server.accepted(SEND)) == 8


async def test_eight_processes_fetch_one_token(account: Accounts, server: WeChatServer) -> None:
    processes = [(await account()).channel for _ in range(8)]
    assert await send_all(*processes, times=5) == [""] * 40
    assert server.tokens_given == 1


async def test_a_revoked_token_is_replaced_once_for_all(account: Accounts, server: WeChatServer) -> None:
    processes = [(await account()).channel for _ in range(4)]
    await send_all(*processes, times=1)
    server.revoke()
    assert await send_all(*processes, times=5) == [""] * 20
    assert server.tokens_given == 2
    assert len(server.accepted(SEND)) == 24


async def test_a_token_that_is_always_refused_is_fetched_once_more_and_then_it_stops(
    wechat: WeChat, server: WeChatServer
) -> None:
    await wechat.channel.send(ALICE, HELLO, key="k0")
    server.refuses_tokens = True
    server.requests.clear()
    with pytest.raises(SendError) as caught:
        await wechat.channel.send(ALICE, HELLO, key="k1")
    assert server.requests == [SEND, "stable_token", SEND]
    assert (caught.value.verdict, caught.value.reason) == ("retry", "token_refused")
    assert caught.value.retry_after_s == 300.0


async def test_refusals_cost_one_fetch_in_30_seconds_at_most(
    wechat: WeChat, server: WeChatServer, clock: Clock
) -> None:
    server.refuses_tokens = True
    assert {str(error) for error in await send_all(wechat.channel, times=10)} == {"retry: token_refused"}
    assert server.tokens_given == 2  # the first one, and one because of a refusal
    clock.now += timedelta(seconds=29)
    await send_all(wechat.channel, times=3)
    assert server.tokens_given == 2
    clock.now += timedelta(seconds=1)
    await send_all(wechat.channel, times=3)
    assert server.tokens_given == 3


@pytest.mark.parametrize("code", [40001, 40014, 42001])
async def test_each_way_of_saying_that_a_token_is_stale_is_understood(
    code: int, wechat: WeChat, server: WeChatServer
) -> None:
    server.script(SEND, errcode(code))
    await wechat.channel.send(ALICE, HELLO, key="k")
    assert server.words(ALICE) == ["您好"]
    assert server.tokens_given == 2


@pytest.mark.parametrize(("left_s", "fetches"), [(301, 1), (300, 2)])
async def test_a_token_is_fetched_anew_300_seconds_before_its_end(
    left_s: int, fetches: int, wechat: WeChat, server: WeChatServer, clock: Clock
) -> None:
    await wechat.channel.send(ALICE, HELLO, key="k")
    clock.now += timedelta(seconds=server.expires_s - left_s)
    await wechat.channel.send(ALICE, HELLO, key="k")
    assert server.tokens_given == fetches


async def test_a_token_that_comes_with_little_time_left_is_used_and_not_fetched_for_every_message(
    wechat: WeChat, server: WeChatServer, clock: Clock
) -> None:
    server.expires_s = 200
    await send_all(wechat.channel, times=5)
    clock.now += timedelta(seconds=59)
    await send_all(wechat.channel, times=5)
    assert server.tokens_given == 1
    clock.now += timedelta(seconds=1)
    await send_all(wechat.channel, times=5)
    assert server.tokens_given == 2


async def test_a_restarted_process_takes_the_token_from_the_database(
    account: Accounts, server: WeChatServer
) -> None:
    await (await account()).channel.send(ALICE, HELLO, key="k")
    await (await account()).channel.send(ALICE, HELLO, key="k")
    assert server.tokens_given == 1


TROUBLES: dict[str, tuple[Outcome, str]] = {
    "wrong secret": (errcode(40125), "token_40125"),
    "address not listed": (errcode(40164), "token_40164"),
    "gateway": (status(502), "token_http_502"),
    "nonsense": (NONSENSE, "token_nonsense"),
    "no token in it": (Outcome(body=b"{}"), "token_nonsense"),
    "empty token": (Outcome(body=b'{"access_token": "", "expires_in": 7200}'), "token_nonsense"),
    "token is a number": (Outcome(body=b'{"access_token": 5, "expires_in": 7200}'), "token_nonsense"),
    "token with a line": (Outcome(body=b'{"access_token": "a\\nb", "expires_in": 7200}'), "token_nonsense"),
    "endless token": (
        Outcome(body=b'{"access_token": "%s", "expires_in": 7200}' % (b"a" * 1025)),
        "token_nonsense",
    ),
    "no time": (Outcome(body=b'{"access_token": "a"}'), "token_nonsense"),
    "time in words": (Outcome(body=b'{"access_token": "a", "expires_in": "soon"}'), "token_nonsense"),
    "negative time": (Outcome(body=b'{"access_token": "a", "expires_in": -1}'), "token_nonsense"),
    "a list": (Outcome(body=b"[]"), "token_nonsense"),
    "deep JSON": (Outcome(body=b"[" * 100_000), "token_nonsense"),
    "connection lost": (Outcome(then="drop"), "token_connection_lost"),
}


@pytest.mark.parametrize("name", TROUBLES)
async def test_without_a_token_nothing_is_sent_and_the_message_may_go_later(
    name: str, account: Accounts, server: WeChatServer
) -> None:
    outcome, reason = TROUBLES[name]
    server.script("stable_token", outcome)
    with pytest.raises(SendError) as caught:
        await (await account()).channel.send(ALICE, HELLO, key="k")
    assert (caught.value.verdict, caught.value.reason) == ("retry", reason)
    assert caught.value.__cause__ is None
    await (await account()).channel.send(ALICE, HELLO, key="k")  # another process: the lease was given back
    assert server.words(ALICE) == ["您好"]


async def test_a_fetch_that_hangs_ends_after_its_time(account: Accounts, server: WeChatServer) -> None:
    wechat = await account(total_s=0.05)
    server.script("stable_token", Outcome(then="hang"))
    with pytest.raises(SendError, match="retry: token_read_timeout"):
        await wechat.channel.send(ALICE, HELLO, key="k")


def another_process(
    server: WeChatServer, writer: Writer, clock: Clock, pause: Callable[[float], Awaitable[Any]]
) -> Tokens:
    transport = Transport(server.url)
    return Tokens(APP_ID, APP_SECRET, transport, writer.write, clock, pause=pause)


async def test_while_another_process_fetches_this_one_waits_for_its_token(
    server: WeChatServer, token_writer: Writer, clock: Clock, wechat: WeChat
) -> None:
    await token_writer.write(
        lambda session: lease(session, APP_ID, holder="other", now=clock(), until=clock() + LEASE)
    )
    waited: list[float] = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:  # the other one is done
            await token_writer.write(_given("of-the-other", clock))

    tokens = another_process(server, token_writer, clock, pause)
    assert await tokens.token() == "of-the-other"
    assert len(waited) == 3
    assert server.tokens_given == 0


def _given(token: str, clock: Clock) -> Callable[[Session], None]:
    def work(session: Session) -> None:
        row = session.get(AccessToken, APP_ID)
        assert row is not None
        row.token, row.expires_at, row.refreshed_at = token, clock() + timedelta(hours=2), clock()

    return work


async def test_a_process_that_died_while_fetching_is_not_waited_for_longer_than_its_lease(
    server: WeChatServer, token_writer: Writer, clock: Clock, wechat: WeChat
) -> None:
    await token_writer.write(
        lambda session: lease(session, APP_ID, holder="dead", now=clock(), until=clock() + LEASE)
    )

    async def pause(seconds: float) -> None:
        clock.now += timedelta(seconds=seconds)

    started = clock()
    transport = Transport(server.url)
    await transport.start()
    tokens = Tokens(APP_ID, APP_SECRET, transport, token_writer.write, clock, pause=pause)
    assert (await tokens.token()).startswith("canary-access-token")
    assert LEASE <= clock() - started <= LEASE + timedelta(seconds=1)
    await transport.stop()


async def test_one_lease_at_a_time_until_it_ends(token_writer: Writer, clock: Clock) -> None:
    def take(holder: str) -> Callable[[Session], bool]:
        return lambda session: lease(session, APP_ID, holder=holder, now=clock(), until=clock() + LEASE)

    assert await token_writer.write(take("a"))
    assert not await token_writer.write(take("b"))
    clock.now += LEASE - timedelta(microseconds=1)
    assert not await token_writer.write(take("b"))
    clock.now += timedelta(microseconds=1)
    assert await token_writer.write(take("b"))
    assert not await token_writer.write(take("a"))
    await token_writer.write(lambda session: end_lease(session, APP_ID, holder="a"))  # not a's any more
    assert not await token_writer.write(take("a"))
    await token_writer.write(lambda session: end_lease(session, APP_ID, holder="b"))
    assert await token_writer.write(take("a"))
