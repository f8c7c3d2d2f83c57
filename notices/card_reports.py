"""What the platform says became of a card, booked on its delivery.

A card that was not shown is a definite failure: the delivery takes its next way. Where the platform gives a card
no number when it takes it, a report is about the one card that went to its person then; of two nobody knows which.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import cards
from db.cards import CardReport

log = logging.getLogger(__name__)

PART = 100  # reports in one transaction
EARLY = timedelta(minutes=10)  # a report may come before the answer to the request is written
SLACK = timedelta(hours=1)  # between the end of a request and the report on it


def settle_next(session: Session, now: datetime, _zone: ZoneInfo | None = None) -> int:
    """Book what has been reported; how many reports."""
    found = [report for report in cards.unsettled(session, PART) if _settled(session, report, now)]
    for report in found:
        cards.settle(session, report, now)
    session.flush()
    return len(found)


def _settled(session: Session, report: CardReport, now: datetime) -> bool:
    """Whether nothing more is to be done about a report."""
    about = cards.sent_to(session, report, SLACK)
    open_ = [which for which, its in about if its in ("", report.platform_id)]
    if not open_:
        return now >= report.reported_at + EARLY
    if report.shown:
        cards.number(session, open_[0], report.platform_id)
    elif len(about) > 1:
        log.warning("cards: one of %s was not shown (%s), and nobody can say which", len(about), report.reason)
    else:
        cards.not_shown(session, open_[0], report, now)
    return True
