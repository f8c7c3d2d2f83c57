"""One day, word for word, over the web endpoint, Telegram (polling and webhook) and WeChat: they say the same."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psycopg
import pytest

from db import migrate
from tests.cast import NAMES
from tests.day.conftest import PSEUDONYMOUS, Told, told_on
from tests.day.people import PEOPLE
from tests.day.script import DAY
from tests.day.service import Command
from tests.day.stage import CHANNELS
from tests.day.telling import lacking, wrong_letters


@pytest.mark.parametrize("channel", CHANNELS)
def test_everybody_hears_what_the_day_promises(days: dict[str, Told], channel: str) -> None:
    assert lacking(days[channel].transcript) == []


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_letter_of_the_day_comes_once(days: dict[str, Told], channel: str) -> None:
    assert wrong_letters(DAY, days[channel].transcript) == []


@pytest.mark.parametrize("channel", CHANNELS[1:])
def test_the_transcripts_of_two_channels_say_the_same(days: dict[str, Told], channel: str) -> None:
    there, here = days[channel].transcript, days["web"].transcript
    assert there.lines() == here.lines()
    assert there.letters == here.letters


@pytest.mark.parametrize("channel", CHANNELS[1:])
def test_the_day_has_the_same_effects_on_every_channel(days: dict[str, Told], channel: str) -> None:
    assert days[channel].transcript.facts == days["web"].transcript.facts


@pytest.mark.postgres
def test_the_day_is_the_same_on_postgresql(days: dict[str, Told], postgresql_server: str, tmp_path: Path) -> None:
    with psycopg.connect(postgresql_server.format(name="postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE day")
    url = postgresql_server.format(name="day")
    migrate.upgrade(url)
    there, here = asyncio.run(told_on("web", url, tmp_path, Command())).transcript, days["web"].transcript
    assert lacking(there) == []
    assert there.lines() == here.lines()
    assert there.letters == here.letters
    assert there.facts == here.facts


def test_by_default_no_full_name_reaches_telegram(days: dict[str, Told]) -> None:
    names = [NAMES[member_id] for member_id in PEOPLE.values()]
    assert [name for name in names if name in days[PSEUDONYMOUS].sent] == []
    assert "艾同志" in days[PSEUDONYMOUS].sent
    assert [name for name in names if name not in days["telegram polling"].sent] == []  # the test can fail


def test_without_full_names_the_day_has_the_same_effects(days: dict[str, Told]) -> None:
    assert days[PSEUDONYMOUS].transcript.facts == days["web"].transcript.facts
