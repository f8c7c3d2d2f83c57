"""Appraisal polls: who has answered, and apart from that what was answered.

No row links a person to a grade. `Ballot` says how many questions a member has answered, without a time;
`Tally` says how often a grade was given, without a person. A tally's rows stand before the first answer, and one
answer rewrites all rows of its question, so that neither ids nor PostgreSQL's row versions tell which one it was.
At the close the papers go, and with too few answers the tallies, too: with one paper its answers would be plain.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, case, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col

from db.members import Member, Membership


class Poll(SQLModel, table=True):
    """The appraisal of one branch for one year."""

    __tablename__ = "poll"
    __table_args__ = (UniqueConstraint("organization_id", "year"), Index("ix_poll_state", "state", "closes_at"))
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    year: int
    state: str = "open"  # open, closed
    opened_by: int = Field(foreign_key="member.id")
    opened_at: datetime
    closes_at: datetime
    questions: int  # how many there are, by the rules of the day on which it was opened
    self_score: int | None = None  # hundredths; the branch itself
    superior: int | None = None  # hundredths; the committee's reviewer
    answers: int | None = None  # how many members have answered everything; known from the close on
    told: str = "none"  # none, invited, reminded: how far the service has told the members


class Ballot(SQLModel, table=True):
    """A member's paper. Only how many questions are answered: no time, no order, no grade."""

    poll_id: int = Field(foreign_key="poll.id", primary_key=True)
    member_id: int = Field(foreign_key="member.id", primary_key=True)
    answered: int = 0


class Tally(SQLModel, table=True):
    """How often one grade was given to one question."""

    __table_args__ = (CheckConstraint("votes >= 0", name="votes"),)
    poll_id: int = Field(foreign_key="poll.id", primary_key=True)
    question: str = Field(primary_key=True)
    grade: str = Field(primary_key=True)
    votes: int = 0


def open_poll(
    session: Session,
    *,
    organization_id: int,
    year: int,
    opened_by: int,
    opened_at: datetime,
    closes_at: datetime,
    questions: Sequence[str],
    grades: Sequence[str],
) -> int | None:
    """Open the branch's poll of the year with empty tallies; its id. None when there is one already."""
    values = {
        "organization_id": organization_id,
        "year": year,
        "state": "open",
        "opened_by": opened_by,
        "opened_at": opened_at,
        "closes_at": closes_at,
        "questions": len(questions),
        "told": "none",
    }
    made = (
        insert_into(session, Poll)
        .values(**values)
        .on_conflict_do_nothing(index_elements=["organization_id", "year"])
    )
    poll_id = session.execute(made.returning(col(Poll.id))).scalar()
    if poll_id is None:
        return None
    rows = [
        {"poll_id": poll_id, "question": question, "grade": grade, "votes": 0}
        for question in questions
        for grade in grades
    ]
    session.execute(insert(Tally), rows)
    return int(poll_id)


def insert_into(session: Session, table: type[SQLModel]) -> postgresql.Insert | sqlite.Insert:
    """An insert that can pass over rows which stand already, for this database."""
    return (postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert)(table)


def get(session: Session, poll_id: int | None) -> Poll | None:
    """The poll with this id."""
    return session.get(Poll, poll_id) if poll_id is not None else None


def of_branch(session: Session, organization_id: int, year: int) -> Poll | None:
    """The branch's poll of the year."""
    statement = select(Poll).where(col(Poll.organization_id) == organization_id, col(Poll.year) == year)
    return session.execute(statement).scalar_one_or_none()


def open_ones(session: Session, organization_id: int, now: datetime) -> Sequence[Poll]:
    """Polls of the branch that take answers now, the oldest first."""
    statement = select(Poll).where(
        col(Poll.organization_id) == organization_id, col(Poll.state) == "open", col(Poll.closes_at) > now
    )
    return session.execute(statement.order_by(col(Poll.year))).scalars().all()


def answered(session: Session, poll_id: int, member_id: int) -> int:
    """How many questions the member has answered."""
    found = session.get(Ballot, (poll_id, member_id))
    return found.answered if found else 0


def vote(
    session: Session, *, poll_id: int, member_id: int, number: int, question: str, grade: str, now: datetime
) -> bool:
    """Count one answer to the question with this number (0, 1, ...). False: not its turn, or the poll is over.

    The poll's row is locked first: answers and a close at the same time come one after the other.
    """
    alive = select(col(Poll.id)).where(
        col(Poll.id) == poll_id, col(Poll.state) == "open", col(Poll.closes_at) > now
    )
    if session.execute(alive.with_for_update()).first() is None:
        return False
    if number == 0:
        paper = insert_into(session, Ballot).values(poll_id=poll_id, member_id=member_id, answered=0)
        session.execute(paper.on_conflict_do_nothing(index_elements=["poll_id", "member_id"]))
    mine = (
        update(Ballot)
        .where(col(Ballot.poll_id) == poll_id, col(Ballot.member_id) == member_id, col(Ballot.answered) == number)
        .values(answered=number + 1)
    )
    if session.execute(mine, execution_options={"synchronize_session": False}).rowcount != 1:  # type: ignore[attr-defined]
        return False
    # Every row of the question is written, so that no row's version says which grade this was.
    counted = (
        update(Tally)
        .where(col(Tally.poll_id) == poll_id, col(Tally.question) == question)
        .values(votes=col(Tally.votes) + case((col(Tally.grade) == grade, 1), else_=0))
    )
    session.execute(counted, execution_options={"synchronize_session": False})
    session.expire_all()
    return True


def tallies(session: Session, poll_id: int) -> dict[str, dict[str, int]]:
    """Per question and grade how often it was given. Only for the close: nobody is shown this before."""
    rows = session.execute(
        select(col(Tally.question), col(Tally.grade), col(Tally.votes)).where(col(Tally.poll_id) == poll_id)
    )
    found: dict[str, dict[str, int]] = {}
    for question, grade, votes in rows:
        found.setdefault(question, {})[grade] = votes
    return found


def count_done(session: Session, poll: Poll) -> int:
    """How many members have answered every question."""
    statement = select(func.count()).where(col(Ballot.poll_id) == poll.id, col(Ballot.answered) >= poll.questions)
    return int(session.execute(statement).scalar_one())


def say_score(session: Session, poll_id: int, voice: str, hundredths: int, now: datetime) -> bool:
    """Note what the branch itself (`self_score`) or its superior (`superior`) says; False when the poll is over.

    Both may be said again until the close: they are not secret.
    """
    changed = session.execute(
        update(Poll)
        .where(col(Poll.id) == poll_id, col(Poll.state) == "open", col(Poll.closes_at) > now)
        .values(**{voice: hundredths}),
        execution_options={"synchronize_session": False},
    )
    session.expire_all()
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def close(session: Session, poll_id: int) -> bool:
    """Close the poll; False when it is closed already."""
    changed = session.execute(
        update(Poll).where(col(Poll.id) == poll_id, col(Poll.state) == "open").values(state="closed"),
        execution_options={"synchronize_session": False},
    )
    session.expire_all()
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def put_away(session: Session, poll: Poll, answers: int, *, tallies_too: bool) -> None:
    """After the close: keep how many answered, and no longer who; with `tallies_too` not what either."""
    assert poll.state == "closed"
    poll.answers = answers
    session.execute(delete(Ballot).where(col(Ballot.poll_id) == poll.id))
    if tallies_too:
        session.execute(delete(Tally).where(col(Tally.poll_id) == poll.id))
    session.flush()


def due(session: Session, now: datetime, most: int) -> Sequence[Poll]:
    """Open polls whose time is over, the oldest first."""
    statement = select(Poll).where(col(Poll.state) == "open", col(Poll.closes_at) <= now)
    return session.execute(statement.order_by(col(Poll.closes_at), col(Poll.id)).limit(most)).scalars().all()


def to_tell(session: Session, told: str, before: datetime, most: int, now: datetime) -> Sequence[Poll]:
    """Open polls that end before `before` and whose members have been told as far as `told`."""
    statement = select(Poll).where(
        col(Poll.state) == "open",
        col(Poll.closes_at) > now,
        col(Poll.closes_at) <= before,
        col(Poll.told) == told,
    )
    return session.execute(statement.order_by(col(Poll.id)).limit(most)).scalars().all()


def mark_told(session: Session, poll: Poll, told: str) -> bool:
    """Note how far members have been told; False when another process was first."""
    changed = session.execute(
        update(Poll).where(col(Poll.id) == poll.id, col(Poll.told) == poll.told).values(told=told),
        execution_options={"synchronize_session": False},
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def voters(session: Session, organization_id: int, not_these: Collection[int]) -> Sequence[int]:
    """Active members of the branch now who have a paper: all but those who speak with another voice."""
    statement = (
        select(col(Member.id))
        .join(Membership, col(Membership.member_id) == col(Member.id))
        .where(
            col(Membership.organization_id) == organization_id,
            col(Membership.to_day).is_(None),
            col(Member.status) == "active",
            col(Member.id).not_in(not_these),
        )
        .order_by(col(Member.id))
    )
    return session.execute(statement).scalars().all()


def silent(session: Session, poll: Poll, voting: Collection[int]) -> list[int]:
    """Of these members those who have not answered every question; for the service's own reminder only."""
    statement = select(col(Ballot.member_id)).where(
        col(Ballot.poll_id) == poll.id, col(Ballot.answered) >= poll.questions
    )
    done = set(session.execute(statement).scalars())
    return [member_id for member_id in voting if member_id not in done]
