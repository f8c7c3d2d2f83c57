"""Lines that an officer (or the member) proposes and another person confirms: 记实.

A proposal is filled in as a draft. Proposed, it takes its event for every member that it is about, so that nobody
gets or loses points twice for one thing; only a person who neither proposed it nor is concerned can confirm it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, delete, exists, func, or_, select, update
from sqlmodel import Field, Session, SQLModel, col

from db.members import Member
from db.once import add_once
from db.organizations import Organization
from db.wishes import changed

STATES = ("draft", "proposed", "confirmed", "refused", "withdrawn", "revoked")


class Proposal(SQLModel, table=True):
    """One event that is to be booked under one rule, for one member or several."""

    __table_args__ = (
        CheckConstraint(
            "state IN ('draft', 'proposed', 'confirmed', 'refused', 'withdrawn', 'revoked')", name="state"
        ),
        Index("ix_proposal_state", "state", "organization_id"),
        Index("ix_proposal_proposed_by", "proposed_by", "state"),
    )
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")  # the branch of the members
    rule_id: str
    grade: str = ""  # id of the choice, where the rule asks for one
    hundredths: int = 100  # raw quantity x 100: one event, or hours
    day: date | None = None  # of the event; None while it is a draft without one
    activity_id: int | None = Field(default=None, foreign_key="activity.id")
    words: str = ""  # what happened
    picture_id: int | None = Field(default=None, foreign_key="picture.id")
    picked: str = ""  # of a draft: ids of the members joined by semicolons
    state: str = "draft"  # one of STATES
    proposed_by: int = Field(foreign_key="member.id")
    proposed_at: datetime
    hear_until: date | None = None  # last day on which the member may object; None: nobody has to be heard
    objection: str = ""
    objection_picture_id: int | None = Field(default=None, foreign_key="picture.id")
    objected_at: datetime | None = None
    decided_by: int | None = Field(default=None, foreign_key="member.id")
    decided_as: str = ""  # the role in which it was decided
    decided_at: datetime | None = None
    note: str = ""  # why it was refused or taken back


class ProposalMember(SQLModel, table=True):
    """A member that a proposal is about. `event` stands while the proposal waits or is booked."""

    __tablename__ = "proposal_member"
    __table_args__ = (
        UniqueConstraint("member_id", "event"),  # no event: the proposal came to nothing
        Index("ix_proposal_member_member_id", "member_id"),
    )
    proposal_id: int = Field(foreign_key="proposal.id", primary_key=True)
    member_id: int = Field(foreign_key="member.id", primary_key=True)
    event: str | None = None  # "PP2:activity:17", "PN6:2026-06-15"


def cause_of(proposal_id: int) -> str:
    """The ledger's cause of every line that a proposal booked."""
    return f"proposal:{proposal_id}"


def begin(session: Session, *, member_id: int, organization_id: int, rule_id: str, now: datetime) -> Proposal:
    """A fresh draft of this member; an older one is dropped."""
    session.execute(
        delete(Proposal).where(col(Proposal.proposed_by) == member_id, col(Proposal.state) == "draft"),
        execution_options={"synchronize_session": "fetch"},
    )
    draft = Proposal(organization_id=organization_id, rule_id=rule_id, proposed_by=member_id, proposed_at=now)
    session.add(draft)
    session.flush()
    return draft


def draft_of(session: Session, member_id: int) -> Proposal | None:
    """What this member is filling in."""
    statement = select(Proposal).where(col(Proposal.proposed_by) == member_id, col(Proposal.state) == "draft")
    return session.execute(statement.limit(1)).scalars().first()


def fill(session: Session, draft: Proposal, **values: Any) -> None:
    """Fill in what was said."""
    for name, value in values.items():
        setattr(draft, name, value)
    session.add(draft)
    session.flush()


def by_id(session: Session, proposal_id: int | None) -> Proposal | None:
    """The proposal as it is now; a draft is nobody's business."""
    statement = (
        select(Proposal)
        .where(col(Proposal.id) == proposal_id, col(Proposal.state) != "draft")
        .execution_options(populate_existing=True)
    )
    return session.execute(statement).scalar_one_or_none()


def propose(session: Session, draft: Proposal, *, now: datetime, hear_until: date | None) -> list[int] | None:
    """Hand the draft in: the members it now stands for, without those who have the event already.

    An empty list: it stands for nobody, and remains a draft. None: it was handed in before.
    """
    assert draft.day is not None
    event = f"{draft.rule_id}:{f'activity:{draft.activity_id}' if draft.activity_id else draft.day.isoformat()}"
    picked = [int(one) for one in draft.picked.split(";") if one]
    if not _leave(session, draft, "draft", state="proposed", proposed_at=now, hear_until=hear_until):
        return None
    taken = [one for one in picked if _take(session, draft, one, event)]
    if not taken:
        _leave(session, draft, "proposed", state="draft")
    return taken


def _take(session: Session, draft: Proposal, member_id: int, event: str) -> bool:
    values = {"proposal_id": draft.id, "member_id": member_id, "event": event}
    return add_once(session, ProposalMember, values)


def confirm(session: Session, proposal: Proposal, *, by: int, role: str, now: datetime, today: date) -> bool:
    """Confirm it. False: decided meanwhile, still to be heard, proposed by the same person, or about them."""
    heard = or_(col(Proposal.hear_until).is_(None), col(Proposal.hear_until) < today)
    return _decide(session, proposal, heard, by=by, role=role, now=now, state="confirmed")


def refuse(session: Session, proposal: Proposal, *, by: int, role: str, now: datetime, why: str) -> bool:
    """Refuse it, at any time. False: decided meanwhile, proposed by the same person, or about them."""
    done = _decide(session, proposal, by=by, role=role, now=now, state="refused", note=why)
    return done and _let_go(session, proposal)


def _decide(
    session: Session, proposal: Proposal, *more: Any, by: int, role: str, now: datetime, **values: Any
) -> bool:
    concerned = exists().where(col(ProposalMember.proposal_id) == proposal.id, col(ProposalMember.member_id) == by)
    statement = (
        update(Proposal)
        .where(
            col(Proposal.id) == proposal.id,
            col(Proposal.state) == "proposed",
            col(Proposal.proposed_by) != by,
            ~concerned,
            *more,
        )
        .values(decided_by=by, decided_as=role, decided_at=now, **values)
    )
    return changed(session, statement)


def withdraw(session: Session, proposal: Proposal, by: int, now: datetime) -> bool:
    """The proposer takes it back; False when it was decided meanwhile, or is somebody else's."""
    own = proposal.proposed_by == by and _leave(session, proposal, "proposed", state="withdrawn", decided_at=now)
    return own and _let_go(session, proposal)


def revoke(session: Session, proposal: Proposal, *, by: int, now: datetime, why: str) -> bool:
    """Take a confirmed one back; its lines are to be reversed with it. False when it is not confirmed now."""
    done = _leave(session, proposal, "confirmed", state="revoked", decided_by=by, decided_at=now, note=why)
    return done and _let_go(session, proposal)


def object_to(
    session: Session, proposal: Proposal, *, now: datetime, today: date, words: str, picture_id: int | None
) -> bool:
    """Note what the member says against it, once. False: too late, said before, or decided."""
    statement = (
        update(Proposal)
        .where(
            col(Proposal.id) == proposal.id,
            col(Proposal.state) == "proposed",
            col(Proposal.hear_until) >= today,
            col(Proposal.objected_at).is_(None),
        )
        .values(objection=words, objection_picture_id=picture_id, objected_at=now)
    )
    return changed(session, statement)


def _leave(session: Session, proposal: Proposal, was: str, **values: Any) -> bool:
    leaving = update(Proposal).where(col(Proposal.id) == proposal.id, col(Proposal.state) == was)
    return changed(session, leaving.values(**values))


def _let_go(session: Session, proposal: Proposal) -> bool:
    """Its event is free again."""
    freeing = update(ProposalMember).where(col(ProposalMember.proposal_id) == proposal.id).values(event=None)
    session.execute(freeing, execution_options={"synchronize_session": "fetch"})
    return True


def members_of(session: Session, proposal_id: int) -> Sequence[Member]:
    """Whom it is about, in the order of their ids."""
    statement = (
        select(Member)
        .join(ProposalMember, col(ProposalMember.member_id) == col(Member.id))
        .where(col(ProposalMember.proposal_id) == proposal_id)
        .order_by(col(Member.id))
    )
    return session.execute(statement).scalars().all()


def to_confirm(
    session: Session, paths: Sequence[str], rule_ids: Collection[str], by: int, today: date, *, most: int
) -> Sequence[Proposal]:
    """What waits in these subtrees under these rules for somebody other than `by`: first what can be decided."""
    if not paths or not rule_ids:
        return ()
    under = or_(*(col(Organization.path).startswith(path, autoescape=True) for path in paths))
    concerned = exists().where(
        col(ProposalMember.proposal_id) == col(Proposal.id), col(ProposalMember.member_id) == by
    )
    statement = (
        select(Proposal)
        .join(Organization, col(Organization.id) == col(Proposal.organization_id))
        .where(
            col(Proposal.state) == "proposed",
            col(Proposal.rule_id).in_(rule_ids),
            col(Proposal.proposed_by) != by,
            ~concerned,
            under,
        )
        .order_by(func.coalesce(col(Proposal.hear_until), col(Proposal.day)) >= today, col(Proposal.id))
        .limit(most)
    )
    return session.execute(statement).scalars().all()


def of_proposer(session: Session, member_id: int, *, most: int) -> Sequence[Proposal]:
    """What this member proposed, the newest first."""
    statement = (
        select(Proposal)
        .where(col(Proposal.proposed_by) == member_id, col(Proposal.state) != "draft")
        .order_by(col(Proposal.id).desc())
        .limit(most)
    )
    return session.execute(statement).scalars().all()


def of_decider(session: Session, member_id: int, *, most: int) -> Sequence[Proposal]:
    """What this member confirmed and what still stands, the newest first."""
    statement = (
        select(Proposal)
        .where(col(Proposal.decided_by) == member_id, col(Proposal.state) == "confirmed")
        .order_by(col(Proposal.decided_at).desc(), col(Proposal.id).desc())
        .limit(most)
    )
    return session.execute(statement).scalars().all()


def let_go(session: Session, proposal_id: int, member_id: int) -> None:
    """The line of one member was taken back: the event of that member is free again."""
    freeing = update(ProposalMember).where(
        col(ProposalMember.proposal_id) == proposal_id, col(ProposalMember.member_id) == member_id
    )
    session.execute(freeing.values(event=None), execution_options={"synchronize_session": "fetch"})
