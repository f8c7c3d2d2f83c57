"""Rewards, and what members had for their points: redemptions in every state, paid from real balances."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count
from random import Random
from typing import NamedTuple

from bot.sample.calendar import Year
from bot.sample.city import Branch, City
from bot.sample.members import Person
from bot.sample.points import Line
from db.duties import CITY
from db.pickup_codes import CODE_ALPHABET, CODE_LENGTH
from db.rewards import HOLD_FOR

PICKUP_CODE = "7K4M29QD"
"""Of the piece that waits for the sample member; the sample keeper hands it over."""


class Offer(NamedTuple):
    """A reward. left: pieces on the shelf now; goal and raised: of a project."""

    id: int
    name: str
    price: int | None
    left: int | None
    goal: int | None = None
    raised: int = 0


CUP = Offer(1, "水杯", 20, 6)
SCARF = Offer(2, "围巾", 30, 2)
KEY_RING = Offer(3, "钥匙扣", 10, 35)
PROJECT = Offer(4, "义务巡逻队项目", None, None, goal=800, raised=460)
OFFERS = (CUP, SCARF, KEY_RING, PROJECT)
MARGIN = 6  # points that stay in a wallet, so that a deduction in the year makes no debt


class Exchanged(NamedTuple):
    """One redemption, in the order of the columns in which it is written."""

    id: int
    reward_id: int
    member_id: int
    points: int
    state: str
    pickup_code: str | None
    created_at: datetime
    expires_at: datetime | None
    closed_at: datetime | None
    keeper_id: int | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a member would like to have, if there are points enough at that moment."""

    at: datetime
    member_id: int
    offer: Offer
    points: int
    state: str
    code: str | None = None


class Shop:
    """The counter of the whole city: what was exchanged so far."""

    def __init__(self, city: City, year: Year, keeper_id: int) -> None:
        self._branches_left = len(city.branches)
        self._year = year
        self._keeper_id = keeper_id
        self._ids = count(1)
        self._codes: set[str] = {PICKUP_CODE}
        self.exchanged = Counter[tuple[int, str]]()  # pieces by reward and state
        self.raised = 0

    def wanted(self, branch: Branch, people: list[Person], random: Random) -> list[Wanted]:
        """What the members of a branch ask for in the year, the sample member first."""
        found: list[Wanted] = []
        now = self._year.now
        for person in people:
            if person.sample == "member":
                found.append(Wanted(now - timedelta(days=48, hours=5), person.id, CUP, 20, "handed_over"))
                at = now - timedelta(days=2, hours=3)
                found.append(Wanted(at, person.id, KEY_RING, 10, "held", PICKUP_CODE))
            elif person.sample is None and random.random() < 0.15 and person.since < self._year.first:
                found.append(self._goods(person, random))
        quota = max(10, -(-(PROJECT.raised - self.raised) // self._branches_left) // 5 * 5)
        self._branches_left -= 1
        left = min(quota, PROJECT.raised - self.raised)
        for person in people[1:]:  # more ask than are needed: some have spent too much
            if person.sample is None and left > 0 and person.since < self._year.first:
                at = now - timedelta(days=random.randint(2, 25), minutes=random.randint(0, 900))
                found.append(Wanted(at, person.id, PROJECT, min(10, left), "handed_over"))
                left -= 10
        return found

    def _goods(self, person: Person, random: Random) -> Wanted:
        offer = random.choice((CUP, CUP, SCARF, KEY_RING, KEY_RING))
        state = random.choices(("handed_over", "held", "expired", "cancelled"), (70, 15, 8, 7))[0]
        days = random.randint(1, 12) if state == "held" else random.randint(25, 160)
        at = self._year.now - timedelta(days=days, minutes=random.randint(0, 600))
        return Wanted(at, person.id, offer, offer.price or 0, state)

    def through_the_year(
        self, lines: list[Line], wanted: list[Wanted], random: Random
    ) -> Iterator[Line | Exchanged]:
        """Everything of one branch in the order of time, each redemption just before the line that pays it."""
        order = count()
        heap: list[tuple[datetime, int, Line | Wanted]] = [(one.booked_at, next(order), one) for one in lines]
        heap += [(one.at, next(order), one) for one in wanted]
        heapq.heapify(heap)
        balance = Counter[int]()
        while heap:
            _, _, one = heapq.heappop(heap)
            if isinstance(one, Wanted):
                if balance[one.member_id] < one.points + MARGIN:
                    continue
                made, paid, back = self._exchange(one, random)
                yield made
                if back is not None:
                    heapq.heappush(heap, (back.booked_at, next(order), back))
                one = paid
            balance[one.member_id] += one.points
            yield one

    def _exchange(self, wanted: Wanted, random: Random) -> tuple[Exchanged, Line, Line | None]:
        """The redemption, the line that pays it, and the one that gives the points back if it came to nothing."""
        offer, at = wanted.offer, wanted.at
        project = offer.price is None
        closed = {
            "held": None,
            "handed_over": at if project else at + timedelta(days=random.randint(1, 10), hours=2),
            "expired": at + HOLD_FOR + timedelta(minutes=5),
            "cancelled": at + timedelta(hours=20),
        }[wanted.state]
        made = Exchanged(
            next(self._ids),
            offer.id,
            wanted.member_id,
            wanted.points,
            wanted.state,
            None if project else wanted.code or self._code(random),
            at,
            None if project else at + HOLD_FOR,
            closed,
            self._keeper_id if wanted.state == "handed_over" and not project else None,
        )
        self.exchanged[offer.id, wanted.state] += 1
        self.raised += wanted.points if project else 0
        paid = self._line(made, offer, at, "PROJECT" if project else "REDEEM", -wanted.points)
        if wanted.state not in ("expired", "cancelled") or closed is None:
            return made, paid, None
        return made, paid, self._line(made, offer, closed, "REFUND", wanted.points)

    @staticmethod
    def _line(made: Exchanged, offer: Offer, at: datetime, rule_id: str, points: int) -> Line:
        day: date = at.astimezone(CITY).date()
        cause = f"redemption:{made.id}"
        return Line(at, made.member_id, None, rule_id, None, cause, points, 0, day, offer.name, in_index=False)

    def _code(self, random: Random) -> str:
        while True:
            code = "".join(random.choices(CODE_ALPHABET, k=CODE_LENGTH))
            if code not in self._codes:
                self._codes.add(code)
                return code

    def received(self, offer: Offer) -> int:
        """Pieces ever taken into stock: what is left, held and handed over."""
        return (offer.left or 0) + self.exchanged[offer.id, "held"] + self.exchanged[offer.id, "handed_over"]
