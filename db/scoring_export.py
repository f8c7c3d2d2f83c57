"""What the indices are made of, read row by row in one view of the database; the reader cannot write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import NullPool, case, create_engine, event, func, select
from sqlmodel import Session, col

from db.activities import Activity
from db.database_file import Refused, is_file, look_at, size
from db.engine import database_url
from db.indices import Appraisal
from db.ledger import Entry
from db.members import Member, Membership
from db.negatives import Negative
from db.organizations import Organization
from db.values import IndicatorValue

CHUNK = 5_000  # rows held at once

Rows = Iterator[tuple[Any, ...]]


@contextmanager
def snapshot(url: str) -> Iterator[Session]:
    """A session that cannot write, and whose queries all see the state of one moment.

    Raises Refused for a database that is missing, damaged or not one.
    """
    look_at(url)
    sqlite = is_file(url)
    if sqlite and not size(url):
        raise Refused("there is no database yet: the first start makes it")
    level = "SERIALIZABLE" if sqlite else "REPEATABLE READ"
    engine = create_engine(database_url(url), poolclass=NullPool, isolation_level=level, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _only_read(connection: Any, _record: object) -> None:
        if sqlite:
            connection.isolation_level = None  # we say BEGIN ourselves: the driver does not before a SELECT
            connection.execute("PRAGMA query_only=ON")
            connection.execute("PRAGMA busy_timeout=30000")  # milliseconds
        else:
            connection.read_only = True

    try:
        with Session(engine) as session:
            if sqlite:
                session.connection().exec_driver_sql("BEGIN")
            yield session
    finally:
        engine.dispose()


def organizations(session: Session, as_of: date) -> Rows:
    """(id, name, field, parent, founded_on); one that is closed by `as_of` has no field any more."""
    closed = col(Organization.closed_on) <= as_of
    return _rows(
        session,
        select(
            col(Organization.id),
            col(Organization.name),
            case((closed, None), else_=col(Organization.field)),
            col(Organization.parent_id),
            col(Organization.founded_on),
        ).order_by(col(Organization.id)),
    )


def memberships(session: Session) -> Rows:
    """(member, name, branch, from_day, to_day, the member's mode) of every membership."""
    return _rows(
        session,
        select(
            col(Membership.member_id),
            col(Member.name),
            col(Membership.organization_id),
            col(Membership.from_day),
            col(Membership.to_day),
            col(Member.mode),
        )
        .join(Member, col(Member.id) == col(Membership.member_id))
        .order_by(col(Membership.member_id), col(Membership.from_day)),
    )


def entries(session: Session, year: int) -> Rows:
    """(member, rule, day, points, hundredths) of the ledger lines of the year that count for the index."""
    return _rows(
        session,
        select(col(Entry.member_id), col(Entry.rule_id), col(Entry.day), col(Entry.points), col(Entry.hundredths))
        .where(col(Entry.in_index).is_(True), col(Entry.day).between(date(year, 1, 1), date(year, 12, 31)))
        .order_by(col(Entry.id)),
    )


def activities(session: Session, year: int, zone: ZoneInfo) -> Rows:
    """(id, branch, scope, kinds, day in the city, should attend, attended, counts) of the year's activities.

    counts: approved and not cancelled.
    """
    statement = (
        select(
            col(Activity.id),
            col(Activity.organization_id),
            col(Activity.scope),
            col(Activity.kinds),
            col(Activity.starts_at),
            func.coalesce(col(Activity.should_attend), 0),
            func.coalesce(col(Activity.attended), 0),
            col(Activity.approved),
            col(Activity.state),
        )
        .where(
            col(Activity.starts_at) >= datetime.combine(date(year, 1, 1), time(), zone),
            col(Activity.starts_at) <= datetime.combine(date(year, 12, 31), time.max, zone),
        )
        .order_by(col(Activity.id))
    )
    for *cells, starts_at, should, came, approved, state in _rows(session, statement):
        day = starts_at.astimezone(zone).date()
        yield *cells, day, should, came, approved and state != "cancelled"


def values(session: Session) -> Rows:
    """(organisation, indicator or item, period, value as it was recorded)."""
    names = ("organization_id", "indicator_id", "period", "value")
    columns = [col(getattr(IndicatorValue, name)) for name in names]
    return _rows(session, select(*columns).order_by(*columns[:3]))


def negatives(session: Session) -> Rows:
    """(organisation, item, day, count) of every posting."""
    names = ("organization_id", "item_id", "day", "count")
    return _rows(session, select(*(col(getattr(Negative, name)) for name in names)).order_by(col(Negative.id)))


def appraisals(session: Session) -> Rows:
    """(organisation, year, self, members and masses, superior) in hundredths; None for a missing voice."""
    names = ("organization_id", "year", "self_score", "members_masses", "superior")
    columns = [col(getattr(Appraisal, name)) for name in names]
    return _rows(session, select(*columns).order_by(*columns[:2]))


def _rows(session: Session, statement: Any) -> Rows:
    for row in session.connection().execute(statement.execution_options(yield_per=CHUNK)):
        yield tuple(row)
