"""What the service saw of many branches at once: the facts behind the values that it records by itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, or_, select
from sqlmodel import Session, col

from db.activities import Activity
from db.attendance import CAME, Attendance
from db.ledger import Entry
from db.letters import Receipt
from db.members import Member, Membership, Role
from db.negatives import UNDO, Negative
from db.organizations import Organization
from db.wish_claims import DONE_WITHIN
from db.wishes import Wish, WishClaim

DUES, STUDY, VOLUNTEERING = "PB2", "PB3", "PP2"  # rules of the ledger
COMMUNITY = "urban_community"  # the field whose activities others come to serve at

Ids = Collection[int]


@dataclass(frozen=True, slots=True)
class Belongs:
    """One membership of a member who counts as active."""

    organization_id: int
    member_id: int
    from_day: date
    to_day: date | None
    exempt: bool
    mobile: bool
    probationary: bool

    def on(self, day: date) -> bool:
        """Whether it holds on `day`."""
        return self.from_day <= day and (self.to_day is None or self.to_day > day)


def branches(session: Session, ids: Ids, last: date) -> Sequence[Organization]:
    """Those of the branches that exist on `last`."""
    statement = select(Organization).where(
        col(Organization.id).in_(ids),
        or_(col(Organization.founded_on).is_(None), col(Organization.founded_on) <= last),
        or_(col(Organization.closed_on).is_(None), col(Organization.closed_on) > last),
    )
    return session.execute(statement.order_by(col(Organization.id))).scalars().all()


def belongings(session: Session, ids: Ids, first: date, last: date) -> list[Belongs]:
    """Memberships in these branches that touch the days from `first` to `last`."""
    statement = (
        select(
            col(Membership.organization_id),
            col(Membership.member_id),
            col(Membership.from_day),
            col(Membership.to_day),
            col(Member.mode) == "exempt",
            col(Member.mobile),
            col(Member.probationary),
        )
        .join(Member, col(Member.id) == col(Membership.member_id))
        .where(
            col(Membership.organization_id).in_(ids),
            col(Membership.from_day) <= last,
            or_(col(Membership.to_day).is_(None), col(Membership.to_day) > first),
            or_(col(Member.status) == "active", col(Membership.to_day).is_not(None)),
        )
    )
    return [Belongs(*row[:4], *(bool(one) for one in row[4:])) for row in _rows(session, statement)]


def with_secretary(session: Session, ids: Ids, day: date) -> set[int]:
    """Branches with an active secretary of their own on `day`."""
    statement = (
        select(col(Role.organization_id))
        .join(Member, col(Member.id) == col(Role.member_id))
        .where(
            col(Role.organization_id).in_(ids),
            col(Role.role) == "secretary",
            col(Role.from_day) <= day,
            or_(col(Role.to_day).is_(None), col(Role.to_day) > day),
            col(Member.status) == "active",
        )
    )
    return set(session.execute(statement).scalars())


def booked(
    session: Session, ids: Ids, rule_id: str, spans: Sequence[tuple[date, date]]
) -> dict[int, tuple[int, ...]]:
    """Hundredths under the rule in each of `spans` (first and last day), less what was undone.

    Of everybody who belongs to these branches; members without any line are missing.
    """
    here = select(col(Membership.member_id)).where(col(Membership.organization_id).in_(ids))
    day, quantity = col(Entry.day), col(Entry.hundredths)
    sums = [func.sum(case((day.between(*span), quantity), else_=0)) for span in spans]
    statement = (
        select(col(Entry.member_id), *sums)
        .where(
            col(Entry.member_id).in_(here),
            col(Entry.rule_id) == rule_id,
            day.between(spans[0][0], spans[-1][1]),
            col(Entry.in_index).is_(True),
        )
        .group_by(col(Entry.member_id))
    )
    return {row[0]: tuple(int(one) for one in row[1:]) for row in _rows(session, statement)}


def booked_days(session: Session, ids: Ids, rule_id: str, first: date, last: date) -> Sequence[tuple[int, date]]:
    """(member, day) of every day with something booked under the rule that was not undone."""
    here = select(col(Membership.member_id)).where(col(Membership.organization_id).in_(ids))
    statement = (
        select(col(Entry.member_id), col(Entry.day))
        .where(
            col(Entry.member_id).in_(here),
            col(Entry.rule_id) == rule_id,
            col(Entry.day).between(first, last),
            col(Entry.in_index).is_(True),
        )
        .group_by(col(Entry.member_id), col(Entry.day))
        .having(func.sum(col(Entry.hundredths)) > 0)
    )
    return _rows(session, statement)


def came(
    session: Session, ids: Ids, begin: datetime, end: datetime, *those: Any
) -> Sequence[tuple[int, datetime]]:
    """(member, beginning) of every attendance in [begin, end) of members of these branches, from afar, too.

    those: further conditions, such as VOLUNTEERED, SERVED and MOBILE.
    """
    statement = (
        select(col(Attendance.member_id), col(Activity.starts_at))
        .join(Activity, col(Activity.id) == col(Attendance.activity_id))
        .join(Organization, col(Organization.id) == col(Activity.organization_id))
        .join(Membership, col(Membership.member_id) == col(Attendance.member_id))
        .join(Member, col(Member.id) == col(Attendance.member_id))
        .where(
            col(Membership.organization_id).in_(ids),
            col(Attendance.state) == "present",
            col(Attendance.mode).in_(CAME),
            col(Activity.approved).is_(True),
            col(Activity.state) != "cancelled",
            col(Activity.starts_at) >= begin,
            col(Activity.starts_at) < end,
            *those,
        )
    )
    return _rows(session, statement)


VOLUNTEERED = col(Activity.kinds).contains("volunteering", autoescape=True)
SERVED = (col(Organization.field) == COMMUNITY) & (col(Organization.id) != col(Membership.organization_id))
"""At an activity of a community that is not one's own."""
MOBILE = col(Member.mobile).is_(True)


def readers(session: Session, ids: Ids, begin: datetime, end: datetime) -> set[int]:
    """Mobile members of these branches who read, acked or answered a letter in [begin, end)."""
    statement = (
        select(col(Receipt.member_id))
        .join(Member, col(Member.id) == col(Receipt.member_id))
        .join(Membership, col(Membership.member_id) == col(Member.id))
        .where(
            col(Membership.organization_id).in_(ids),
            col(Member.mobile).is_(True),
            col(Receipt.read_at) >= begin,
            col(Receipt.read_at) < end,
        )
    )
    return set(session.execute(statement).scalars())


def wishes_due(session: Session, ids: Ids, begin: datetime, end: datetime) -> dict[int, tuple[int, int]]:
    """(wishes that fell due in [begin, end), those done in time) of each branch; branches without any are missing.

    A wish falls due with the claim on it; one that nobody claims, DONE_WITHIN after it was published. A claim that
    was given back before it was due does not count: the wish waits again.
    """
    counts: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    claimed = (
        select(col(Wish.organization_id), WishClaim)
        .join(Wish, col(Wish.id) == col(WishClaim.wish_id))
        .where(col(Wish.organization_id).in_(ids), col(WishClaim.due_at) >= begin, col(WishClaim.due_at) < end)
    )
    for organization_id, claim in session.execute(claimed):
        if claim.state == "released" and (claim.closed_at or claim.due_at) < claim.due_at:
            continue
        counts[organization_id][0] += 1
        counts[organization_id][1] += claim.delivered_at is not None and claim.delivered_at <= claim.due_at
    for organization_id in _never_claimed(session, ids, begin, end):
        counts[organization_id][0] += 1
    return {organization_id: (due, done) for organization_id, (due, done) in counts.items()}


def _never_claimed(session: Session, ids: Ids, begin: datetime, end: datetime) -> list[int]:
    """The branch of each wish that stood unclaimed until it fell due in [begin, end)."""
    published = select(col(Wish.id), col(Wish.organization_id), col(Wish.published_at)).where(
        col(Wish.organization_id).in_(ids),
        col(Wish.published_at) >= begin - DONE_WITHIN,
        col(Wish.published_at) < end - DONE_WITHIN,
        col(Wish.state) != "withdrawn",
    )
    waiting = {row[0]: (row[1], row[2]) for row in session.execute(published)}
    claims = select(col(WishClaim.wish_id), col(WishClaim.claimed_at)).where(col(WishClaim.wish_id).in_(waiting))
    for wish_id, claimed_at in session.execute(claims):
        since = waiting.get(wish_id)
        if since is not None and since[1] <= claimed_at <= since[1] + DONE_WITHIN:
            del waiting[wish_id]
    return [organization_id for organization_id, _ in waiting.values()]


def mobile_contacts(
    session: Session, organization_id: int, first: date, last: date, zone: ZoneInfo
) -> tuple[int, int]:
    """(mobile members of the branch on `last`, those who read a letter or took part from `first` on)."""
    begin, end = instants(first, last, zone)
    mobile = {
        one.member_id for one in belongings(session, [organization_id], last, last) if one.mobile and one.on(last)
    }
    reached = readers(session, [organization_id], begin, end)
    reached |= {row[0] for row in came(session, [organization_id], begin, end, MOBILE)}
    return len(mobile), len(mobile & reached)


def instants(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The instants at which the days from `first` to `last` begin and are over."""
    return datetime.combine(first, time(), zone), datetime.combine(last + timedelta(days=1), time(), zone)


def own_postings(
    session: Session, ids: Ids, first: date, last: date
) -> dict[int, dict[tuple[str, str], list[tuple[str, int]]]]:
    """What the service posted on the negative list: branch -> (item, first cause) -> (cause, count) in order.

    The causes of one case are `auto:2026-03:term`, its `undo:`, and `auto:2026-03:term:2` when it came again.
    """
    statement = (
        select(col(Negative.organization_id), col(Negative.item_id), col(Negative.cause), col(Negative.count))
        .where(
            col(Negative.organization_id).in_(ids),
            col(Negative.day).between(first, last),
            or_(
                col(Negative.cause).startswith("auto:", autoescape=True),
                col(Negative.cause).startswith(f"{UNDO}auto:", autoescape=True),
            ),
        )
        .order_by(col(Negative.id))
    )
    found: dict[int, dict[tuple[str, str], list[tuple[str, int]]]] = defaultdict(lambda: defaultdict(list))
    for organization_id, item_id, cause, count in session.execute(statement):
        begun = ":".join(cause.removeprefix(UNDO).split(":")[:3])
        found[organization_id][(item_id, begun)].append((cause, count))
    return found


def _rows(session: Session, statement: Any) -> list[Any]:
    """Plain tuples: the session's own rows cost as much as the query."""
    session.flush()
    return [tuple(row) for row in session.connection().execute(statement).fetchall()]
