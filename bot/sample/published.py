"""The last two published months of the three-colour pool, as on the days when they came out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlmodel import Session

from bot.sample.members import local
from db import organizations, pool, warnings
from db.duties import CITY
from db.warnings import BranchWarning
from notices.pool import MONTHS_KEPT_RIGHT, Walk, check_branches, locked_month
from notices.pool_routes import Route, pool_notices, routes_on
from notices.said_pool import month_end, months_back
from scoring.catalogue import shipped

BRANCHES_MAX = 300  # a larger city publishes by itself, in parts, on the first morning of the service
_SEEN_OF = 3  # of so many warnings all but one are acknowledged, each on the day after


def publish(session: Session, now: datetime) -> int:
    """Publish the two months whose values are locked; how many warnings stand. 0 for a city that is too large."""
    ids = organizations.branches_after(session, 0, BRANCHES_MAX + 1)
    if len(ids) > BRANCHES_MAX:
        return 0
    for month in months_back(locked_month(now.astimezone(CITY).date()), 2):
        if pool.is_evaluated(session, month):
            _publish(session, month, min(local(_day_of(month), 9 * 60 + 10), now), ids)
    return len(warnings.live(session, kind=warnings.POOL[0]))


def _day_of(month: str) -> date:
    end = month_end(month)
    return shipped().org_power.terms_on(end).deadlines.locked_from(end) + timedelta(days=1)


def _publish(session: Session, month: str, at: datetime, ids: Sequence[int]) -> None:
    pool.begin_month(session, month, at)
    months = tuple(pool.months_begun(session, month, MONTHS_KEPT_RIGHT))
    routes = routes_on(session, at.astimezone(CITY).date())
    for branch, news in check_branches(session, Walk(at, CITY, months, published=False), ids):
        for _, _, warning in news:
            assert warning.id is not None
            route = routes.route(pool_notices().chain_of(warning.owner_role), branch.path)
            for member_id in route.member_ids if route else ():
                pool.note_told(session, [warning.id], member_id, at)
            if (
                route and warning.id % _SEEN_OF and branch.id != ids[0]
            ):  # the sample branch's waits for its reviewer
                _acknowledge(session, warning, route, at + timedelta(days=1))
    pool.news_told(session, pool.last_news(session))
    pool.finish_month(session, month, at)


def _acknowledge(session: Session, warning: BranchWarning, route: Route, at: datetime) -> None:
    assert warning.id is not None
    if warnings.acknowledge(session, warning.id, route.member_ids[0], at):
        pool.note(session, warning.id, "acknowledged", at, member_id=route.member_ids[0])
