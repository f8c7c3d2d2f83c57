"""Pictures that people sent: first only the platform's reference, then the bytes once they are fetched."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, LargeBinary, UniqueConstraint, select
from sqlmodel import Field, Session, SQLModel, col


class Picture(SQLModel, table=True):
    """One picture. `content` is None until it was fetched from the platform, after the commit."""

    __table_args__ = (UniqueConstraint("channel", "reference"), Index("ix_picture_member_id", "member_id"))
    id: int | None = Field(default=None, primary_key=True)
    channel: str
    reference: str  # the platform's own
    member_id: int | None = Field(default=None, foreign_key="member.id")
    media_type: str | None = None
    content: bytes | None = Field(default=None, sa_type=LargeBinary)
    sha256: str | None = None
    failed: str | None = None  # why it could not be fetched
    created_at: datetime


def receive(session: Session, channel: str, reference: str, member_id: int | None, at: datetime) -> int:
    """The id of the row for a picture that has just come; the same reference is one row."""
    known = session.execute(
        select(col(Picture.id)).where(Picture.channel == channel, Picture.reference == reference)
    ).scalar()
    if known is not None:
        return int(known)
    picture = Picture(channel=channel, reference=reference, member_id=member_id, created_at=at)
    session.add(picture)
    session.flush()
    assert picture.id is not None
    return picture.id
