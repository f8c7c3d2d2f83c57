"""Fills an empty database with the sample city, branch by branch, so that a large one needs no more memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, astuple, dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.engine import Connection, Engine
from sqlmodel import Session, col

from bot.sample import calendar, city, dates, facts, group, in_hand, members, places, post, power, published, shop
from bot.sample.bulk import Loader
from bot.sample.city import Branch, City
from bot.sample.directory import FILLED, People, people_in
from bot.sample.life import Came, Life
from bot.sample.members import Person
from bot.sample.points import Book, Pay
from bot.sample.shop import Shop
from bot.sample.standing import OpenActivity, keep_open
from bot.sample.tables import Tables
from bot.sample.wish_list import WishList
from db import audit, schema
from db.activities import Activity
from db.letters import Topic
from db.organizations import Organization, Region, RegionOrganization
from db.rewards import Reward
from notices.topics import COLUMNS
from notices.warnings import check_warnings
from scoring.catalogue import shipped
from scoring.update import refresh_city

BRANCHES_PER_COMMIT = 300
LINES_PER_MEMBER = 28
"""Ledger lines of a member and year: twelve months of dues and what a diligent branch does beside them."""

Progress = Callable[[str, int, int], None]


class NotEmpty(Exception):
    """The database holds an organisation already; nothing was written."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What was filled in. lines: of the ledger."""

    people: People
    branches: int
    members: int
    lines: int
    activities: list[OpenActivity]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON: people by role, sizes, and the activities that are open for check-in now."""
        return {
            "people": self.people.to_json(),
            "branches": self.branches,
            "members": self.members,
            "lines": self.lines,
            "activities": [asdict(one) for one in self.activities],
        }


def fill(
    engine: Engine,
    *,
    size: int = 60,
    seed: int = 1,
    now: datetime,
    progress: Progress | None = None,
    lines_per_member: int = LINES_PER_MEMBER,
) -> Sample:
    """Fill a database that has tables and nothing in them with a city of `size` branches and a year up to `now`.

    The same size, seed, now and lines_per_member (about, 20 to 50) give the same city. progress is told the stage,
    how much of it is done, and how much there is. Raises NotEmpty, or ValueError for a size out of 1..11,465.
    """
    year = calendar.year_until(now, lines_per_member)
    plan = city.plan(size, seed, year.today)
    filling = _Filling(engine, plan, year, seed, progress or (lambda stage, done, total: None))
    filling.run()
    with Session(engine) as session:
        schema.count_on(session)
        opened = keep_open(session, now)
        audit.record(session, at=now, actor_id=None, action=FILLED, subject="city", size=size, seed=seed)
        session.commit()
        filling.progress("indices", 0, 1)
        refresh_city(session, year.today, now)
        check_warnings(session, now, organization_ids=[branch.node.id for branch in plan.branches[:15]])
        found = people_in(session)
        published.publish(session, now)
        in_hand.begin(session, found, now)
        group.begin(session, found, now)
        dates.begin(session, found, now)
        session.commit()
        filling.progress("indices", 1, 1)
    return Sample(found, len(plan.branches), plan.people, filling.lines, opened)


def people(engine: Engine) -> People:
    """The sample people of a filled database. Raises LookupError when there is no complete sample city."""
    with Session(engine) as session:
        return people_in(session)


class _Filling:
    """One filling under way: what is numbered and counted across branches."""

    def __init__(self, engine: Engine, plan: City, year: calendar.Year, seed: int, progress: Progress) -> None:
        self._engine, self._plan, self._year, self._seed = engine, plan, year, seed
        self.progress = progress
        self.lines = 0
        self._pay = Pay()
        self._collect = {one.id: one.collect for one in shipped().indicators}
        self._codes = calendar.Codes()
        self._wishes = WishList(year)
        first = 1
        self._first_ids: list[int] = []
        for branch in plan.branches:
            self._first_ids.append(first)
            first += branch.people
        self._shop = Shop(plan, year, self._post("keeper"))
        self._regional = calendar.of_regions(plan, year, self._codes, Random(f"{seed}:regions"))
        self._visitors: defaultdict[int, int] = defaultdict(int)

    def _post(self, role: str) -> int:
        """The member id of a sample person."""
        number, place = members.PLACES[role]
        return self._first_ids[self._plan.branch(number).number] + place

    def _reviewer_of(self, branch: Branch) -> int:
        """The member id of the committee's reviewer, who belongs to its second branch (its first, if alone)."""
        first = branch.committee_number * city.BRANCHES_PER_COMMITTEE
        return self._first_ids[min(first + 1, len(self._plan.branches) - 1)] + members.REVIEWER

    def run(self) -> None:
        """Write everything but the standing activities; a city of some size is committed in several parts."""
        with self._engine.connect() as connection:
            connection.begin()
            if connection.execute(select(func.count()).select_from(Organization)).scalar_one():
                raise NotEmpty("the database holds organisations already: the sample city needs one of its own")
            tables = Tables(Loader(connection))
            self._write_frame(connection)
            self._write_regional(tables)
            total = len(self._plan.branches)
            for branch in self._plan.branches:
                self._fill(branch, tables)
                number = branch.number + 1
                # Never within a committee: its reviewer is one of those who wait to be written.
                if number == total or number % city.BRANCHES_PER_COMMITTEE == 0:
                    tables.loader.write()
                    self.progress("branches", number, total)
                if number % BRANCHES_PER_COMMIT == 0:
                    connection.commit()
                    connection.begin()  # the driver is spoken to directly: without this each statement commits
            self.lines = tables.entries.written
            self._settle(connection)
            connection.commit()

    def _write_frame(self, connection: Connection) -> None:
        """The tree, its regions, topics and rewards."""
        loader = Loader(connection)
        nodes = loader.rows(Organization, "id code name level parent_id path field founded_on place")
        regions = loader.rows(Region, "id code name")
        inside = loader.rows(RegionOrganization, "region_id organization_id")
        topics = loader.rows(Topic, "id title title_en order")
        offers = loader.rows(Reward, "id organization_id kind name price stock received goal raised place")
        for node in self._plan.nodes:
            nodes.add(*astuple(node))
        for number in range(self._plan.regions):
            regions.add(number + 1, f"R{number + 1:04d}", places.region(number))
        for branch in self._plan.branches:
            inside.add(branch.region + 1, branch.node.id)
        for column in COLUMNS:
            topics.add(column.id, column.title, column.title_en, column.order)
        desk = self._plan.branches[0].node.place
        for one in shop.OFFERS:  # what was exchanged is counted at the end
            kind = "project" if one.price is None else "goods"
            offers.add(one.id, 1, kind, one.name, one.price, one.left, one.left or 0, one.goal, 0, desk)
        loader.write()

    def _write_regional(self, tables: Tables) -> None:
        """What regions held; who came is counted while their branches are filled."""
        for happenings in self._regional.values():
            for one in happenings:
                host = self._plan.branches[one.branch].node
                tables.add_activity(one, host.id, host.place, (None, None), None)
        tables.loader.write()

    def _fill(self, branch: Branch, tables: Tables) -> None:
        random = Random(f"{self._seed}:branch:{branch.number}")
        first_id = self._first_ids[branch.number]
        people = members.people_of(self._plan, branch, first_id, self._year.today, random)
        for person in people:
            tables.add_person(person, branch.node.id)
            if person.bound:
                bound, heard = members.chat_times(random, self._year.now)
                tables.chats.add("web", f"member:{person.id}", person.id, bound, heard, {})
        self._give_roles(branch, people, tables)
        life = Life(branch, people, self._year, Book(self._pay), random)
        self._live(life, tables)
        wanted = self._shop.wanted(branch, people, random)
        tables.add_ledger(people, self._shop.through_the_year(life.book.lines, wanted, random))
        if branch.number == city.SAMPLE:
            for piece in post.letters(branch, people, self._year, random):
                tables.add_post(piece)

    def _give_roles(self, branch: Branch, people: list[Person], tables: Tables) -> None:
        """Secretary of the branch; reviewer of the committee; everybody else in charge on the city."""
        since = self._year.first - timedelta(days=200)
        tables.roles.add(people[members.SECRETARY].id, branch.node.id, "secretary", since)
        for person in people:
            if person.id == self._reviewer_of(branch):
                tables.roles.add(person.id, branch.committee.id, "committee_reviewer", since)
            if person.sample in members.ON_THE_CITY:
                tables.roles.add(person.id, 1, members.ON_THE_CITY[person.sample], since)
                for indicator_id in members.REMITS.get(person.sample, ()):
                    tables.remits.add(person.id, indicator_id)

    def _live(self, life: Life, tables: Tables) -> None:
        """The year of a branch."""
        branch, people = life.branch, life.people
        for happening in calendar.of_branch(branch, self._year, self._codes, life.random):
            for came in life.attend(happening):
                if isinstance(came, Came):
                    tables.attendance.add(*came)
                else:
                    tables.add_closed(came, branch.node.id, branch.node.place, people[0].id)
        for happening in self._regional.get(branch.region, ()):
            for visit in life.visit(happening):
                tables.attendance.add(*visit)
                self._visitors[happening.id] += 1
        life.pay_dues()
        if any(person.sample for person in people):  # elsewhere nobody looks, and a whole city would have millions
            for member_id, month, at in life.paid:
                tables.dues.add(member_id, month, branch.node.id, True, people[members.SECRETARY].id, at)
        life.study()
        life.commend()
        for wish in self._wishes.of_branch(branch, people, self._reviewer_of(branch), life.book, life.random):
            tables.add_wish(wish)
        items = facts.values(branch, self._year, life.full_months, life.random)
        indicators = power.values(branch, self._year, self._seed)
        tables.add_values([(one, self._collect.get(one[1], "declare")) for one in (*items, *indicators)])
        for negative in facts.negatives(branch, self._year, life.random):
            tables.negatives.add(*negative)
        for appraisal in facts.appraisals(branch, self._year, life.random):
            tables.appraisals.add(*appraisal)

    def _settle(self, connection: Connection) -> None:
        """What is known only at the end: who came to regional activities, and what left the shelves."""
        for happenings in self._regional.values():
            for one in happenings:
                came = self._visitors[one.id]
                state = "held" if came else "not_held"
                values = {"should_attend": came, "attended": came, "state": state}
                connection.execute(update(Activity).where(col(Activity.id) == one.id).values(**values))
        for offer in shop.OFFERS:
            changed = {"raised": self._shop.raised} if offer.goal else {"received": self._shop.received(offer)}
            connection.execute(update(Reward).where(col(Reward.id) == offer.id).values(**changed))
