"""The three-colour pool as people meet it: a month is published after its lock, kept right, and followed up.

Every day one walk over all branches, in parts. It raises what is new, lets what continues begin anew, clears what
is over, tells a branch's secretary, and notes what is not acknowledged. When it is through, every owner gets one
digest (`notices.pool_digest`). Nothing here computes a colour: the refresh of the indices has done that.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import occurrences, organizations, pool, warnings
from db.duties import CITY
from db.indices import PoolColour
from db.organizations import Organization
from db.pool import Place
from db.warnings import LIVE, BranchWarning
from notices import pool_digest, pool_reasons
from notices.pool_routes import pool_notices
from notices.said_pool import month_end, months_back
from notices.working_days import working_days_since
from scoring.catalogue import shipped

TASK = "pool"  # name of the daily task; stored
REFRESH = "index_refresh"  # the task whose results are published
BATCH = 50  # branches of one transaction
MONTHS_LOOKED_BACK = 12  # for the first month of a colour that lasts
MONTHS_KEPT_RIGHT = 3  # published months that a late change may still alter
WALK = "walk:"


@dataclass(frozen=True, slots=True)
class Walk:
    """One day's walk. months: what is kept right, the month to publish first."""

    now: datetime
    zone: ZoneInfo
    months: tuple[str, ...]
    published: bool  # whether everybody knows the first of the months already

    @property
    def month(self) -> str:
        """The month that is published."""
        return self.months[0]

    @property
    def today(self) -> date:
        """The day of the walk."""
        return self.now.astimezone(self.zone).date()


def locked_month(today: date) -> str:
    """The latest month whose values are locked, and whose lock is not of today."""
    months = months_back(f"{today.year:04}-{today.month:02}", 3)
    for month in months[1::-1]:
        end = month_end(month)
        if today > shipped().org_power.terms_on(end).deadlines.locked_from(end):
            return month
    return months[0]


def check_next(session: Session, now: datetime, zone: ZoneInfo = CITY) -> int:
    """Do the next part of the walk that is under way; how much was done. 0: there is none, or it has to wait."""
    day = occurrences.unfinished(session, TASK)
    if day is None:
        return 0
    if day.note and not day.note.startswith(WALK):
        return _tell_owners(session, day, now, zone)
    today = now.astimezone(zone).date()
    month = locked_month(today)
    if not pool.is_evaluated(session, month) or not is_fresh(session, now, zone):
        return 0  # the hourly refresh comes first
    ids = organizations.branches_after(session, int(day.note.removeprefix(WALK) or 0), BATCH)
    note = f"{WALK}{ids[-1]}" if ids else pool_digest.note(0, pool.last_news(session))
    if not occurrences.advance(session, day, note):
        return 0  # another process has them
    pool.begin_month(session, month, now)
    months = tuple(pool.months_begun(session, month, MONTHS_KEPT_RIGHT))
    walk = Walk(now, zone, months, published=pool.last_published(session) == month)
    pool_digest.tell_secretaries(session, check_branches(session, walk, ids), now, today)
    return max(1, len(ids))


def _tell_owners(session: Session, day: occurrences.Occurrence, now: datetime, zone: ZoneInfo) -> int:
    """The next owners' digests; after the last one the month is published."""
    after, until = pool_digest.place(day.note)
    today = now.astimezone(zone).date()
    member_ids = pool_digest.next_owners(session, after, today)
    note = pool_digest.note(member_ids[-1], until) if member_ids else occurrences.DONE
    if not occurrences.advance(session, day, note):
        return 0
    if member_ids:
        pool_digest.tell(session, member_ids, until, now, today)
    else:
        pool.news_told(session, until)
        for month in pool.months_begun(session, f"{today.year:04}-{today.month:02}", 1):
            pool.finish_month(session, month, now)
    return max(1, len(member_ids))


def is_fresh(session: Session, now: datetime, zone: ZoneInfo) -> bool:
    """Whether the indices were refreshed today."""
    last = occurrences.last_of(session, [REFRESH]).get(REFRESH)
    midnight = datetime.combine(now.astimezone(zone).date(), time(), zone)
    return last is not None and last >= midnight


def check_branches(session: Session, walk: Walk, organization_ids: Sequence[int]) -> list[pool_digest.Told]:
    """Bring the warnings of these branches in line with their colours; what happened to each branch."""
    colours: dict[tuple[int, str], dict[str, PoolColour]] = defaultdict(dict)
    looked_at = {*walk.months, *months_back(walk.month, MONTHS_LOOKED_BACK)}
    for one in pool.colours(session, looked_at, organization_ids):
        colours[one.organization_id, one.month][f"pool_{one.colour}"] = one
    rows: dict[int, list[BranchWarning]] = defaultdict(list)
    for row in warnings.of_pool(session, organization_ids, walk.months):
        rows[row.organization_id].append(row)
    seen = {months for month in walk.months for months in months_back(month, 3)}
    places = pool.places(session, seen, organization_ids)
    concerned = [
        one for one in organization_ids if one in rows or any((one, month) in colours for month in walk.months)
    ]
    compared, branches = [], pool.branches(session, concerned)
    for organization_id in concerned:
        branch = _Branch(session, walk, branches[organization_id], places.get(organization_id, []))
        branch.compare({month: colours[organization_id, month] for month in looked_at}, rows[organization_id])
        compared.append(branch)
    session.flush()  # all new rows in one statement, which gives them their ids
    for branch in compared:
        branch.note()
    return [(branch.organization, branch.told) for branch in compared]


@dataclass
class _Branch:
    """One branch while its warnings are compared with its colours."""

    session: Session
    walk: Walk
    organization: Organization
    places: list[Place]
    colours: Mapping[str, Mapping[str, PoolColour]] = field(default_factory=dict)
    news: list[tuple[str, str, BranchWarning]] = field(default_factory=list)

    def compare(self, colours: Mapping[str, Mapping[str, PoolColour]], rows: Sequence[BranchWarning]) -> None:
        """The earlier months first, so that a correction of theirs does not look like an end."""
        self.colours = colours
        known = {(row.period, row.kind): row for row in rows}
        for month in reversed(self.walk.months[1:]):
            self._correct(month, colours[month], known)
        month = self.walk.month
        for kind, colour in colours[month].items():
            self._stand(kind, colour, known)
        for (of_month, kind), row in known.items():
            if row.state not in LIVE or kind in colours[month]:
                continue
            if of_month == month:
                self._take_back(row)
            else:
                row.state, row.cleared_at = "cleared", self.walk.now
                self._tell("cleared", row)

    def _correct(
        self, month: str, colours: Mapping[str, PoolColour], known: dict[tuple[str, str], BranchWarning]
    ) -> None:
        """A published month that is over: what a late change has added or taken away is told, and nothing more."""
        for kind, colour in colours.items():
            row = known.get((month, kind))
            if row is None or row.state == "corrected":
                row = self._write(row, kind, colour)
                row.state, row.cleared_at = "ended", self.walk.now
                known[month, kind] = row
                self._tell("added", row, pool_reasons.reason(self.session, row, self.organization))
        for kind in [kind for of_month, kind in known if of_month == month]:
            if kind not in colours and known[month, kind].state != "corrected":
                self._take_back(known[month, kind])

    def _stand(self, kind: str, colour: PoolColour, known: dict[tuple[str, str], BranchWarning]) -> None:
        """A colour of the month to be published: new, continued, or there already."""
        month = self.walk.month
        row = known.get((month, kind))
        before = next((known[one, kind] for one in self.walk.months[1:2] if (one, kind) in known), None)
        if before is not None and before.state == "corrected":
            before = None
        if before is not None and before.state in LIVE:
            before.state, before.cleared_at = "ended", self.walk.now
        if row is not None and row.state in LIVE:
            row.proof = self._proof(kind, colour)
            self._follow_up(row)
            return
        row = known[month, kind] = self._write(row, kind, colour)
        if self.walk.published:
            self._tell("added", row, pool_reasons.reason(self.session, row, self.organization))
        else:
            self._tell("continued" if before is not None else "raised", row)

    def _follow_up(self, row: BranchWarning) -> None:
        """Ask again, and then further up, while nobody has acknowledged."""
        if row.state != "open":
            return
        waited = working_days_since(row.raised_at.astimezone(self.walk.zone).date(), self.walk.today)
        if row.escalated_at is None and waited >= pool_notices().escalate_after_working_days:
            row.escalated_at = self.walk.now
            self._tell("escalated", row)
        elif row.reminded_at is None and waited >= pool_notices().remind_after_working_days:
            row.reminded_at = self.walk.now
            self._tell("reminded", row)

    def _take_back(self, row: BranchWarning) -> None:
        row.state, row.cleared_at = "corrected", self.walk.now
        self._tell("corrected", row, pool_reasons.reason(self.session, row, self.organization))

    def _write(self, row: BranchWarning | None, kind: str, colour: PoolColour) -> BranchWarning:
        if row is None:
            row = BranchWarning(
                organization_id=colour.organization_id,
                kind=kind,
                period=colour.month,
                owner_role=pool_notices().chains[colour.owner][0],
                proof="",
                raised_at=self.walk.now,
            )
            self.session.add(row)
        row.state, row.raised_at, row.proof = "open", self.walk.now, self._proof(kind, colour)
        row.reminded_at = row.escalated_at = row.cleared_at = row.acknowledged_at = row.acknowledged_by = None
        return row

    def _since(self, kind: str, month: str) -> str:
        """The first of the months that have had the colour without a break up to this one."""
        since = month
        for before in reversed(months_back(month, MONTHS_LOOKED_BACK)[:-1]):
            if kind not in self.colours.get(before, {}):
                break
            since = before
        return since

    def _proof(self, kind: str, colour: PoolColour) -> str:
        seen = months_back(colour.month, 3)
        places = [[one.month, one.rank, one.field_size] for one in self.places if one.month in seen]
        of_field = self.organization.field or (self.places[-1].field if self.places else "")
        since = self._since(kind, colour.month)
        return json.dumps({"causes": colour.reason, "field": of_field, "since": since, "places": places})

    def _tell(self, what: str, row: BranchWarning, why: str = "") -> None:
        self.news.append((what, why, row))

    def note(self) -> None:
        """Write down what happened, for the history and for the owners' digests."""
        for what, why, row in self.news:
            assert row.id is not None
            pool.note(self.session, row.id, what, self.walk.now, note=why, news=True)

    @property
    def told(self) -> list[tuple[str, str, BranchWarning]]:
        """What the branch's own secretary hears of: not that its owner was asked again."""
        return [one for one in self.news if one[0] not in ("reminded", "escalated")]
