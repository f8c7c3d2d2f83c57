"""Asks a platform once what became of a mass letter on which its report has not come."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlmodel import Session

from db import mass
from db.mass import MassBatch
from notices.channel import Channels, MassAnswering, MassState, SendError
from notices.mass_reports import answered
from notices.mass_rules import mass_rules
from notices.tenure import Tenure

log = logging.getLogger(__name__)


async def ask_next(tenure: Tenure, channels: Channels, now: datetime) -> bool:
    """Ask about one batch, if one is due; whether there was one. That it was asked is committed before."""
    names = [name for name, one in channels.by_name.items() if isinstance(one, MassAnswering)]
    if not names:
        return False
    due = await tenure.write(lambda session: _due(session, names, now))
    if due is None:
        return False
    batch_id, name, platform_id = due
    channel = channels.get(name)
    assert isinstance(channel, MassAnswering)
    state: MassState = "unknown"
    try:
        state = await channel.mass_state(platform_id)
    except SendError as error:
        log.warning("mass letters: asked about batch %s: %s", batch_id, error)
    await tenure.write(lambda session: answered(session, session.get_one(MassBatch, batch_id), state, now))
    return True


def _due(session: Session, names: list[str], now: datetime) -> tuple[int, str, str] | None:
    for name in names:
        rules = mass_rules(name)
        if rules is None:
            continue
        for batch in mass.unreported(session, name, now - timedelta(seconds=rules.ask_s)):
            if batch.asked_at is None and batch.platform_id and batch.id is not None:
                batch.asked_at = now
                session.add(batch)
                return batch.id, name, batch.platform_id
    return None
