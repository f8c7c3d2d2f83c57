"""The figures of a letter, counted branch by branch.

A small letter is counted when somebody looks. A large one is counted beforehand, in parts of some hundred
branches, so that looking at it costs the same whatever its size; every part is exact at the instant when it was
counted, and the figures say since when they stand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Select, and_, bindparam, case, delete, func, insert, select, update
from sqlmodel import Field, Session, SQLModel, col

from db.deliveries import MAILBOX, Delivery
from db.letters import Letter, Receipt

DIRECT_MAX = 3_000  # people of a letter that is counted when somebody looks: about 10 ms
PART = 400  # branches that are counted in one transaction: about 11,000 people, 40 ms
WAITING = ("queued", "claimed", "sending", "retry")
KINDS = ("sent", "mailbox", "waiting", "ambiguous", "not_sent")


class LetterBranch(SQLModel, table=True):
    """What became of a letter in one branch. people: of the audience when it was sent, with a chat or without."""

    __tablename__ = "letter_branch"
    letter_id: int = Field(foreign_key="letter.id", primary_key=True)
    organization_id: int = Field(foreign_key="organization.id", primary_key=True)
    people: int
    sent: int = 0
    read: int = 0
    acked: int = 0
    help: int = 0
    mailbox: int = 0
    waiting: int = 0
    ambiguous: int = 0
    not_sent: int = 0


class LetterPart(SQLModel, table=True):
    """The figures of the branches of one part, by state, channel and reason: added up they are the letter's."""

    __tablename__ = "letter_part"
    letter_id: int = Field(foreign_key="letter.id", primary_key=True)
    first_id: int = Field(primary_key=True)  # the first branch of the part
    last_id: int
    counts: list[list[Any]] = Field(sa_column=Column(JSON, nullable=False))
    counted_at: datetime
    due_at: datetime | None = Field(default=None, index=True)  # when it is counted again; None: not any more


@dataclass(slots=True)
class Count:
    """How many people share a state, a channel and a reason; read, acked, help: of those that were sent."""

    state: str
    channel: str
    reason: str
    people: int
    read: int = 0
    acked: int = 0
    help: int = 0

    @property
    def kind(self) -> str:
        """One of KINDS."""
        if self.state in WAITING:
            return "mailbox" if self.channel == MAILBOX and self.state == "queued" else "waiting"
        return self.state if self.state in ("sent", "ambiguous") else "not_sent"


@dataclass(slots=True)
class Figures:
    """The figures of a letter. as_of: since when they stand, None for this very moment."""

    counts: list[Count] = field(default_factory=list)
    as_of: datetime | None = None

    def people(self, kind: str) -> int:
        """How many people there are of one of KINDS."""
        return sum(one.people for one in self.counts if one.kind == kind)

    def did(self, what: str) -> int:
        """How many of those who got it did `what`: read, acked, help."""
        return sum(getattr(one, what) for one in self.counts if one.kind == "sent")

    def by(self, *names: str, kind: str | None = None) -> Counter[Any]:
        """People by the values of these fields; of one kind, or of all."""
        found: Counter[Any] = Counter()
        for one in self.counts:
            if kind is None or one.kind == kind:
                found[tuple(getattr(one, name) for name in names)] += one.people
        return found


@dataclass(frozen=True, slots=True)
class BranchLine:
    """One branch of a letter. See LetterBranch."""

    organization_id: int
    people: int
    sent: int
    read: int
    acked: int
    help: int
    mailbox: int
    waiting: int
    ambiguous: int
    not_sent: int


def begin(session: Session, letter: Letter, by_branch: Select[Any]) -> None:
    """Note how many people of each branch a small letter is for.

    by_branch: a query of (branch, people) of the audience. A second call adds branches that were not there.
    """
    assert letter.id is not None
    known = set(_branch_ids(session, letter.id))
    rows = [(row[0], int(row[1])) for row in session.execute(by_branch) if row[0] is not None]
    new = [
        {"letter_id": letter.id, "organization_id": branch, "people": people}
        for branch, people in rows
        if branch not in known
    ]
    if new:
        session.execute(insert(LetterBranch), new)


def begin_anew(session: Session, letter_id: int, now: datetime) -> None:
    """Forget the branches of a large letter: they are noted again behind its rows.

    Until then one part without figures says that everybody waits: counting them by looking would take too long.
    """
    for table in (LetterPart, LetterBranch):
        session.execute(delete(table).where(col(table.letter_id) == letter_id))
    session.add(LetterPart(letter_id=letter_id, first_id=0, last_id=0, counts=[], counted_at=now))
    session.flush()


def figures(session: Session, letter: Letter) -> Figures:
    """The figures of a letter: of this moment for a small one, of its last count for a large one."""
    assert letter.id is not None
    stored = select(col(LetterPart.counts), col(LetterPart.counted_at))
    parts = session.execute(stored.where(col(LetterPart.letter_id) == letter.id)).all()
    if not parts:
        return Figures(_added(one for _, one in _counted(session, letter.id, None)))
    counts = _added(Count(*row) for counted, _ in parts for row in counted)
    rest = letter.recipients - sum(one.people for one in counts)
    if rest > 0:  # parts that were not counted yet: nothing of them has gone out
        counts.append(Count("queued", "", "", rest))
    return Figures(counts, min(counted_at for _, counted_at in parts))


def branches(session: Session, letter_id: int, *, most: int, offset: int = 0) -> Sequence[BranchLine]:
    """The branches of a letter, those with the lowest reach first; further by their ids."""
    names = tuple(BranchLine.__slots__)
    if _is_stored(session, letter_id):
        reach = col(LetterBranch.sent) * 10_000 // col(LetterBranch.people)
        statement = (
            select(*(getattr(LetterBranch, name) for name in names))
            .where(col(LetterBranch.letter_id) == letter_id)
            .order_by(reach, col(LetterBranch.organization_id))
            .limit(most)
            .offset(offset)
        )
        return [BranchLine(*row) for row in session.execute(statement)]
    people = session.execute(
        select(col(LetterBranch.organization_id), col(LetterBranch.people)).where(
            col(LetterBranch.letter_id) == letter_id
        )
    )
    counted = _by_branch(_counted(session, letter_id, None))
    lines = [BranchLine(one, of, **counted.get(one, _NOTHING)) for one, of in people]
    lines.sort(key=lambda line: (line.sent * 10_000 // max(1, line.people), line.organization_id))
    return lines[offset : offset + most]


def row_of(letter_id: int, member_id: Any) -> tuple[Any, ...]:
    """The conditions for the row that counts for a member; the member is a value or a column.

    Hidden in a sum, the letter lures SQLite, which knows no figures of its tables, no more to a city's rows.
    """
    return (
        col(Delivery.member_id) == member_id,
        col(Delivery.letter_id) + 0 == letter_id,
        col(Delivery.counts_for).is_not(None),
    )


def count_branches(session: Session, letter_id: int) -> int:
    """How many branches a letter is for."""
    statement = select(func.count()).where(col(LetterBranch.letter_id) == letter_id)
    return int(session.execute(statement).scalar_one())


def due_part(session: Session, now: datetime) -> LetterPart | None:
    """The part that has waited longest to be counted again; None when none is due."""
    statement = select(LetterPart).where(col(LetterPart.due_at) <= now).order_by(col(LetterPart.due_at)).limit(1)
    return session.execute(statement).scalars().first()


def count_soon(session: Session, letter_id: int, now: datetime) -> None:
    """Let every part of a large letter be counted at the next opportunity."""
    session.execute(
        update(LetterPart)
        .where(col(LetterPart.letter_id) == letter_id)
        .values(due_at=now)
        .execution_options(synchronize_session=False)
    )


def count_part(session: Session, part: LetterPart, now: datetime, due_at: datetime | None) -> None:
    """Count the branches of one part anew and store what came out. due_at: when again; None: never."""
    found = list(_counted(session, part.letter_id, (part.first_id, part.last_id)))
    rows = [
        {"of_letter": part.letter_id, "of_branch": branch, **counts}
        for branch, counts in _by_branch(found).items()
    ]
    if rows:
        table = LetterBranch.__table__  # type: ignore[attr-defined]
        which = (table.c.letter_id == bindparam("of_letter"), table.c.organization_id == bindparam("of_branch"))
        session.connection().execute(update(table).where(*which), rows)
    part.counts = [[getattr(one, name) for name in Count.__slots__] for one in _added(one for _, one in found)]
    part.counted_at, part.due_at = now, due_at
    session.add(part)
    session.flush()


_NOTHING: dict[str, int] = dict.fromkeys(("sent", "read", "acked", "help", *KINDS[1:]), 0)


def _branch_ids(session: Session, letter_id: int) -> Sequence[int]:
    statement = select(col(LetterBranch.organization_id)).where(col(LetterBranch.letter_id) == letter_id)
    return session.execute(statement).scalars().all()


def _is_stored(session: Session, letter_id: int) -> bool:
    statement = select(col(LetterPart.first_id)).where(col(LetterPart.letter_id) == letter_id).limit(1)
    return session.execute(statement).first() is not None


def _counted(session: Session, letter_id: int, branches: tuple[int, int] | None) -> Iterator[tuple[int, Count]]:
    """(branch, count) of a letter, of all branches or of those from one id to another."""
    boxed = case((col(Delivery.channel) == MAILBOX, MAILBOX), else_=func.coalesce(col(Delivery.channel), ""))
    key = (col(Delivery.counts_for), col(Delivery.state), boxed, col(Delivery.reason))
    acts = (col(Receipt.read_at), col(Receipt.acked_at), col(Receipt.help_at))
    same = (
        col(Receipt.letter_id) == col(Delivery.letter_id),
        col(Receipt.member_id) == col(Delivery.member_id),
    )
    statement = (
        select(*key, func.count(), *(func.count(act) for act in acts))
        .select_from(Delivery)
        .outerjoin(Receipt, and_(*same))
        .where(col(Delivery.letter_id) == letter_id, col(Delivery.counts_for).is_not(None))
        .group_by(*key)
    )
    if branches is not None:
        statement = statement.where(col(Delivery.counts_for).between(*branches))
    for branch, *values in session.execute(statement):
        yield branch, Count(*values)


def _added(counts: Iterator[Count]) -> list[Count]:
    """The same without branches."""
    found: dict[tuple[str, str, str], Count] = {}
    for one in counts:
        key = (one.state, one.channel, one.reason)
        known = found.setdefault(key, Count(*key, 0))
        for name in ("people", "read", "acked", "help"):
            setattr(known, name, getattr(known, name) + getattr(one, name))
    return sorted(found.values(), key=lambda one: (one.state, one.channel, one.reason))


def _by_branch(counted: Any) -> dict[int, dict[str, int]]:
    """The columns of LetterBranch by branch."""
    found: dict[int, dict[str, int]] = {}
    for branch, one in counted:
        line = found.setdefault(branch, dict(_NOTHING))
        line[one.kind] += one.people
        if one.kind == "sent":
            for name in ("read", "acked", "help"):
                line[name] += getattr(one, name)
    return found
