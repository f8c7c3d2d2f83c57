"""Neither token nor webhook secret nor anybody's words reach a log line, whatever goes wrong."""

from __future__ import annotations

import logging

import pytest

from bot.channels.telegram.api import Api
from bot.channels.telegram.failures import CallError
from tests.bot.telegram.conftest import ALICE, SECRET, FakeDispatcher, FakeTime, asgi, opened
from tests.bot.telegram.server import SECRET_HEADER, TelegramServer

CODE = "48271935"


@pytest.fixture(autouse=True)
def _hear_everything(caplog: pytest.LogCaptureFixture) -> None:
    """Every logger at DEBUG, the library's own included."""
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):
        caplog.set_level(logging.DEBUG, logger=name)


def everything(caplog: pytest.LogCaptureFixture) -> str:
    """The log with its tracebacks."""
    formatter = logging.Formatter("%(name)s %(levelname)s %(message)s")
    return "\n".join(formatter.format(record) for record in caplog.records)


async def test_a_day_of_trouble_leaves_no_secret_in_the_log(
    server: TelegramServer, dispatcher: FakeDispatcher, fake_time: FakeTime, caplog: pytest.LogCaptureFixture
) -> None:
    settings = {"mode": "webhook", "secret": SECRET, "public_url": "https://chat.example.org"}
    dispatcher.broken.add(CODE)
    async with opened(server, dispatcher, fake_time, **settings) as telegram:
        server.carry = asgi(telegram)
        await asgi(telegram)(b"{}", {SECRET_HEADER: f"wrong {SECRET}"})
        await asgi(telegram)(f"nonsense {CODE}".encode(), {SECRET_HEADER: SECRET})
        await server.say(ALICE, f"/start {CODE}")  # the dispatcher's error names the code
        server.hang("sendMessage", times=1)
        server.cut("sendMessage")
        await server.say(ALICE, "hello")
        server.refuse("sendMessage", 403, f"Forbidden: odd words about {server.token}")
        await server.say(ALICE, "again")
        await server.until(lambda: len(server.called("sendMessage")) >= 3)
        await telegram._conversation.settled()
    log = everything(caplog)
    assert "odd words" in log  # the canaries had something to sing in
    assert "could not be committed" in log
    assert server.token not in log
    assert SECRET not in log
    assert CODE not in log


async def test_polling_with_every_logger_open_leaves_no_secret_in_the_log(
    server: TelegramServer, dispatcher: FakeDispatcher, fake_time: FakeTime, caplog: pytest.LogCaptureFixture
) -> None:
    server.garble("getUpdates", f"<html>{server.token}".encode(), accept=False)
    server.garble("getMe", f"<html>{server.token}".encode(), accept=False)
    dispatcher.broken.add(CODE)
    async with opened(server, dispatcher, fake_time):
        await server.say(ALICE, CODE)
        await server.until(lambda: len(server.called("getUpdates")) > 3)
        dispatcher.broken.clear()
        await server.wait_shown(ALICE, 1)
    log = everything(caplog)
    assert "could not be committed" in log
    assert server.token not in log
    assert CODE not in log


@pytest.mark.parametrize("fault", ["hang", "cut", "half"])
async def test_no_exception_holds_the_token(api: Api, server: TelegramServer, fault: str) -> None:
    getattr(server, fault)("sendMessage", accept=False)
    with pytest.raises(CallError) as caught:
        await api.call("sendMessage", {"chat_id": "1", "text": "x"})
    error = caught.value
    assert error.__cause__ is None
    assert error.__suppress_context__
    assert server.token not in f"{error!r} {error} {error.__dict__}"


async def test_the_library_never_learns_the_token(api: Api, server: TelegramServer) -> None:
    assert server.token not in repr(api._bot)
    assert server.token not in str(api._bot.base_url)
