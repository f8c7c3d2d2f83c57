"""What the nights clear away, and what has to stay."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlmodel import Session

from bot.jobs import INSPECTION_DRAFTS_KEPT, WARNING_EVENTS_KEPT
from db import leftovers, pool
from db.inspections import InspectionDraft
from db.pool import WarningEvent
from db.warnings import BranchWarning
from tests.cast import DING, INES, LIANGFENG, NOON

SECOND = timedelta(seconds=1)


def warning(session: Session, state: str, period: str) -> int:
    row = BranchWarning(
        organization_id=LIANGFENG,
        kind="pool_red",
        period=period,
        owner_role="x",
        state=state,
        proof="{}",
        raised_at=NOON,
    )
    session.add(row)
    session.flush()
    assert row.id is not None
    return row.id


async def test_old_history_goes_in_parts_and_what_is_open_or_untold_stays(look):
    limit = NOON - WARNING_EVENTS_KEPT

    def write(session):
        over, red = warning(session, "cleared", "2025-01"), warning(session, "acknowledged", "2025-02")
        for what in ("raised", "told", "cleared"):
            pool.note(session, over, what, limit - SECOND)
        pool.note(session, over, "added", limit - SECOND, news=True)
        pool.note(session, over, "continued", limit)
        pool.note(session, red, "planned", limit - SECOND)

    def left(session):
        return list(session.execute(select(WarningEvent.what).order_by(WarningEvent.id)).scalars())

    await look(write)
    assert await look(lambda s: leftovers.forget_warning_events(s, limit, most=2)) == 2
    assert await look(left) == ["cleared", "added", "continued", "planned"]
    assert await look(lambda s: leftovers.forget_warning_events(s, limit)) == 1
    assert await look(lambda s: leftovers.forget_warning_events(s, limit)) == 0
    assert await look(left) == ["added", "continued", "planned"]
    assert len(await look(lambda s: s.execute(select(BranchWarning.id)).all())) == 2, "the warnings stay"


async def test_drafts_that_nobody_goes_on_with_are_dropped(look):
    limit = NOON - INSPECTION_DRAFTS_KEPT

    def write(session):
        for member_id, at in ((INES, limit - SECOND), (DING, limit)):
            session.add(InspectionDraft(member_id=member_id, organization_id=LIANGFENG, changed_at=at))

    await look(write)
    assert await look(lambda s: leftovers.forget_inspection_drafts(s, limit)) == 1
    assert await look(lambda s: s.execute(select(InspectionDraft.member_id)).scalars().all()) == [DING]
