"""Whatever the day and hour at which it is filled, the sample city has something open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlmodel import Session, col

from bot import sample
from db.activities import Activity
from db.indices import FortressIndex
from handlers.conversation import Incoming
from tests.bot.sample_cities import MIDNIGHT, NEW_YEAR, NOW, filled, speaking


@pytest.mark.parametrize("now", [NOW, MIDNIGHT, NEW_YEAR])
async def test_the_sample_member_can_check_in_twice_whatever_the_day_and_hour(
    tmp_path: Path, now: datetime
) -> None:
    made = filled(tmp_path / "city.db", now=now)
    writer, dispatcher = speaking(made, lambda: now)
    try:
        branch, region = made.made.activities
        for one, points in ((branch, "+2"), (region, "+3")):
            incoming = Incoming(
                channel="web",
                address=f"member:{made.made.people.member.id}",
                key=one.code,
                sent_at=now,
                text=f"签到 {one.code}",
            )
            answer = await dispatcher.answer(incoming)
            assert answer.message is not None
            assert "签到成功" in answer.message.text
            assert points in answer.message.text
    finally:
        writer.close()


def test_something_is_open_at_every_hour_when_it_is_renewed_every_hour(tmp_path: Path) -> None:
    made = filled(tmp_path / "city.db", size=8)
    with Session(made.engine) as session:
        for hour in range(40):
            now = NOW + timedelta(hours=hour)
            opened = sample.keep_open(session, now)
            assert [one.scope for one in opened] == ["branch", "region"]
            still = select(col(Activity.code)).where(
                col(Activity.check_in_opens_at) <= now,
                col(Activity.check_in_closes_at) >= now + timedelta(hours=1),
            )
            assert {one.code for one in opened} <= {code for (code,) in session.execute(still)}
        before = session.execute(select(func.count()).select_from(Activity)).scalar_one()
        sample.keep_open(session, now)
        assert session.execute(select(func.count()).select_from(Activity)).scalar_one() == before
    made.engine.dispose()


def test_at_the_end_of_the_year_there_are_stars_of_every_kind_and_one_veto(tmp_path: Path) -> None:
    made = filled(tmp_path / "city.db", size=60, now=datetime(2026, 12, 31, 12, 0, tzinfo=UTC))
    found = [one for (one,) in made.all(select(FortressIndex))]
    assert {one.stars for one in found} >= {0, 1, 2, 3, 4}
    assert sum(one.veto for one in found) in (2, 3, 4), "the sample branch, the one near the veto, and few others"
    assert all(one.appraisal for one in found)
    made.engine.dispose()


def test_the_year_can_be_told_in_more_detail(tmp_path: Path) -> None:
    made = [filled(tmp_path / f"{lines}.db", lines_per_member=lines) for lines in (20, 50)]
    few, many = (one.made.lines / one.made.members for one in made)
    for one in made:
        one.engine.dispose()
    assert 18 <= few <= 29
    assert 40 <= many <= 60
