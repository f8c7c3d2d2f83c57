"""What follows from a try to send: sent, tried again, the next way, or a doubt that is shown."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TypeAlias

from sqlmodel import Session

from db import accounts, addressees, deliveries, sending
from db.sending_batches import Intent, intend_all, sent
from notices import card_way, group_posts
from notices.channel import Message, SendError, Verdict
from notices.decisions import Parcel

log = logging.getLogger(__name__)
Choices: TypeAlias = Callable[[Message], dict[str, str]]
"""From a message to what picks one of its buttons when it is typed: typed text -> action."""

SHORT_OF = timedelta(minutes=1)  # until a row is planned anew whose card was no longer to be had
PAUSES_S = (5, 30, 120, 600, 3600)  # before the tries after a failure; then the next way is taken


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one try ended. retry_after_s: the pause that the platform named; such a try is not counted."""

    verdict: Verdict | str  # "sent" beside the three verdicts of a SendError
    reason: str = ""
    platform_id: str = ""
    retry_after_s: float | None = None
    disables: bool = False
    moved_to: str | None = None

    @classmethod
    def of(cls, error: SendError) -> Outcome:
        """The outcome that a channel's error stands for."""
        return cls(
            error.verdict,
            error.reason,
            retry_after_s=error.retry_after_s,
            disables=error.disables,
            moved_to=error.moved_to,
        )


def by_number(message: Message) -> dict[str, str]:
    """The numbers of the buttons."""
    return {str(number): button.action for number, button in message.numbered()}


def remembered(choices: Choices) -> Choices:
    """The same, worked out once for the same next steps: a letter goes to many."""
    by_buttons = lru_cache(maxsize=64)(lambda buttons: choices(Message("", buttons)))
    return lambda message: by_buttons(message.buttons)


def begin(session: Session, parcels: Sequence[Parcel], now: datetime) -> list[Parcel]:
    """Note that the parcels are about to be sent; those that are still ours, and whose card is to be had."""
    intents = [
        Intent(parcel.row.id, parcel.row.fence, parcel.channel, parcel.address, parcel.cost) for parcel in parcels
    ]
    ours = intend_all(session, intents, now)
    begun = [parcel for parcel, is_ours in zip(parcels, ours, strict=True) if is_ours]
    return [parcel for parcel in begun if _is_to_be_had(session, parcel, now)]


def _is_to_be_had(session: Session, parcel: Parcel, now: datetime) -> bool:
    """Whether what the parcel costs is left; if not, its intent is taken back, and it is planned anew."""
    if card_way.take(session, parcel, now):
        return True
    row = parcel.row
    sending.again(
        session,
        delivery_id=row.id,
        fence=row.fence,
        state="queued",
        outcome="not_sent",
        reason=row.reason,
        not_before=now + SHORT_OF,
        counted=False,
    )
    return False


def record_all(
    session: Session, tries: Sequence[tuple[Parcel, Outcome]], *, now: datetime, choices: Choices = by_number
) -> None:
    """Write the outcomes of many tries. Those of rows that are no longer ours change nothing."""
    arrived = [(parcel, outcome) for parcel, outcome in tries if _plainly_sent(parcel, outcome)]
    keys = [(parcel.row.id, parcel.row.fence, outcome.platform_id) for parcel, outcome in arrived]
    if late := len(keys) - sent(session, keys, now):
        log.warning("%s outcomes came too late to count (sent)", late)
    _offer(session, [parcel for parcel, _ in arrived], choices)
    for parcel, outcome in tries:
        if not _plainly_sent(parcel, outcome):
            record(session, parcel, outcome, now=now, choices=choices)


def _plainly_sent(parcel: Parcel, outcome: Outcome) -> bool:
    return outcome.verdict == "sent" and not parcel.rest


def record(
    session: Session, parcel: Parcel, outcome: Outcome, *, now: datetime, choices: Choices = by_number
) -> bool:
    """Write the outcome of a try; False when the row is no longer ours, and then nothing is changed."""
    if outcome.verdict == "sent":
        ours = _sent(session, parcel, outcome, now, choices)
    elif outcome.verdict == "ambiguous":
        ours = _settle(session, parcel, "ambiguous", f"ambiguous:{outcome.reason}", outcome.reason, now)
    elif outcome.verdict == "retry":
        ours = _again(session, parcel, outcome, now)
    else:
        ours = _next_way(session, parcel, outcome.reason, now)
    if not ours:
        log.warning("delivery %s: an outcome came too late to count (%s)", parcel.row.id, outcome.verdict)
        return False
    if outcome.verdict in ("permanent", "retry"):
        card_way.give_back(session, parcel, outcome.reason, now)
    if outcome.disables:
        accounts.disable(session, parcel.channel, parcel.address, outcome.reason)
    if outcome.moved_to:
        addressees.moved(session, parcel.channel, parcel.address, outcome.moved_to)
        group_posts.move(session, parcel.channel, parcel.address, outcome.moved_to)
    if outcome.verdict == "permanent":
        group_posts.refused(session, parcel.row.content, outcome.reason, gone=outcome.disables, now=now)
    return True


def _sent(session: Session, parcel: Parcel, outcome: Outcome, now: datetime, choices: Choices) -> bool:
    if not _settle(session, parcel, "sent", "sent", "", now, outcome.platform_id):
        return False
    _offer(session, [parcel], choices)
    if parcel.rest:
        enqueue_rest(session, parcel, now)
    return True


def _offer(session: Session, arrived: Sequence[Parcel], choices: Choices) -> None:
    """What is typed in these chats means this message from now on; of two in one chat the later one."""
    by_choices: list[tuple[dict[str, str], dict[tuple[str, str], None]]] = []
    for parcel in arrived:
        if not parcel.message.buttons:
            continue
        offered = choices(parcel.message)
        if not by_choices or by_choices[-1][0] != offered:
            by_choices.append((offered, {}))
        by_choices[-1][1][parcel.channel, parcel.address] = None
    for offered, chats in by_choices:
        accounts.offer(session, list(chats), offered)


def enqueue_rest(session: Session, parcel: Parcel, now: datetime) -> None:
    """Write the row of the next part: it goes where this one went."""
    row = parcel.row
    following, *then = parcel.rest
    content = following.to_json()
    if then:
        content["then"] = [part.to_json() for part in then]
    deliveries.enqueue(
        session,
        key=row.key,
        member_id=row.member_id,
        part=row.part + 1,
        letter_id=row.letter_id,
        content=content,
        lane=row.lane,
        urgent=row.urgent,
        channel=parcel.channel,
        address=parcel.address,
        not_before=now,
        expires_at=None,  # what has begun is finished
    )


def _again(session: Session, parcel: Parcel, outcome: Outcome, now: datetime) -> bool:
    """The same way again after a pause; after the last pause the next way."""
    tries = parcel.row.attempts  # before this one
    counted = outcome.retry_after_s is None
    if counted and tries >= len(PAUSES_S):
        return _next_way(session, parcel, f"gave_up:{outcome.reason}", now)
    pause_s = outcome.retry_after_s if outcome.retry_after_s is not None else PAUSES_S[tries]
    return sending.again(
        session,
        delivery_id=parcel.row.id,
        fence=parcel.row.fence,
        state="retry",
        outcome=f"retry:{outcome.reason}",
        reason=outcome.reason,
        not_before=now + timedelta(seconds=pause_s),
        counted=counted,
    )


def _next_way(session: Session, parcel: Parcel, reason: str, now: datetime) -> bool:
    return sending.again(
        session,
        delivery_id=parcel.row.id,
        fence=parcel.row.fence,
        state="queued",
        outcome=f"permanent:{reason}",
        reason=reason,
        not_before=now,
        counted=True,
    )


def _settle(
    session: Session, parcel: Parcel, state: str, outcome: str, reason: str, now: datetime, platform_id: str = ""
) -> bool:
    return sending.settle(
        session,
        delivery_id=parcel.row.id,
        fence=parcel.row.fence,
        state=state,
        outcome=outcome,
        reason=reason,
        now=now,
        platform_id=platform_id,
    )
