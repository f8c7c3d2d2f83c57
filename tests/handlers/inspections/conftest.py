"""An inspection from the visit to the index: card, appeal, posting, closing, and who may do what."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import Session, select

from db import audit
from scoring import update
from tests.cast import INES, SHAZHOU

DAY = timedelta(days=1)
TODAY = date(2026, 6, 15)
SECOND = timedelta(seconds=1)


# The items of a village: 1 C16, 2 AV09, 3 N01, 4 N03, 5 N04, 6 N11. Behind the item come the result, the picture, the place,
# a line of words, and the kind of visit.
async def inspect(say, item: str, result: str, visit: str = "1", note: str = "门口没有党旗，请补齐") -> None:
    """Ines records a finding at Shazhou, up to the preview."""
    await say.all(INES, "检查", "1", "沙洲", "1", item, result)
    await say(INES, "", kind="image", picture=f"site-{item}-{result}-{note}")
    await say.all(INES, "村口", note, visit)


async def confirm(say) -> str:
    """The id of what was just recorded."""
    text = (await say(INES, "1")).text
    assert text.startswith("已记下（第 ")
    return text.removeprefix("已记下（第 ").partition(" ")[0]


@pytest.fixture
async def finding(say):
    """A finding of 15 June: 80 % of C16. Its id."""
    await inspect(say, "1", "80%")
    return await confirm(say)


@pytest.fixture
async def cases(say):
    """Two cases of N04, found on a covert visit. Their id."""
    await inspect(say, "5", "2", visit="2")
    return await confirm(say)


def deductions(session: Session, day: date = TODAY) -> int:
    """What the negative list takes from Shazhou in the fortress index, in hundredths."""
    found = update.compute(session, day, only=SHAZHOU)
    return next(one.result.deductions for one in found.branches if one.organization_id == SHAZHOU)


def after_window(clock) -> None:
    clock.now = datetime(2026, 6, 23, 16, 0, tzinfo=UTC)  # midnight: 24 June has begun


async def actions(look) -> list[str]:
    return await look(lambda s: list(s.execute(select(audit.AuditEvent.action)).scalars()))
