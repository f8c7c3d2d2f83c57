"""Who a letter is for: from a node of the tree and a few words to a query of members."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, case, func, or_, select
from sqlmodel import Session, col

from db.accounts import Chat
from db.deliveries import Delivery
from db.ledger import Entry
from db.letters import Letter, Subscription
from db.members import Member, Membership
from db.organizations import Organization, RegionOrganization

WHO = ("all", "mobile", "dues_unpaid")
DUES_RULE = "PB2"
UNBOUND, UNREACHABLE, OTHER = "unbound", "unreachable", "other"
PEOPLE_AT_ONCE, UNITS_AT_ONCE = 3_000, 100  # what a reply waits for: some 10 ms
_FAR = 50  # ranks from here on are no channel


@dataclass(frozen=True, slots=True)
class Audience:
    """Active members in the subtree of `node`; `who` is one of WHO.

    field, region_id: only those branches, with their Party groups, which have no field of their own.
    people: only these of them. got: instead, exactly those who got this letter or may have got it, wherever they
    belong by now.
    """

    node: int
    who: str = "all"
    field: str | None = None
    region_id: int | None = None
    got: int | None = None
    people: Sequence[int] | None = None

    def to_json(self) -> dict[str, Any]:
        """The stored form; what is not set is left out."""
        names = ("node", "who", "field", "region_id", "got", "people")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


def audience(stored: Mapping[str, Any]) -> Audience:
    """The audience that `Audience.to_json` stored."""
    return Audience(**stored)


def members_in(session: Session, whom: Audience, day: date, ids: tuple[int, int] | None = None) -> Select[Any]:
    """A query of the members who belong to the audience on `day`, each with the branch that they belong to then.

    An unknown node holds nobody. ids: only members from one id to another, found by their ids.
    """
    if whom.got is not None:
        return _got(whom.got)
    statement: Any = (
        select(col(Member.id), col(Membership.organization_id).label("branch_id"))
        .join(Membership, col(Membership.member_id) == col(Member.id))
        .where(
            col(Member.status) == "active",
            col(Membership.from_day) <= day,
            or_(col(Membership.to_day).is_(None), col(Membership.to_day) > day),
        )
    )
    branch: Any = col(Membership.organization_id)
    if ids is None:
        statement = statement.where(branch.in_(_units_in(session, whom)))
    elif not _is_everywhere(
        session, whom
    ):  # + 0: the index of the branches must not lure a database to everybody in them
        inside = (branch + 0).in_(_units_in(session, whom))
        statement = statement.where(inside)
    if ids is not None:  # no database concludes one range from the other
        statement = statement.where(*(one.between(*ids) for one in (col(Member.id), col(Membership.member_id))))
    if whom.who == "mobile":
        statement = statement.where(col(Member.mobile).is_(True))
    elif whom.who == "dues_unpaid":
        statement = statement.where(~_paid(day))
    elif whom.who != "all":
        raise ValueError(f"audience {whom.who!r} is none of {', '.join(WHO)}")
    if whom.people is not None:
        statement = statement.where(col(Member.id).in_(whom.people))
    chosen: Select[Any] = statement
    return chosen


def _is_everywhere(session: Session, whom: Audience) -> bool:
    """Whether every branch of the city belongs to it, so that none need be looked up: all stand under one root."""
    if whom.field is not None or whom.region_id is not None:
        return False
    roots = select(col(Organization.id)).where(col(Organization.parent_id).is_(None)).limit(2)
    return session.execute(roots).scalars().all() == [whom.node]


def _units_in(session: Session, whom: Audience) -> Select[Any]:
    """A query of the ids of the organisations whose members the audience may hold.

    A database that joined them would look at every member of the city for a letter to one branch.
    """
    node = session.get(Organization, whom.node)
    path = node.path if node else "none"
    units: Any = select(col(Organization.id)).where(col(Organization.path).startswith(path, autoescape=True))
    if whom.field is not None:
        branches = select(col(Organization.id)).where(col(Organization.field) == whom.field)
        units = units.where(or_(col(Organization.id).in_(branches), col(Organization.parent_id).in_(branches)))
    if whom.region_id is not None:
        units = units.where(col(Organization.id).in_(_in_region(session, whom.region_id)))
    chosen: Select[Any] = units
    return chosen


def within(recipients: Select[Any], whom: Audience, units: Collection[int]) -> Select[Any]:
    """Those of the audience who belong to these branches. recipients: what `members_in` gave for `whom`."""
    branch = col(Membership.organization_id) if whom.got is None else col(Delivery.counts_for)
    return recipients.where(branch.in_(units))


def is_wide(session: Session, whom: Audience) -> bool:
    """Whether reading the audience through takes longer than a reply may wait, however few people it has."""
    if whom.people is not None:
        return False
    if whom.got is not None:
        letter = session.get(Letter, whom.got)
        return letter is not None and letter.recipients > PEOPLE_AT_ONCE
    some = _units_in(session, whom).limit(UNITS_AT_ONCE + 1).subquery()
    return int(session.execute(select(func.count()).select_from(some)).scalar_one()) > UNITS_AT_ONCE


def more_than(session: Session, whom: Audience, day: date, most: int) -> bool:
    """Whether the audience has more than `most` people; costs no more for a city."""
    some = members_in(session, whom, day).limit(most + 1).subquery()
    return int(session.execute(select(func.count()).select_from(some)).scalar_one()) > most


def _got(letter_id: int) -> Select[Any]:
    """Whom a letter has reached, and whom it may have reached: sent, in doubt, or just under way.

    The branch is the one they belonged to when they were written to.
    """
    statement: Any = (
        select(col(Member.id), col(Delivery.counts_for).label("branch_id"))
        .join(Delivery, col(Delivery.member_id) == col(Member.id))
        .where(
            col(Member.status) == "active",
            col(Delivery.letter_id) == letter_id,
            col(Delivery.counts_for).is_not(None),
            col(Delivery.state).in_(("sent", "ambiguous", "sending")),
        )
    )
    chosen: Select[Any] = statement
    return chosen


def count(session: Session, whom: Audience, day: date) -> int:
    """How many people the audience has."""
    chosen = members_in(session, whom, day).subquery()
    return int(session.execute(select(func.count()).select_from(chosen)).scalar_one())


def by_branch(recipients: Select[Any]) -> Select[Any]:
    """A query of (branch, people) of what `members_in` gave."""
    chosen = recipients.subquery()
    return select(chosen.c[1], func.count()).group_by(chosen.c[1])


def with_chat(recipients: Select[Any], ids: tuple[int, int] | None = None) -> Select[Any]:
    """Those of the members who have bound any chat. ids: as in `members_in`."""
    return recipients.where(_bound(ids))


def without_chat(recipients: Select[Any], ids: tuple[int, int] | None = None) -> Select[Any]:
    """Those of the members who have bound none."""
    return recipients.where(~_bound(ids))


def _bound(ids: tuple[int, int] | None) -> Any:
    bound = select(col(Chat.id)).where(col(Chat.member_id) == col(Member.id))
    return (bound if ids is None else bound.where(col(Chat.member_id).between(*ids))).exists()


def ways(session: Session, recipients: Select[Any], order: Sequence[str]) -> dict[str, int]:
    """How many of the members each channel would be the first way for; ways without anybody are missing.

    order: channels, the best first; a member's own preference comes before it. Beside the channels: UNBOUND (no
    chat), UNREACHABLE (only chats that cannot be reached any more), OTHER (a channel not in `order`).
    """
    chosen = recipients.subquery()
    place = case(
        *((col(Chat.channel) == name, number) for number, name in enumerate(order, 1)), else_=len(order) + 1
    )
    rank = case(
        (col(Chat.id).is_(None), 2 * _FAR),
        (col(Chat.disabled).is_not(None), _FAR),
        (col(Chat.channel) == col(Member.preferred_channel), place),
        else_=place + len(order) + 1,
    )
    best = (
        select(func.min(rank).label("rank"))
        .select_from(chosen)
        .join(Member, col(Member.id) == chosen.c[0])
        .outerjoin(Chat, col(Chat.member_id) == chosen.c[0])
        .group_by(chosen.c[0])
        .subquery()
    )
    names = (*order, OTHER)
    found: dict[str, int] = {}
    for number, people in session.execute(select(best.c.rank, func.count()).group_by(best.c.rank)):
        way = (
            UNBOUND if number == 2 * _FAR else UNREACHABLE if number == _FAR else names[(number - 1) % len(names)]
        )
        found[way] = found.get(way, 0) + people
    return found


def left_topic(session: Session, recipients: Select[Any], topic_id: str) -> int:
    """How many of the members have left the topic."""
    chosen = recipients.subquery()
    statement = (
        select(func.count())
        .select_from(chosen)
        .join(Subscription, col(Subscription.member_id) == chosen.c[0])
        .where(col(Subscription.topic_id) == topic_id, col(Subscription.wanted).is_(False))
    )
    return int(session.execute(statement).scalar_one())


def children(session: Session, node_id: int) -> Sequence[Organization]:
    """The organisations directly under a node that still exist, by name."""
    statement = (
        select(Organization)
        .where(col(Organization.parent_id) == node_id, col(Organization.closed_on).is_(None))
        .order_by(col(Organization.id))
    )
    return session.execute(statement).scalars().all()


def has_children(session: Session, node_id: int) -> bool:
    """Whether any organisation that still exists stands directly under a node."""
    under = (col(Organization.parent_id) == node_id, col(Organization.closed_on).is_(None))
    return session.execute(select(col(Organization.id)).where(*under).limit(1)).first() is not None


def _paid(day: date) -> Any:
    """Has the member a dues line of this month that was not taken back?"""
    first = day.replace(day=1)
    next_month = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return (
        select(col(Entry.member_id))
        .where(
            col(Entry.member_id) == col(Member.id),
            col(Entry.rule_id) == DUES_RULE,
            col(Entry.day) >= first,
            col(Entry.day) < next_month,
        )
        .group_by(col(Entry.member_id))
        .having(func.sum(col(Entry.points)) > 0)
        .exists()
    )


def _in_region(session: Session, region_id: int) -> Select[Any]:
    """Ids of the organisations of a region, with everything under them."""
    roots = session.execute(
        select(col(Organization.path))
        .join(RegionOrganization, col(RegionOrganization.organization_id) == col(Organization.id))
        .where(col(RegionOrganization.region_id) == region_id)
    ).scalars()
    under = [col(Organization.path).startswith(path, autoescape=True) for path in roots]
    inside = or_(*under) if under else col(Organization.id).is_(None)
    return select(col(Organization.id)).where(inside)
