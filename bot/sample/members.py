"""Who belongs to a branch: people of all ages, the sample people among them, with roles and web chats."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from bot.sample import names, places
from bot.sample.city import SAMPLE, Branch, City
from db.duties import CITY

COMMITTEE_SIZE = 4  # of a branch: the secretary and the next three
BOUND_SHARE = 0.6  # of the members write in a chat
SECRETARY, MEMBER, REVIEWER, KEEPER, DEPARTMENT, MOBILE = 0, 6, 4, 5, 7, 8
SERVICE, DISTRICT, INSPECTOR = 2, 1, 3
SECOND_DISTRICT = 17  # behind those who live elsewhere; only the sample branch is sure to have so many
"""Places of the sample people in their branches: each another one, for a small city has them all in one branch."""

PLACES = {
    "member": (SAMPLE, MEMBER),
    "secretary": (SAMPLE, SECRETARY),
    "mobile": (SAMPLE, MOBILE),
    "reviewer": (1, REVIEWER),
    "keeper": (2, KEEPER),
    "department": (4, DEPARTMENT),
    "service": (4, SERVICE),
    "district": (5, DISTRICT),
    "second_district": (SAMPLE, SECOND_DISTRICT),
    "inspector": (5, INSPECTOR),
}
"""Role of a sample person -> (number of the branch, place in it)."""

ON_THE_CITY = {
    "keeper": "reward_keeper",
    "department": "department",
    "service": "department",
    "district": "district_org_department",
    "second_district": "district_org_department",  # what one of them proposes, the other one confirms
    "inspector": "inspector",
}
"""Sample person -> the role that they hold on the city."""

REMITS = {"service": ("UC04", "UC06", "UC07", "UC08", "N12")}
"""Sample person in a department -> what it may hand in: the civil affairs office what concerns communities."""

_KNOWN_NAMES = {
    "member": "赵建国",
    "secretary": "孙丽华",
    "mobile": "莫海燕",
    "reviewer": "芮文静",
    "keeper": "柯金根",
    "department": "欧阳明",
    "service": "贺思远",
    "district": "丁文博",
    "second_district": "韦雪琴",
    "inspector": "殷秀兰",
}


@dataclass(frozen=True, slots=True)
class Person:
    """One member. since: first day in this branch; before: (from, organisation) of the membership before it.

    diligence: 0..1, how often they come. sample: the role under which they are shown first, or None.
    """

    id: int
    code: str
    name: str
    woman: bool
    mobile: bool
    city: str
    mode: str
    probationary: bool
    admitted_on: date
    since: date
    before: tuple[date, int] | None
    diligence: float
    bound: bool
    sample: str | None


def sample_role(city: City, branch: Branch, place: int) -> str | None:
    """The sample person who is at `place` of the branch; None for everybody else."""
    for role, (number, own_place) in PLACES.items():
        if city.branch(number) is branch and own_place == place:
            return role
    return None


def people_of(city: City, branch: Branch, first_id: int, today: date, random: Random) -> list[Person]:
    """Everybody in the branch; the first ones are its committee, the secretary at the head."""
    return [_person(city, branch, first_id + place, place, today, random) for place in range(branch.people)]


def _person(city: City, branch: Branch, member_id: int, place: int, today: date, random: Random) -> Person:
    role = sample_role(city, branch, place) if branch.number < 6 else None
    admitted = _admitted(random, today, newcomers=place > MOBILE)
    if place < COMMITTEE_SIZE or role is not None:
        admitted = date(random.randint(1985, 2012), *random.choice(((6, 24), (7, 1), (11, 8), (12, 20))))
    woman = random.random() < (0.2 if admitted.year < 1985 else 0.38)
    born = admitted.year - random.randint(20, 40)
    mobile = role == "mobile" or (role is None and place > MOBILE and random.random() < _mobile_share(branch))
    if branch.number == SAMPLE and role is None:
        mobile = MOBILE < place <= MOBILE + 8  # with the sample person nine of 28: a third
    since, before = _since(city, branch, admitted, today, random, stays=role is not None)
    probationary = (today - admitted).days < 365
    return Person(
        id=member_id,
        code=f"sample-{role}" if role else f"{branch.node.code}-{place + 1:03d}",
        name=_KNOWN_NAMES[role] if role else names.name(random, woman=woman, born=born),
        woman=woman,
        mobile=mobile,
        city=("柳州" if role else random.choice(places.CITIES_FAR)) if mobile else "",
        mode=_mode(random, today, admitted, mobile) if role is None else "normal",
        probationary=probationary,
        admitted_on=admitted,
        since=since,
        before=before,
        diligence=0.95 if role else min(1.0, max(0.1, random.gauss(0.8, 0.18))),
        bound=role is not None or random.random() < (0.85 if branch.number == SAMPLE else BOUND_SHARE),
        sample=role,
    )


def _mobile_share(branch: Branch) -> float:
    return {"admin_village": 0.2, "two_new": 0.1}.get(branch.node.field or "", 0.04)


def _admitted(random: Random, today: date, *, newcomers: bool) -> date:
    """A day from 1955 on; more of them in later years. Some entered within the last year."""
    if newcomers and random.random() < 0.04:
        return today - timedelta(days=random.randint(20, 350))
    year = 1955 + int((today.year - 1 - 1955) * random.betavariate(2.4, 1.4))
    return date(year, random.randint(1, 12), random.randint(1, 28))


def _since(
    city: City, branch: Branch, admitted: date, today: date, random: Random, *, stays: bool
) -> tuple[date, tuple[date, int] | None]:
    """Since when in this branch, and where before. Nobody is in a branch before it was founded."""
    founded = branch.node.founded_on
    others = len(city.branches)
    moves = others > 1 and ((founded is not None and admitted < founded) or (not stays and random.random() < 0.06))
    if not moves:
        return admitted, None
    since = founded or today - timedelta(days=random.randint(30, 3000))
    if since <= admitted:
        return admitted, None
    other = city.branches[(branch.number + 1 + random.randrange(others - 1)) % others]
    if other.node.founded_on is not None:
        return (since, None) if founded else (admitted, None)
    return since, (admitted, other.node.id)


def _mode(random: Random, today: date, admitted: date, mobile: bool) -> str:
    """By a resolution of the branch: the very old are not scored, and some who live far count by their share."""
    if today.year - admitted.year > 50 and random.random() < 0.6:
        return "exempt"
    return "rate" if mobile and random.random() < 0.4 else "normal"


def chat_times(random: Random, now: datetime) -> tuple[datetime, datetime | None]:
    """(when the chat was bound, when its person last wrote)."""
    bound = now - timedelta(days=random.randint(20, 360), minutes=random.randint(0, 1400))
    heard = now - timedelta(hours=random.randint(3, 700)) if random.random() < 0.8 else None
    return bound, max(bound, heard) if heard else None


def local(day: date, minute: int) -> datetime:
    """The instant at `minute` after midnight of a day in the city."""
    return datetime.combine(day, time(minute // 60, minute % 60), CITY).astimezone(UTC)
