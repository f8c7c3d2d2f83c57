"""Who accompanies whom: sponsors and contacts of members (from the roll), mentors of applicants (from chat)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import delete, select, update
from sqlmodel import Field, Session, SQLModel, col

from db.members import Member
from db.once import add_once

KINDS = ("sponsor", "contact")
"""sponsor: of a probationary member. contact: who keeps in touch with a member who lives elsewhere."""


class Companion(SQLModel, table=True):
    """One member who accompanies another one."""

    member_id: int = Field(foreign_key="member.id", primary_key=True)
    kind: str = Field(primary_key=True)  # one of KINDS
    companion_id: int = Field(foreign_key="member.id", primary_key=True)


class Mentor(SQLModel, table=True):
    """The member who mentors an applicant, who is known to the branch by a label and never by name."""

    organization_id: int = Field(foreign_key="organization.id", primary_key=True)
    label: str = Field(primary_key=True)
    member_id: int = Field(foreign_key="member.id")


def of_members(session: Session, member_ids: Collection[int] | None = None) -> dict[int, dict[str, list[int]]]:
    """Per member and kind who accompanies them, active members only; None: of everybody, active or not."""
    statement = select(col(Companion.member_id), col(Companion.kind), col(Companion.companion_id))
    if member_ids is not None:
        statement = statement.join(Member, col(Member.id) == col(Companion.companion_id)).where(
            col(Companion.member_id).in_(member_ids), col(Member.status) == "active"
        )
    found: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for member_id, kind, companion_id in session.execute(statement.order_by(col(Companion.companion_id))):
        found[member_id][kind].append(companion_id)
    return found


def put(session: Session, member_id: int, kind: str, companion_ids: Collection[int]) -> None:
    """Let exactly these accompany the member."""
    session.execute(delete(Companion).where(col(Companion.member_id) == member_id, col(Companion.kind) == kind))
    whose: dict[str, Any] = {"member_id": member_id, "kind": kind}
    session.add_all(Companion(**whose, companion_id=one) for one in sorted(set(companion_ids)))


def mentors(session: Session, organization_ids: Sequence[int]) -> dict[tuple[int, str], int]:
    """(branch, label) -> the active member who mentors that applicant."""
    statement = (
        select(col(Mentor.organization_id), col(Mentor.label), col(Mentor.member_id))
        .join(Member, col(Member.id) == col(Mentor.member_id))
        .where(col(Mentor.organization_id).in_(organization_ids), col(Member.status) == "active")
    )
    return {(branch, label): member_id for branch, label, member_id in session.execute(statement)}


def name_mentor(session: Session, organization_id: int, label: str, member_id: int) -> None:
    """Let the member mentor that applicant, and nobody else."""
    values = {"organization_id": organization_id, "label": label, "member_id": member_id}
    if not add_once(session, Mentor, values):
        here = update(Mentor).where(col(Mentor.organization_id) == organization_id, col(Mentor.label) == label)
        session.execute(
            here.values(member_id=member_id),
            execution_options={"synchronize_session": "fetch"},
        )
