"""The parts of `db.addressing`: whom the next one is for, and what the letter's report notes about it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from db.addressing import Addressing
from db.deliveries import Delivery
from db.letter_counts import PART, LetterBranch, LetterPart
from db.letters import Letter
from db.members import Member
from db.prepared import Prepared

PEOPLE_MAX = {"sqlite": 3_000, "postgresql": 9_000}
"""Members that one part looks at: some 30 ms of SQLite's only writer. PostgreSQL makes nobody wait meanwhile."""
UNITS_MAX = 100  # branches of one part of a reminder: some 3,000 rows in no order of members, which cost more

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
    # The letter first, as a stop does: two that take the same locks in one order cannot block each other. Whoever
    # answers the letter meanwhile need not wait: their rows only ask that its key stays.
    letter = session.get(Letter, letter_id, populate_existing=True, with_for_update={"key_share": True})
    one = session.get(Addressing, key, populate_existing=True)
    return (one, letter) if one is not None and letter is not None else None


def members_until(session: Session, place: int) -> int | None:
    """The last id of the members of the next part; None when there are no more."""
    most = PEOPLE_MAX[session.get_bind().dialect.name]
    following = select(col(Member.id)).where(col(Member.id) > place).order_by(col(Member.id)).limit(most)
    return session.execute(select(func.max(following.subquery().c[0]))).scalar_one_or_none()


def units_of_letter(session: Session, letter_id: int, place: int) -> Sequence[int]:
    """The next branches that a letter is for, in the order of their ids."""
    statement = (
        select(col(LetterBranch.organization_id))
        .where(col(LetterBranch.letter_id) == letter_id, col(LetterBranch.organization_id) > place)
        .order_by(col(LetterBranch.organization_id))
        .limit(UNITS_MAX)
    )
    return session.execute(statement).scalars().all()


def note_people(session: Session, letter_id: int, people: Select[Any]) -> int:
    """Add to the branches of a letter for how many people it is. people: a query of (branch, people).

    Returns how many people these were.
    """
    found = [(row[0], int(row[1])) for row in session.execute(people) if row[0] is not None]
    rows = [{"letter_id": letter_id, "organization_id": unit, "people": count} for unit, count in found]
    _ADD_PEOPLE.many(session, rows)
    return sum(count for _, count in found)


def count_part(session: Session, letter_id: int, place: int, now: datetime, due_at: datetime) -> int | None:
    """Note how many rows the next branches have, and that they are counted at `due_at`; the last of them.

    None when there are no more. The first part takes the place of what `letter_counts.begin_anew` noted.
    """
    if not place:
        session.execute(delete(LetterPart).where(col(LetterPart.letter_id) == letter_id))
    noted = _COUNT_ROWS.rows(session, letter=letter_id, place=place, most=PART)
    if not noted:
        return None
    last = max(row[0] for row in noted)
    bounds = {"first_id": place + 1, "last_id": last}
    session.add(LetterPart(letter_id=letter_id, **bounds, counts=[], counted_at=now, due_at=due_at))
    session.flush()
    return int(last)


def _insert(dialect: str) -> Any:
    return postgresql.insert(LetterBranch) if dialect == "postgresql" else sqlite.insert(LetterBranch)


def _more(adding: Any) -> Any:
    """The same for branches that stand already, as far as they have people without a chat."""
    people = LetterBranch.people + adding.excluded.people
    return adding.on_conflict_do_update(index_elements=["letter_id", "organization_id"], set_={"people": people})


_NOTHING = ("sent", "read", "acked", "help", "mailbox", "waiting", "ambiguous", "not_sent")


def _add_people(dialect: str) -> Any:
    named: dict[str, Any] = {name: bindparam(name) for name in ("letter_id", "organization_id", "people")}
    return _more(_insert(dialect).values(named | dict.fromkeys(_NOTHING, 0)))


def _count_rows(dialect: str) -> Any:
    """Note the next branches that have rows; their ids."""
    branch: Any = col(Delivery.counts_for)
    with_rows = (
        select(col(Delivery.letter_id), branch, func.count(), *(literal_column("0") for _ in _NOTHING))
        .where(col(Delivery.letter_id) == bindparam("letter"), branch.is_not(None), branch > bindparam("place"))
        .group_by(col(Delivery.letter_id), branch)
        .order_by(branch)
        .limit(bindparam("most"))
    )
    adding = _insert(dialect).from_select(
        ["letter_id", "organization_id", "people", *_NOTHING], with_rows, include_defaults=False
    )
    return _more(adding).returning(col(LetterBranch.organization_id))


_ADD_PEOPLE = Prepared(_add_people)
_COUNT_ROWS = Prepared(_count_rows)
