"""Spreadsheets of departments: the file on its way in, its rows and verdicts, and who may hand in what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    Index,
    LargeBinary,
    UniqueConstraint,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlmodel import Field, Session, SQLModel, col

STATES = ("coming", "unread", "planned", "refused", "same", "confirmed", "cancelled", "expired")
"""coming: its bytes are still at the platform, or not looked at yet; unread: not a table that can be read;
same: nothing in it was new."""

LOCK = 0x48585348  # PostgreSQL's advisory lock of whoever confirms a sheet, until the transaction ends


class Sheet(SQLModel, table=True):
    """One spreadsheet that a department handed in. File and rows are deleted after the confirmation, or a day.

    lines: the rows as they were read. verdicts: the file with a verdict per row, UTF-8 csv. token: names that file
    in its address; nobody can guess it.
    """

    __table_args__ = (
        CheckConstraint(f"state IN {STATES!r}", name="state"),
        Index("ix_sheet_member_id", "member_id", "id"),
        Index("ix_sheet_state", "state", "created_at"),
    )
    id: int | None = Field(default=None, primary_key=True)
    member_id: int = Field(foreign_key="member.id")
    organization_id: int = Field(foreign_key="organization.id")  # the node of the department
    channel: str
    reference: str  # the platform's own, or the web chat's
    name: str  # of the file, as the person sees it
    state: str = "coming"  # one of STATES
    why: str = ""  # unread: which words say why
    content: bytes | None = Field(default=None, sa_type=LargeBinary)
    sha256: str = ""
    lines: list[Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    verdicts: bytes | None = Field(default=None, sa_type=LargeBinary)
    token: str = Field(unique=True)
    gbk: bool = False
    new: int = 0  # rows by verdict
    changed: int = 0
    same: int = 0
    refused: int = 0
    blank: int = 0
    created_at: datetime
    confirmed_at: datetime | None = None


class SheetFile(SQLModel, table=True):
    """A file that a channel holds before anybody has said what it is for; gone when the message is answered."""

    __tablename__ = "sheet_file"
    __table_args__ = (UniqueConstraint("channel", "reference"),)
    id: int | None = Field(default=None, primary_key=True)
    channel: str
    reference: str
    content: bytes = Field(sa_type=LargeBinary)
    created_at: datetime


class SheetForm(SQLModel, table=True):
    """The address of an empty form that a department has asked for: drawn when it is fetched."""

    __tablename__ = "sheet_form"
    token: str = Field(primary_key=True)
    member_id: int = Field(foreign_key="member.id")
    organization_id: int = Field(foreign_key="organization.id")  # the node of the department
    created_at: datetime


class Remit(SQLModel, table=True):
    """One indicator or item that a department may hand in; a department without any may hand in all."""

    member_id: int = Field(foreign_key="member.id", primary_key=True)
    indicator_id: str = Field(primary_key=True)


def keep_file(session: Session, channel: str, reference: str, content: bytes, at: datetime) -> None:
    """Hold a file for the message that brings it; the same reference is one file."""
    known = select(col(SheetFile.id)).where(
        col(SheetFile.channel) == channel, col(SheetFile.reference) == reference
    )
    if session.execute(known).first() is None:
        session.add(SheetFile(channel=channel, reference=reference, content=content, created_at=at))
        session.flush()


def drop_file(session: Session, channel: str, reference: str) -> None:
    """Forget a held file: its message is answered."""
    session.execute(
        delete(SheetFile).where(col(SheetFile.channel) == channel, col(SheetFile.reference) == reference)
    )


def receive(
    session: Session,
    *,
    member_id: int,
    organization_id: int,
    channel: str,
    reference: str,
    name: str,
    token: str,
    at: datetime,
) -> int:
    """A new sheet whose bytes are still to be looked at; its id. What a channel holds already is taken over."""
    held = session.execute(
        select(col(SheetFile.content)).where(
            col(SheetFile.channel) == channel, col(SheetFile.reference) == reference
        )
    ).scalar()
    sheet = Sheet(
        member_id=member_id,
        organization_id=organization_id,
        channel=channel,
        reference=reference,
        name=name,
        content=held,
        token=token,
        created_at=at,
    )
    session.add(sheet)
    session.flush()
    drop_file(session, channel, reference)
    assert sheet.id is not None
    return sheet.id


def get(session: Session, sheet_id: int | None) -> Sheet | None:
    """The sheet as it is now."""
    return session.get(Sheet, sheet_id, populate_existing=True) if sheet_id is not None else None


def coming(session: Session, *, most: int = 5) -> Sequence[tuple[int, str, str, bytes | None]]:
    """(id, channel, reference, bytes if they are here) of sheets to be looked at, the oldest first."""
    statement = (
        select(col(Sheet.id), col(Sheet.channel), col(Sheet.reference), col(Sheet.content))
        .where(col(Sheet.state) == "coming")
        .order_by(col(Sheet.id))
        .limit(most)
    )
    return [(row[0], row[1], row[2], row[3]) for row in session.execute(statement)]


def move(session: Session, sheet_id: int, was: str, **values: Any) -> bool:
    """Change a sheet that is in state `was`; False when it is not any more."""
    done = session.execute(
        update(Sheet).where(col(Sheet.id) == sheet_id, col(Sheet.state) == was).values(**values),
        execution_options={"synchronize_session": False},
    )
    session.expire_all()
    return bool(done.rowcount)  # type: ignore[attr-defined]


def wait_for_others(session: Session) -> None:
    """Let confirmations follow each other: the second one sees what the first has recorded."""
    if session.connection().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(LOCK)))


def cancel_waiting(session: Session, member_id: int) -> None:
    """Give up what waits for a confirmation: the last sheet counts."""
    session.execute(
        update(Sheet)
        .where(col(Sheet.member_id) == member_id, col(Sheet.state) == "planned")
        .values(state="cancelled", lines=None),
        execution_options={"synchronize_session": False},
    )
    session.expire_all()


def waiting_for(session: Session, member_id: int) -> Sheet | None:
    """The member's last sheet that waits for a confirmation."""
    statement = (
        select(Sheet)
        .where(col(Sheet.member_id) == member_id, col(Sheet.state) == "planned")
        .order_by(col(Sheet.id).desc())
        .limit(1)
    )
    return session.execute(statement).scalars().first()


def of_member(session: Session, member_id: int, *, most: int) -> Sequence[Sheet]:
    """The member's own sheets, the newest first."""
    statement = select(Sheet).where(col(Sheet.member_id) == member_id).order_by(col(Sheet.id).desc()).limit(most)
    return session.execute(statement).scalars().all()


def verdicts_of(session: Session, token: str) -> tuple[str, bytes] | None:
    """(name of the sheet, the file with its verdicts) behind an address."""
    row = session.execute(
        select(col(Sheet.name), col(Sheet.verdicts)).where(
            col(Sheet.token) == token, col(Sheet.verdicts).is_not(None)
        )
    ).first()
    return (row[0], row[1]) if row else None


def remit_of(session: Session, member_id: int) -> frozenset[str]:
    """The indicators that the member's department may hand in; empty: all."""
    return frozenset(
        session.execute(select(col(Remit.indicator_id)).where(col(Remit.member_id) == member_id)).scalars()
    )


def set_remit(session: Session, member_id: int, indicator_ids: Sequence[str]) -> None:
    """Let the member's department hand in these and no others; none: all."""
    session.execute(delete(Remit).where(col(Remit.member_id) == member_id))
    session.add_all(Remit(member_id=member_id, indicator_id=one) for one in sorted(set(indicator_ids)))
    session.flush()


def forget(session: Session, files_before: datetime, verdicts_before: datetime) -> int:
    """Let what nobody confirmed expire, with its rows and files; drop old verdicts. How many sheets expired."""
    open_ones = col(Sheet.state).in_(("coming", "planned"))
    expired = session.execute(
        update(Sheet)
        .where(open_ones, col(Sheet.created_at) < files_before)
        .values(state="expired", content=None, lines=None),
        execution_options={"synchronize_session": False},
    )
    session.execute(
        update(Sheet)
        .where(
            col(Sheet.created_at) < files_before,
            or_(col(Sheet.content).is_not(None), col(Sheet.state) == "refused"),
        )
        .values(content=None, lines=None),
        execution_options={"synchronize_session": False},
    )
    session.execute(
        update(Sheet).where(col(Sheet.created_at) < verdicts_before).values(verdicts=None),
        execution_options={"synchronize_session": False},
    )
    session.execute(delete(SheetFile).where(col(SheetFile.created_at) < files_before))
    session.execute(delete(SheetForm).where(col(SheetForm.created_at) < files_before))
    return int(expired.rowcount)  # type: ignore[attr-defined]
