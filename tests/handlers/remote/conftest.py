"""An activity joined from afar, and the job that asks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.jobs import JOBS
from bot.ticker import Jobs
from db import remote_seats
from db.activities import PresencePrompt
from db.deliveries import Delivery
from tests.cast import MO, NOON
from tests.conftest import ZONE

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
START, END = NOON + 10 * MINUTE, NOON + 130 * MINUTE  # of activity 1
MIDDLE = START + 60 * MINUTE


@pytest.fixture
async def token(look):
    """Mo's personal link into activity 1."""
    return await look(lambda s: remote_seats.seat_for(s, 1, MO, NOON).token)


@pytest.fixture
def tick(look, clock, writer):
    """Let time pass to an instant, and the jobs run there."""
    jobs = Jobs(writer.write, clock, ZONE, [job for job in JOBS if job.name in ("presence", "closing")])

    async def pass_to(now):
        clock.now = now
        await jobs.run_due(now)

    return pass_to


@pytest.fixture
def prompts(look):
    return lambda: look(lambda s: list(s.execute(select(PresencePrompt).order_by(PresencePrompt.id)).scalars()))


@pytest.fixture
def told(look):
    async def read(member_id, start):
        rows = await look(
            lambda s: list(
                s.execute(select(Delivery).where(Delivery.member_id == member_id).order_by(Delivery.id)).scalars()
            )
        )
        return [row for row in rows if row.key.startswith(start)]

    return read


async def answer_all(say, tick, prompts):
    for prompt in await prompts():
        await tick(prompt.ask_at)
        await say(MO, "我在")
