"""Who may do what with a Red Letter on a day: send it, approve it, watch it, stop it. Roles decide, each time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import or_, select, update
from sqlmodel import Session, col

from db.failpoints import reach
from db.letters import APPROVAL_FOR, APPROVING_ROLES, SENDING_ROLES, Letter, fingerprint
from db.members import Member, Role
from db.organizations import Organization

WATCHING_ROLES = SENDING_ROLES | APPROVING_ROLES


def author_may(session: Session, letter: Letter, day: date) -> bool:
    """Whether the author still holds a role from which this letter may go out; always for the service's own.

    The audience must still lie below the node in whose name it goes: a node can be moved in the tree.
    """
    if letter.author_id is None:
        return True
    here = session.get(Organization, letter.organization_id)
    target = session.get(Organization, int(letter.audience["node"]))
    if here is None or target is None or not target.path.startswith(here.path):
        return False
    return _holds(session, letter.author_id, here, SENDING_ROLES, day)


def approver_may(session: Session, letter: Letter, day: date) -> bool:
    """Whether whoever approved it could still do so; always for a letter that nobody had to approve."""
    target = session.get(Organization, int(letter.audience["node"]))
    if letter.approved_by is None:
        return True
    return target is not None and _holds(session, letter.approved_by, target, APPROVING_ROLES, day)


def approvers(session: Session, letter: Letter, day: date) -> Sequence[Member]:
    """People other than the author whose own subtree holds the whole audience."""
    target = session.get(Organization, int(letter.audience["node"]))
    statement = (
        select(Member)
        .join(Role, col(Role.member_id) == col(Member.id))
        .where(*_in_force(target, APPROVING_ROLES, day), col(Member.id) != letter.author_id)
        .order_by(col(Member.id))
    )
    return session.execute(statement).scalars().unique().all()


def may_watch(session: Session, letter: Letter, member_id: int, day: date) -> bool:
    """Whether the member may see how the letter does: its author and those above, while they hold a role."""
    here = session.get(Organization, letter.organization_id)
    return here is not None and _holds(session, member_id, here, WATCHING_ROLES, day)


def may_send_for(session: Session, letter: Letter, member_id: int, day: date) -> bool:
    """Whether the member may write in the name of the letter's node: at that node or above it."""
    here = session.get(Organization, letter.organization_id)
    return here is not None and _holds(session, member_id, here, SENDING_ROLES, day)


def in_own_branch(session: Session, letter: Letter, member_id: int | None, day: date) -> bool:
    """Whether the letter goes to a branch or Party group in which the member holds a role to send letters.

    Somebody above who writes to one branch is not in their own.
    """
    here = session.get(Organization, letter.organization_id)
    if here is None or here.level not in ("branch", "party_group"):
        return False
    statement = select(col(Role.id)).where(
        col(Role.member_id) == member_id,
        col(Role.organization_id) == here.id,
        *_in_force(here, SENDING_ROLES, day),
    )
    return session.execute(statement.join(Member, col(Member.id) == col(Role.member_id))).first() is not None


def may_name(session: Session, letter: Letter, member_id: int, day: date) -> bool:
    """Whether the member may see recipients by name: with a role at the letter's own branch or party group.

    From above people are figures; the names are with the secretaries of their branches.
    """
    return in_own_branch(session, letter, member_id, day)


def approve(session: Session, letter: Letter, *, by: int, content_hash: str, at: datetime) -> bool:
    """Approve exactly this content, once, within APPROVAL_FOR, never by its author; False otherwise.

    content_hash: what was shown to the approver. The words that stand in the row must still have that hash.
    """
    session.refresh(letter)
    if fingerprint(letter) != content_hash:
        return False
    reach("approve.after_check")
    changed = session.execute(
        update(Letter)
        .where(
            col(Letter.id) == letter.id,
            col(Letter.state) == "submitted",
            col(Letter.content_hash) == content_hash,
            col(Letter.submitted_at) > at - APPROVAL_FOR,
            col(Letter.author_id) != by,
        )
        .values(state="approved", approved_by=by, approved_at=at)
        .execution_options(synchronize_session=False)
    )
    session.refresh(letter)
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def overdue(session: Session, now: datetime, most: int) -> Sequence[Letter]:
    """Letters that waited for a second person for longer than an approval may take."""
    statement = (
        select(Letter)
        .where(col(Letter.state) == "submitted", col(Letter.submitted_at) <= now - APPROVAL_FOR)
        .order_by(col(Letter.id))
        .limit(most)
    )
    return session.execute(statement).scalars().all()


def _holds(session: Session, member_id: int, node: Organization, roles: Collection[str], day: date) -> bool:
    """Whether the member, being active, holds one of the roles at the node or above it."""
    statement = (
        select(col(Role.id))
        .join(Member, col(Member.id) == col(Role.member_id))
        .where(col(Role.member_id) == member_id, *_in_force(node, roles, day))
    )
    return session.execute(statement).first() is not None


def _in_force(node: Organization | None, roles: Collection[str], day: date) -> tuple[Any, ...]:
    """What holds for a role at the node or above it on the day, in the hands of an active member."""
    path_ids = [int(part) for part in node.path.strip("/").split("/")] if node else []
    return (
        col(Role.organization_id).in_(path_ids),
        col(Role.role).in_(roles),
        col(Role.from_day) <= day,
        or_(col(Role.to_day).is_(None), col(Role.to_day) > day),
        col(Member.status) == "active",
    )
