"""Letters kept to begin from: a writer's own, and those that a node shares with everybody below it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Index, UniqueConstraint, delete, or_, select
from sqlmodel import Field, Session, SQLModel, col


class LetterTemplate(SQLModel, table=True):
    """One template, as it was typed. A writer has one of each name: another under it replaces the first."""

    __tablename__ = "letter_template"
    __table_args__ = (
        UniqueConstraint("author_id", "name"),
        Index("ix_letter_template_organization_id", "organization_id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    author_id: int = Field(foreign_key="member.id")
    organization_id: int = Field(foreign_key="organization.id")  # the node that shares it, if it is shared
    shared: bool = False  # everybody who writes for a node below may begin from it
    name: str
    title: str
    body: str
    ask: str  # as in db.letters.Letter
    picture_id: int | None = Field(default=None, foreign_key="picture.id")
    changed_at: datetime


def keep(session: Session, template: LetterTemplate) -> bool:
    """Store it; True when it replaced an older one of the same name."""
    older = session.execute(
        select(LetterTemplate).where(
            col(LetterTemplate.author_id) == template.author_id, col(LetterTemplate.name) == template.name
        )
    ).scalar_one_or_none()
    if older is not None:
        session.delete(older)
        session.flush()
    session.add(template)
    session.flush()
    return older is not None


def seen_by(session: Session, author_id: int, paths: Collection[str]) -> Sequence[LetterTemplate]:
    """What this writer may begin from: the own ones by name, then the shared ones of every node above `paths`.

    paths: of the nodes in whose name the member writes.
    """
    above = {int(part) for path in paths for part in path.strip("/").split("/")}
    statement = (
        select(LetterTemplate)
        .where(
            or_(
                col(LetterTemplate.author_id) == author_id,
                col(LetterTemplate.shared).is_(True) & col(LetterTemplate.organization_id).in_(above),
            )
        )
        .order_by(col(LetterTemplate.author_id) != author_id, col(LetterTemplate.name), col(LetterTemplate.id))
    )
    return session.execute(statement).scalars().all()


def drop(session: Session, template_id: int, author_id: int) -> bool:
    """Forget an own template; False when there is none, or it is somebody else's."""
    gone = session.execute(
        delete(LetterTemplate)
        .where(col(LetterTemplate.id) == template_id, col(LetterTemplate.author_id) == author_id)
        .execution_options(synchronize_session=False)
    )
    return bool(gone.rowcount)  # type: ignore[attr-defined]
