"""The wiring: what only the whole service, put together, does."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta

import httpx
from fastapi import FastAPI
from sqlmodel import Session

from bot import front
from bot.app import Service
from bot.settings import Settings
from db import migrate, schema
from db.engine import write_engine
from handlers.conversation import Incoming
from notices import mass
from tests import cast
from tests.cast import ALICE, BOB, NOON, SUN
from tests.notices.sending import bind, queued


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


async def test_a_letter_that_gathers_for_wechat_is_handed_over_by_the_running_service(tmp_path, monkeypatch):
    handed: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()

    class WeChat:
        name = "wechat"

        def parts(self, text):
            return [text]

        async def send(self, address, message, *, key):
            raise AssertionError("no window is open")

        async def send_mass(self, addresses, message, *, key):
            handed.set_result(addresses)
            return "job"

    monkeypatch.setattr(mass, "POLL_S", 0.01)
    url = f"sqlite:///{tmp_path / 'city.db'}"
    city(url)
    service = Service(Settings(database_url=url), clock=lambda: NOON)
    await service.open_channels()
    service.channels.by_name["wechat"] = WeChat()
    await service.dispatcher.write(
        lambda s: (bind(s, ALICE, "wechat"), bind(s, BOB, "wechat"), queued(s, lane=2, author_id=None))
    )
    service.sender.start(polls=None, replies=(), errands=())
    people = await asyncio.wait_for(handed, 150)
    await service.stop()
    assert sorted(people) == [f"wechat:{ALICE}", f"wechat:{BOB}"]


async def test_each_way_of_cards_is_a_channel_of_the_same_account(tmp_path):
    file = tmp_path / "cards.toml"
    file.write_text(
        '[[card]]\ntemplate = "T1"\nway = "subscription"\nkinds = ["letter"]\nfields = { thing1 = "{text}" }\n'
    )
    url = f"sqlite:///{tmp_path / 'city.db'}"
    city(url)
    wechat = {"wechat_app_secret": "s", "wechat_token": "t", "wechat_aes_key": "k" * 43, "wechat_cards": str(file)}
    service = Service(Settings(database_url=url, wechat_app_id="wx1", **wechat), clock=lambda: NOON)
    await service.open_channels()
    assert set(service.channels.by_name) == {"web", "wechat", "wechat:subscription"}
    assert service.sender.lease.accounts == {"wechat": "wx1", "wechat:subscription": "wx1"}
    await service.stop()


async def test_the_report_of_a_letter_opens_in_the_service_as_it_is_wired(database_url, monkeypatch):
    monkeypatch.setattr(front, "attach", lambda *_, **__: None)  # the chat page attaches once in a process
    service = Service(Settings(database_url=database_url, demo=True), clock=lambda: NOON)
    await service.open_channels()
    letter_id = await service.dispatcher.write(queued)
    app = FastAPI()
    front.open_front(app, service)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as browser:
        answer = await browser.get(f"/letters/{letter_id}/table.csv?as={SUN}")
    await service.stop()
    assert answer.status_code == 200
    assert "待发送,7" in answer.text


def test_an_empty_secret_of_a_start_that_died_is_made_anew(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    front.COOKIE_KEY.parent.mkdir()
    front.COOKIE_KEY.touch()
    made = front.cookie_secret(Settings(_env_file=None))
    assert len(made) == 2 * front.SECRET_BYTES
    assert front.cookie_secret(Settings(_env_file=None)) == made
    assert [one.name for one in front.COOKIE_KEY.parent.iterdir()] == [front.COOKIE_KEY.name]
    assert front.COOKIE_KEY.stat().st_mode & 0o777 == 0o600
