"""Points: an append-only ledger, and the totals and wallets kept with it in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, bindparam, case, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col

from db.engine import BigId
from db.prepared import Prepared


class Entry(SQLModel, table=True):
    """One line. To undo a line, add its opposite; lines are never changed or deleted (a trigger sees to it)."""

    # One cause pays one member once under one rule, however often a message is delivered or a button pressed.
    __table_args__ = (UniqueConstraint("member_id", "cause", "rule_id"), Index("ix_entry_cause", "cause"))
    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    member_id: int = Field(foreign_key="member.id")
    organization_id: int | None = Field(default=None, foreign_key="organization.id")  # the branch at that time
    rule_id: str  # of the catalogue, or a wallet's own: REDEEM, REFUND, PROJECT
    terms_from: date | None = None  # which terms of the rule paid it
    cause: str  # what happened: "activity:17"; its opposite is "undo:activity:17"
    points: int  # earned positive, deducted or spent negative
    hundredths: int = 0  # raw quantity x 100: events, months, cases; hours for PB3
    day: date  # of the event, on the city's calendar
    in_index: bool = True  # counts for the year's index
    in_wallet: bool = True  # counts for the spendable balance
    reason: str = ""  # for the person who asks why, in the words of the day
    booked_at: datetime


class Total(SQLModel, table=True):
    """Sum of a member's index lines under one rule in one year. Always equals the lines.

    A rule's totals lie together, ordered by member: the refresh of a city reads them rule by rule, in half the
    time that telling one rule from another takes; one person's are found by the index.
    """

    __table_args__ = (Index("ix_total_member_id", "member_id", "year"), {"sqlite_with_rowid": False})
    year: int = Field(primary_key=True)
    rule_id: str = Field(primary_key=True)
    member_id: int = Field(foreign_key="member.id", primary_key=True)
    points: int = 0
    hundredths: int = 0


class Wallet(SQLModel, table=True):
    """What a member can spend. balance - debt is the sum of the wallet lines, and one of the two is 0.

    A debt arises when points that were already spent are taken back; later points pay it first.
    """

    __table_args__ = (
        CheckConstraint("balance >= 0", name="balance_not_negative"),
        CheckConstraint("debt >= 0", name="debt_not_negative"),
        CheckConstraint("balance = 0 OR debt = 0", name="balance_or_debt"),
    )
    member_id: int = Field(foreign_key="member.id", primary_key=True)
    balance: int = 0
    debt: int = 0


class NotEnough(Exception):
    """The wallet holds less than was to be spent; nothing was booked."""


def _insert(dialect: str, table: Any) -> Any:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def _add_entry(dialect: str) -> Any:
    values: dict[str, Any] = {name: bindparam(name) for name in Entry.model_fields if name != "id"}
    return (
        _insert(dialect, Entry)
        .values(values)
        .on_conflict_do_nothing(index_elements=["member_id", "cause", "rule_id"])
    )


def _add_total(dialect: str) -> Any:
    adding = _insert(dialect, Total).values(
        member_id=bindparam("member_id"),
        year=bindparam("year"),
        rule_id=bindparam("rule_id"),
        points=bindparam("points"),
        hundredths=bindparam("hundredths"),
    )
    return adding.on_conflict_do_update(
        index_elements=["year", "rule_id", "member_id"],
        set_={
            "points": col(Total.points) + adding.excluded.points,
            "hundredths": col(Total.hundredths) + adding.excluded.hundredths,
        },
    )


_ADD_ENTRY = Prepared(_add_entry)
_ADD_TOTAL = Prepared(_add_total)
_PURSE = Prepared(
    select(col(Wallet.balance), col(Wallet.debt)).where(col(Wallet.member_id) == bindparam("member_id"))
)


def _move_purse(dialect: str) -> Any:
    """Points pay a debt first; a deduction takes the balance first and then makes a debt. One atomic step."""
    adding = _insert(dialect, Wallet).values(
        member_id=bindparam("member_id"), balance=bindparam("balance"), debt=bindparam("debt")
    )
    after = col(Wallet.balance) - col(Wallet.debt) + adding.excluded.balance - adding.excluded.debt
    return adding.on_conflict_do_update(
        index_elements=["member_id"],
        set_={"balance": case((after > 0, after), else_=0), "debt": case((after < 0, -after), else_=0)},
    )


_MOVE_PURSE = Prepared(_move_purse)
_TAKE = Prepared(
    update(Wallet)
    .where(col(Wallet.member_id) == bindparam("member_id"), col(Wallet.balance) >= bindparam("price"))
    .values(balance=col(Wallet.balance) - bindparam("price"))
)


def total_in(year: Any) -> Any:
    """The condition that a total is of this year, where its members are named.

    + 0: SQLite, which knows no figures of the table, would find the year by the key and read all of it (0.15 s in
    a city) instead of finding the members by their index.
    """
    return col(Total.year) + 0 == year


_TOTALS = Prepared(
    select(col(Total.rule_id), col(Total.points), col(Total.hundredths)).where(
        col(Total.member_id) == bindparam("member_id"), total_in(bindparam("year"))
    )
)


def book(
    session: Session,
    *,
    member_id: int,
    rule_id: str,
    cause: str,
    points: int,
    day: date,
    booked_at: datetime,
    organization_id: int | None = None,
    terms_from: date | None = None,
    hundredths: int = 100,
    in_index: bool = True,
    in_wallet: bool = True,
    reason: str = "",
) -> bool:
    """Add one line and carry its totals and the wallet along. False when this cause was booked already.

    Points may be negative: a deduction or the opposite of an earlier line. A wallet that has spent what is
    taken back goes into debt. To spend, use `spend`, which refuses instead.
    """
    added = _ADD_ENTRY.count(
        session,
        member_id=member_id,
        organization_id=organization_id,
        rule_id=rule_id,
        terms_from=terms_from,
        cause=cause,
        points=points,
        hundredths=hundredths,
        day=day,
        in_index=in_index,
        in_wallet=in_wallet,
        reason=reason,
        booked_at=booked_at,
    )
    if not added:
        return False
    if in_index:
        _ADD_TOTAL.count(
            session, member_id=member_id, year=day.year, rule_id=rule_id, points=points, hundredths=hundredths
        )
    if in_wallet and points:
        _MOVE_PURSE.count(session, member_id=member_id, balance=max(points, 0), debt=max(-points, 0))
    return True


def spend(
    session: Session,
    *,
    member_id: int,
    rule_id: str,
    cause: str,
    points: int,
    day: date,
    booked_at: datetime,
    reason: str = "",
) -> bool:
    """Take `points` (positive) out of the wallet; the index does not move. False when booked already.

    Raises NotEnough when the balance is smaller; a balance never goes below zero, whoever spends at once.
    """
    assert points > 0
    if line(session, member_id, cause, rule_id) is not None:
        return False
    # Take first, on a condition: whoever comes second finds too little, and nothing has to be given back.
    if not _TAKE.count(session, member_id=member_id, price=points):
        raise NotEnough
    _ADD_ENTRY.count(
        session,
        member_id=member_id,
        organization_id=None,
        rule_id=rule_id,
        terms_from=None,
        cause=cause,
        points=-points,
        hundredths=0,
        day=day,
        in_index=False,
        in_wallet=True,
        reason=reason,
        booked_at=booked_at,
    )
    return True


def reverse(session: Session, entry: Entry, *, booked_at: datetime, reason: str) -> bool:
    """Add the opposite of a line, dated on the day of the line it undoes. False when it was undone before."""
    return book(
        session,
        member_id=entry.member_id,
        organization_id=entry.organization_id,
        rule_id=entry.rule_id,
        terms_from=entry.terms_from,
        cause=f"undo:{entry.cause}",
        points=-entry.points,
        hundredths=-entry.hundredths,
        day=entry.day,
        in_index=entry.in_index,
        in_wallet=entry.in_wallet,
        reason=reason,
        booked_at=booked_at,
    )


def purse(session: Session, member_id: int) -> tuple[int, int]:
    """(balance, debt) in points."""
    row = _PURSE.row(session, member_id=member_id)
    return (row[0], row[1]) if row else (0, 0)


def balance(session: Session, member_id: int) -> int:
    """Points that the member can spend."""
    return purse(session, member_id)[0]


def totals(session: Session, member_id: int, year: int) -> dict[str, tuple[int, int]]:
    """(points, hundredths of the raw quantity) of the year per rule; rules without lines are missing."""
    rows = _TOTALS.rows(session, member_id=member_id, year=year)
    return {rule_id: (points, hundredths) for rule_id, points, hundredths in rows}


def lines(session: Session, member_id: int, *, most: int = 10, offset: int = 0) -> Sequence[Entry]:
    """The member's last lines, the newest first."""
    newest = select(Entry).where(col(Entry.member_id) == member_id).order_by(col(Entry.id).desc())
    return session.execute(newest.limit(most).offset(offset)).scalars().all()


def line(session: Session, member_id: int, cause: str, rule_id: str | None = None) -> Entry | None:
    """The line of one cause (under one rule, where a cause has several)."""
    statement = select(Entry).where(col(Entry.member_id) == member_id, col(Entry.cause) == cause)
    if rule_id is not None:
        statement = statement.where(col(Entry.rule_id) == rule_id)
    return session.execute(statement).scalars().first()


def count_lines(session: Session, member_id: int) -> int:
    """How many lines the member has."""
    return int(session.execute(select(func.count()).where(col(Entry.member_id) == member_id)).scalar_one())


def lines_of_rule(session: Session, member_id: int, rule_id: str, year: int, *, most: int) -> Sequence[Entry]:
    """The member's last lines of the year under one rule, the newest first."""
    statement = (
        select(Entry)
        .where(
            col(Entry.member_id) == member_id,
            col(Entry.rule_id) == rule_id,
            col(Entry.day) >= date(year, 1, 1),
            col(Entry.day) <= date(year, 12, 31),
        )
        .order_by(col(Entry.id).desc())
        .limit(most)
    )
    return session.execute(statement).scalars().all()
