"""Totals, wallets and values by period anew from what they sum up: what `verify` compares, written down."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, extract, func, insert, select
from sqlmodel import Session, col

from db import period_rebuild
from db.ledger import Entry, Total, Wallet
from db.members import Member

MEMBERS_AT_ONCE = 5_000  # whose lines are summed in one step
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many totals and wallets there are, and how many of them were not what the lines say."""

    totals: int
    totals_wrong: int
    wallets: int
    wallets_wrong: int
    periods: int  # of an organisation, with its values
    periods_wrong: int

    def __str__(self) -> str:
        return (
            f"{self.totals} totals ({self.totals_wrong} corrected), "
            f"{self.wallets} wallets ({self.wallets_wrong} corrected), "
            f"{self.periods} periods of values ({self.periods_wrong} corrected)"
        )


def rebuild(session: Session, progress: Progress = lambda *_: None) -> Rebuilt:
    """Write every total, wallet and period of values anew, in the caller's transaction; what was found."""
    last = session.execute(select(func.coalesce(func.max(col(Member.id)), 0))).scalar_one()
    counts = [0, 0, 0, 0]
    for first in range(0, last + 1, MEMBERS_AT_ONCE):
        totals = _totals(session, first)
        wallets = _wallets(session, first)
        for place, found in enumerate((*totals, *wallets)):
            counts[place] += found
        progress("rebuild", min(first + MEMBERS_AT_ONCE, last), last)
    periods, periods_wrong = period_rebuild.correct(session, progress)
    return Rebuilt(counts[0], counts[1], counts[2], counts[3], periods, periods_wrong)


def _totals(session: Session, first: int) -> tuple[int, int]:
    year = extract("year", col(Entry.day))
    summed = session.execute(
        select(
            col(Entry.member_id),
            year,
            col(Entry.rule_id),
            func.sum(col(Entry.points)),
            func.sum(col(Entry.hundredths)),
        )
        .where(_here(Entry, first), col(Entry.in_index).is_(True))
        .group_by(col(Entry.member_id), year, col(Entry.rule_id))
    )
    right = {(row[0], int(row[1]), row[2], int(row[3]), int(row[4])) for row in summed}
    columns = (Total.member_id, Total.year, Total.rule_id, Total.points, Total.hundredths)
    stored = {tuple(row) for row in session.execute(select(*map(col, columns)).where(_here(Total, first)))}
    if right != stored:
        session.execute(delete(Total).where(_here(Total, first)))
        names = ("member_id", "year", "rule_id", "points", "hundredths")
        _write(session, Total, (dict(zip(names, row, strict=True)) for row in right))
    return len(right), len({row[:3] for row in right ^ stored})


def _wallets(session: Session, first: int) -> tuple[int, int]:
    summed = session.execute(
        select(col(Entry.member_id), func.sum(col(Entry.points)))
        .where(_here(Entry, first), col(Entry.in_wallet).is_(True))
        .group_by(col(Entry.member_id))
    )
    right = {(row[0], max(0, int(row[1])), max(0, -int(row[1]))) for row in summed}
    columns = (Wallet.member_id, Wallet.balance, Wallet.debt)
    stored = {tuple(row) for row in session.execute(select(*map(col, columns)).where(_here(Wallet, first)))}
    # A wallet that is empty, of a member whose lines add up to nothing, need not be there.
    wrong = {row[0] for row in right ^ stored if row[1:] != (0, 0)}
    if wrong:
        session.execute(delete(Wallet).where(_here(Wallet, first)))
        names = ("member_id", "balance", "debt")
        _write(session, Wallet, (dict(zip(names, row, strict=True)) for row in right))
    return len(right), len(wrong)


def _here(table: type[Entry] | type[Total] | type[Wallet], first: int) -> ColumnElement[bool]:
    """The rows of the members from `first` on, one step long."""
    member_id = col(table.member_id)
    return (member_id >= first) & (member_id < first + MEMBERS_AT_ONCE)


def _write(session: Session, table: type[Total] | type[Wallet], rows: Iterable[dict[str, object]]) -> None:
    made = list(rows)
    if made:
        session.execute(insert(table), made)
