"""`kill -9` at any moment of the day and a restart lose nothing and repeat nothing."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.day.conftest import MakeDatabase, Told
from tests.day.cuts import PowerCuts
from tests.day.nursery import Nursery
from tests.day.people import PEOPLE
from tests.day.phones import WeChatPhone
from tests.day.script import DAY
from tests.day.service import ROOT
from tests.day.stage import CHANNELS, Stage, stage
from tests.day.telling import Transcript, tell

KILLS = int(os.environ.get("HONGXIN_KILLS", "12"))  # over all channels; more find more
SEED = os.environ.get("HONGXIN_KILLS_SEED", "a rainy night")


@pytest.mark.parametrize("channel", CHANNELS)
async def test_the_day_survives_power_cuts(
    days: dict[str, Told], sqlite: MakeDatabase, nursery: Nursery, tmp_path: Path, channel: str
) -> None:
    calm = days[channel].transcript
    left, run = KILLS // len(CHANNELS), 0
    while left > 0:
        folder = tmp_path / str(run)
        async with stage(channel, sqlite(folder), folder, nursery) as one:
            left -= await _told_in_the_dark(one, calm, min(left, len(DAY) // 3), f"{SEED}, {channel}, {run}")
        run += 1


async def _told_in_the_dark(one: Stage, calm: Transcript, kills: int, seed: str) -> int:
    """Tell the day with `kills` power cuts and look at everything that it left; how many kills there were."""
    if isinstance(one.phone, WeChatPhone):
        one.phone.server.between_tries = one.service.ready
    cuts = PowerCuts.drawn(one.service, DAY, kills, seed)
    try:
        told = await tell(DAY, one.phone, one.truth, one.city.codes, around=cuts.around)
        assert told.facts == calm.facts
        _replies_are_the_same(told, calm)
        _no_letter_came_twice(told, calm, one.truth.doubts() + one.truth.ended_doubts())
        assert one.phone.repeated() <= one.service.kills
        await _verified(one)
        assert one.service.kills >= kills
    except AssertionError as error:
        kept = "\n".join(cuts.moments)
        raise AssertionError(f"{seed}:\n{error}\nkilled:\n{kept}\n{one.service.printed()}") from None
    return one.service.kills


def _replies_are_the_same(told: Transcript, calm: Transcript) -> None:
    """Everybody heard what they hear on a calm day; only what counts sent letters may say less."""
    for (step, there), (_, here) in zip(told.replies, calm.replies, strict=True):
        if not step.tells_deliveries:
            assert there.same == here.same, step


def _no_letter_came_twice(told: Transcript, calm: Transcript, doubts: int) -> None:
    """A letter is missing only where the service died while sending it, and then the database says so."""
    missing = 0
    for name in PEOPLE:
        came, due = Counter(told.letters[name]), Counter(calm.letters[name])
        assert not came - due, f"{name} got something twice, or something else"
        missing += (due - came).total()
    assert missing <= doubts


async def _verified(one: Stage) -> None:
    """`python -m bot verify` finds nothing broken."""
    words = [sys.executable, "-m", "bot", "verify"]
    run = await asyncio.to_thread(
        subprocess.run, words, cwd=ROOT, env=one.service.environment(), capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
