"""What one look at some branches knows, and how it tells: the ground of the year's reminders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import activities, companions, dated_facts, duty_facts, members, offices
from db.activities import Happened
from db.dated_facts import Standing
from db.duty_facts import Person
from db.offices import BRANCH_COMMITTEE
from db.organizations import Organization
from notices.channel import Button, Message
from notices.digest import later
from notices.duty_days import Duty, duties
from notices.voices import voices
from notices.wording import Wording
from scoring.periods import CalendarPeriod

KEPT_FOR = timedelta(days=7)
REVIEWER = "committee_reviewer"
Step = tuple[str, str]  # name of the button's words, action


@dataclass(slots=True)
class Look:
    """Everything that is known of the branches of one part."""

    session: Session
    now: datetime
    today: date
    zone: ZoneInfo
    happened: Mapping[int, list[Happened]]
    people: Mapping[int, list[Person]]
    groups: Collection[int]
    facts: Mapping[int, list[Standing]]
    offices: Mapping[int, Mapping[str, list[int]]]
    companions: Mapping[int, Mapping[str, list[int]]]
    mentors: Mapping[tuple[int, str], int]
    done: Collection[tuple[int, str, str]]
    above: dict[tuple[str, date, int], list[str]] = field(default_factory=lambda: defaultdict(list))
    told: int = 0
    _voices: dict[int, Wording] = field(default_factory=dict)
    _holders: dict[tuple[int | None, str], list[int]] = field(default_factory=dict)

    def tell(
        self, ids: Sequence[int | None], name: str, key: str, step: Step | None = None, **values: object
    ) -> None:
        """Put the text `duties.NAME` into the digests of these people."""
        for member_id in dict.fromkeys(one for one in ids if one is not None):
            say = self._say(member_id, ids)
            buttons = (Button(say(step[0]), step[1]),) if step else ()
            self.told += later(
                self.session,
                member_id=member_id,
                key=f"duty:{key}",
                message=Message(say(f"duties.{name}", **values), buttons),
                now=self.now,
                zone=self.zone,
                expires_at=self.now + KEPT_FOR,
            )

    def _say(self, member_id: int, with_them: Sequence[int | None]) -> Wording:
        """In which words; asked for once, of everybody who is told the same."""
        if member_id not in self._voices:
            self._voices.update(voices(self.session, [one for one in with_them if one is not None]))
        return self._voices[member_id]

    def of(self, branch: Organization, to: Sequence[str]) -> list[int]:
        """Who in the branch is meant by these words; its secretary for an office that nobody holds."""
        assert branch.id is not None
        found: list[int] = []
        for word in to:
            if word in ("secretary", "branch_committee"):
                found += self.secretaries(branch)
            held = self.offices.get(branch.id, {})
            for office in BRANCH_COMMITTEE if word == "branch_committee" else (word,):
                found += held.get(office, [])
        return list(dict.fromkeys(found)) or self.secretaries(branch)

    def committee(self, branch: Organization) -> int:
        """How many people are known to be in the branch's committee."""
        return len(self.of(branch, ("branch_committee",)))

    def secretaries(self, branch: Organization) -> list[int]:
        """The branch's secretary, or that of the nearest node above which has any."""
        return self._held(branch, "secretary")

    def reviewers(self, branch: Organization) -> list[int]:
        """Who reviews the branch for its committee."""
        return self._held(branch, REVIEWER)

    def _held(self, branch: Organization, role: str) -> list[int]:
        if (branch.id, role) not in self._holders:
            found = members.holders(self.session, branch, role, self.today)
            self._holders[branch.id, role] = [one.id for one in found if one.id is not None]
        return self._holders[branch.id, role]

    def of_mobile(self, branch: Organization, people: Sequence[Person]) -> list[int]:
        """Who keeps in touch with these members; and the secretary, who says when all of it is done."""
        found = self.secretaries(branch)[:]
        for person in people:
            found += self.companions.get(person.member_id, {}).get("contact", [])
        return list(dict.fromkeys(found))

    def without(self, branch_id: int, kind: str, span: CalendarPeriod) -> int:
        """How many members were at no activity of this kind in the period; 0 when one is still to come in it."""
        begin, end = (
            datetime.combine(day, time(), self.zone) for day in (span.first, span.last + timedelta(days=1))
        )
        for row in self.happened[branch_id]:
            if kind in row.kinds.split(";") and row.should_attend is None and self.now <= row.starts_at < end:
                return 0
        return duty_facts.without(self.session, branch_id, kind, begin, end, self.today)

    def out_of_reach(self, branch_id: int, since: date) -> list[Person]:
        """Members who live elsewhere and of whom no contact since that day is noted."""
        heard = {
            one.fact.member_id
            for one in self.facts[branch_id]
            if one.fact.kind == "lost_contact" and one.fact.day >= since
        }
        return [one for one in self.people[branch_id] if one.mobile and one.member_id not in heard]


def look_at(session: Session, ids: Sequence[int], now: datetime, today: date, zone: ZoneInfo) -> Look:
    """What is known of these branches today."""
    first = datetime.combine(date(today.year, 1, 1), time(), zone)
    last = datetime.combine(date(today.year + 1, 1, 15), time(), zone)
    happened: dict[int, list[Happened]] = defaultdict(list)
    for row in activities.happened(session, first, last, ids):
        happened[row.organization_id].append(row)
    people: dict[int, list[Person]] = defaultdict(list)
    months = {today.month, (today + timedelta(days=7)).month}  # of birthdays; probations are looked at in all
    for person in duty_facts.people(session, ids, today, months):
        people[person.organization_id].append(person)
    facts: dict[int, list[Standing]] = defaultdict(list)
    for one in dated_facts.standing(session, ids, today):
        facts[one.organization_id].append(one)
    accompanied = [one.member_id for listed in people.values() for one in listed if one.mobile or one.probationary]
    return Look(
        session=session,
        now=now,
        today=today,
        zone=zone,
        happened=happened,
        people=people,
        groups=duty_facts.with_groups(session, ids),
        facts=facts,
        offices=offices.held(session, ids, today),
        companions=companions.of_members(session, accompanied),
        mentors=companions.mentors(session, ids),
        done=duty_facts.all_done(session, ids, _periods(today)),
    )


def _periods(today: date) -> set[str]:
    """The periods of today and of the days that are looked back upon, of duties that the branch says are done."""
    ticked: list[Duty] = [one for one in duties()[0] if one.ticked]
    return {one.span(today - timedelta(days=back)).text for one in ticked for back in (0, 31)}
