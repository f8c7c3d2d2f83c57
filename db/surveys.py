"""Satisfaction surveys of letters: who has answered, and apart from that what was answered, branch by branch.

No row links a person to an answer; see `db.polls`, whose ways these are. At the close the papers go, and what too
few have said goes into the sum of all, without a branch; with too few in all, it goes altogether.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import CheckConstraint, Index, case, delete, func, insert, select, update
from sqlmodel import Field, Session, SQLModel, col

from db.once import add_once
from db.polls import insert_into

REST = 0  # in place of a branch: those whose own figures are not kept


class Survey(SQLModel, table=True):
    """The survey of one letter; made with the first answer."""

    __table_args__ = (Index("ix_survey_state", "state", "closes_at"),)
    letter_id: int = Field(foreign_key="letter.id", primary_key=True)
    state: str = "open"  # open, closed
    questions: int
    closes_at: datetime
    answers: int | None = None  # how many people have answered anything; known from the close on


class SurveyPaper(SQLModel, table=True):
    """How many questions a member has answered: no time, no order, no answer."""

    __tablename__ = "survey_paper"
    letter_id: int = Field(foreign_key="letter.id", primary_key=True)
    member_id: int = Field(foreign_key="member.id", primary_key=True)
    answered: int = 0


class SurveyTally(SQLModel, table=True):
    """How often one grade was given to one question in one branch."""

    __tablename__ = "survey_tally"
    __table_args__ = (CheckConstraint("votes >= 0", name="votes"),)
    letter_id: int = Field(foreign_key="letter.id", primary_key=True)
    organization_id: int = Field(primary_key=True)  # a branch or REST, so no foreign key
    question: int = Field(primary_key=True)  # 0, 1, ...
    grade: str = Field(primary_key=True)
    votes: int = 0


Tallies = Mapping[int, Mapping[int, Mapping[str, int]]]
"""Per question, branch and grade how many gave it."""


def begin(session: Session, letter_id: int, *, questions: int, closes_at: datetime) -> None:
    """Make the letter's survey, unless there is one."""
    values = {"letter_id": letter_id, "state": "open", "questions": questions, "closes_at": closes_at}
    add_once(session, Survey, values)


def get(session: Session, letter_id: int) -> Survey | None:
    """The letter's survey; None before the first answer."""
    return session.get(Survey, letter_id, populate_existing=True)


def answered(session: Session, letter_id: int, member_id: int) -> int:
    """How many questions the member has answered."""
    found = session.get(SurveyPaper, (letter_id, member_id), populate_existing=True)
    return found.answered if found else 0


def vote(
    session: Session,
    letter_id: int,
    member_id: int,
    *,
    organization_id: int,
    number: int,
    grade: str,
    grades: Sequence[str],
    now: datetime,
) -> bool:
    """Count one answer to the question `number` (0, 1, ...). False: not its turn, or the survey is over.

    The survey's row is locked first, so that a close waits for the answers before it; answers of different
    branches do not wait for each other.
    """
    alive = select(col(Survey.letter_id)).where(
        col(Survey.letter_id) == letter_id, col(Survey.state) == "open", col(Survey.closes_at) > now
    )
    if session.execute(alive.with_for_update(read=True)).first() is None:
        return False
    paper = insert_into(session, SurveyPaper).values(letter_id=letter_id, member_id=member_id, answered=0)
    session.execute(paper.on_conflict_do_nothing(index_elements=["letter_id", "member_id"]))
    mine = (
        update(SurveyPaper)
        .where(
            col(SurveyPaper.letter_id) == letter_id,
            col(SurveyPaper.member_id) == member_id,
            col(SurveyPaper.answered) == number,
        )
        .values(answered=number + 1)
    )
    if session.execute(mine, execution_options={"synchronize_session": False}).rowcount != 1:  # type: ignore[attr-defined]
        return False
    _count(session, letter_id, organization_id, number, grade, grades)
    return True


def _count(
    session: Session, letter_id: int, organization_id: int, number: int, grade: str, grades: Sequence[str]
) -> None:
    """Every row of the question is written, so that no row's version says which grade this was."""
    where = {"letter_id": letter_id, "organization_id": organization_id, "question": number}
    blank = insert_into(session, SurveyTally).on_conflict_do_nothing()
    session.execute(blank, [{**where, "grade": one, "votes": 0} for one in grades])
    counted = (
        update(SurveyTally)
        .where(
            col(SurveyTally.letter_id) == letter_id,
            col(SurveyTally.organization_id) == organization_id,
            col(SurveyTally.question) == number,
        )
        .values(votes=col(SurveyTally.votes) + case((col(SurveyTally.grade) == grade, 1), else_=0))
    )
    session.execute(counted, execution_options={"synchronize_session": False})


def due(session: Session, now: datetime) -> Survey | None:
    """The open survey whose time has been over longest; None when there is none."""
    statement = select(Survey).where(col(Survey.state) == "open", col(Survey.closes_at) <= now)
    return session.execute(statement.order_by(col(Survey.closes_at), col(Survey.letter_id)).limit(1)).scalar()


def close(session: Session, letter_id: int) -> bool:
    """Close the survey; False when it is closed already."""
    changed = session.execute(
        update(Survey)
        .where(col(Survey.letter_id) == letter_id, col(Survey.state) == "open")
        .values(state="closed"),
        execution_options={"synchronize_session": False},
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def count_papers(session: Session, letter_id: int) -> int:
    """How many people have answered anything; of a closed survey what was counted at its close."""
    found = get(session, letter_id)
    if found is not None and found.answers is not None:
        return found.answers
    statement = select(func.count()).where(col(SurveyPaper.letter_id) == letter_id)
    return int(session.execute(statement).scalar_one())


def tallies(session: Session, letter_id: int) -> Tallies:
    """Everything that was counted. Only for the close and after it: nobody is shown this before."""
    rows = session.execute(
        select(
            col(SurveyTally.question),
            col(SurveyTally.organization_id),
            col(SurveyTally.grade),
            col(SurveyTally.votes),
        ).where(col(SurveyTally.letter_id) == letter_id)
    )
    found: dict[int, dict[int, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for question, organization_id, grade, votes in rows:
        found[question][organization_id][grade] = votes
    return found


def put_away(session: Session, letter_id: int, answers: int, kept: Tallies) -> None:
    """After the close: keep how many answered, and no longer who; of what they said keep `kept` alone."""
    session.execute(
        update(Survey).where(col(Survey.letter_id) == letter_id).values(answers=answers),
        execution_options={"synchronize_session": False},
    )
    session.execute(delete(SurveyPaper).where(col(SurveyPaper.letter_id) == letter_id))
    session.execute(delete(SurveyTally).where(col(SurveyTally.letter_id) == letter_id))
    rows = [
        {"letter_id": letter_id, "organization_id": branch, "question": question, "grade": grade, "votes": votes}
        for question, branches in kept.items()
        for branch, votes_of in branches.items()
        for grade, votes in votes_of.items()
    ]
    if rows:
        session.execute(insert(SurveyTally), rows)


def merged(votes_of: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The votes of several branches added up."""
    found: dict[str, int] = defaultdict(int)
    for votes in votes_of:
        for grade, count in votes.items():
            found[grade] += count
    return dict(found)


def without_small(
    tallies_of: Mapping[int, Mapping[str, int]], shown: Collection[int]
) -> dict[int, dict[str, int]]:
    """One question's tallies with all branches that are not to be shown put together as REST."""
    kept = {branch: dict(votes) for branch, votes in tallies_of.items() if branch in shown}
    rest = merged(votes for branch, votes in tallies_of.items() if branch not in shown)
    return {**kept, REST: rest} if rest else kept
