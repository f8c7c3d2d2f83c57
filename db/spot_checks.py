"""The district's second look: one draw per month, from a seed that is fixed before anything of it is approved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col

from db.declarations import Declaration, changed
from db.organizations import Organization

TO_CHECK = ("drawn", "late")
CHUNK = 500  # ids of one statement


class SpotCheck(SQLModel, table=True):
    """The draw among what was approved for the periods that end with one month."""

    __tablename__ = "spot_check"
    month: str = Field(primary_key=True)
    commitment: str  # SHA-256 of the seed: told before the draw
    seed: str  # told with the draw, not earlier
    committed_at: datetime
    drawn_at: datetime | None = None
    candidates: int = 0
    drawn: int = 0


def commit(session: Session, month: str, seed: str, commitment: str, now: datetime) -> bool:
    """Fix the month's seed; False when it is fixed already: then it stays as it is."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    values = {"month": month, "seed": seed, "commitment": commitment, "committed_at": now}
    done = session.execute(
        insert(SpotCheck)
        .values(**values, candidates=0, drawn=0)
        .on_conflict_do_nothing(index_elements=["month"])
        .returning(col(SpotCheck.month))
    )
    return done.scalar() is not None


def of_month(session: Session, month: str) -> SpotCheck | None:
    """The draw of a month; None before its seed is fixed."""
    statement = select(SpotCheck).where(col(SpotCheck.month) == month)
    return session.execute(statement.execution_options(populate_existing=True)).scalar_one_or_none()


def hold_drawn(session: Session, month: str) -> bool:
    """Whether the month is drawn. A draw that begins now waits for this transaction, so nothing slips past it."""
    held = select(col(SpotCheck.drawn_at)).where(col(SpotCheck.month) == month).with_for_update(read=True)
    return session.execute(held).scalar() is not None


def begin_draw(session: Session, month: str, now: datetime) -> Sequence[int] | None:
    """The candidates: what is approved for the month now, in no special order. None when it is drawn already.

    Nothing can be approved for the month unmarked from here on.
    """
    first = update(SpotCheck).where(col(SpotCheck.month) == month, col(SpotCheck.drawn_at).is_(None))
    if not changed(session, first.values(drawn_at=now)):
        return None
    approved = (col(Declaration.closing) == month, col(Declaration.state) == "approved")
    session.execute(
        update(Declaration).where(*approved).values(candidate=True),
        execution_options={"synchronize_session": False},
    )
    return candidates(session, month)


def end_draw(session: Session, month: str, drawn: Sequence[int], count: int) -> None:
    """Note the lot: `drawn` of `count` candidates."""
    for start in range(0, len(drawn), CHUNK):
        part = drawn[start : start + CHUNK]
        session.execute(
            update(Declaration).where(col(Declaration.id).in_(part)).values(recheck="drawn", drawn=True),
            execution_options={"synchronize_session": False},
        )
    values = {"candidates": count, "drawn": len(drawn)}
    session.execute(
        update(SpotCheck).where(col(SpotCheck.month) == month).values(**values),
        execution_options={"synchronize_session": "fetch"},
    )


def candidates(session: Session, month: str) -> Sequence[int]:
    """Ids that stood in the draw of the month, in their order."""
    statement = select(col(Declaration.id)).where(
        col(Declaration.closing) == month, col(Declaration.candidate).is_(True)
    )
    return session.execute(statement.order_by(col(Declaration.id))).scalars().all()


def drawn_under(session: Session, month: str, paths: Sequence[str], *, most: int | None = None) -> Sequence[int]:
    """Ids that were drawn for the month and lie under `paths`, in their order; None: all of them."""
    if not paths:
        return ()
    statement = (
        select(col(Declaration.id))
        .join(Organization, col(Organization.id) == col(Declaration.organization_id))
        .where(
            col(Declaration.closing) == month,
            col(Declaration.drawn).is_(True),
            or_(*(col(Organization.path).startswith(path, autoescape=True) for path in paths)),
        )
        .order_by(col(Declaration.id))
        .limit(most)
    )
    return session.execute(statement).scalars().all()


def to_check(session: Session, path: str, *, skip: int = 0, most: int = 6) -> Sequence[Declaration]:
    """Drawn and late declarations under `path` that nobody has looked at a second time, the oldest month first."""
    statement = (
        select(Declaration)
        .join(Organization, col(Organization.id) == col(Declaration.organization_id))
        .where(
            col(Declaration.recheck).in_(TO_CHECK),
            col(Organization.path).startswith(path, autoescape=True),
        )
        .order_by(col(Declaration.closing), col(Declaration.id))
        .offset(skip)
        .limit(most)
        .execution_options(populate_existing=True)
    )
    return session.execute(statement).scalars().all()


def settle(
    session: Session, declaration_id: int, member_id: int, now: datetime, *, passed: bool, reason: str = ""
) -> bool:
    """End a second look; False when it has ended, was never due, or the member declared or approved it."""
    done = update(Declaration).where(
        col(Declaration.id) == declaration_id,
        col(Declaration.recheck).in_(TO_CHECK),
        col(Declaration.declared_by) != member_id,
        col(Declaration.decided_by) != member_id,
    )
    values = {"recheck": "passed" if passed else "failed", "state": "approved" if passed else "failed"}
    values |= {"recheck_reason": reason}
    return changed(session, done.values(**values, rechecked_by=member_id, rechecked_at=now))
