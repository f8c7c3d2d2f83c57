"""The parts of `db.addressing`: which branches come next, and what the letter's report notes about them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, func, insert, select
from sqlmodel import Session, col

from db.addressing import Addressing
from db.letter_counts import LetterBranch, LetterPart
from db.letters import Letter
from db.once import add_once
from db.prepared import Prepared

UNITS_MAX = 400  # branches that are counted for one part
ROWS_MAX = 5_000  # rows of one part, unless one branch has more: some 60 ms of the writer

_OPEN = Prepared(
    select(col(Addressing.key), col(Addressing.letter_id))
    .join(Letter, col(Letter.id) == col(Addressing.letter_id))
    .order_by(col(Letter.lane), col(Addressing.begun_at), col(Addressing.key))
)


def next_open(session: Session, but: Collection[str]) -> tuple[Addressing, Letter] | None:
    """What has to be written next, urgent letters first, with its letter; None when nothing is left.

    but: keys that are passed over.
    """
    keys = [row for row in _OPEN.rows(session) if row[0] not in but]
    if not keys:
        return None
    key, letter_id = keys[0]
    # The letter first, as a stop does: two that take the same locks in one order cannot block each other.
    letter = session.get(Letter, letter_id, populate_existing=True, with_for_update=True)
    one = session.get(Addressing, key, populate_existing=True)
    return (one, letter) if one is not None and letter is not None else None


@dataclass(frozen=True, slots=True)
class Units:
    """The branches of one part, each with its people of the audience. last: where the next part goes on."""

    people: Sequence[tuple[int, int]]
    last: int


def units_of_letter(session: Session, letter_id: int, place: int) -> Sequence[int]:
    """The next branches that a letter is for, in the order of their ids."""
    statement = (
        select(col(LetterBranch.organization_id))
        .where(col(LetterBranch.letter_id) == letter_id, col(LetterBranch.organization_id) > place)
        .order_by(col(LetterBranch.organization_id))
        .limit(UNITS_MAX)
    )
    return session.execute(statement).scalars().all()


def units_after(session: Session, inside: Select[Any], place: int) -> Sequence[int]:
    """The next of the organisations that `inside` selects, in the order of their ids."""
    ids = inside.subquery().c[0]
    return session.execute(select(ids).where(ids > place).order_by(ids).limit(UNITS_MAX)).scalars().all()


def part_of(session: Session, recipients: Select[Any], candidates: Sequence[int]) -> Units:
    """As many of the candidates as make one part. recipients: a query of (member, branch) in the candidates."""
    chosen = recipients.subquery()
    counted = select(chosen.c[1], func.count()).group_by(chosen.c[1])
    people = {row[0]: int(row[1]) for row in session.execute(counted)}
    taken: list[tuple[int, int]] = []
    rows, last = 0, candidates[-1]
    for unit in candidates:
        if taken and rows + people.get(unit, 0) > ROWS_MAX:
            last = taken[-1][0]
            break
        if unit in people:
            taken.append((unit, people[unit]))
            rows += people[unit]
    return Units(taken, last)


_NOTE_BRANCH = Prepared(
    insert(LetterBranch).values(
        {name: bindparam(name) for name in ("letter_id", "organization_id", "people")}
        | dict.fromkeys(("sent", "read", "acked", "help", "mailbox", "waiting", "ambiguous", "not_sent"), 0)
    )
)


def note_branches(session: Session, letter: Letter, units: Units, now: datetime, due_at: datetime) -> None:
    """Note for the report how many people of these branches the letter is for, and when they are counted first.

    Branches that are noted already stay as they are.
    """
    assert letter.id is not None
    if not units.people:
        return
    first, last = units.people[0][0], units.people[-1][0]
    here = select(col(LetterBranch.organization_id)).where(
        col(LetterBranch.letter_id) == letter.id, col(LetterBranch.organization_id).between(first, last)
    )
    known = set(session.execute(here).scalars())
    rows = [
        {"letter_id": letter.id, "organization_id": unit, "people": people}
        for unit, people in units.people
        if unit not in known
    ]
    _NOTE_BRANCH.many(session, rows)
    counted = {"letter_id": letter.id, "first_id": first, "last_id": last}
    add_once(session, LetterPart, {**counted, "counts": [], "counted_at": now, "due_at": due_at})


def people_noted(session: Session, letter_id: int) -> int:
    """How many people the noted branches of a letter have."""
    statement = select(func.coalesce(func.sum(col(LetterBranch.people)), 0))
    return int(session.execute(statement.where(col(LetterBranch.letter_id) == letter_id)).scalar_one())
