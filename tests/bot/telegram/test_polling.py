"""The polling loop: Telegram keeps an update until what it did is committed."""

from __future__ import annotations

import asyncio

import pytest

from bot.channels.telegram import Telegram, Timing
from tests.bot.telegram.conftest import ALICE, BOB, FakeDispatcher, FakeTime, opened
from tests.bot.telegram.server import TelegramServer
from tests.cast import NOON


async def test_the_offset_moves_only_after_the_commit(
    server: TelegramServer, dispatcher: FakeDispatcher, polling: Telegram
) -> None:
    gate = dispatcher.gates["slow"] = asyncio.Event()
    number = await server.say(ALICE, "slow")
    await server.say(BOB, "quick")
    await server.wait_shown(BOB, 1)  # even its reply is out
    assert number in server.unconfirmed()
    gate.set()
    await server.until(lambda: server.unconfirmed() == [])


async def test_what_could_not_be_committed_comes_again_and_what_was_is_not_said_twice(
    server: TelegramServer, dispatcher: FakeDispatcher, polling: Telegram
) -> None:
    dispatcher.broken.add("second")
    await server.say(ALICE, "first")
    await server.wait_shown(ALICE, 1)
    second = await server.say(ALICE, "second")
    await server.say(BOB, "third")
    await server.wait_shown(BOB, 1)
    polls = len(server.called("getUpdates"))
    await server.until(lambda: len(server.called("getUpdates")) > polls + 3)
    assert second in server.unconfirmed()
    assert all(call.arguments["offset"] <= second for call in server.called("getUpdates"))
    dispatcher.broken.clear()
    await server.wait_shown(ALICE, 2)
    await server.until(lambda: server.unconfirmed() == [])
    assert [seen.text for seen in server.shown(ALICE)] == ["echo first", "echo second"]
    assert [seen.text for seen in server.shown(BOB)] == ["echo third"]
    assert sorted(incoming.text for incoming in dispatcher.heard) == ["first", "second", "third"]


async def test_allowed_updates_are_named_in_every_poll(server: TelegramServer, polling: Telegram) -> None:
    await server.say(ALICE, "x")
    await server.wait_shown(ALICE, 1)
    wanted = ["message", "callback_query", "my_chat_member"]
    assert all(call.arguments["allowed_updates"] == wanted for call in server.called("getUpdates"))


async def test_an_older_webhook_is_taken_down_without_dropping_what_waits(
    server: TelegramServer, polling: Telegram
) -> None:
    (call,) = server.called("deleteWebhook")
    assert call.arguments == {"drop_pending_updates": False}


async def test_a_second_poller_ends_this_one_with_a_clear_line(
    server: TelegramServer, polling: Telegram, caplog: pytest.LogCaptureFixture
) -> None:
    server.refuse("getUpdates", 409, "Conflict: terminated by other getUpdates request")
    await server.say(ALICE, "x")  # ends the poll under way
    await asyncio.wait_for(asyncio.shield(polling._work), 5)  # type: ignore[arg-type]
    assert polling.problem == "conflict"
    assert "409 Conflict" in caplog.text
    polls = len(server.called("getUpdates"))
    await server.say(ALICE, "y")
    await polling.stop()
    assert len(server.called("getUpdates")) == polls  # and it does not fight for the offset


@pytest.mark.parametrize("fault", ["cut", "half", "garble", "flood", "list"])
async def test_a_failing_poll_is_asked_again(server: TelegramServer, polling: Telegram, fault: str) -> None:
    for _ in range(3):
        if fault == "garble":
            server.garble("getUpdates", b"<html>", status=502, accept=False)
        elif fault == "list":
            server.garble("getUpdates", b'{"ok": true, "result": {"no": "list"}}', accept=False)
        elif fault == "flood":
            server.refuse("getUpdates", 429, "Too Many Requests", retry_after=0.01)
        else:
            getattr(server, fault)("getUpdates")
    await server.say(ALICE, "签到")
    await server.say(ALICE, "积分")
    await server.wait_shown(ALICE, 2)


async def test_a_dead_connection_does_not_make_the_bot_deaf(
    server: TelegramServer, dispatcher: FakeDispatcher, fake_time: FakeTime
) -> None:
    timing = Timing(lambda: NOON, fake_time, fake_time.sleep, poll_s=0, read_s=0.1, backoff_s=(0.001, 0.002))
    server.hang("getUpdates", times=2)
    async with opened(server, dispatcher, fake_time, timing=timing):
        await server.say(ALICE, "签到")
        await server.wait_shown(ALICE, 1)


async def test_the_pause_between_failures_grows_to_its_cap(
    server: TelegramServer, dispatcher: FakeDispatcher, fake_time: FakeTime, caplog: pytest.LogCaptureFixture
) -> None:
    server.garble("getUpdates", b"", status=502, accept=False)
    server.garble("getUpdates", b"", status=502, accept=False)
    server.garble("getUpdates", b"", status=502, accept=False)
    async with opened(server, dispatcher, fake_time):
        await server.say(ALICE, "签到")
        await server.wait_shown(ALICE, 1)
        server.garble("getUpdates", b"", status=502, accept=False)
        await server.say(ALICE, "积分")
        await server.say(ALICE, "菜单")
        await server.wait_shown(ALICE, 3)
    waits = [record.args[1] for record in caplog.records if "again in" in record.msg and record.args]  # type: ignore[index]
    assert waits == [0.001, 0.002, 0.002, 0.001]  # a success forgets the failures


async def test_silence_is_noticed(server: TelegramServer, polling: Telegram, fake_time: FakeTime) -> None:
    assert polling.problem is None
    fake_time.now_s += 201
    assert polling.problem == "silent"
    await server.say(ALICE, "签到")
    await server.wait_shown(ALICE, 1)
    assert polling.problem is None


async def test_a_stop_tells_telegram_what_is_committed(
    server: TelegramServer, dispatcher: FakeDispatcher, fake_time: FakeTime
) -> None:
    async with opened(server, dispatcher, fake_time):
        await server.say(ALICE, "签到")
        await server.wait_shown(ALICE, 1)
    assert server.unconfirmed() == []
    assert dispatcher.taken_keys  # and the reply under way was noted


async def test_a_stop_waits_for_the_commit_under_way(
    server: TelegramServer, dispatcher: FakeDispatcher, fake_time: FakeTime
) -> None:
    gate = dispatcher.gates["slow"] = asyncio.Event()
    async with opened(server, dispatcher, fake_time) as telegram:
        await server.say(ALICE, "slow")
        await server.until(lambda: len(server.called("getUpdates")) >= 1)
        stopping = asyncio.create_task(telegram.stop())
        await asyncio.sleep(0)
        gate.set()
        await stopping
    assert len(dispatcher.heard) == len(dispatcher.taken_keys)
    assert len(server.unconfirmed()) + len(dispatcher.heard) == 1


async def test_telegram_may_be_down_when_the_service_starts(
    server: TelegramServer, dispatcher: FakeDispatcher, fake_time: FakeTime
) -> None:
    server.garble("getMe", b"", status=502, accept=False)
    server.garble("deleteWebhook", b"", status=502, accept=False)
    async with opened(server, dispatcher, fake_time) as telegram:
        await server.say(ALICE, "签到")
        await server.wait_shown(ALICE, 1)
        assert telegram.username == "HongxinTestBot"


async def test_a_refused_token_is_said_once_and_not_tried_again(
    server: TelegramServer, dispatcher: FakeDispatcher, fake_time: FakeTime, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3), opened(server, dispatcher, fake_time, token="7:wrong") as telegram:
            raise AssertionError(telegram)
    assert len(server.calls) == 1
    assert "HONGXIN_TELEGRAM_TOKEN" in caplog.text
