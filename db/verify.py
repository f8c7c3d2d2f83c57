"""The invariants of the database, each one query that counts the cases in which it is broken.

Nothing here changes anything. A healthy database has no broken case, whatever was said to it and whenever its
process was killed; `python -m bot verify` runs all of them beside the service.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import create_engine, event, func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool
from sqlmodel import Session, col

from db.audit import AuditEvent, fingerprint
from db.database_file import Refused, is_file, look_at, size
from db.engine import database_url
from db.invariants import INVARIANTS, words
from db.members import Member

SLICE = 5_000  # members that one run of a sliced query looks at: bounds the rows that have to be sorted
AUDIT_PAGE = 1_000  # lines


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one invariant. broken: cases that break it; example: one of them by its ids, without names."""

    id: str
    title: str
    broken: int
    example: str

    def __str__(self) -> str:
        if not self.broken:
            return f"{self.id} ok {self.title}"
        return f"{self.id} BROKEN {self.title}: {self.broken}, for example {self.example}"


_AUDIT = "every line of the audit log follows from the one before"
REFERENCES = f"V{len(INVARIANTS) + 2}"  # the database keeps it itself, unless somebody told it not to


def run(session: Session) -> Iterator[Finding]:
    """Every invariant in turn, V1 first. Bounded in memory, however large the city is."""
    spelled = words(session.connection().dialect.name)
    last_member = session.execute(select(func.coalesce(func.max(col(Member.id)), 0))).scalar_one()
    for number, one in enumerate(INVARIANTS, start=1):
        broken, example = _count(session, one.cases.format_map(spelled), last_member)
        yield Finding(f"V{number}", one.title, broken, example)
    broken, example = _break_of_chain(session)
    yield Finding(f"V{len(INVARIANTS) + 1}", _AUDIT, broken, example)
    yield Finding(REFERENCES, "no row points to one that is not there", *_lost_references(session))


@contextmanager
def reading(url: str) -> Iterator[Session]:
    """A session that cannot write and keeps nobody from writing: every query sees the state of its own moment.

    Raises Refused for a database that is missing, damaged or not one.
    """
    look_at(url)
    sqlite = is_file(url)
    if sqlite and not size(url):
        raise Refused("there is no database yet: the first start makes it")
    engine = create_engine(
        database_url(url), poolclass=NullPool, isolation_level="AUTOCOMMIT", hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def _only_read(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA query_only=ON" if sqlite else "SET default_transaction_read_only = on")

    try:
        with Session(engine) as session:
            yield session
    finally:
        engine.dispose()


def _count(session: Session, cases: str, last_member: int) -> tuple[int, str]:
    """How many cases a query has over all its slices, and one of them."""
    statement = text(f"SELECT count(*), min(one) FROM ({cases}) AS cases")
    sliced = ":low" in cases
    broken, example = 0, ""
    for low in range(0, last_member, SLICE) if sliced else (0,):
        count, first = session.execute(statement, {"low": low, "high": low + SLICE} if sliced else {}).one()
        broken, example = broken + count, example or first or ""
    return broken, example


def _lost_references(session: Session) -> tuple[int, str]:
    """How many rows point to nothing, and one of them. PostgreSQL lets none come about."""
    count, example = 0, ""
    if session.connection().dialect.name != "sqlite":
        return count, example
    try:
        for table, row, parent, _ in session.connection().exec_driver_sql("PRAGMA foreign_key_check"):
            count, example = count + 1, example or f"row {row} of {table} to {parent}"
    except OperationalError:
        return 1, "a table that has lost its key"
    return count, example


def _break_of_chain(session: Session) -> tuple[int, str]:
    """How many audit lines do not follow from the one before, read page by page, and the first of them."""
    names = ("id", "previous", "hash", "at", "actor_id", "action", "subject", "detail")
    columns = [col(getattr(AuditEvent, name)) for name in names]
    broken, example, last_id, last_hash = 0, "", 0, ""
    while True:
        statement = select(*columns).where(col(AuditEvent.id) > last_id).order_by(col(AuditEvent.id))
        page = session.execute(statement.limit(AUDIT_PAGE)).all()
        for line_id, previous, line_hash, *content in page:
            if previous != last_hash or line_hash != fingerprint(previous, *content):
                broken, example = broken + 1, example or f"audit_event {line_id}"
            last_id, last_hash = line_id, line_hash
        if len(page) < AUDIT_PAGE:
            return broken, example
