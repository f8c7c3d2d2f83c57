"""Quizzes of letters: one paper per person and letter, answered question by question, and how groups stand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Index, func, select, update
from sqlmodel import Field, Session, SQLModel, col

from db.once import add_once

GroupBy = Literal["region_id", "field"]


class QuizPaper(SQLModel, table=True):
    """What one recipient has answered. Branch, region and field are those of the first answer."""

    __tablename__ = "quiz_paper"
    __table_args__ = (
        Index("ix_quiz_paper_region_id", "letter_id", "region_id", "score"),
        Index("ix_quiz_paper_field", "letter_id", "field", "score"),
    )
    letter_id: int = Field(foreign_key="letter.id", primary_key=True)
    member_id: int = Field(foreign_key="member.id", primary_key=True)
    organization_id: int | None = Field(default=None, foreign_key="organization.id")
    region_id: int | None = Field(default=None, foreign_key="region.id")
    field: str | None = None
    answered: int = 0  # questions, in their order
    right: int = 0
    choices: str = ""  # the number of each answer given: "213"
    score: int | None = None  # right answers, once all questions are answered
    finished_at: datetime | None = None


def paper(session: Session, letter_id: int, member_id: int) -> QuizPaper | None:
    """The member's paper; None before the first answer."""
    return session.get(QuizPaper, (letter_id, member_id), populate_existing=True)


def begin(
    session: Session,
    letter_id: int,
    member_id: int,
    *,
    organization_id: int | None,
    region_id: int | None,
    field: str | None,
) -> None:
    """Make the member's paper, unless there is one."""
    where: dict[str, Any] = {"organization_id": organization_id, "region_id": region_id, "field": field}
    blank = {"answered": 0, "right": 0, "choices": ""}
    add_once(session, QuizPaper, {"letter_id": letter_id, "member_id": member_id, **where, **blank})


def answer(
    session: Session,
    letter_id: int,
    member_id: int,
    *,
    number: int,
    choice: int,
    is_right: bool,
    last: bool,
    now: datetime,
) -> bool:
    """Note the answer to the question `number` (0, 1, ...). False: it is not this question's turn (any more)."""
    values: dict[str, Any] = {
        "answered": number + 1,
        "right": col(QuizPaper.right) + int(is_right),
        "choices": col(QuizPaper.choices) + str(choice),
    }
    if last:
        values |= {"score": col(QuizPaper.right) + int(is_right), "finished_at": now}
    changed = session.execute(
        update(QuizPaper)
        .where(
            col(QuizPaper.letter_id) == letter_id,
            col(QuizPaper.member_id) == member_id,
            col(QuizPaper.answered) == number,
        )
        .values(**values),
        execution_options={"synchronize_session": False},
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def place(session: Session, one: QuizPaper, by: GroupBy) -> tuple[int, int] | None:
    """(rank, takers) of a finished paper in its own region or field; None where it has none.

    rank: 1 + how many have more right answers.
    """
    group = getattr(one, by)
    if group is None or one.score is None:
        return None
    better = func.count().filter(col(QuizPaper.score) > one.score)
    statement = select(better, func.count()).where(
        col(QuizPaper.letter_id) == one.letter_id,
        getattr(QuizPaper, by) == group,
        col(QuizPaper.score).is_not(None),
    )
    above, takers = session.execute(statement).one()
    return int(above) + 1, int(takers)


def groups(session: Session, letter_id: int, by: GroupBy) -> Sequence[tuple[Any, int, int]]:
    """(region id or field, takers, their right answers together) of everybody who has answered all questions."""
    column = getattr(QuizPaper, by)
    statement = (
        select(column, func.count(), func.sum(col(QuizPaper.score)))
        .where(col(QuizPaper.letter_id) == letter_id, column.is_not(None), col(QuizPaper.score).is_not(None))
        .group_by(column)
    )
    return [(row[0], int(row[1]), int(row[2])) for row in session.execute(statement)]


def takers(session: Session, letter_id: int) -> tuple[int, int]:
    """(people who have answered all questions, their right answers together)."""
    statement = select(func.count(), func.coalesce(func.sum(col(QuizPaper.score)), 0)).where(
        col(QuizPaper.letter_id) == letter_id, col(QuizPaper.score).is_not(None)
    )
    people, right = session.execute(statement).one()
    return int(people), int(right)
