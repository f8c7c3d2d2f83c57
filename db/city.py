"""Facts of one branch, or of each, as rows: for judging one by one. `city_columns` reads a whole city."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, case, func, or_, select
from sqlmodel import Session, col

from db.activities import Activity
from db.indices import Appraisal, Negative
from db.ledger import Total, total_in
from db.members import Member, Membership
from db.organizations import Organization
from db.values import IndicatorValue

Rows = Sequence[tuple[Any, ...]]


def branches(session: Session, as_of: date, only: int | None = None) -> Rows:
    """(id, name, field, founded_on) of every branch founded by `as_of`, in the order of the ids."""
    statement = select(
        col(Organization.id), col(Organization.name), col(Organization.field), col(Organization.founded_on)
    ).where(
        col(Organization.field).is_not(None),
        or_(col(Organization.founded_on).is_(None), col(Organization.founded_on) <= as_of),
        or_(col(Organization.closed_on).is_(None), col(Organization.closed_on) > as_of),
    )
    if only is not None:
        statement = statement.where(col(Organization.id) == only)
    return _rows(session, statement.order_by(col(Organization.id)))


def memberships(session: Session, as_of: date, only: int | None = None) -> Rows:
    """(member, branch, from_day, to_day, mode) of memberships that touch the year of `as_of`, by member and day.

    only: of members who belong to this branch on `as_of`; all their memberships count.
    """
    first = date(as_of.year, 1, 1)
    statement = (
        select(
            col(Membership.member_id),
            col(Membership.organization_id),
            col(Membership.from_day),
            col(Membership.to_day),
            col(Member.mode),
        )
        .join(Member, col(Member.id) == col(Membership.member_id))
        .where(
            col(Membership.from_day) <= as_of,
            or_(col(Membership.to_day).is_(None), col(Membership.to_day) > first),
        )
        .order_by(col(Membership.member_id), col(Membership.from_day))
    )
    if only is not None:
        statement = statement.where(col(Membership.member_id).in_(_here(only, as_of)))
    return _rows(session, statement)


def totals(session: Session, year: int, rule_ids: Sequence[str], as_of: date, only: int | None = None) -> Rows:
    """One row per member with lines in the year: the id, then points and hundredths of each rule in turn."""
    sums = []
    for rule_id in rule_ids:
        for column in (col(Total.points), col(Total.hundredths)):
            sums.append(func.coalesce(func.max(case((col(Total.rule_id) == rule_id, column))), 0))
    statement = (
        select(col(Total.member_id), *sums)
        .where(col(Total.year) == year if only is None else total_in(year))
        .group_by(col(Total.member_id))
        .order_by(col(Total.member_id))
    )
    if only is not None:
        statement = statement.where(col(Total.member_id).in_(_here(only, as_of)))
    return _rows(session, statement)


def activities(session: Session, as_of: date, zone: ZoneInfo, only: int | None = None) -> Rows:
    """(branch, starts_at, scope, kinds, should_attend, attended) of approved activities of the year to date."""
    begin = datetime.combine(date(as_of.year, 1, 1), time(), zone)
    end = datetime.combine(as_of, time.max, zone)
    statement = select(
        col(Activity.organization_id),
        col(Activity.starts_at),
        col(Activity.scope),
        col(Activity.kinds),
        func.coalesce(col(Activity.should_attend), 0),
        func.coalesce(col(Activity.attended), 0),
    ).where(
        col(Activity.approved).is_(True),
        col(Activity.state) != "cancelled",
        col(Activity.starts_at) >= begin,
        col(Activity.starts_at) <= end,
    )
    if only is not None:
        statement = statement.where(col(Activity.organization_id) == only)
    return _rows(session, statement)


def values(session: Session, year: int, only: int | None = None) -> Rows:
    """(branch, indicator or item, period, value as text) of the year."""
    statement = select(
        col(IndicatorValue.organization_id),
        col(IndicatorValue.indicator_id),
        col(IndicatorValue.period),
        col(IndicatorValue.value),
    ).where(col(IndicatorValue.period).startswith(str(year), autoescape=True))
    if only is not None:
        statement = statement.where(col(IndicatorValue.organization_id) == only)
    return _rows(session, statement)


def first_periods(session: Session, indicator_ids: Iterable[str]) -> set[tuple[str, str]]:
    """(indicator, its earliest period) of those that any organisation has a value for.

    Periods of one form sort as text like in time, so the earliest one costs a look into the index.
    """
    value = col(IndicatorValue.period)
    found: set[tuple[str, str]] = set()
    for indicator_id in indicator_ids:
        earliest = session.execute(
            select(func.min(value)).where(col(IndicatorValue.indicator_id) == indicator_id)
        ).scalar()
        if earliest is not None:
            found.add((indicator_id, earliest))
    return found


def negatives(session: Session, as_of: date, only: int | None = None) -> Rows:
    """(branch, item, net count) of the year to date."""
    statement = (
        select(col(Negative.organization_id), col(Negative.item_id), func.sum(col(Negative.count)))
        .where(col(Negative.day) >= date(as_of.year, 1, 1), col(Negative.day) <= as_of)
        .group_by(col(Negative.organization_id), col(Negative.item_id))
    )
    if only is not None:
        statement = statement.where(col(Negative.organization_id) == only)
    return _rows(session, statement)


def appraisals(session: Session, year: int, only: int | None = None) -> Rows:
    """(branch, self, members and masses, superior) in hundredths, where all three voices are there."""
    statement = select(
        col(Appraisal.organization_id),
        col(Appraisal.self_score),
        col(Appraisal.members_masses),
        col(Appraisal.superior),
    ).where(
        col(Appraisal.year) == year,
        and_(
            col(Appraisal.self_score).is_not(None),
            col(Appraisal.members_masses).is_not(None),
            col(Appraisal.superior).is_not(None),
        ),
    )
    if only is not None:
        statement = statement.where(col(Appraisal.organization_id) == only)
    return _rows(session, statement)


def _here(organization_id: int, as_of: date) -> Any:
    """Ids of the members who belong to the branch on `as_of`."""
    return select(col(Membership.member_id)).where(
        col(Membership.organization_id) == organization_id,
        col(Membership.from_day) <= as_of,
        or_(col(Membership.to_day).is_(None), col(Membership.to_day) > as_of),
    )


def _rows(session: Session, statement: Any) -> Rows:
    # Plain tuples: numpy asks a Row for its keys first, which costs more than the query.
    return [tuple(row) for row in session.connection().execute(statement)]
