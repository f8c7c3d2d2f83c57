"""The people and things of the day: one branch, around the present moment, nobody bound to any chat yet."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import ledger, schema
from db.activities import Activity
from db.letters import Topic
from db.members import Member, Membership, Role
from db.organizations import Organization, Region, RegionOrganization
from db.rewards import Reward
from handlers.binding import SHEET_LASTS, invite
from tests.cast import ALICE, BOB, CITY, COMMITTEE, KE, LIANGFENG, MO, NAMES, OLGA, RUI, SUN

PEOPLE = {"alice": ALICE, "bob": BOB, "mo": MO, "sun": SUN, "rui": RUI, "ke": KE}
"""Who speaks. Olga belongs to the branch, too, and has no chat all day."""

OWN_CODE, REGION_CODE = "8841", "7000"
LONG_AGO = date(2020, 1, 1)
EARNED = 21  # points that Alice brings along: one more than a water cup costs


@dataclasses.dataclass(frozen=True)
class City:
    """What a filled database holds: each person's bind code, and the zone in which it is about noon now."""

    codes: dict[str, str]
    zone: str


def zone_of_noon(now: datetime) -> str:
    """A time zone in which it is about noon: no test runs into the quiet hours or over midnight."""
    east = 12 - now.astimezone(UTC).hour
    return f"Etc/GMT{-east:+d}" if east else "Etc/GMT"  # the sign is the other way round in these names


def populate(session: Session, now: datetime) -> City:
    """Write everybody and everything; the caller commits."""
    zone = zone_of_noon(now)
    _organizations(session)
    for member_id in (*PEOPLE.values(), OLGA):
        mobile = member_id == MO
        session.add(
            Member(
                id=member_id,
                code=f"M{member_id}",
                name=NAMES[member_id],
                mobile=mobile,
                city="柳州" if mobile else "",
                admitted_on=date(1998, 7, 1),
                created_at=now,
            )
        )
    session.flush()
    for member_id in (*PEOPLE.values(), OLGA):
        session.add(Membership(member_id=member_id, organization_id=LIANGFENG, from_day=LONG_AGO))
    roles = [(SUN, LIANGFENG, "secretary"), (RUI, COMMITTEE, "committee_reviewer"), (KE, CITY, "reward_keeper")]
    for member_id, node, role in roles:
        session.add(Role(member_id=member_id, organization_id=node, role=role, from_day=LONG_AGO))
    _activities(session, now)
    _rewards(session)
    session.add(Topic(id="superior_spirit", title="上级精神", title_en="From above", order=1))
    session.add(Topic(id="law_corner", title="法律小常识", title_en="Law corner", order=2))
    session.flush()
    today = now.astimezone(ZoneInfo(zone)).date()
    ledger.book(
        session, member_id=ALICE, rule_id="PB1", cause="day:before", points=EARNED, day=today, booked_at=now
    )
    codes = {name: invite(session, member_id, now, lasts=SHEET_LASTS) for name, member_id in PEOPLE.items()}
    schema.count_on(session)
    return City(codes, zone)


def _organizations(session: Session) -> None:
    for row in (
        Organization(id=CITY, code="C", name="港城市委", level="city", path="/1/"),
        Organization(id=COMMITTEE, code="K", name="杨舍党工委", level="committee", parent_id=CITY, path="/1/2/"),
        Organization(
            id=LIANGFENG,
            code="B10",
            name="梁丰社区党支部",
            level="branch",
            field="urban_community",
            parent_id=COMMITTEE,
            path="/1/2/10/",
            place="梁丰社区党群服务中心",
        ),
    ):
        session.add(row)
        session.flush()
    session.add(Region(id=1, code="R1", name="沙洲湖区域"))
    session.flush()
    session.add(RegionOrganization(region_id=1, organization_id=LIANGFENG))


def _activities(session: Session, now: datetime) -> None:
    """Both are open for hours, so that a slow machine has time; the one of the branch takes people from afar."""
    for activity_id, code, scope, title in (
        (1, OWN_CODE, "branch", "主题党日：重温入党誓词"),
        (2, REGION_CODE, "region", "区域联建：沙洲湖清洁日"),
    ):
        session.add(
            Activity(
                id=activity_id,
                code=code,
                organization_id=LIANGFENG,
                region_id=1 if scope == "region" else None,
                scope=scope,
                kinds="theme_party_day" if scope == "branch" else "volunteering",
                title=title,
                place="社区党员活动室",
                starts_at=now - timedelta(minutes=activity_id),
                ends_at=now + timedelta(hours=3),
                check_in_opens_at=now - timedelta(minutes=30),
                check_in_closes_at=now + timedelta(hours=3),
                remote_allowed=scope == "branch",
            )
        )


def _rewards(session: Session) -> None:
    for reward_id, name, price, stock in ((1, "水杯", 20, 2), (2, "围巾", 30, 1)):
        session.add(
            Reward(
                id=reward_id,
                organization_id=CITY,
                kind="goods",
                name=name,
                price=price,
                stock=stock,
                received=stock,
                place="社区党群服务中心",
            )
        )
