"""The wiring: what only the whole service, put together, does."""

from __future__ import annotations

import itertools
from datetime import timedelta

from sqlmodel import Session

from bot.app import Service
from bot.settings import Settings
from db import migrate, schema
from db.engine import write_engine
from handlers.conversation import Incoming
from tests import cast
from tests.cast import ALICE, NOON
from tests.notices.sending import queued


def city(url: str) -> None:
    migrate.upgrade(url)
    engine = write_engine(url)
    with Session(engine) as session:
        cast.populate(session)
        schema.count_on(session)
        session.commit()
    engine.dispose()


async def test_the_words_on_the_button_of_a_letter_pick_it_when_they_are_typed(tmp_path):
    url = f"sqlite:///{tmp_path / 'city.db'}"
    city(url)
    seconds = itertools.count()  # the pace of sending is kept by a clock that goes on
    service = Service(Settings(database_url=url), clock=lambda: NOON + timedelta(seconds=next(seconds)))
    await service.open_channels()
    await service.dispatcher.write(queued)
    await service.sender.engine.drain_once()
    answer = await service.dispatcher.answer(
        Incoming(channel="web", address=f"member:{ALICE}", key="1", text="退订这个主题", sent_at=NOON)
    )
    await service.stop()
    assert answer.message is not None
    assert answer.message.text.startswith("已退订“上级精神”")
