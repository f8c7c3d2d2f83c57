"""What the nights clear away: the history of warnings that are long over, and drafts that nobody goes on with."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlmodel import Session, col

from db.inspections import InspectionDraft
from db.pool import WarningEvent
from db.warnings import LIVE, BranchWarning

EVENTS_MAX = 5_000  # of one night: a city adds some 25,000 in a month, all in its nights of publication


def forget_warning_events(session: Session, before: datetime, most: int = EVENTS_MAX) -> int:
    """Delete the oldest events from before, at most so many; how many.

    A warning that is still open keeps its history, however old, and news that was not told yet stays. The warning
    itself stays with its proof, so that a colour of any month can still be explained.
    """
    live = select(col(BranchWarning.id)).where(col(BranchWarning.state).in_(LIVE))
    old = (
        select(col(WarningEvent.id))
        .where(col(WarningEvent.at) < before, col(WarningEvent.news).is_(False))
        .where(col(WarningEvent.warning_id).not_in(live))
        .order_by(col(WarningEvent.id))
        .limit(most)
    )
    gone = session.execute(
        delete(WarningEvent).where(col(WarningEvent.id).in_(old)), execution_options={"synchronize_session": False}
    )
    return int(gone.rowcount)  # type: ignore[attr-defined]


def forget_inspection_drafts(session: Session, before: datetime) -> int:
    """Delete what inspectors began to write down and have not touched since before; how many."""
    gone = session.execute(
        delete(InspectionDraft).where(col(InspectionDraft.changed_at) < before),
        execution_options={"synchronize_session": False},
    )
    return int(gone.rowcount)  # type: ignore[attr-defined]
