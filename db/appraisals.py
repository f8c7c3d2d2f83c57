"""What the voices on a branch have said: an append-only log, and the latest of each in `Appraisal`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy import UniqueConstraint, select
from sqlmodel import Field, Session, SQLModel, col

from db.indices import Appraisal

Voice = Literal["self_score", "members_masses", "superior"]
VOICES: tuple[Voice, ...] = ("self_score", "members_masses", "superior")
"""Stored identifiers: the columns of `Appraisal`."""


class AppraisalRecord(SQLModel, table=True):
    """One line of the log. Lines are never changed or deleted; a correction is a line with another cause.

    To replay what was known at an instant, take per voice the last line recorded by then (`as_known`).
    """

    __tablename__ = "appraisal_record"
    __table_args__ = (UniqueConstraint("organization_id", "year", "voice", "cause"),)
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    year: int
    voice: str  # one of VOICES
    hundredths: int | None = None  # 0..10000; None: taken back, or too few answers
    cause: str  # "poll:17"
    recorded_by: int | None = Field(default=None, foreign_key="member.id")  # None: the service, from a poll
    recorded_at: datetime


def record(
    session: Session,
    *,
    organization_id: int,
    year: int,
    voice: Voice,
    hundredths: int | None,
    cause: str,
    recorded_at: datetime,
    recorded_by: int | None = None,
) -> bool:
    """Add a line and let its figure count; False when this cause has recorded it before."""
    key = {"organization_id": organization_id, "year": year, "voice": voice, "cause": cause}
    if session.execute(select(col(AppraisalRecord.id)).filter_by(**key)).first() is not None:
        return False
    session.add(
        AppraisalRecord(
            organization_id=organization_id,
            year=year,
            voice=voice,
            hundredths=hundredths,
            cause=cause,
            recorded_by=recorded_by,
            recorded_at=recorded_at,
        )
    )
    latest = session.get(Appraisal, (organization_id, year))
    if latest is None:
        latest = Appraisal(organization_id=organization_id, year=year)
        session.add(latest)
    setattr(latest, voice, hundredths)
    session.flush()
    return True


def of_year(session: Session, organization_id: int, year: int) -> Appraisal | None:
    """The three voices that count; None when none was ever recorded."""
    return session.get(Appraisal, (organization_id, year))


def as_known(session: Session, year: int, at: datetime) -> dict[int, dict[str, int | None]]:
    """Per branch the voices of `year` as they were known at the instant `at`: voice -> hundredths."""
    statement = (
        select(AppraisalRecord)
        .where(col(AppraisalRecord.year) == year, col(AppraisalRecord.recorded_at) <= at)
        .order_by(col(AppraisalRecord.id))
    )
    found: dict[int, dict[str, int | None]] = {}
    for line in session.execute(statement).scalars():
        found.setdefault(line.organization_id, {})[line.voice] = line.hundredths
    return found


def history(session: Session, organization_id: int, year: int) -> Sequence[AppraisalRecord]:
    """Every line about this branch and year, the oldest first."""
    statement = (
        select(AppraisalRecord)
        .where(col(AppraisalRecord.organization_id) == organization_id, col(AppraisalRecord.year) == year)
        .order_by(col(AppraisalRecord.id))
    )
    return session.execute(statement).scalars().all()
