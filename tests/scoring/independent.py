"""The whole arithmetic a second time, written from its description alone and sharing no line with the program.

Slow and plain on purpose: dictionaries and fractions. It reads the seven files of a folder and gives the rows of the four
results as dictionaries of text, so that the two can be held against each other.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from datetime import date, timedelta
from fractions import Fraction as F
from math import floor
from pathlib import Path

RULES = Path(__file__).parents[2] / "scoring" / "rules"
COUNTABLE = {"member_assembly", "party_lecture", "theme_party_day", "org_life_meeting", "volunteering"}
DIMENSIONS = ("political_leadership", "org_coverage", "mass_cohesion", "development_service", "basic_support")
OWNERS = {"blue": "party_work_committee", "yellow": "lead_department", "red": "district_org_department"}
CAPS = {
    "PB1": 30,
    "PB2": 12,
    "PB3": 10,
    "PB4": 8,
    "PP1": 9,
    "PP2": 6,
    "PP3": 6,
    "PP4": 4,
    "PP5": 8,
    "PN1": 20,
    "PN3": 6,
}
TRUE = {"true": True, "1": True, "false": False, "0": False}


def rows(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def day(text):
    return date.fromisoformat(text) if text else None


def cents(value):
    """Half up to hundredths."""
    return F(floor(F(value) * 100 + F(1, 2)), 100)


def shown(value):
    """Two decimals."""
    whole = int(value * 100)
    assert whole == value * 100
    return f"{'-' if whole < 0 else ''}{abs(whole) // 100}.{abs(whole) % 100:02d}"


def span(kind, text):
    """First and last day of a period."""
    form = {
        "monthly": r"(\d{4})-(\d\d)",
        "quarterly": r"(\d{4})Q(\d)",
        "half_yearly": r"(\d{4})H(\d)",
        "yearly": r"(\d{4})()",
    }
    found = re.fullmatch(form[kind], text)
    length = {"monthly": 1, "quarterly": 3, "half_yearly": 6, "yearly": 12}[kind]
    year, number = int(found[1]), int(found[2] or 1)
    last = number * length
    end = date(year + last // 12, last % 12 + 1, 1) - timedelta(days=1)
    return date(year, last - length + 1, 1), end


def written(kind, number, year):
    return {
        "monthly": f"{year:04}-{number:02}",
        "quarterly": f"{year:04}Q{number}",
        "half_yearly": f"{year:04}H{number}",
        "yearly": f"{year:04}",
    }[kind]


def periods(kind, year):
    return [
        written(kind, number, year)
        for number in range(1, {"monthly": 12, "quarterly": 4, "half_yearly": 2, "yearly": 1}[kind] + 1)
    ]


class Folder:
    """Everything in the folder that exists on the day."""

    def __init__(self, folder, as_of):
        self.day, self.year = as_of, as_of.year
        self.new_year = date(as_of.year, 1, 1)
        self.indicators = {row["id"]: row for row in rows(RULES / "org_power_indicators.csv")}
        self.items = {row["id"]: row for row in rows(RULES / "fortress_common.csv")}
        self.negative_points = {row["id"]: int(row["points"]) for row in rows(RULES / "negative_list.csv")}
        self.organizations = [
            (row["id"], row["field"], day(row["founded_on"]) or date.min)
            for row in rows(folder / "organizations.csv")
            if row["field"] and (day(row["founded_on"]) or date.min) <= as_of
        ]
        self.memberships = defaultdict(list)
        for row in rows(folder / "members.csv"):
            start, end = day(row["from_day"]), day(row["to_day"])
            if start <= as_of:
                open_end = None if end is None or end > as_of else end
                self.memberships[row["id"]].append((start, open_end, row["org_id"], row["mode"] or "normal"))
        self.points, self.counts = defaultdict(int), defaultdict(F)
        for row in rows(folder / "entries.csv"):
            if self.new_year <= day(row["day"]) <= as_of:
                self.points[row["member_id"], row["rule_id"]] += int(row["points"])
                self.counts[row["member_id"], row["rule_id"]] += F(row["count"])
        self.activities = []
        for row in rows(folder / "activities.csv"):
            if TRUE[row["approved"].lower()] and self.new_year <= day(row["day"]) <= as_of:
                kinds = set(row["kinds"].split(";"))
                should, came = int(row["should_attend"]), int(row["attended"])
                self.activities.append((row["org_id"], row["scope"], kinds, day(row["day"]), should, came))
        self.values = {
            (r["org_id"], r["indicator_id"], r["period"]): r["value"].strip() for r in rows(folder / "values.csv")
        }
        self.negatives = [
            (row["org_id"], row["item_id"], day(row["day"]), int(row["count"]))
            for row in rows(folder / "negatives.csv")
            if day(row["day"]) <= as_of
        ]
        self.appraisals = {(r["org_id"], int(r["year"])): r for r in rows(folder / "appraisals.csv")}
        self.first_close = {}
        for _, name, text in self.values:
            if name in self.indicators:
                end = span(self.indicators[name]["period"], text)[1]
                if end <= as_of:
                    self.first_close[name] = min(end, self.first_close.get(name, date.max))

    def met(self, organization, name, text):
        value = self.values.get((organization, name, text), "")
        if value == "":
            return False
        rule = self.indicators[name]
        if rule["threshold"] == "true":
            return TRUE[value.lower()]
        limit = F(1) if rule["threshold"] == "plan" else F(rule["threshold"])
        return {">=": F(value) >= limit, "<=": F(value) <= limit, "<": F(value) < limit, "==": F(value) == limit}[
            rule["op"]
        ]

    def judged(self, name, text, founded):
        first, last = span(self.indicators[name]["period"], text)
        return name in self.first_close and last >= self.first_close[name] and first >= founded

    def mode(self, member):
        return max(self.memberships[member], key=lambda one: one[0])[3]

    def duty(self, one):
        return one[1] == "branch" and bool(one[2] & COUNTABLE)


def pioneer(f):
    """Rows of pioneer.csv, and the printed score of each member who has one."""
    found = {}
    for member, spans in f.memberships.items():
        here = [one for one in spans if one[1] is None or one[1] > f.new_year]
        if not here or f.mode(member) == "exempt":
            continue
        months = {
            number
            for start, end, _, _ in here
            for number in range(1, 13)
            if start < (date(f.year, number + 1, 1) if number < 12 else date(f.year + 1, 1, 1))
            and (end is None or end > date(f.year, number, 1))
        }
        m = len(months)
        p = lambda rule, who=member: f.points[who, rule]  # noqa: E731
        c = lambda rule, who=member: f.counts[who, rule]  # noqa: E731
        within = lambda rule, value: max(F(0), min(F(CAPS[rule]), F(value)) if rule in CAPS else F(value))  # noqa: E731
        if f.mode(member) == "rate":
            held = sum(
                1
                for one in f.activities
                for start, end, organization, _ in spans
                if f.duty(one) and one[0] == organization and start <= one[3] and (end is None or one[3] < end)
            )
            pb1 = within("PB1", 30 * min(F(1), F(c("PB1"), held) if held else F(0)))
        else:
            pb1 = within("PB1", F(p("PB1") * 12, m))
        base = (
            pb1
            + within("PB2", F(p("PB2") * 12, m))
            + within("PB3", 10 * c("PB3") / 32 * 12 / m)
            + within("PB4", p("PB4"))
        )
        positive = sum(within(f"PP{n}", p(f"PP{n}")) for n in range(1, 6))
        taken = sum(within(f"PN{n}", -p(f"PN{n}")) for n in range(1, 7))
        parts = [cents(min(F(60), base)), cents(min(F(20), positive)), cents(max(F(0), 20 - taken))]
        cleared = c("PZ1") > 0
        score = F(0) if cleared else sum(parts)
        stars = (
            0
            if cleared
            else next(given for bound, given in ((90, 5), (80, 4), (70, 3), (60, 2), (0, 1)) if score >= bound)
        )
        found[member] = {
            "member_id": member,
            "base": shown(parts[0]),
            "positive": shown(parts[1]),
            "conduct": shown(parts[2]),
            "score": shown(score),
            "stars": str(stars),
        }
    return found


def fortress(f, pioneers):
    """Rows of fortress.csv."""
    found, by_field = [], defaultdict(list)
    for organization, field, founded in f.organizations:
        own = [one for one in f.activities if one[0] == organization]
        held = [one for one in own if one[4] > 0 and 2 * one[5] >= one[4]]
        b = 13 - founded.month if founded.year == f.year else 12
        counted = len({one[3] for one in held if one[1] == "region" or one[2] & COUNTABLE})
        veto = (f.day.month, f.day.day) == (12, 31) and counted < -(-6 * b // 12)
        members = [
            member
            for member, spans in f.memberships.items()
            if f.mode(member) != "exempt"
            and any(end is None and where == organization for _, end, where, _ in spans)
        ]
        common = cents(
            sum(
                int(row["points"]) * share(f, organization, name, held, own, members, pioneers, b)
                for name, row in f.items.items()
            )
        )
        shares = []
        for name, row in f.indicators.items():
            if row["field"] == field:
                judged = [text for text in periods(row["period"], f.year) if f.judged(name, text, founded)]
                met = [
                    text
                    for text in judged
                    if span(row["period"], text)[1] <= f.day and f.met(organization, name, text)
                ]
                if judged:
                    shares.append(F(len(met), len(judged)))
        specific = cents(40 * sum(shares) / len(shares)) if shares else F(40)
        net = defaultdict(int)
        for where, item, when, count in f.negatives:
            if where == organization and when >= f.new_year:
                net[item] += count
        deductions = cents(sum(-f.negative_points[item] * max(0, count) for item, count in net.items()))
        base = min(F(100), max(F(0), common + specific - deductions))
        said = f.appraisals.get((organization, f.year))
        appraisal = None
        if (
            said
            and (f.day.month, f.day.day) == (12, 31)
            and all(said[name] for name in ("self", "members_masses", "superior"))
        ):
            appraisal = cents(
                F(1, 10) * F(said["self"]) + F(7, 10) * F(said["members_masses"]) + F(2, 10) * F(said["superior"])
            )
        score = base if appraisal is None else cents(F(7, 10) * base + F(3, 10) * appraisal)
        row = {
            "org_id": organization,
            "common": shown(common),
            "specific": shown(specific),
            "deductions": shown(deductions),
            "base": shown(base),
        }
        row |= {
            "appraisal": "" if appraisal is None else shown(appraisal),
            "score": shown(score),
            "activities": str(counted),
            "veto": str(veto).lower(),
        }
        found.append(row)
        by_field[field].append((row, score, veto))
    for listed in by_field.values():
        for row, score, veto in listed:
            stars = (
                0
                if veto
                else next(given for bound, given in ((90, 5), (80, 4), (70, 3), (60, 2), (0, 1)) if score >= bound)
            )
            above = sum(1 for _, other, out in listed if other > score and not out)
            if stars == 5 and above >= max(1, 3 * len(listed) // 10):
                stars = 4
            row["stars"] = str(stars)
    return found


def share(f, organization, name, held, own, members, pioneers, b):
    """The share of its points that one common item earns."""
    item = f.items[name]
    days = lambda kind: len({one[3] for one in held if kind in one[2]})  # noqa: E731
    if item["formula"].startswith("value_"):
        v = None
        for text in periods("monthly", f.year):
            value = f.values.get((organization, name, text), "")
            if span("monthly", text)[1] <= f.day and value != "":
                v = value
        if v is None:
            return F(0)
        if item["formula"] == "value_true":
            return F(TRUE[v.lower()])
        return max(F(0), min(F(1), F(v) / b)) if name == "F14" else F(F(v) >= F(item["required"]))
    if name in ("F02", "F09", "F10", "F11"):
        return min(F(1), days(item["kinds"]) / F({"F02": 12, "F10": 12}.get(name, 4) * b, 12))
    if name == "F12":
        return F(sum(1 for kind in ("org_life_meeting", "democratic_review", "heart_talk") if days(kind)), 3)
    if name == "F13":
        duties = [one for one in own if f.duty(one)]
        should = sum(one[4] for one in duties)
        return F(should > 0 and F(sum(one[5] for one in duties), should) >= F(4, 5))
    if not members:
        return F(0)
    if name == "F05":
        mean = sum(max(F(0), f.counts[member, "PB3"]) for member in members) / len(members)
        return min(F(1), mean / F(32 * b, 12))
    return F(sum(F(pioneers[member]["score"]) for member in members) / len(members) >= 80)


def org_power(f):
    """Rows of org_power.csv, and what each row stands on, for the pool."""
    closed = [
        span("monthly", t)[0]
        for _, n, t in f.values
        if n in f.indicators and f.indicators[n]["period"] == "monthly" and span("monthly", t)[1] <= f.day
    ]
    found, behind = [], {}
    month = min(closed, default=None)
    while month and span("monthly", f"{month:%Y-%m}")[1] <= f.day:
        end = span("monthly", f"{month:%Y-%m}")[1]
        by_field = defaultdict(list)
        for organization, field, founded in f.organizations:
            if month < founded:
                continue
            due, earned, unmet = dict.fromkeys(DIMENSIONS, 0), dict.fromkeys(DIMENSIONS, 0), []
            for name, row in f.indicators.items():
                if row["field"] not in ("all", field):
                    continue
                ended = [
                    t
                    for year in (end.year - 1, end.year)
                    for t in periods(row["period"], year)
                    if span(row["period"], t)[1] <= end
                ]
                last = max(ended, key=lambda t: span(row["period"], t)[1])
                if f.judged(name, last, founded):
                    due[row["dimension"]] += int(row["points"])
                    if f.met(organization, name, last):
                        earned[row["dimension"]] += int(row["points"])
                    else:
                        unmet.append(name)
            net = {
                item: max(
                    0,
                    sum(
                        count
                        for where, which, when, count in f.negatives
                        if where == organization and which == item and month <= when <= end
                    ),
                )
                for item in f.negative_points
            }
            parts = [cents(F(20 * earned[name], due[name])) if due[name] else F(20) for name in DIMENSIONS]
            deduction = F(min(30, sum(-f.negative_points[item] * count for item, count in net.items())))
            score = max(F(0), sum(parts) - deduction)
            row = {"org_id": organization, "month": f"{month:%Y-%m}"} | {
                name: shown(part) for name, part in zip(DIMENSIONS, parts, strict=True)
            }
            row |= {"deduction": shown(deduction), "score": shown(score)}
            by_field[field].append((row, score))
            behind[organization, month] = {
                "unmet": unmet,
                "hit": [item for item, count in net.items() if count],
                "score": score,
            }
            found.append(row)
        for listed in by_field.values():
            scores = [score for _, score in listed]
            for row, score in listed:
                row["rank"] = str(1 + sum(1 for other in scores if other > score))
                row["field_size"] = str(len(scores))
                lower = sum(1 for other in scores if other < score)
                for percent in (10, 5):
                    behind[row["org_id"], month][f"bottom_{percent}"] = lower < len(
                        scores
                    ) * percent // 100 and score != max(scores)
        month = end + timedelta(days=1)
    return found, behind


def warnings(f, behind):
    """Rows of warnings.csv without their proof."""
    found = []
    for (organization, month), now in behind.items():
        before = [(month - timedelta(days=1)).replace(day=1)]
        before.append((before[0] - timedelta(days=1)).replace(day=1))
        past = [behind.get((organization, one)) for one in before]
        streak = all(past)
        causes = {
            "blue": now["unmet"] + now["hit"],
            "yellow": ["bottom_10"] if now["bottom_10"] else [],
            "red": [name for name in now["unmet"] if streak and all(name in one["unmet"] for one in past)]
            + (["bottom_5"] if streak and now["bottom_5"] and all(one["bottom_5"] for one in past) else []),
        }
        for colour, listed in causes.items():
            if listed:
                found.append(
                    {
                        "org_id": organization,
                        "month": f"{month:%Y-%m}",
                        "colour": colour,
                        "reason": ";".join(listed),
                        "owner": OWNERS[colour],
                    }
                )
    return found


def score(folder, as_of):
    """The rows of the four files."""
    f = Folder(folder, as_of)
    pioneers = pioneer(f)
    powers, behind = org_power(f)
    return {
        "pioneer.csv": list(pioneers.values()),
        "fortress.csv": fortress(f, pioneers),
        "org_power.csv": powers,
        "warnings.csv": warnings(f, behind),
    }
