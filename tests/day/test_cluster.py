"""The day on PostgreSQL with two processes for the web and two workers, of which one of each is killed."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from db import migrate
from tests.chaos.conftest import Telling, telling
from tests.day.nursery import Nursery
from tests.day.people import PEOPLE
from tests.day.phones import WebPhone
from tests.day.screen import Screen
from tests.day.script import AUDIENCE, DAY, Comes, Says
from tests.day.service import Service
from tests.day.stage import fill
from tests.day.telling import Act, lacking, tell, wrong_letters
from tests.day.truth import Truth
from tests.day.waiting import until

__all__ = ["telling"]

ROLES = ("web", "web", "worker", "worker")
OWNER = "SELECT owner FROM sender WHERE channel = 'web'"


class Several:
    """The processes of one installation, on one database and one bot."""

    def __init__(self, services: list[Service], truth: Truth, phone: WebPhone) -> None:
        self.services = services
        self.phone = phone
        self.truth = truth
        self.replaced_s = 0.0

    async def kill_sender(self) -> None:
        """Kill the worker that sends, and wait until the other one does."""
        owner = str(self.truth.rows(OWNER)[0][0])
        pid, began = int(owner.split("/")[1]), time.monotonic()
        await next(one for one in self.services if one.pid == pid).kill()
        await until(lambda: self.truth.rows(OWNER)[0][0] not in ("", owner), "the other worker sends")
        self.replaced_s = time.monotonic() - began

    async def around(self, step: Says | Comes, act: Act) -> Screen | None:
        """Kill a web process before the wish is confirmed, and the sender while the letter goes out."""
        if isinstance(step, Says) and "谢谢您的确认" in step.expects:
            await self.services[0].kill()
            self.phone.url = self.services[1].url  # as a balancer does
            return await act()
        if isinstance(step, Says) and step.text == str(AUDIENCE):
            return await self._beside(act, self.kill_sender())
        return await act()

    async def _beside(self, act: Act, kill: object) -> Screen | None:
        async def soon() -> None:
            await asyncio.sleep(0.3)
            await kill  # type: ignore[misc]

        screen, _ = await asyncio.gather(act(), soon())
        return screen


@contextlib.asynccontextmanager
async def cluster(url: str, folder: Path, nursery: Nursery) -> AsyncIterator[tuple[Several, dict[str, str]]]:
    """All four, ready, with everybody of the day in the database."""
    city, services = fill(url), []
    for number, role in enumerate(ROLES):
        place = folder / f"{role}-{number}"
        place.mkdir()
        settings = {
            "database_url": url,
            "timezone": city.zone,
            "cookie_secret": "canary-cookie-secret-of-thirty-two-characters",
            "demo": "true",
            "role": role,
        }
        services.append(Service(place, settings, nursery))
    try:
        for service in services:
            await service.start()
        await asyncio.gather(*(service.ready() for service in services))
        yield Several(services, Truth(url), WebPhone(services[0].url)), city.codes
    finally:
        for service in services:
            await service.close()


@pytest.mark.postgres
async def test_the_day_survives_the_death_of_one_of_each(
    postgresql_server: str, nursery: Nursery, tmp_path: Path, telling: Telling
) -> None:
    with psycopg.connect(postgresql_server.format(name="postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE cluster")
    url = postgresql_server.format(name="cluster")
    migrate.upgrade(url)
    async with cluster(url, tmp_path, nursery) as (several, codes):
        try:
            told = await tell(DAY, several.phone, several.truth, codes, around=several.around)
        except AssertionError as error:
            printed = "\n".join(one.printed()[-1500:] for one in several.services)
            raise AssertionError(f"{error}\n{printed}") from None
        assert [service.kills for service in several.services[:2]] == [1, 0]
        assert sum(service.kills for service in several.services[2:]) == 1
        telling(f"the other worker sends after {several.replaced_s:.1f} s")
        doubts = several.truth.doubts()
    certain = [one for one in lacking(told) if "回执" not in one and "未读名单" not in one]
    assert certain == []
    assert doubts or lacking(told) == []
    wrong = wrong_letters(DAY, told)
    assert len(wrong) <= doubts, wrong
    for name in PEOPLE:
        assert len(told.letters[name]) == len(set(told.letters[name])), f"{name} got something twice"
