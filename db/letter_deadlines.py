"""The deadline of a letter: what has to be done about it and when, each once, and who has not answered."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import CheckConstraint, Index, Select, and_, case, false, func, or_, select, update
from sqlmodel import Field, Session, SQLModel, col

from db import audiences, letter_counts
from db.deliveries import Delivery
from db.letter_counts import LetterBranch
from db.letters import Letter, Receipt
from db.members import Membership
from db.once import add_once
from db.organizations import Organization

Stage = Literal["remind", "secretaries", "committees"]


class LetterDeadline(SQLModel, table=True):
    """One step about one letter's deadline. Its key makes it happen once; `place` says how far its parts are."""

    __tablename__ = "letter_deadline"
    __table_args__ = (
        CheckConstraint("stage IN ('remind', 'secretaries', 'committees')", name="stage"),
        CheckConstraint("state IN ('waiting', 'done', 'void')", name="state"),
        Index("ix_letter_deadline_due", "state", "due_at"),
    )
    letter_id: int = Field(foreign_key="letter.id", primary_key=True)
    stage: str = Field(primary_key=True)
    due_at: datetime
    state: str = "waiting"  # void: too late, or the letter was stopped
    place: int = 0  # the last organisation that was looked at
    done_at: datetime | None = None


def plan(session: Session, letter_id: int, stage: Stage, due_at: datetime) -> bool:
    """Note a step; False when it stands already."""
    values = {"letter_id": letter_id, "stage": stage, "due_at": due_at, "state": "waiting", "place": 0}
    return add_once(session, LetterDeadline, values)


def next_due(session: Session, now: datetime) -> tuple[LetterDeadline, Letter] | None:
    """The step that has waited longest, with its letter; None when nothing is due."""
    statement = (
        select(LetterDeadline, Letter)
        .join(Letter, col(Letter.id) == col(LetterDeadline.letter_id))
        .where(col(LetterDeadline.state) == "waiting", col(LetterDeadline.due_at) <= now)
        .order_by(col(LetterDeadline.due_at), col(LetterDeadline.letter_id), col(LetterDeadline.stage))
        .limit(1)
        .execution_options(populate_existing=True)
    )
    found = session.execute(statement).first()
    return (found[0], found[1]) if found else None


def advance(session: Session, step: LetterDeadline, place: int) -> bool:
    """Note how far a step is; False when another process has just moved it."""
    return _move(session, step, place=place)


def finish(session: Session, step: LetterDeadline, state: str, now: datetime) -> bool:
    """End a step as `done` or `void`; False when another process has just moved it."""
    return _move(session, step, state=state, done_at=now)


def _move(session: Session, step: LetterDeadline, **values: Any) -> bool:
    changed = session.execute(
        update(LetterDeadline)
        .where(
            col(LetterDeadline.letter_id) == step.letter_id,
            col(LetterDeadline.stage) == step.stage,
            col(LetterDeadline.state) == "waiting",
            col(LetterDeadline.place) == step.place,
        )
        .values(**values),
        execution_options={"synchronize_session": False},
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def to_remind(letter_id: int) -> Select[Any]:
    """A query of the members who got the letter, or may have got it, and have not answered."""
    same = and_(
        col(Receipt.letter_id) == col(Delivery.letter_id), col(Receipt.member_id) == col(Delivery.member_id)
    )
    return (
        select(col(Delivery.member_id))
        .outerjoin(Receipt, same)
        .where(
            col(Delivery.letter_id) == letter_id,
            col(Delivery.counts_for).is_not(None),
            col(Delivery.state).in_(("sent", "ambiguous")),
            col(Receipt.acked_at).is_(None),
            col(Receipt.help_at).is_(None),
        )
    )


def branches_after(session: Session, letter_id: int, place: int, most: int) -> Sequence[int]:
    """The next branches (or Party groups) that the letter is for, in the order of their ids."""
    statement = (
        select(col(LetterBranch.organization_id))
        .where(col(LetterBranch.letter_id) == letter_id, col(LetterBranch.organization_id) > place)
        .order_by(col(LetterBranch.organization_id))
        .limit(most)
    )
    return session.execute(statement).scalars().all()


def branches_under(session: Session, letter_id: int, path: str, but: Collection[str] = ()) -> Sequence[int]:
    """The branches and Party groups in the subtree that the letter is for, without those in the subtrees `but`."""
    inside = col(Organization.path).startswith(path, autoescape=True)
    outside = [~col(Organization.path).startswith(one, autoescape=True) for one in but]
    statement = (
        select(col(LetterBranch.organization_id))
        .join(Organization, col(Organization.id) == col(LetterBranch.organization_id))
        .where(col(LetterBranch.letter_id) == letter_id, inside, *outside)
        .order_by(col(LetterBranch.organization_id))
    )
    return session.execute(statement).scalars().all()


def units_of(session: Session, letter_id: int, branch_ids: Collection[int]) -> dict[int, list[int]]:
    """Per branch itself and its Party groups, as far as the letter is for them, in the order of their ids."""
    branch = case(
        (col(Organization.level) == "party_group", col(Organization.parent_id)), else_=col(Organization.id)
    )
    groups = select(col(Organization.id)).where(col(Organization.parent_id).in_(branch_ids))
    ids = {*branch_ids, *session.execute(groups).scalars()}
    statement = (
        select(branch, col(LetterBranch.organization_id))
        .join(Organization, col(Organization.id) == col(LetterBranch.organization_id))
        .where(col(LetterBranch.letter_id) == letter_id, col(LetterBranch.organization_id).in_(ids))
        .order_by(col(LetterBranch.organization_id))
    )
    found: dict[int, list[int]] = {}
    for branch_id, unit in session.execute(statement):
        found.setdefault(branch_id, []).append(unit)
    return found


@dataclass(frozen=True, slots=True)
class Open:
    """How many of a branch (or group) the letter is for, and how many of them have not answered."""

    organization_id: int
    people: int
    open: int


def open_in(
    session: Session, letter: Letter, organization_ids: Collection[int], *, sent_on: date, today: date
) -> list[Open]:
    """Of these branches those in which anybody has not answered, by id. Who came after `sent_on` is not asked."""
    chosen, unanswered = _asked(session, letter, organization_ids, sent_on, today)
    open_count = func.count().filter(unanswered)
    statement = (
        select(chosen.c[1], func.count(), open_count)
        .select_from(chosen)
        .outerjoin(Receipt, _receipt_of(chosen, letter))
        .group_by(chosen.c[1])
        .having(open_count > 0)
        .order_by(chosen.c[1])
    )
    return [Open(row[0], int(row[1]), int(row[2])) for row in session.execute(statement)]


@dataclass(frozen=True, slots=True)
class NotYet:
    """Somebody who has not answered. state: unbound (no chat then), not_sent, unread, read."""

    member_id: int
    state: str


def people(
    session: Session,
    letter: Letter,
    organization_ids: Collection[int],
    *,
    sent_on: date,
    today: date,
    most: int,
    offset: int,
) -> list[NotYet]:
    """Who of these branches has not answered, in the order of their ids; as in `open_in`."""
    chosen, unanswered = _asked(session, letter, organization_ids, sent_on, today)
    row = and_(*letter_counts.row_of(letter.id or 0, chosen.c[0]))
    statement = (
        select(chosen.c[0], col(Delivery.state), col(Receipt.read_at))
        .select_from(chosen)
        .outerjoin(Receipt, _receipt_of(chosen, letter))
        .outerjoin(Delivery, row)
        .where(unanswered)
        .order_by(chosen.c[0])
        .limit(most)
        .offset(offset)
    )
    return [NotYet(found[0], _state(found[1], found[2])) for found in session.execute(statement)]


def _state(delivery: str | None, read_at: datetime | None) -> str:
    if read_at is not None:
        return "read"
    if delivery is None:
        return "unbound"
    return "unread" if delivery in ("sent", "ambiguous") else "not_sent"


def _asked(
    session: Session, letter: Letter, organization_ids: Collection[int], sent_on: date, today: date
) -> tuple[Any, Any]:
    """(the audience in these branches as it is today, the condition for not having answered).

    The branches are named within the audience: a database that read all of it first would take minutes.
    """
    whom = audiences.audience(letter.audience)
    inside = audiences.within(audiences.members_in(session, whom, today), whom, organization_ids)
    if whom.got is None:
        inside = inside.where(col(Membership.from_day) <= sent_on)
    return inside.subquery(), and_(col(Receipt.acked_at).is_(None), col(Receipt.help_at).is_(None))


def _receipt_of(chosen: Any, letter: Letter) -> Any:
    return and_(col(Receipt.letter_id) == letter.id, col(Receipt.member_id) == chosen.c[0])


def told_of(session: Session, paths: Collection[str], since: datetime, most: int) -> Sequence[Letter]:
    """Letters for branches in these subtrees whose time for answers was over after `since`, the last first.

    Only those of which secretaries were told, and that still ask for an answer.
    """
    inside = [col(Organization.path).startswith(path, autoescape=True) for path in paths]
    here = (
        select(col(LetterBranch.letter_id))
        .join(Organization, col(Organization.id) == col(LetterBranch.organization_id))
        .where(col(LetterBranch.letter_id) == col(Letter.id), or_(false(), *inside))
    )
    statement = (
        select(Letter)
        .join(LetterDeadline, col(LetterDeadline.letter_id) == col(Letter.id))
        .where(
            col(LetterDeadline.stage) == "secretaries",
            col(LetterDeadline.state) == "done",
            col(LetterDeadline.due_at) > since,
            col(Letter.state) != "stopped",
            here.exists(),
        )
        .order_by(col(LetterDeadline.due_at).desc(), col(Letter.id).desc())
        .limit(most)
    )
    return session.execute(statement).scalars().all()
