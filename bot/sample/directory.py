"""The sample people: found again in a filled database, with what to try first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlmodel import Session, col

from bot.sample.shop import PICKUP_CODE
from db.audit import AuditEvent
from db.members import Member, Membership
from db.organizations import Organization
from db.pickup_codes import written_code
from notices.wording import wording

FIRST = ("member", "secretary", "mobile", "reviewer", "keeper")
"""The sample people whom every sample city has."""
SHOWN = (*FIRST, "department", "district", "second_district", "inspector")
"""The sample people in the order in which they are shown."""
FILLED = "sample.filled"
"""The audit log's word for a city that is complete."""


@dataclass(frozen=True, slots=True)
class SamplePerson:
    """One of them. Speaks on the web channel at the address `member:<id>`."""

    role: str
    id: int
    name: str
    branch: str

    def title(self, language: str = "zh") -> str:
        """Who that is: "member", "secretary" in the reader's language."""
        return wording(language)(f"sample.{self.role}")

    def first(self, language: str = "zh") -> str:
        """What to try first as this person."""
        return wording(language)(f"sample.{self.role}_first", code=written_code(PICKUP_CODE))


@dataclass(frozen=True, slots=True)
class People:
    """The sample people by role. None: the city was filled before there was anybody in that role."""

    member: SamplePerson
    secretary: SamplePerson
    mobile: SamplePerson
    reviewer: SamplePerson
    keeper: SamplePerson
    department: SamplePerson | None = None
    district: SamplePerson | None = None
    second_district: SamplePerson | None = None
    inspector: SamplePerson | None = None

    def all(self) -> tuple[SamplePerson, ...]:
        """Everybody, in the order in which they are shown."""
        return tuple(found for role in SHOWN if (found := getattr(self, role)) is not None)

    def to_json(self) -> dict[str, Any]:
        """Role -> id, name and branch."""
        return {one.role: {"id": one.id, "name": one.name, "branch": one.branch} for one in self.all()}


def people_in(session: Session) -> People:
    """The sample people. Raises LookupError when the database has no complete sample city."""
    filled = select(col(AuditEvent.id)).where(col(AuditEvent.action) == FILLED)
    if session.execute(filled).first() is None:
        raise LookupError("no sample city in this database")
    statement = (
        select(col(Member.code), col(Member.id), col(Member.name), col(Organization.name))
        .join(Membership, col(Membership.member_id) == col(Member.id))
        .join(Organization, col(Organization.id) == col(Membership.organization_id))
        .where(col(Member.code).in_([f"sample-{role}" for role in SHOWN]), col(Membership.to_day).is_(None))
    )
    found = {}
    for code, member_id, name, branch in session.execute(statement):
        role = code.removeprefix("sample-")
        found[role] = SamplePerson(role, member_id, name, branch)
    if not found.keys() >= set(FIRST):
        raise LookupError("the sample people are not all in this database")
    return People(**found)


def sample_branch(session: Session) -> Organization:
    """The branch of the sample member. Raises LookupError when there is none."""
    found: Organization | None = session.execute(_homes(["sample-member"])).scalars().first()
    if found is None:
        raise LookupError("no sample city in this database")
    return found


def sample_branches(session: Session) -> Sequence[Organization]:
    """The branches of all sample people, each once, in the order of their ids."""
    statement = _homes([f"sample-{role}" for role in SHOWN]).distinct().order_by(col(Organization.id))
    return session.execute(statement).scalars().all()


def _homes(codes: Sequence[str]) -> Select[Any]:
    return (
        select(Organization)
        .join(Membership, col(Membership.organization_id) == col(Organization.id))
        .join(Member, col(Member.id) == col(Membership.member_id))
        .where(col(Member.code).in_(codes), col(Membership.to_day).is_(None))
    )
