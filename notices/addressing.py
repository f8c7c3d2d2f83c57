"""Large letters get their rows in parts, so that nobody's reply waits for a whole city; small ones at once.

Between two parts everything may happen: a stop, a role that ends, the death of the process. Each part asks again
whether the letter may go on, and writes how far it came with its rows.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlmodel import Session, col

from db import addressing, addressing_parts, audiences, audit, deliveries, letter_deadlines, receipts
from db.addressing import Addressing
from db.audiences import audience
from db.deliveries import Delivery
from db.engine import OUT_OF_ORDER
from db.letters import Letter
from notices.letter_reports import WHILE_SENDING
from notices.letter_stops import stop_without_right
from notices.letters import key_of
from notices.tenure import Overtaken, Tenure

log = logging.getLogger(__name__)

LOOK_S = 0.5  # between two looks when nothing is to be written
AGAIN_S = 60.0  # after a part that failed: other letters are not kept waiting


class Addresser:
    """Writes the parts while this process is the sender."""

    def __init__(self, tenure: Tenure, clock: Callable[[], datetime], zone: ZoneInfo) -> None:
        self._tenure = tenure
        self._clock = clock
        self._zone = zone
        self._look_at = 0.0  # monotonic seconds, as in `_failed`
        self._failed: dict[str, float] = {}  # key -> when it is tried again

    async def step(self) -> bool:
        """Write one part, if there is one; whether there was. Only the database's own troubles are raised."""
        seconds = time.monotonic()
        if seconds < self._look_at:
            return False
        self._failed = {key: until for key, until in self._failed.items() if until > seconds}
        under_way: list[str] = []
        try:
            wrote = await self._tenure.write(
                lambda session: write_part(session, self._clock(), self._zone, self._failed, under_way)
            )
        except (Overtaken, *OUT_OF_ORDER):
            raise
        except Exception:
            log.exception("rows of %s could not be written; they are tried again later", under_way)
            self._failed.update(dict.fromkeys(under_way, seconds + AGAIN_S))
            return bool(under_way)
        self._look_at = 0.0 if wrote else seconds + LOOK_S
        return wrote


def write_part(
    session: Session, now: datetime, zone: ZoneInfo, but: Collection[str] = (), under_way: list[str] | None = None
) -> bool:
    """Write the next part of what has to be written; False when there is nothing.

    but: keys that are passed over. under_way: gets the key, so that the caller knows it when this fails.
    """
    found = addressing_parts.next_open(session, but)
    if found is None:
        return False
    one, letter = found
    if under_way is not None:
        under_way.append(one.key)
    stop_without_right(session, letter, now, zone)
    if not _goes_on(one, letter, now):
        addressing.end(session, one.letter_id, one.key)
        return True
    candidates = _candidates(session, one, letter)
    if not candidates:
        _finish(session, one, letter, now)
        return True
    recipients = _recipients(session, one, letter, now, candidates, zone)
    units = addressing_parts.part_of(session, recipients, candidates)
    if addressing.advance(session, one, units.last) and units.people:
        chosen = _recipients(session, one, letter, now, [unit for unit, _ in units.people], zone)
        _write(session, one, letter, chosen, now)
        if one.what == "letter":
            addressing_parts.note_branches(session, letter, units, now, now + WHILE_SENDING)
            letter.unbound = addressing_parts.people_noted(session, one.letter_id) - letter.recipients
            session.add(letter)
            session.flush()
    return True


def _goes_on(one: Addressing, letter: Letter, now: datetime) -> bool:
    if one.what == "deadline" and (letter.answer_until is None or letter.answer_until <= now):
        return False
    return letter.state in ("sending", "done")


def _candidates(session: Session, one: Addressing, letter: Letter) -> Any:
    """Branches after the last one that was looked at."""
    whom = audience(letter.audience)
    if one.what != "letter":
        return addressing_parts.units_of_letter(session, one.letter_id, one.place)
    if whom.got is not None:
        return addressing_parts.units_of_letter(session, whom.got, one.place)
    return addressing_parts.units_after(session, audiences.units_in(session, whom), one.place)


def _recipients(
    session: Session, one: Addressing, letter: Letter, now: datetime, units: Collection[int], zone: ZoneInfo
) -> Select[Any]:
    """A query of (member, branch) of those in these branches who are to get a row."""
    if one.what == "letter":
        whom = audience(letter.audience)
        day = (letter.sent_at or now).astimezone(zone).date()
        return audiences.within(audiences.members_in(session, whom, day), whom, units)
    asked = letter_deadlines.to_remind(one.letter_id)
    if one.what == "chase":
        asked = receipts.unread(session, one.letter_id).order_by(None)
    return asked.add_columns(col(Delivery.counts_for)).where(col(Delivery.counts_for).in_(units))


def _write(session: Session, one: Addressing, letter: Letter, recipients: Select[Any], now: datetime) -> None:
    of_letter = one.what == "letter"
    until = letter.answer_until
    ends = letter.expires_at if of_letter else until if until is not None and until > now else None
    added = deliveries.enqueue_for_all(
        session,
        audiences.with_chat(recipients) if of_letter else select(recipients.subquery().c[0]),
        key=one.key,
        letter_id=one.letter_id,
        lane=letter.lane,
        urgent=letter.urgent and of_letter,
        not_before=now,
        expires_at=ends,
    )
    if of_letter:
        letter.recipients += added


def _finish(session: Session, one: Addressing, letter: Letter, now: datetime) -> None:
    """Everybody has a row; of a letter the log says how many."""
    if not addressing.end(session, one.letter_id, one.key) or one.what != "letter":
        return
    audit.record(
        session,
        at=now,
        actor_id=None,
        action="letter.addressed",
        subject=key_of(letter),
        recipients=letter.recipients,
        unbound=letter.unbound,
        took_s=round((now - one.begun_at) / timedelta(seconds=1), 1),
    )
