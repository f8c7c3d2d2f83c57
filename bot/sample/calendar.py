"""What a branch and a region hold in a year: when, what, and for whom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from bot.sample.city import NEAR_VETO, SAMPLE, Branch, City
from bot.sample.members import local
from db.duties import CITY

_THEMES = (
    "主题党日：重温入党誓词",
    "主题党日：学习党章",
    "主题党日：走访困难家庭",
    "主题党日：观看专题片",
    "主题党日：学习先进事迹",
    "主题党日：清洁家园",
    "主题党日：参观红色展馆",
    "主题党日：政治生日",
)
_GROUPS = ("党小组会：学习交流", "党小组会：邻里互助", "党小组会：楼道清洁", "党小组会：夜间巡逻")
_LECTURES = ("党课：纪律与规矩", "党课：从党史中汲取力量", "党课：怎样做群众工作", "党课：新时代的党员")
_ASSEMBLIES = ("党员大会：季度工作", "党员大会：讨论发展党员", "党员大会：民主议事", "党员大会：年度总结")
_SERVICES = ("志愿服务：爱心义剪", "志愿服务：文明交通劝导", "志愿服务：关爱老人", "志愿服务：社区清洁")
_REGIONAL = (
    "区域联建：清洁河道",
    "区域联建：读书会",
    "区域联建：健步走",
    "区域联建：便民服务集市",
    "区域联建：红色影院",
)


@dataclass(frozen=True, slots=True)
class Happening:
    """One activity that is over. committee_only: only the branch's committee was asked."""

    id: int
    code: str
    branch: int  # its number, from 0
    region: int | None
    kinds: str
    title: str
    starts: datetime  # UTC
    day: date
    minutes: int
    remote: bool = False
    committee_only: bool = False


class Codes:
    """Ids and check-in codes: six digits that seem to have no order, none of them twice."""

    def __init__(self) -> None:
        self.last_id = 0

    def next(self) -> tuple[int, str]:
        """The next activity's id and code; 900,000 of them, enough for the largest city."""
        self.last_id += 1
        assert self.last_id < 900_000, "six digits are used up"
        return self.last_id, str(100_000 + self.last_id * 514_229 % 900_000)


@dataclass(frozen=True, slots=True)
class Year:
    """The twelve months that are told, up to `now`. held: activities that a good branch holds in them."""

    now: datetime
    today: date
    months: tuple[tuple[int, int], ...]
    held: int
    study_every: int  # months

    @property
    def first(self) -> date:
        """The first day of the first month."""
        return date(*self.months[0], 1)


def year_until(now: datetime, lines_per_member: int) -> Year:
    """The calendar months that end with the month of `now`, and how much to hold in them.

    Dues (12 lines), study, the yearly review and what happens across branches give the rest of a member's lines.
    """
    today = now.astimezone(CITY).date()
    count = today.year * 12 + today.month - 1
    months = tuple(divmod(number, 12) for number in range(count - 11, count + 1))
    study_every = 3 if lines_per_member < 40 else 1
    held = max(6, round((lines_per_member - 12 - 12 / study_every - 3) / 0.72))
    return Year(now, today, tuple((year, month + 1) for year, month in months), min(held, 60), study_every)


def of_branch(branch: Branch, year: Year, codes: Codes, random: Random) -> Iterator[Happening]:
    """What the branch held, in order, founded or not: each on its fixed day of the month."""
    theme_day = random.randint(8, 24)
    remote = branch.number == SAMPLE or random.random() < 0.4
    for place, (of_year, month) in enumerate(year.months):
        planned = list(_month(branch, year, place, month, random))
        for offset, (kinds, title, minute, length, committee_only) in enumerate(planned):
            fixed = 3 + place % 4 if committee_only else theme_day
            day = date(of_year, month, fixed if kinds != "volunteering" else 1 + (theme_day + 5 * offset + 5) % 28)
            starts = local(day, minute)
            too_early = branch.node.founded_on is not None and day < branch.node.founded_on
            if too_early or starts + timedelta(minutes=length) > year.now:
                continue
            one_id, code = codes.next()
            yield Happening(
                one_id, code, branch.number, None, kinds, title, starts, day, length, remote, committee_only
            )


_Planned = tuple[str, str, int, int, bool]


def _month(branch: Branch, year: Year, place: int, month: int, random: Random) -> Iterator[_Planned]:
    """(kinds, title, minute of the day, minutes, committee only) of one month; the committee comes first."""
    if branch.number in (SAMPLE, NEAR_VETO):
        yield from _behind(branch, place, month)
        return
    if random.random() < 0.45 + 0.6 * branch.quality:
        yield "branch_committee_meeting", "支委会：本月工作", 9 * 60, 60, True
        yield _theme(branch, place, month, random)
    # What a year holds beyond its twelve theme days is spread over it.
    more = max(0, year.held - 12)
    for number in range(more // 12 + (1 if place < more % 12 else 0)):
        if random.random() < 0.35 + 0.65 * branch.quality:
            title = _SERVICES[(place + number) % len(_SERVICES)]
            yield "volunteering", title, 8 * 60 + 30, 60 * random.randint(1, 3), False


def _behind(branch: Branch, place: int, month: int) -> Iterator[_Planned]:
    """Too few meetings that count: one each in May, August and November, so that the veto is always near.

    The sample branch is diligent otherwise: its groups and its committee meet, which counts for its members only.
    """
    if branch.number == SAMPLE:
        yield "branch_committee_meeting", "支委会：本月工作", 9 * 60, 60, True
    if month in (5, 8, 11):
        kinds = "theme_party_day;member_assembly" if month == 8 else "theme_party_day;party_lecture"
        yield kinds, _THEMES[month % len(_THEMES)], 19 * 60, 90, False
    elif branch.number == SAMPLE and month == 12:
        yield "democratic_review;heart_talk", "民主评议党员", 14 * 60, 150, False
    elif branch.number == SAMPLE:
        yield "party_group_meeting", _GROUPS[place % len(_GROUPS)], 19 * 60, 60, False


def _theme(branch: Branch, place: int, month: int, random: Random) -> _Planned:
    """The month's theme day; in its months it is also the assembly, the lecture or the yearly meeting."""
    if month == 12:
        kinds = "theme_party_day;org_life_meeting;democratic_review"
        return (
            f"{kinds};heart_talk" if branch.quality > 0.5 else kinds,
            "组织生活会和民主评议党员",
            14 * 60,
            180,
            False,
        )
    if month % 3 == 0 and random.random() < 0.3 + 0.7 * branch.quality:
        return "theme_party_day;member_assembly", _ASSEMBLIES[month // 3 % 4], 19 * 60, 90, False
    if month % 3 == 2 and random.random() < 0.2 + 0.8 * branch.quality:
        return "theme_party_day;party_lecture", _LECTURES[month // 3 % 4], 19 * 60, 90, False
    return "theme_party_day", _THEMES[(branch.number + place) % len(_THEMES)], 19 * 60, 90, False


def of_regions(city: City, year: Year, codes: Codes, random: Random) -> dict[int, list[Happening]]:
    """Per region what its branches did together: once a month, the hosts taking turns."""
    hosts: dict[int, list[Branch]] = {}
    for branch in city.branches:
        if branch.number not in (SAMPLE, NEAR_VETO) and branch.node.founded_on is None:
            hosts.setdefault(branch.region, []).append(branch)
    held: dict[int, list[Happening]] = {}
    for region in range(city.regions):
        for place, (of_year, month) in enumerate(year.months):
            day = date(of_year, month, 1 + (region * 5 + place * 3) % 27)
            starts = local(day, 8 * 60 + 30)
            if region not in hosts or starts + timedelta(hours=2) > year.now or random.random() < 0.1:
                continue
            one_id, code = codes.next()
            host = hosts[region][place % len(hosts[region])]
            title = _REGIONAL[(region + place) % len(_REGIONAL)]
            made = Happening(one_id, code, host.number, region, "volunteering", title, starts, day, 120)
            held.setdefault(region, []).append(made)
    return held
