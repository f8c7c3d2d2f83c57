"""A year of chance in a small city, as it comes to be known."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from sqlmodel import Session, SQLModel

from db import activities, activity_records, ledger, negatives, values
from db.activities import Activity
from db.indices import FortressIndex, OrgPowerIndex, PioneerIndex, PoolColour
from db.members import Member, Membership
from db.organizations import FIELDS, Organization
from scoring.catalogue import shipped
from scoring.periods import periods_of
from tests.cast import CITY

MARCH = date(2026, 3, 31)
JUNE = date(2026, 6, 20)
TABLES: tuple[type[SQLModel], ...] = (PioneerIndex, FortressIndex, OrgPowerIndex, PoolColour)
BRANCHES = range(500, 516)
PEOPLE = range(5_000, 5_050)
RULES = ("PB1", "PB1", "PB2", "PB3", "PP1", "PP2", "PN1", "PN5", "PZ1")


def at(day: date, hour: int = 4) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


class Year:
    """A year of chance; `live` adds what is written down within some days."""

    def __init__(self, session: Session, seed: int) -> None:
        self.session, self.chance, self.number = session, Random(seed), 0
        for n in BRANCHES:
            founded = {500: date(2026, 2, 1), 501: date(2026, 3, 10)}.get(n)
            field = FIELDS[0] if n < 512 else FIELDS[n % 5]
            fixed = {"level": "branch", "parent_id": CITY, "path": f"/{CITY}/{n}/", "founded_on": founded}
            session.add(Organization(id=n, code=f"Z{n}", name=f"第{n}支部", field=field, **fixed))
        session.flush()
        for n in PEOPLE:
            mode = {5_001: "rate", 5_002: "exempt", 5_003: "rate"}.get(n, "normal")
            session.add(Member(id=n, code=f"Z{n}", name="某某", mode=mode))
        session.flush()
        for n in PEOPLE:
            since = date(2026, 2, 17) if n % 11 == 0 else date(2020, 1, 1)
            branch = BRANCHES[n % len(BRANCHES)]
            session.add(
                Membership(
                    member_id=n,
                    organization_id=branch,
                    from_day=since,
                    recorded_at=at(max(since, date(2026, 1, 1))),
                )
            )
        session.flush()

    def day(self, first: date, last: date) -> date:
        return first + timedelta(days=self.chance.randint(0, (last - first).days))

    def live(self, first: date, last: date, *, about: date | None = None) -> None:
        """What is written down from `first` to `last`; about: facts have days since then, so some come late."""
        for _ in range(150):
            self.book(self.day(about or first, last), at(self.day(first, last)))
        for _ in range(25):
            self.hold(self.day(about or first, last), at(self.day(first, last), 15), at(first))
        for kind in ("monthly", "quarterly", "half_yearly", "yearly"):
            for one in (*periods_of(kind, 2025)[-1:], *periods_of(kind, 2026)):
                if (about or first) <= one.last < last:
                    self.collect(kind, one.text, at(min(last, max(first, one.last + timedelta(days=9)))))
        for _ in range(15):
            self.number += 1
            item = self.chance.choice([one.id for one in shipped().negatives])
            fixed = {"organization_id": self.chance.choice(BRANCHES), "item_id": item}
            day, known = self.day(about or first, last), at(self.day(first, last))
            negatives.post(self.session, **fixed, day=day, count=2, cause=f"case:{self.number}", recorded_at=known)
            if self.number % 3 == 0:
                negatives.take_back(self.session, **fixed, cause=f"case:{self.number}", recorded_at=known)
        self.session.flush()

    def book(self, day: date, known: datetime) -> None:
        self.number += 1
        rule = self.chance.choice(RULES) if self.number % 40 else "PZ1"
        rule = "PB1" if rule == "PZ1" and self.number % 40 else rule
        terms = shipped().rule(rule).terms_on(day)
        assert terms is not None
        points = (
            terms.points if terms.points is not None else self.chance.choice(list((terms.grades or {}).values()))
        )
        ledger.book(
            self.session,
            member_id=self.chance.choice(PEOPLE),
            rule_id=rule,
            cause=f"chance:{self.number}",
            points=points,
            hundredths=self.chance.choice([25, 150, 400]) if rule == "PB3" else 100,
            day=day,
            booked_at=max(known, at(day)),
        )

    def hold(self, day: date, known: datetime, since: datetime) -> None:
        """An activity, announced before (not before `since`), closed when it is over."""
        self.number += 1
        begins = at(day, self.chance.choice([2, 17]))  # 17:00 UTC is the next day in Shanghai
        one = Activity(
            code=f"Y{self.number}",
            organization_id=self.chance.choice(BRANCHES),
            scope=self.chance.choice(["branch", "branch", "region"]),
            kinds=self.chance.choice(["theme_party_day", "member_assembly;party_lecture", "heart_talk"]),
            title="x",
            place="x",
            starts_at=begins,
            ends_at=begins + timedelta(hours=1),
            check_in_opens_at=begins,
            check_in_closes_at=begins,
            created_at=max(since, begins - timedelta(days=1)),
        )
        self.session.add(one)
        self.session.flush()
        assert one.id is not None
        self.close(one.id, max(known, begins + timedelta(hours=2)))

    def close(self, activity_id: int, known: datetime) -> None:
        came = self.chance.randint(0, 9)
        activities.close(self.session, activity_id, state="held", should_attend=9, attended=came)
        activity_records.note(self.session, activity_id, known)

    def collect(self, kind: str, period: str, known: datetime) -> None:
        made = []
        for branch in BRANCHES:
            field = self.session.get_one(Organization, branch).field or ""
            rows = [
                (one.id, one.met, one.unmet) for one in shipped().indicators_on(field, JUNE) if one.period == kind
            ]
            if kind == "monthly":
                rows += [(one.id, *worth(one.formula)) for one in shipped().common_on(JUNE) if one.collected]
            chosen = [row for row in rows if self.chance.random() < 0.93]
            values_of = [(row[0], row[1 if self.chance.random() < 0.93 else 2]) for row in chosen]
            made += [self.row(branch, row_id, period, value, known) for row_id, value in values_of]
        values.record_many(self.session, made)

    def row(self, branch: int, row_id: str, period: str, value: str, known: datetime) -> dict[str, Any]:
        self.number += 1
        key = {"organization_id": branch, "indicator_id": row_id, "period": period, "value": value}
        return key | {"collect": "declare", "cause": f"declaration:{self.number}", "recorded_at": known}

    def record(self, branch: int, row_id: str, period: str, value: str, known: datetime) -> None:
        values.record(self.session, **self.row(branch, row_id, period, value, known))


def worth(formula: str) -> tuple[str, str]:
    return {"value_true": ("true", "false"), "value_months": ("3", "1.5")}.get(formula, ("1.00", "0.5"))
