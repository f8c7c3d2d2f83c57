"""What a platform says became of a mass letter: figures for a whole batch, and nobody's name.

So the rows of a batch share one fate. Nobody reached: a definite failure, and each takes its next way. Everybody
reached: sent. Somebody left out: the others were reached, and nobody can say who was not; all count as sent, and
the letter's report says how many the platform left out. Broken off in the middle, or no word at all: in doubt.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlmodel import Session

from db import mass
from db.mass import MassBatch, MassReport
from notices.channel import MassState
from notices.mass_rules import mass_rules

SUCCESS = "send success"  # the platform's own words


def settle(session: Session, channels: Iterable[str], now: datetime) -> None:
    """End the batches on which the platform has given its word, and those on which it gave none in time."""
    for batch, report in mass.reported(session):
        _settle(session, batch, report, now)
    for channel in channels:
        rules = mass_rules(channel)
        if rules is not None:
            for batch in mass.unreported(session, channel, now - timedelta(seconds=rules.report_s)):
                _doubt(session, batch, "no_report", now)


def _settle(session: Session, batch: MassBatch, report: MassReport, now: datetime) -> None:
    if batch.state == "ended":  # it was asked before; only the figures were missing
        batch.not_reached, batch.outcome = max(0, batch.size - report.sent), "sent"
        session.add(batch)
    elif report.sent <= 0:
        mass.next_way(session, batch, reason="mass_refused", now=now)
    elif report.status != SUCCESS:
        _doubt(session, batch, "mass_broken_off", now)
    else:
        batch.not_reached = max(0, batch.size - report.sent)
        mass.finish(session, batch, "sent", reason="", outcome="sent", now=now)


def answered(session: Session, batch: MassBatch, state: MassState, now: datetime) -> None:
    """What the platform said of a batch when it was asked: it gives no figures.

    That it failed does not say that it reached nobody. While it is being sent the report is waited for.
    """
    if batch.state != "accepted":
        return  # its report came in the meantime
    if state == "sent":
        mass.finish(session, batch, "sent", reason="", outcome=mass.ASKED, now=now)
    elif state == "failed":
        _doubt(session, batch, "mass_broken_off", now)


def _doubt(session: Session, batch: MassBatch, reason: str, now: datetime) -> None:
    mass.finish(session, batch, "ambiguous", reason=reason, outcome=f"ambiguous:{reason}", now=now)
