"""Folders full of chance: small enough for the plain arithmetic, nasty enough to reach every border."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path
from random import Random

from tests.scoring.independent import RULES, periods, rows

FIELDS = ("admin_village", "urban_community", "gov_institution", "two_new", "soe", "")
KINDS = (
    *("member_assembly", "party_lecture", "theme_party_day", "org_life_meeting", "volunteering"),
    *("branch_committee_meeting", "party_group_meeting", "democratic_review", "heart_talk", "singing"),
)
RULE_IDS = [
    *(f"PB{n}" for n in range(1, 5)),
    *(f"PP{n}" for n in range(1, 6)),
    *(f"PN{n}" for n in range(1, 7)),
    "PZ1",
]
FIGURES = (
    "0.85",
    "0.8499",
    "0.9",
    "0.90",
    "1",
    "1.00",
    "0.99999999999999999999",
    "2",
    "20",
    "19.99",
    "18",
    "100",
    "0.01",
    "0",
    "7",
    "",
)
DAYS = (
    date(2026, 12, 31),
    date(2026, 12, 30),
    date(2026, 1, 1),
    date(2026, 1, 31),
    date(2026, 2, 28),
    date(2024, 2, 29),
    date(2026, 6, 30),
    date(2026, 7, 1),
    date(2027, 3, 31),
)


class Chance:
    """Draws days around the year of the day, facts after the day among them."""

    def __init__(self, seed):
        self.random = Random(seed)
        self.good = seed % 4 == 0  # a field of branches and members that do nearly everything, for the upper stars
        self.as_of = (
            self.random.choice(DAYS) if seed % 3 else date(2026, 1, 1) + timedelta(days=self.random.randrange(365))
        )

    def day(self, years=1):
        first = (
            date(self.as_of.year - years + 1, 1, 1)
            if self.random.random() < 0.9
            else date(self.as_of.year - 2, 1, 1)
        )
        return first + timedelta(days=self.random.randrange(max(1, (self.as_of - first).days + 40)))

    def edge(self):
        """A day that is often the first or the last of a month, or the day itself."""
        one = self.day(2)
        return self.random.choice(
            (
                one,
                one.replace(day=1),
                one.replace(day=1) - timedelta(days=1),
                self.as_of,
                self.as_of + timedelta(days=1),
            )
        )


def write(folder: Path, seed: int) -> date:
    """Fill the folder with seven files; the day on which it is to be scored."""
    chance = Chance(seed)
    random = chance.random
    size = random.choice((1, 3, 4, 9, 11, 20, 25, 41, 41))
    fields = [random.choice(FIELDS) if random.random() < 0.25 else "soe" for _ in range(size)]
    ids = [f"o{n}" for n in range(size)]
    table = [
        (
            name,
            f"组织{name}",
            field,
            random.choice(("", *ids[:n])),
            random.choice(("", "1990-01-01", chance.edge().isoformat())),
        )
        for n, (name, field) in enumerate(zip(ids, fields, strict=True))
    ]
    _file(folder, "organizations", "id,name,field,parent_id,founded_on", table)
    people = [f"m{n}" for n in range(random.choice((0, 5, 30)))]
    _file(
        folder,
        "members",
        "id,name,org_id,from_day,to_day,mode",
        [row for one in people for row in _memberships(chance, one, ids)],
    )
    _file(
        folder,
        "entries",
        "member_id,rule_id,day,points,count",
        [row for one in people for row in _entries(chance, one)],
    )
    _file(
        folder,
        "activities",
        "id,org_id,scope,kinds,day,should_attend,attended,approved",
        list(_activities(chance, ids)),
    )
    _file(folder, "values", "org_id,indicator_id,period,value", list(_values(chance, ids)))
    items = [row["id"] for row in rows(RULES / "negative_list.csv")]
    hits = [
        (random.choice(ids), random.choice(items), chance.edge().isoformat(), random.choice((1, 1, 2, 9, -1, -2)))
        for _ in range(random.randrange(size + 1))
    ]
    _file(folder, "negatives", "org_id,item_id,day,count", hits)
    voices = [
        (
            one,
            chance.as_of.year - random.choice((0, 0, 1)),
            *(
                random.choice(("90", "85.55", "100", "0", "77.777", ""))
                if random.random() < 0.3
                else str(random.randrange(101))
                for _ in range(3)
            ),
        )
        for one in ids
        for _ in range(random.randrange(3))
    ]
    _file(folder, "appraisals", "org_id,year,self,members_masses,superior", voices)
    return chance.as_of


def _file(folder, name, header, table):
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header.split(","))
        writer.writerows(table)


def _memberships(chance, member, ids):
    """One to three in a row, sometimes with a gap."""
    random = chance.random
    start = chance.edge() - timedelta(days=random.choice((0, 0, 400)))
    for _ in range(random.choice((1, 1, 2, 3))):
        end = random.choice((None, start + timedelta(days=random.choice((1, 20, 61, 200)))))
        mode = random.choice(("", "normal", "normal", "rate", "exempt"))
        yield member, f"人{member}", random.choice(ids), start.isoformat(), end.isoformat() if end else "", mode
        if end is None:
            return
        start = end + timedelta(days=random.choice((0, 0, 1, 45)))


def _entries(chance, member):
    random = chance.random
    first = date(chance.as_of.year, 1, 1).isoformat()
    if chance.good and random.random() < 0.9:
        for rule, points, count in (
            ("PB1", 30, 15),
            ("PB2", 12, 12),
            ("PB4", 8, 1),
            ("PP1", 9, 3),
            ("PP2", 6, 6),
            ("PP5", random.randrange(9), 1),
        ):
            yield member, rule, first, points, count
        yield member, "PB3", first, 0, random.choice(("31.99", "32", "33.5", "24"))
    for _ in range(random.randrange(3 if chance.good else 60)):
        rule = (
            random.choice((*RULE_IDS[:-1], "PB1", "PB1", "PB1", "PB2", "PB3", "PP1"))
            if random.random() < 0.99
            else "PZ1"
        )
        sign = random.choice((1, 1, 1, 1, -1))
        points = random.choice((0, 1, 2, 3, 8)) * (-1 if rule.startswith("PN") else 1) * sign
        count = random.choice(("1", "0.5", "1.25", "3.5", "2", "0.333", "12")) if rule == "PB3" else "1"
        yield (
            member,
            rule,
            chance.edge().isoformat() if random.random() < 0.2 else chance.day().isoformat(),
            points,
            count if sign > 0 else f"-{count}",
        )


def _activities(chance, ids):
    random = chance.random
    if chance.good:
        for one in ids:
            for month in range(1, 13):
                kinds = ";".join((*KINDS[:4], "branch_committee_meeting", "democratic_review", "heart_talk"))
                day = date(chance.as_of.year, month, random.choice((1, 5, 5)))
                yield (
                    f"g{one}{month}",
                    one,
                    "branch",
                    kinds,
                    day.isoformat(),
                    10,
                    random.choice((8, 9, 10, 10, 4)),
                    "true",
                )
    for number in range(random.randrange((2 if chance.good else 25) * len(ids) + 1)):
        kinds = ";".join(random.sample(KINDS, random.choice((1, 1, 1, 2, 3))))
        should = random.choice((0, 1, 9, 10, 10, 10, 40))
        came = random.choice((0, should // 2, (should + 1) // 2, should, should))
        approved = random.choice(("true", "true", "TRUE", "1", "false", "0"))
        yield (
            f"a{number}",
            random.choice(ids),
            random.choice(("branch", "branch", "region")),
            kinds,
            chance.day().isoformat(),
            should,
            came,
            approved,
        )


def _values(chance, ids):
    """Whole series of values for some indicators, with holes; often the same one for all, so that there are ties."""
    random = chance.random
    flat = {row["id"]: row for row in rows(RULES / "org_power_indicators.csv")}
    common = [row for row in rows(RULES / "fortress_common.csv") if row["formula"].startswith("value_")]
    for name in random.sample(sorted(flat), random.randrange(20)):
        since = chance.as_of.year - random.choice((0, 0, 1))
        for year in range(since, chance.as_of.year + 1):
            for text in periods(flat[name]["period"], year)[random.choice((0, 0, 1)) :]:
                for one in ids:
                    if random.random() < 0.85:
                        value = (
                            random.choice(("true", "false", "1", "0", "True", ""))
                            if flat[name]["threshold"] == "true"
                            else random.choice(FIGURES)
                        )
                        usual = flat[name]["unmet" if one == ids[-1] else "met"]  # the last one is last for months
                        yield one, name, text, value if random.random() < 0.4 else usual
    for row in common:
        for text in periods("monthly", chance.as_of.year):
            for one in ids:
                if chance.good and random.random() < 0.97:
                    yield (
                        one,
                        row["id"],
                        text,
                        "true"
                        if row["formula"] == "value_true"
                        else {"F14": str(int(text[-2:]))}.get(row["id"], "1.00"),
                    )
                elif random.random() < 0.3:
                    value = (
                        random.choice(("true", "false", "1", "0", ""))
                        if row["formula"] == "value_true"
                        else random.choice((*FIGURES, "3.7", "12"))
                    )
                    yield one, row["id"], text, value
