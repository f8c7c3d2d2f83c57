"""The tables that a branch fills, parents first, and how what was made up becomes their rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import astuple
from datetime import timedelta
from itertools import count

from bot.sample.bulk import Loader
from bot.sample.calendar import Happening
from bot.sample.facts import ValueRow
from bot.sample.life import Came, Closed
from bot.sample.members import Person
from bot.sample.points import Line
from bot.sample.post import Addressed, Post, Read, Sent
from bot.sample.shop import Exchanged
from bot.sample.wish_list import ClaimRow, WishRow
from db.accounts import Chat
from db.activities import Activity
from db.attendance import Attendance
from db.deliveries import Delivery
from db.dues import DuesPayment
from db.indices import Appraisal
from db.ledger import Entry, Total, Wallet
from db.letter_counts import LetterBranch
from db.letters import Letter, Receipt
from db.members import Member, Membership, Role
from db.negatives import Negative
from db.period_values import PeriodValues
from db.rewards import Redemption
from db.sheets import Remit
from db.values import IndicatorValue, ValueRecord
from db.wishes import Wish, WishClaim

ACTIVITY_COLUMNS = (
    "id code organization_id region_id scope kinds title place starts_at ends_at check_in_opens_at "
    "check_in_closes_at remote_allowed state should_attend attended minutes created_by created_at"
)
ENTRY_COLUMNS = (
    "id member_id organization_id rule_id terms_from cause points hundredths day in_index in_wallet reason "
    "booked_at"
)


class Tables:
    """What waits to be written."""

    def __init__(self, loader: Loader) -> None:
        rows = loader.rows
        self.loader = loader
        self.members = rows(Member, "id code name mobile city mode probationary admitted_on created_at")
        self.memberships = rows(Membership, "member_id organization_id from_day to_day")
        self.roles = rows(Role, "member_id organization_id role from_day")
        self.remits = rows(Remit, "member_id indicator_id")
        self.chats = rows(Chat, "channel address member_id bound_at heard_at choices")
        self.activities = rows(Activity, ACTIVITY_COLUMNS)
        self.attendance = rows(Attendance, " ".join(Came._fields))
        self.dues = rows(DuesPayment, "member_id month organization_id in_time ticked_by ticked_at")
        self.redemptions = rows(Redemption, " ".join(Exchanged._fields))
        self.entries = rows(Entry, ENTRY_COLUMNS)
        self.totals = rows(Total, "member_id year rule_id points hundredths")
        self.wallets = rows(Wallet, "member_id balance debt")
        self.wishes = rows(Wish, " ".join(WishRow.__dataclass_fields__))
        self.claims = rows(WishClaim, " ".join(ClaimRow.__dataclass_fields__))
        self.letters = rows(Letter, " ".join(Letter.model_fields))
        self.deliveries = rows(Delivery, " ".join(Sent._fields))
        self.letter_branches = rows(LetterBranch, " ".join(LetterBranch.model_fields))
        self.receipts = rows(Receipt, " ".join(Read._fields))
        self.values = rows(IndicatorValue, "organization_id indicator_id period value recorded_at")
        self.period_values = rows(PeriodValues, "organization_id period entries")
        self.value_records = rows(
            ValueRecord, "organization_id indicator_id period value collect cause reason recorded_at"
        )
        self.negatives = rows(Negative, "organization_id item_id day count note cause recorded_at")
        self.appraisals = rows(Appraisal, "organization_id year self_score members_masses superior")
        self._entry_ids = count(1)

    def add_person(self, person: Person, organization_id: int) -> None:
        """One member with the memberships that lead up to today."""
        self.members.add(
            person.id,
            person.code,
            person.name,
            person.mobile,
            person.city,
            person.mode,
            person.probationary,
            person.admitted_on,
            None,
        )
        if person.before is not None:
            since, before_id = person.before
            self.memberships.add(person.id, before_id, since, person.since)
        self.memberships.add(person.id, organization_id, person.since, None)

    def add_values(self, rows: Iterable[tuple[ValueRow, str]]) -> None:
        """Values of one branch, each with the way in which it is collected; with their lines in the log."""
        sheets: dict[tuple[int, str], dict[str, str]] = {}
        for (organization_id, indicator_id, period, value, recorded_at), collect in rows:
            key = (organization_id, indicator_id, period, value)
            self.values.add(*key, recorded_at)
            self.value_records.add(*key, collect, "sample", "", recorded_at)
            sheets.setdefault((organization_id, period), {})[indicator_id] = value
        for (organization_id, period), entries in sheets.items():
            self.period_values.add(organization_id, period, entries)

    def add_activity(
        self,
        one: Happening,
        organization_id: int,
        place: str,
        counts: tuple[int | None, int | None],
        by: int | None,
    ) -> None:
        """One activity that is over. counts: who should have come and who came; None: to be counted later."""
        should, came = counts
        held = should is None or (should > 0 and 2 * (came or 0) >= should)
        ends = one.starts + timedelta(minutes=one.minutes)
        self.activities.add(
            one.id,
            one.code,
            organization_id,
            None if one.region is None else one.region + 1,
            "branch" if one.region is None else "region",
            one.kinds,
            one.title,
            place,
            one.starts,
            ends,
            one.starts - timedelta(minutes=30),
            ends,
            one.remote,
            "held" if held else "not_held",
            should,
            came,
            f"{one.title}，到会 {came} 人。" if held and came is not None else "",
            by,
            one.starts - timedelta(days=5),
        )

    def add_closed(self, closed: Closed, organization_id: int, place: str, by: int) -> None:
        """One activity of a branch."""
        counts = (closed.should_attend, closed.attended)
        self.add_activity(closed.happening, organization_id, place, counts, by)

    def add_ledger(self, people: Iterable[Person], events: Iterable[Line | Exchanged]) -> None:
        """The lines of a branch in the order of time, with the totals and wallets that they make."""
        wallets: Counter[int] = Counter({person.id: 0 for person in people})
        totals: dict[tuple[int, int, str], list[int]] = {}
        add = self.entries.add
        for one in events:
            if isinstance(one, Exchanged):
                self.redemptions.add(*one)
                continue
            add(
                next(self._entry_ids),
                one.member_id,
                one.organization_id,
                one.rule_id,
                one.terms_from,
                one.cause,
                one.points,
                one.hundredths,
                one.day,
                one.in_index,
                True,
                one.reason,
                one.booked_at,
            )
            wallets[one.member_id] += one.points
            if one.in_index:
                sums = totals.setdefault((one.member_id, one.day.year, one.rule_id), [0, 0])
                sums[0] += one.points
                sums[1] += one.hundredths
        for key, (points, hundredths) in totals.items():
            self.totals.add(*key, points, hundredths)
        for member_id, points in wallets.items():
            self.wallets.add(member_id, max(0, points), max(0, -points))

    def add_wish(self, one: WishRow | ClaimRow) -> None:
        """A wish or a claim."""
        (self.wishes if isinstance(one, WishRow) else self.claims).add(*astuple(one))

    def add_post(self, one: Post) -> None:
        """A letter, whom it was for, a delivery or a receipt."""
        if isinstance(one, Letter):
            self.letters.add(*(getattr(one, name) for name in Letter.model_fields))
        elif isinstance(one, Addressed):
            counts = dict.fromkeys(LetterBranch.model_fields, 0) | one._asdict()
            self.letter_branches.add(*counts.values())
        else:
            (self.deliveries if isinstance(one, Sent) else self.receipts).add(*one)
