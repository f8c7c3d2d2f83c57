"""The cast: people with fixed roles in a small city. Every test that needs people uses them.

City 1 > committee 2 > branches 10 (Liangfeng, urban community) and 20 (Shazhou, a village). Region 1 holds both.
Alice and Bob belong to branch 10, Charlie to branch 20. Sun is the secretary of branch 10, Qian of branch 20.
Mo belongs to branch 10 and lives in another city. Rui reviews for the committee, Ke keeps the rewards.
Olga runs a lead department, Ding the district organisation department, Ines inspects.
Nobody is bound to any chat but through the web channel's fixed addresses.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from sqlmodel import Session

from db.accounts import Chat
from db.activities import Activity
from db.letters import Topic
from db.members import Member, Membership, Role
from db.organizations import Organization, Region, RegionOrganization
from db.rewards import Reward

ALICE, BOB, CHARLIE, SUN, QIAN, MO, RUI, KE, OLGA, DING, INES = (
    *(101, 102, 201, 110, 210, 103),
    *(301, 302, 303, 304, 305),
)
NAMES = {
    ALICE: "艾丽丝",
    BOB: "鲍勃",
    MO: "莫流动",
    SUN: "孙书记",
    CHARLIE: "查理",
    QIAN: "钱书记",
    RUI: "芮审核",
    KE: "柯保管",
    OLGA: "欧部门",
    DING: "丁组织",
    INES: "殷检查",
}
FROM_ELSEWHERE = (DING, INES)  # members of a branch outside this small city
ELSEWHERE = 90
CITY, COMMITTEE, LIANGFENG, SHAZHOU = 1, 2, 10, 20
NOON = datetime(2026, 6, 15, 4, 0, tzinfo=UTC)  # 12:00 on Monday 15 June 2026 in Shanghai: now, in most tests
DAY = date(2026, 6, 15)
OWN_CODE, REGION_CODE, OTHER_CODE, LATER_CODE = "8841", "7000", "9920", "5512"


def populate(session: Session) -> None:
    """Write the whole cast, their branches, four activities, two rewards and a project."""
    _organizations(session)
    for member_id, name in NAMES.items():
        mobile = member_id == MO
        session.add(
            Member(
                id=member_id,
                code=f"M{member_id}",
                name=name,
                mobile=mobile,
                city="柳州" if mobile else "",
                admitted_on=date(1998, 7, 1),
                created_at=NOON,
            )
        )
    session.flush()
    branches = {CHARLIE: SHAZHOU, QIAN: SHAZHOU}
    for member_id in NAMES:
        branch = ELSEWHERE if member_id in FROM_ELSEWHERE else branches.get(member_id, LIANGFENG)
        session.add(Membership(member_id=member_id, organization_id=branch, from_day=date(2020, 1, 1)))
        session.add(Chat(channel="web", address=f"member:{member_id}", member_id=member_id, choices={}))
    roles = [
        (SUN, LIANGFENG, "secretary"),
        (QIAN, SHAZHOU, "secretary"),
        (RUI, COMMITTEE, "committee_reviewer"),
        (KE, CITY, "reward_keeper"),
        (OLGA, CITY, "department"),
        (DING, CITY, "district_org_department"),
        (INES, CITY, "inspector"),
    ]
    for member_id, node, role in roles:
        session.add(Role(member_id=member_id, organization_id=node, role=role, from_day=date(2026, 1, 1)))
    _activities(session)
    _rewards(session)
    session.add(Topic(id="superior_spirit", title="上级精神", title_en="From above", order=1))
    session.add(Topic(id="law_corner", title="法律小常识", title_en="Law corner", order=2))
    session.flush()


def _organizations(session: Session) -> None:
    rows = [
        Organization(id=ELSEWHERE, code="B90", name="省直机关党支部", level="branch", path="/90/"),
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
        Organization(
            id=SHAZHOU,
            code="B20",
            name="沙洲村党支部",
            level="branch",
            field="admin_village",
            parent_id=COMMITTEE,
            path="/1/2/20/",
            place="沙洲村党群服务中心",
        ),
    ]
    for row in rows:
        session.add(row)
        session.flush()
    session.add(Region(id=1, code="R1", name="沙洲湖区域"))
    session.flush()
    session.add(RegionOrganization(region_id=1, organization_id=LIANGFENG))
    session.add(RegionOrganization(region_id=1, organization_id=SHAZHOU))


def _activities(session: Session) -> None:
    def activity(
        activity_id: int, code: str, branch: int, scope: str, title: str, begins_in: timedelta
    ) -> Activity:
        starts = NOON + begins_in
        return Activity(
            id=activity_id,
            code=code,
            organization_id=branch,
            region_id=1 if scope == "region" else None,
            scope=scope,
            kinds="theme_party_day" if scope == "branch" else "volunteering",
            title=title,
            place="社区党员活动室",
            starts_at=starts,
            ends_at=starts + timedelta(hours=2),
            check_in_opens_at=starts - timedelta(minutes=30),
            check_in_closes_at=starts + timedelta(hours=2),
            remote_allowed=scope == "branch",
        )

    soon = timedelta(minutes=10)
    session.add(activity(1, OWN_CODE, LIANGFENG, "branch", "主题党日：重温入党誓词", soon))
    session.add(activity(2, REGION_CODE, SHAZHOU, "region", "区域联建：沙洲湖清洁日", soon))
    session.add(activity(3, OTHER_CODE, SHAZHOU, "branch", "沙洲村党员大会", soon))
    session.add(activity(4, LATER_CODE, LIANGFENG, "branch", "晚间党课", timedelta(hours=7)))


def _rewards(session: Session) -> None:
    session.add(
        Reward(
            id=1,
            organization_id=CITY,
            kind="goods",
            name="水杯",
            price=20,
            stock=2,
            received=2,
            place="社区党群服务中心",
        )
    )
    session.add(
        Reward(
            id=2,
            organization_id=CITY,
            kind="goods",
            name="围巾",
            price=30,
            stock=1,
            received=1,
            place="社区党群服务中心",
        )
    )
    session.add(
        Reward(id=3, organization_id=CITY, kind="project", name="义务巡逻队项目", goal=800, raised=460, stock=None)
    )
