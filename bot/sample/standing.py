"""Whatever the day and hour: one activity of the sample branch and one of its region are open for check-in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from sqlalchemy import func, select
from sqlmodel import Session, col

from bot.sample.directory import sample_branch, sample_branches
from bot.sample.members import local
from db.activities import Activity
from db.duties import CITY
from db.organizations import RegionOrganization

OPEN_FOR = timedelta(hours=6)
RENEW_BEFORE = timedelta(hours=2)  # `keep_open` runs every hour, so what it gives stays open for more than one
LASTS = 2 * OPEN_FOR  # one joins from afar until the middle: as long as one can check in
COMES_AFTER = timedelta(days=4)


@dataclass(frozen=True, slots=True)
class OpenActivity:
    """An activity to which the sample people can check in now."""

    code: str
    title: str
    scope: str


@dataclass(frozen=True, slots=True)
class _Standing:
    """kinds: none that every member is due to, so that nobody is absent from what is always open."""

    scope: str
    kinds: str
    title: str
    first_code: str


_BRANCH = _Standing("branch", "party_group_meeting", "党员学习日：重温入党誓词", "8841")
_REGION = _Standing("region", "volunteering", "区域联建：沙洲湖清洁日", "7000")
_COMING = "主题党日：走访老党员"


def keep_open(session: Session, now: datetime) -> list[OpenActivity]:
    """Renew what is about to close; what is open then, the own branch's first.

    To be called when the demo starts and every hour; else nothing is written. Also sees to it that each
    branch of a sample person has one activity to come. Raises LookupError when the database has no sample city.
    """
    branch = sample_branch(session)
    assert branch.id is not None
    region_id, host_id = _neighbour(session, branch.id)
    opened = [
        _open(session, _BRANCH, branch.id, None, branch.place, now),
        _open(session, _REGION, host_id, region_id, "沙洲湖公园南门", now),
    ]
    for home in sample_branches(session):
        assert home.id is not None
        if not _has_coming(session, home.id, now):
            _add_coming(session, home.id, home.place, now)
    return [OpenActivity(one.code, one.title, one.scope) for one in opened]


def _neighbour(session: Session, branch_id: int) -> tuple[int, int]:
    """(the branch's region, another branch in it that holds the regional activity; itself where it is alone)."""
    same = select(col(RegionOrganization.region_id)).where(col(RegionOrganization.organization_id) == branch_id)
    region_id = int(session.execute(same).scalars().first() or 0)
    others = select(func.min(RegionOrganization.organization_id)).where(
        col(RegionOrganization.region_id) == region_id, col(RegionOrganization.organization_id) != branch_id
    )
    return region_id, session.execute(others).scalar() or branch_id


def _open(
    session: Session, one: _Standing, organization_id: int, region_id: int | None, place: str, now: datetime
) -> Activity:
    """The standing activity that stays open for a while; a new one when there is none."""
    statement = (
        select(Activity)
        .where(
            col(Activity.organization_id) == organization_id,
            col(Activity.title) == one.title,
            col(Activity.check_in_opens_at) <= now,
            col(Activity.check_in_closes_at) >= now + RENEW_BEFORE,
            col(Activity.state) == "planned",
        )
        .order_by(col(Activity.id).desc())
    )
    found: Activity | None = session.execute(statement).scalars().first()
    if found is not None:
        return found
    starts = now.replace(second=0, microsecond=0) - timedelta(minutes=10)
    made = Activity(
        code=_free_code(session, one.first_code),
        organization_id=organization_id,
        region_id=region_id,
        scope=one.scope,
        kinds=one.kinds,
        title=one.title,
        place=place,
        starts_at=starts,
        ends_at=starts + LASTS,
        check_in_opens_at=starts - timedelta(minutes=20),
        check_in_closes_at=starts + OPEN_FOR,
        remote_allowed=one.scope == "branch",
        created_at=now,
    )
    session.add(made)
    session.flush()
    return made


def _has_coming(session: Session, branch_id: int, now: datetime) -> bool:
    statement = select(col(Activity.id)).where(
        col(Activity.organization_id) == branch_id,
        col(Activity.starts_at) > now,
        col(Activity.state) == "planned",
    )
    return session.execute(statement).first() is not None


def _add_coming(session: Session, branch_id: int, place: str, now: datetime) -> None:
    starts = local((now + COMES_AFTER).astimezone(CITY).date(), 19 * 60)
    session.add(
        Activity(
            code=_free_code(session, "2026"),
            organization_id=branch_id,
            scope="branch",
            kinds="theme_party_day",
            title=_COMING,
            place=place,
            starts_at=starts,
            ends_at=starts + timedelta(hours=2),
            check_in_opens_at=starts - timedelta(minutes=30),
            check_in_closes_at=starts + timedelta(hours=2),
            remote_allowed=True,
            created_at=now,
        )
    )
    session.flush()


def _free_code(session: Session, wanted: str) -> str:
    """A code of four digits that no activity has: the wanted one, or one after it in a scattered order."""
    for number in count():
        code = str(1000 + (int(wanted) - 1000 + number * 1009) % 9000)
        if session.execute(select(col(Activity.id)).where(col(Activity.code) == code)).first() is None:
            return code
        assert number < 9000, "all codes of four digits are used up"
    raise AssertionError
