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

from sqlalchemy import Select
from sqlmodel import Session, col

from db import (
    addressing,
    addressing_parts,
    audiences,
    audit,
    deliveries,
    letter_again,
    letter_counts,
    letter_deadlines,
    receipts,
)
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
    if letter.state == "stopped" and one.what == "letter":
        addressing.stop(session, one.letter_id)
    elif not _goes_on(one, letter, now):
        addressing.end(session, one.key)
    elif one.what == "letter":
        _write_letter(session, one, letter, now, zone)
    elif one.what == "count":
        _count(session, one, letter, now)
    elif one.what == "again":
        _write_again(session, one, letter, now)
    else:
        _write_reminder(session, one, letter, now)
    return True


def _goes_on(one: Addressing, letter: Letter, now: datetime) -> bool:
    if one.what == "deadline" and (letter.answer_until is None or letter.answer_until <= now):
        return False
    return letter.state in ("sending", "done") or one.what == "count"


def _write_letter(session: Session, one: Addressing, letter: Letter, now: datetime, zone: ZoneInfo) -> None:
    """Rows for the next members of the city who are in the audience. In their order they cost least.

    A correction goes by the branches of the letter that it corrects.
    """
    whom, ids = audience(letter.audience), None
    if whom.got is None:
        last = addressing_parts.members_until(session, one.place)
        day, ids = (letter.sent_at or now).astimezone(zone).date(), (one.place + 1, last or 0)
        recipients = audiences.members_in(session, whom, day, ids)
    else:
        units = addressing_parts.units_of_letter(session, whom.got, one.place)
        last = units[-1] if units else None
        recipients = audiences.within(audiences.members_in(session, whom, now.date()), whom, units)
    if last is None:
        addressing.advance(session, one, 0, "count")
    elif addressing.advance(session, one, last):
        added = _enqueue(session, one, letter, audiences.with_chat(recipients, ids), now, letter.expires_at)
        without = audiences.by_branch(audiences.without_chat(recipients, ids))
        letter.recipients += added
        letter.unbound += addressing_parts.note_people(session, one.letter_id, without)
        session.add(letter)
        session.flush()


def _count(session: Session, one: Addressing, letter: Letter, now: datetime) -> None:
    """What the report says of the next branches; after the last one the letter has all its rows."""
    last = addressing_parts.count_part(session, one.letter_id, one.place, now, now + WHILE_SENDING)
    if last is None:
        _finish(session, one, letter, now)
    else:
        addressing.advance(session, one, last)


def _write_reminder(session: Session, one: Addressing, letter: Letter, now: datetime) -> None:
    """Rows for those in the next branches who have not answered, or not read it."""
    units = addressing_parts.units_of_letter(session, one.letter_id, one.place)
    if not units:
        addressing.end(session, one.key)
    elif addressing.advance(session, one, units[-1]):
        asked = letter_deadlines.to_remind(one.letter_id)
        if one.what == "chase":
            asked = receipts.unread(session, one.letter_id).order_by(None)
        until = letter.answer_until if letter.answer_until and letter.answer_until > now else None
        _enqueue(session, one, letter, asked.where(col(Delivery.counts_for).in_(units)), now, until)


def _write_again(session: Session, one: Addressing, letter: Letter, now: datetime) -> None:
    """New rows for those in the next branches whom the letter certainly did not reach."""
    units = addressing_parts.units_of_letter(session, one.letter_id, one.place)
    if not units:
        addressing.end(session, one.key)
        letter_counts.count_soon(session, one.letter_id, now)
    elif addressing.advance(session, one, units[-1]):
        letter_again.send(session, letter, key=one.key, now=now, branches=units)


def _enqueue(
    session: Session,
    one: Addressing,
    letter: Letter,
    recipients: Select[Any],
    now: datetime,
    expires_at: datetime | None,
) -> int:
    return deliveries.enqueue_for_all(
        session,
        recipients,
        key=one.key,
        letter_id=one.letter_id,
        lane=letter.lane,
        urgent=letter.urgent and one.what == "letter",
        not_before=now,
        expires_at=expires_at,
    )


def _finish(session: Session, one: Addressing, letter: Letter, now: datetime) -> None:
    """Everybody has a row; the log says how many."""
    if not addressing.end(session, one.key):
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
