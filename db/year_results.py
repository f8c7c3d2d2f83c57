"""Results of closed years: read by people, written in parts by the close, corrected by two people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, insert, or_, select, update
from sqlmodel import Session, col

from db.indices import FortressIndex, PioneerIndex
from db.members import Member, Membership
from db.organizations import Organization
from db.polls import insert_into
from db.year_close import YearCommittee, YearCorrection, YearResult


def add(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Write result lines."""
    if rows:
        session.execute(insert(YearResult), rows)


def latest(
    session: Session, *, organization_id: int | None = None, member_id: int | None = None
) -> Sequence[YearResult]:
    """The line that counts of every closed year of a branch or a member, the last year first."""
    statement = select(YearResult).order_by(col(YearResult.year).desc(), col(YearResult.version).desc())
    if organization_id is not None:
        statement = statement.where(col(YearResult.organization_id) == organization_id)
    else:
        statement = statement.where(col(YearResult.member_id) == member_id)
    found: dict[int, YearResult] = {}
    for line in session.execute(statement).scalars():
        found.setdefault(line.year, line)
    return list(found.values())


def of_year(
    session: Session, year: int, *, organization_id: int | None = None, member_id: int | None = None
) -> YearResult | None:
    """The line that counts of one year; None before the close."""
    listed = latest(session, organization_id=organization_id, member_id=member_id)
    return next((line for line in listed if line.year == year), None)


def by_id(session: Session, result_id: int | None) -> YearResult | None:
    """The line with this id."""
    return session.get(YearResult, result_id) if result_id is not None else None


def branch_figures(session: Session, year: int, after: int, most: int) -> Sequence[tuple[FortressIndex, str]]:
    """The next branches' indices of the year with their names."""
    statement = (
        select(FortressIndex, col(Organization.name))
        .join(Organization, col(Organization.id) == col(FortressIndex.organization_id))
        .where(col(FortressIndex.year) == year, col(FortressIndex.organization_id) > after)
        .order_by(col(FortressIndex.organization_id))
        .limit(most)
    )
    return [(row[0], row[1]) for row in session.execute(statement)]


def member_figures(session: Session, year: int, after: int, most: int) -> Sequence[tuple[PioneerIndex, str]]:
    """The next members' indices of the year with their status."""
    statement = (
        select(PioneerIndex, col(Member.status))
        .join(Member, col(Member.id) == col(PioneerIndex.member_id))
        .where(col(PioneerIndex.year) == year, col(PioneerIndex.member_id) > after)
        .order_by(col(PioneerIndex.member_id))
        .limit(most)
    )
    return [(row[0], row[1]) for row in session.execute(statement)]


def under(session: Session, year: int, path: str) -> Sequence[tuple[FortressIndex, Organization]]:
    """The stored indices of the year of the branches under `path`, by name."""
    statement = (
        select(FortressIndex, Organization)
        .join(Organization, col(Organization.id) == col(FortressIndex.organization_id))
        .where(col(FortressIndex.year) == year, col(Organization.path).startswith(path, autoescape=True))
        .order_by(col(Organization.name), col(Organization.id))
    )
    return [(row[0], row[1]) for row in session.execute(statement)]


def counts(session: Session, year: int) -> Sequence[tuple[str, int, bool, int]]:
    """(field, stars, vetoed, how many branches) of the stored indices of the year."""
    statement = (
        select(col(FortressIndex.field), col(FortressIndex.stars), col(FortressIndex.veto), func.count())
        .where(col(FortressIndex.year) == year)
        .group_by(col(FortressIndex.field), col(FortressIndex.stars), col(FortressIndex.veto))
        .order_by(col(FortressIndex.field), col(FortressIndex.stars).desc())
    )
    return [(row[0], row[1], row[2], row[3]) for row in session.execute(statement)]


def figures_on(session: Session, year: int) -> date | None:
    """The day since which the figures of the year stand that are oldest; None without any."""
    return session.execute(
        select(func.min(col(FortressIndex.as_of))).where(col(FortressIndex.year) == year)
    ).scalar()


def branches_to_tell(session: Session, part: YearCommittee, path: str, most: int) -> Sequence[Organization]:
    """The next branches of a confirmed committee whose members are to be told."""
    statement = (
        select(Organization)
        .where(
            col(Organization.path).startswith(path, autoescape=True),
            col(Organization.field).is_not(None),
            col(Organization.id) > part.told_after,
        )
        .order_by(col(Organization.id))
        .limit(most)
    )
    return session.execute(statement).scalars().all()


def to_tell(session: Session) -> YearCommittee | None:
    """A confirmed committee whose branches are not all told yet."""
    statement = (
        select(YearCommittee)
        .where(col(YearCommittee.state) == "confirmed", col(YearCommittee.told).is_(False))
        .order_by(col(YearCommittee.year), col(YearCommittee.organization_id))
        .limit(1)
    )
    return session.execute(statement).scalars().first()


def advance_telling(session: Session, part: YearCommittee, after: int, *, done: bool) -> bool:
    """Move the telling on; False when another process has just moved it."""
    changed = session.execute(
        update(YearCommittee)
        .where(
            col(YearCommittee.year) == part.year,
            col(YearCommittee.organization_id) == part.organization_id,
            col(YearCommittee.told_after) == part.told_after,
            col(YearCommittee.told).is_(False),
        )
        .values(told_after=after, told=done),
        execution_options={"synchronize_session": False},
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def branches_of(session: Session, member_ids: Sequence[int], day: date) -> dict[int, int]:
    """The branch of each of these members on `day`; who had none is missing."""
    statement = select(col(Membership.member_id), col(Membership.organization_id)).where(
        col(Membership.member_id).in_(member_ids),
        col(Membership.from_day) <= day,
        or_(col(Membership.to_day).is_(None), col(Membership.to_day) > day),
    )
    return {row[0]: row[1] for row in session.execute(statement)}


def propose(session: Session, *, result_id: int, stars: int, reason: str, by: int, now: datetime) -> int | None:
    """Propose a correction of a line; its id. None when this line has one already."""
    row = insert_into(session, YearCorrection).values(
        result_id=result_id, stars=stars, reason=reason, state="proposed", proposed_by=by, proposed_at=now
    )
    made = row.on_conflict_do_nothing(index_elements=["result_id"]).returning(col(YearCorrection.id))
    found = session.execute(made).scalar()
    return int(found) if found is not None else None


def correction(session: Session, correction_id: int | None) -> YearCorrection | None:
    """The correction with this id."""
    return session.get(YearCorrection, correction_id) if correction_id is not None else None


def corrections(session: Session, most: int) -> Sequence[YearCorrection]:
    """Corrections that wait for their second person, the oldest first."""
    statement = select(YearCorrection).where(col(YearCorrection.state) == "proposed")
    return session.execute(statement.order_by(col(YearCorrection.id)).limit(most)).scalars().all()


def decide(session: Session, correction_id: int, state: str, by: int, now: datetime) -> bool:
    """Confirm or reject what somebody else proposed; False when it is decided, or one's own."""
    changed = session.execute(
        update(YearCorrection)
        .where(
            col(YearCorrection.id) == correction_id,
            col(YearCorrection.state) == "proposed",
            col(YearCorrection.proposed_by) != by,
        )
        .values(state=state, decided_by=by, decided_at=now),
        execution_options={"synchronize_session": False},
    )
    session.expire_all()
    return bool(changed.rowcount)  # type: ignore[attr-defined]
