"""Remote seats: who joined an activity from afar, and whether they were still there when asked."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Update, case, func, select, update
from sqlmodel import Session, col

from db.activities import Activity, PresencePrompt, RemoteSeat

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # nothing that is misread or misheard
TOKEN_LENGTH = 10  # 50 bits, and a token opens its own member's seat only


def seat_for(session: Session, activity_id: int, member_id: int, now: datetime) -> RemoteSeat:
    """The member's own way into the activity; it is made when there is none yet."""
    statement = select(RemoteSeat).where(
        col(RemoteSeat.activity_id) == activity_id, col(RemoteSeat.member_id) == member_id
    )
    found = session.execute(statement).scalar_one_or_none()
    if found is None:
        token = "".join(secrets.choice(_ALPHABET) for _ in range(TOKEN_LENGTH))
        found = RemoteSeat(activity_id=activity_id, member_id=member_id, token=token, created_at=now)
        session.add(found)
        session.flush()
    return found


def by_token(session: Session, token: str) -> RemoteSeat | None:
    """The seat of this personal link."""
    return session.execute(select(RemoteSeat).where(col(RemoteSeat.token) == token)).scalar_one_or_none()


def join(
    session: Session, seat_id: int, moments: Iterable[datetime], now: datetime, *, answer_for: timedelta
) -> bool:
    """Note that the member has joined, with the moments at which presence is asked. False for a second joining."""
    joined = session.execute(
        update(RemoteSeat)
        .where(col(RemoteSeat.id) == seat_id, col(RemoteSeat.joined_at).is_(None))
        .values(joined_at=now),
        execution_options={"synchronize_session": "fetch"},
    )
    if not joined.rowcount:  # type: ignore[attr-defined]
        return False
    for number, ask_at in enumerate(moments, 1):
        session.add(
            PresencePrompt(seat_id=seat_id, number=number, ask_at=ask_at, answer_until=ask_at + answer_for)
        )
    session.flush()
    return True


def due_prompts(session: Session, now: datetime, most: int) -> Sequence[tuple[PresencePrompt, int, Activity]]:
    """Prompts to be asked now, each with its member and its activity, which is still going on."""
    statement = (
        select(PresencePrompt, col(RemoteSeat.member_id), Activity)
        .join(RemoteSeat, col(RemoteSeat.id) == col(PresencePrompt.seat_id))
        .join(Activity, col(Activity.id) == col(RemoteSeat.activity_id))
        .where(
            col(PresencePrompt.asked_at).is_(None),
            col(PresencePrompt.ask_at) <= now,
            col(Activity.ends_at) > now,
            col(Activity.state) == "planned",
        )
        .order_by(col(PresencePrompt.ask_at), col(PresencePrompt.id))
        .limit(most)
    )
    return [(row[0], row[1], row[2]) for row in session.execute(statement)]


def ask(session: Session, prompt_id: int, now: datetime, until: datetime) -> bool:
    """Note that a prompt goes out now; False when another process has just asked it."""
    return _changed(
        session,
        update(PresencePrompt)
        .where(col(PresencePrompt.id) == prompt_id, col(PresencePrompt.asked_at).is_(None))
        .values(asked_at=now, answer_until=until),
    )


def answer(session: Session, prompt_id: int, now: datetime) -> bool:
    """Note the answer; False when it was not asked, is answered already or comes too late."""
    return _changed(
        session,
        update(PresencePrompt)
        .where(
            col(PresencePrompt.id) == prompt_id,
            col(PresencePrompt.asked_at).is_not(None),
            col(PresencePrompt.answered_at).is_(None),
            col(PresencePrompt.answer_until) >= now,
        )
        .values(answered_at=now),
    )


def _changed(session: Session, statement: Update) -> bool:
    done = session.execute(statement, execution_options={"synchronize_session": "fetch"})
    return bool(done.rowcount)  # type: ignore[attr-defined]


def last_asked(session: Session, member_id: int) -> PresencePrompt | None:
    """The prompt that the member was asked last, of activities that are going on; None when there is none."""
    statement = (
        select(PresencePrompt)
        .join(RemoteSeat, col(RemoteSeat.id) == col(PresencePrompt.seat_id))
        .join(Activity, col(Activity.id) == col(RemoteSeat.activity_id))
        .where(
            col(RemoteSeat.member_id) == member_id,
            col(PresencePrompt.asked_at).is_not(None),
            col(Activity.state) == "planned",
        )
        .order_by(col(PresencePrompt.asked_at).desc(), col(PresencePrompt.id).desc())
        .limit(1)
    )
    return session.execute(statement).scalars().first()


def prompt_of(session: Session, prompt_id: int, member_id: int) -> PresencePrompt | None:
    """A prompt of this member's own seat."""
    statement = (
        select(PresencePrompt)
        .join(RemoteSeat, col(RemoteSeat.id) == col(PresencePrompt.seat_id))
        .where(col(PresencePrompt.id) == prompt_id, col(RemoteSeat.member_id) == member_id)
    )
    return session.execute(statement).scalar_one_or_none()


class Seat(NamedTuple):
    """One member who joined: how often presence was asked, answered, and missed for good."""

    id: int
    member_id: int
    joined_at: datetime
    asked: int
    answered: int
    missed: int


def joined(session: Session, activity_id: int, now: datetime) -> Sequence[Seat]:
    """Everybody who joined from afar, in the order of joining."""
    missed = col(PresencePrompt.answered_at).is_(None) & (col(PresencePrompt.answer_until) < now)
    asked = col(PresencePrompt.asked_at).is_not(None)
    statement = (
        select(
            col(RemoteSeat.id),
            col(RemoteSeat.member_id),
            col(RemoteSeat.joined_at),
            func.count(col(PresencePrompt.asked_at)),
            func.count(col(PresencePrompt.answered_at)),
            func.coalesce(func.sum(case((asked & missed, 1), else_=0)), 0),
        )
        .outerjoin(PresencePrompt, col(PresencePrompt.seat_id) == col(RemoteSeat.id))
        .where(col(RemoteSeat.activity_id) == activity_id, col(RemoteSeat.joined_at).is_not(None))
        .group_by(col(RemoteSeat.id), col(RemoteSeat.member_id), col(RemoteSeat.joined_at))
        .order_by(col(RemoteSeat.joined_at), col(RemoteSeat.id))
    )
    return [
        Seat(seat_id, member_id, joined_at, int(asked_count), int(answered), int(missed_count))
        for seat_id, member_id, joined_at, asked_count, answered, missed_count in session.execute(statement)
    ]


def waiting(session: Session, activity_id: int, now: datetime) -> int:
    """How many questions of the activity can still be answered."""
    statement = (
        select(func.count())
        .select_from(PresencePrompt)
        .join(RemoteSeat, col(RemoteSeat.id) == col(PresencePrompt.seat_id))
        .where(
            col(RemoteSeat.activity_id) == activity_id,
            col(PresencePrompt.asked_at).is_not(None),
            col(PresencePrompt.answered_at).is_(None),
            col(PresencePrompt.answer_until) >= now,
        )
    )
    return int(session.execute(statement).scalar_one())
