"""The roll in the year: people who join, move, leave and come back, resolutions, branches founded and closed."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update
from sqlmodel import col

from bot.roll.apply import apply
from bot.roll.plan import plan
from bot.roll.read import Roll
from db import resolutions
from db.members import Member, Membership
from db.organizations import FIELDS, Organization
from tests.cast import RUI, SUN
from tests.scoring.year.town import Town

MOVES = 9  # of one import
CLOSED_MAX = 2


def bring_the_roll(town: Town) -> int:
    """An import of the roll: some move to another branch, somebody joins or comes back, now and then a new branch."""
    chance, roll = town.chance, Roll()
    moved = []
    for member_id in {town.member() for _ in range(chance.randint(1, MOVES))}:
        branch = chance.choice([one for one in town.branches if one != town.home[member_id]])
        first = max(town.since[member_id] + timedelta(days=1), town.past_day(40))
        if first <= town.today:
            moved.append((member_id, branch, first))
    gone = sorted(one for one in town.codes.keys() - town.home.keys() if town.since[one] <= town.today)
    if gone and chance.random() < 0.4:
        member_id = chance.choice(gone)
        moved.append((member_id, chance.choice(town.branches), town.today))
    for number, (member_id, branch, first) in enumerate(sorted(moved)):
        roll.rows["members"].append((number, _row(town.codes[member_id], branch, first.isoformat())))
    new_code = f"N{town.number()}"
    if chance.random() < 0.5:
        roll.rows["members"].append((99, _row(new_code, chance.choice(town.branches), town.today.isoformat())))
    if chance.random() < 0.05:
        roll.rows["organizations"].append((1, _branch(town, f"F{town.number()}")))
    town.session.commit()
    planned = plan(town.engine, roll, today=town.today)
    assert not planned.refused, list(planned.lines())
    apply(town.engine, planned, now=town.now)
    for member_id, branch, first in moved:
        _called(town, member_id, "active")
        town.home[member_id], town.since[member_id] = branch, first
    _know(town)
    return planned.changes


def _row(code: str, branch: int, first: str) -> dict[str, str]:
    """The codes of branches say their numbers."""
    return {"code": code, "name": "某某", "organization": f"Y{branch}", "from_day": first}


def _branch(town: Town, code: str) -> dict[str, str]:
    field = town.chance.choice(FIELDS)
    said = {"name": "新支部", "level": "branch", "field": field, "parent": "C"}
    return {"code": code, "founded_on": town.today.isoformat(), **said}


def _know(town: Town) -> None:
    """People and branches that the import has made."""
    newest = max(town.codes)
    found = select(col(Member.id), col(Member.code), col(Membership.organization_id), col(Membership.from_day))
    found = found.join(Membership, col(Membership.member_id) == col(Member.id)).where(col(Member.id) > newest)
    for member_id, code, branch, first in town.session.execute(found.order_by(col(Member.id))):
        town.codes[member_id], town.home[member_id], town.since[member_id] = code, branch, first
    made = select(Organization).where(col(Organization.code).startswith("F")).order_by(col(Organization.id))
    for one in town.session.execute(made).scalars().all():
        if one.id is not None and one.id not in town.fields:
            one.code = f"Y{one.id}"
            town.settle(one.id, one.field or "", one.founded_on)
    town.session.flush()


def leave(town: Town) -> int:
    """Somebody's membership ends, from a day that may have been some time ago."""
    member_id = town.member()
    end = town.past_day(20) + timedelta(days=town.chance.choice((0, 0, 1, 9)))
    if end <= town.since[member_id] or len(town.home) < 60:
        return 0
    open_one = update(Membership).where(col(Membership.member_id) == member_id, col(Membership.to_day).is_(None))
    town.session.execute(
        open_one.values(to_day=end, ended_at=town.now), execution_options={"synchronize_session": "fetch"}
    )
    _called(town, member_id, "left")
    del town.home[member_id]
    town.since[member_id] = max(end, town.today)
    return 1


def _called(town: Town, member_id: int, status: str) -> None:
    """Whether somebody is a member says the status, too."""
    calling = update(Member).where(col(Member.id) == member_id).values(status=status)
    town.session.execute(calling, execution_options={"synchronize_session": "fetch"})


def resolve(town: Town) -> int:
    """A branch resolves how the index counts for a member; the committee confirms."""
    member_id = town.member()
    draft = resolutions.begin(
        town.session, member_id=member_id, organization_id=town.home[member_id], by=SUN, now=town.now
    )
    draft.mode = town.chance.choice(("normal", "rate", "rate", "exempt"))
    town.session.flush()
    if not resolutions.propose(town.session, draft, town.now):
        return 0
    if town.chance.random() < 0.2:
        return int(resolutions.refuse(town.session, draft, by=RUI, now=town.now, why="x"))
    return int(resolutions.confirm(town.session, draft, by=RUI, now=town.now))


def close_branch(town: Town) -> int:
    """A branch is dissolved from tomorrow on or later; its people stay on the roll until they are moved."""
    open_ones = [one for one in town.branches if town.fields[one] != "closed"]
    if len(town.branches) - len(open_ones) >= CLOSED_MAX or town.today.month < 4:
        return 0
    branch = town.chance.choice(open_ones)
    organization = town.session.get_one(Organization, branch)
    organization.closed_on = town.today + timedelta(days=town.chance.choice((1, 20, 70)))
    town.session.flush()
    town.fields[branch] = "closed"
    return 1
