"""Pictures that people sent: first only the platform's reference, then the bytes once they are fetched."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, LargeBinary, UniqueConstraint, select, update
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
        select(col(Picture.id)).where(col(Picture.channel) == channel, col(Picture.reference) == reference)
    ).scalar()
    if known is not None:
        return int(known)
    picture = Picture(channel=channel, reference=reference, member_id=member_id, created_at=at)
    session.add(picture)
    session.flush()
    assert picture.id is not None
    return picture.id


def sender(session: Session, picture_id: int) -> int | None:
    """The member who sent the picture; None for a stranger's, or when there is none."""
    return session.execute(select(col(Picture.member_id)).where(col(Picture.id) == picture_id)).scalar()


def open_ones(session: Session, *, most: int = 20) -> list[tuple[int, str, str]]:
    """(id, channel, reference) of pictures whose bytes are still to be fetched, the oldest first."""
    statement = (
        select(col(Picture.id), col(Picture.channel), col(Picture.reference))
        .where(col(Picture.content).is_(None), col(Picture.failed).is_(None))
        .order_by(col(Picture.id))
        .limit(most)
    )
    return [(row[0], row[1], row[2]) for row in session.execute(statement)]


def keep(session: Session, picture_id: int, media_type: str, content: bytes, sha256: str) -> None:
    """Store the bytes of a picture."""
    values = {"media_type": media_type, "content": content, "sha256": sha256}
    session.execute(update(Picture).where(col(Picture.id) == picture_id).values(**values))


def give_up(session: Session, picture_id: int, why: str) -> None:
    """Note why a picture could not be fetched; it is not tried again."""
    session.execute(update(Picture).where(col(Picture.id) == picture_id).values(failed=why))


def stored(session: Session, picture_id: int) -> tuple[str, bytes] | None:
    """(media type, bytes) of a picture, or None when there are none (yet)."""
    row = session.execute(
        select(col(Picture.media_type), col(Picture.content)).where(col(Picture.id) == picture_id)
    ).first()
    return (row[0], row[1]) if row and row[1] is not None else None


READY, WAITING = "ready", "waiting"


def state(session: Session, picture_id: int) -> str:
    """READY with its bytes, WAITING while they are fetched, else why they could not be; of none: `not_found`."""
    statement = select(col(Picture.content).is_not(None), col(Picture.failed)).where(col(Picture.id) == picture_id)
    row = session.execute(statement).first()
    if row is None:
        return "not_found"
    return READY if row[0] else row[1] or WAITING
