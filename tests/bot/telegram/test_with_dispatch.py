"""The channel with the real dispatcher and a real database: what the parts promise each other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlmodel import select

from bot.dispatch import Dispatcher
from bot.writer import Writer
from db.inbound import Inbound
from tests.bot.telegram.conftest import FakeTime, opened
from tests.bot.telegram.server import TelegramServer
from tests.conftest import ZONE, Clock

STRANGER = 7001

Look = Callable[[Callable[[Any], Any]], Awaitable[Any]]


@pytest.fixture
def dispatcher(writer: Writer, clock: Clock) -> Dispatcher:
    """The real one, in place of the fake of the other files."""
    return Dispatcher(writer, zone=ZONE, clock=clock)


async def test_a_strangers_message_and_press_are_stored_once_and_taken(
    server: TelegramServer, dispatcher: Dispatcher, fake_time: FakeTime, look: Look
) -> None:
    async with opened(server, dispatcher, fake_time):
        number = await server.say(STRANGER, "/menu")
        (menu,) = await server.wait_shown(STRANGER, 1)
        assert menu.buttons
        await server.redeliver(number)
        await server.press(STRANGER, menu.message_id, menu.labels[0])
        await server.wait_shown(STRANGER, 2)
    assert len(server.sent(STRANGER)) == 1  # edited in place, and the redelivery said nothing
    rows = await look(lambda session: [(r.key, r.taken_at is not None) for r in session.exec(select(Inbound))])
    assert rows == [(f"u{number}", True), (f"u{number + 1}", True)]


async def test_after_a_restart_a_redelivery_of_what_was_taken_is_silent(
    server: TelegramServer, dispatcher: Dispatcher, fake_time: FakeTime
) -> None:
    async with opened(server, dispatcher, fake_time):
        number = await server.say(STRANGER, "/menu")
        await server.wait_shown(STRANGER, 1)
    async with opened(server, dispatcher, fake_time):
        await server.redeliver(number)
        await server.say(STRANGER, "…")
        await server.wait_shown(STRANGER, 2)
    assert len(server.shown(STRANGER)) == 2
