"""Making activities: the draft that a secretary builds up in chat, the code to check in with, ending early."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import String, cast, delete, literal, select, update
from sqlmodel import Session, col

from db.activities import Activity, ActivityDraft

CODE_DIGITS = 6  # short enough to be read out; a code is free again some weeks after its activity
_RETIRED = "old-"


def draft_of(session: Session, member_id: int) -> ActivityDraft | None:
    """What this member is making."""
    return session.get(ActivityDraft, member_id)


def begin(session: Session, *, member_id: int, organization_id: int, kind: str, now: datetime) -> ActivityDraft:
    """A fresh draft; an older one is dropped."""
    drop(session, member_id)
    draft = ActivityDraft(member_id=member_id, organization_id=organization_id, kind=kind, changed_at=now)
    session.add(draft)
    session.flush()
    return draft


def change(session: Session, draft: ActivityDraft, now: datetime, **values: Any) -> None:
    """Fill in what was said."""
    for name, value in {**values, "changed_at": now}.items():
        setattr(draft, name, value)
    session.add(draft)
    session.flush()


def drop(session: Session, member_id: int) -> None:
    """Forget what this member was making."""
    session.execute(
        delete(ActivityDraft).where(col(ActivityDraft.member_id) == member_id),
        execution_options={"synchronize_session": "fetch"},
    )


def free_code(session: Session) -> str:
    """A random check-in code that no activity has."""
    while True:
        code = str(10 ** (CODE_DIGITS - 1) + secrets.randbelow(9 * 10 ** (CODE_DIGITS - 1)))
        if session.execute(select(col(Activity.id)).where(col(Activity.code) == code)).first() is None:
            return code


def add(session: Session, activity: Activity) -> Activity:
    """Store a new activity; its id is set."""
    session.add(activity)
    session.flush()
    return activity


def retire_codes(session: Session, before: datetime) -> int:
    """Take the codes of activities that ended before `before` out of use, so that they never run out; how many."""
    done = session.execute(
        update(Activity)
        .where(col(Activity.ends_at) < before, ~col(Activity.code).startswith(_RETIRED))
        .values(code=literal(_RETIRED) + cast(Activity.id, String)),
        execution_options={"synchronize_session": False},
    )
    return int(done.rowcount)  # type: ignore[attr-defined]


def recent(
    session: Session, organization_id: int, since: datetime, now: datetime, most: int
) -> Sequence[Activity]:
    """Activities of the organisation that began in [since, now], the last one first."""
    statement = (
        select(Activity)
        .where(
            col(Activity.organization_id) == organization_id,
            col(Activity.state) != "cancelled",
            col(Activity.starts_at) >= since,
            col(Activity.starts_at) <= now,
        )
        .order_by(col(Activity.starts_at).desc(), col(Activity.id).desc())
        .limit(most)
    )
    return session.execute(statement).scalars().all()


def end_now(session: Session, activity: Activity, now: datetime) -> None:
    """Let an activity that is going on be over from now on, check-in and all."""
    activity.ends_at = min(activity.ends_at, now)
    activity.check_in_closes_at = min(activity.check_in_closes_at, now)
    session.add(activity)
    session.flush()
