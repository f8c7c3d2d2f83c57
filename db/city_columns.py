"""The whole city in columns: what the refresh reads, now or as it was known at the end of a past day.

What is kept for every booking (`Total`, `PeriodValues`) is read by default; `lines` reads the raw lines instead,
which take longer and must say the same. `known_at` reads what was written down by that instant; only lines tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import select
from sqlmodel import Session, col

from db import member_modes
from db.activity_records import ActivityRecord
from db.columns import Ints, ints, parted, rows

RULES_MAX = 62  # a member (up to id 2^25), a rule and a figure share one integer
FIGURES = {"points": "points", "hundredths": "hundredths"}
KEYS_MAX = 5_000  # keys in one condition

_ORDINAL = {  # proleptic ordinals, as `date.toordinal` counts
    "sqlite": "CAST(julianday({0}) - 1721424.5 AS INTEGER)",
    "postgresql": "({0} - DATE '0001-01-01' + 1)",
}
_SECONDS = {  # since 1970
    # Milliseconds, as SQLite itself counts them, from its day 0; writing them as text costs several times more.
    "sqlite": "(CAST(julianday({0}) * 86400000 + 0.5 AS INTEGER) / 1000 - 210866760000)",
    "postgresql": "CAST(floor(extract(epoch FROM {0})) AS BIGINT)",
}


@dataclass(frozen=True, slots=True)
class View:
    """What to read. known_at: only what was written down by then; None: everything. lines: raw lines, no sums."""

    as_of: date
    zone: ZoneInfo
    lines: bool = False
    known_at: datetime | None = None

    @property
    def first(self) -> date:
        """The first day of the year."""
        return date(self.as_of.year, 1, 1)

    @property
    def last(self) -> date:
        """The last day of the year."""
        return date(self.as_of.year, 12, 31)

    def known(self, column: str) -> str:
        """The condition that a row was written down by then; a row without an instant always was."""
        return "true" if self.known_at is None else f"({column} IS NULL OR {column} <= {_instant(self.known_at)})"


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """The last instant of a day in the city."""
    return datetime.combine(day + timedelta(days=1), time(), zone) - timedelta(microseconds=1)


class Branch(NamedTuple):
    """An organisation with a field."""

    id: int
    code: str
    field: str
    founded_on: date | None


def branches(session: Session, view: View) -> list[Branch]:
    """Every organisation with a field that is founded and not closed on the day, in the order of the ids."""
    day = f"'{view.as_of}'"
    founded = _word(session, _ORDINAL).format("founded_on")
    found = rows(
        session,
        f"SELECT id, code, field, coalesce({founded}, 0) FROM organization WHERE field IS NOT NULL"
        f" AND (founded_on IS NULL OR founded_on <= {day}) AND (closed_on IS NULL OR closed_on > {day})"
        " ORDER BY id",
    )
    return [Branch(row[0], row[1], row[2], date.fromordinal(row[3]) if row[3] else None) for row in found]


def memberships(session: Session, view: View) -> Ints:
    """(member, branch, first day, day after the last or 0) of memberships in the year; days are ordinals."""
    ends = "to_day"
    if view.known_at is not None:
        late = f"ended_at > {_instant(view.known_at)}"
        ends = f"CASE WHEN {late} THEN NULL ELSE to_day END"
    # Most people were there all the year: one number says it, and no date has to be read.
    settled = f"(from_day <= '{view.first}' AND ({ends}) IS NULL)"
    known = view.known("recorded_at")
    packed = f"member_id * {1 << 32} + organization_id"
    pairs = ints(session, "membership", [packed], f"{settled} AND {known}")[:, 0]
    ordinal = _word(session, _ORDINAL)
    last = ordinal.format(f"({ends})")
    touching = f"from_day <= '{view.as_of}' AND (({ends}) IS NULL OR ({ends}) > '{view.first}')"
    moved = ints(
        session,
        "membership",
        [
            "member_id",
            "organization_id",
            ordinal.format("from_day"),
            f"coalesce({last}, 0)",
        ],
        f"NOT {settled} AND {touching} AND {known}",
    )
    stayed = np.empty((len(pairs), 4), dtype=np.int64)
    stayed[:, 0], stayed[:, 1] = pairs >> 32, pairs & 0xFFFFFFFF
    stayed[:, 2], stayed[:, 3] = view.first.toordinal(), 0
    return np.concatenate([stayed, moved])


def modes(session: Session, view: View) -> dict[int, str]:
    """The mode of every member whose mode is not `normal`."""
    stored = rows(session, "SELECT id, mode FROM member WHERE mode <> 'normal'")
    found: dict[int, str] = {row[0]: row[1] for row in stored}
    if view.known_at is None:
        return found
    return found | member_modes.as_known(session, view.known_at)


def sums(
    session: Session, view: View, figures: Mapping[str, str], member_ids: Sequence[int] | None = None
) -> Iterator[tuple[Ints, Ints, Ints]]:
    """(member, place of the rule, figure) in parts, to be added up. figures: per rule `points` or `hundredths`.

    member_ids: only of these.
    """
    if len(figures) > RULES_MAX:
        raise ValueError(f"more than {RULES_MAX} rules")
    mixed = view.lines or session.connection().dialect.name != "sqlite"
    for chosen in _chosen(member_ids):
        yield from (_mixed if mixed else _by_rule)(session, view, figures, chosen)


def _chosen(member_ids: Sequence[int] | None) -> Iterator[str]:
    """Conditions that name everybody, or these members in parts."""
    if member_ids is None:
        yield ""
        return
    for start in range(0, len(member_ids), KEYS_MAX):
        yield f" AND member_id IN ({', '.join(map(str, member_ids[start : start + KEYS_MAX]))})"


def _by_rule(
    session: Session, view: View, figures: Mapping[str, str], chosen: str
) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Rule by rule, as totals lie in SQLite: to ask every row for its rule would double the time."""
    for place, (rule_id, figure) in enumerate(figures.items()):
        where = f"year = {view.as_of.year} AND rule_id = '{_plain(rule_id)}'{chosen}"
        packed = f"member_id * {1 << 32} + {FIGURES[figure]}"
        for part in parted(session, "total", [packed], where, few=bool(chosen), key="member_id"):
            member = (part[:, 0] + (1 << 31)) >> 32
            yield member, np.broadcast_to(np.int64(place), member.shape), part[:, 0] - (member << 32)


def _mixed(
    session: Session, view: View, figures: Mapping[str, str], chosen: str
) -> Iterator[tuple[Ints, Ints, Ints]]:
    """From rows of all rules together: the raw lines, or totals that PostgreSQL passes once."""
    # Rule and figure take 38 bits, the figure its lower 32 with the sign. 63: a rule that nobody asks for.
    cases = " ".join(
        f"WHEN '{_plain(one)}' THEN {place << 32} + {FIGURES[figures[one]]}" for place, one in enumerate(figures)
    )
    packed = f"member_id * {1 << 38} + CASE rule_id {cases} ELSE {63 << 32} END"
    if view.lines:
        table = "entry"
        # To the year's end, as in the totals: a check-in before midnight may be for an activity after it.
        where = f"in_index AND day BETWEEN '{view.first}' AND '{view.last}' AND {view.known('booked_at')}"
    else:
        table, where = "total", f"year = {view.as_of.year}"
    for part in parted(session, table, [packed], f"{where}{chosen}", few=bool(chosen)):
        key = (part[:, 0] + (1 << 31)) >> 32
        rule = key & 63
        told = rule != 63
        yield key[told] >> 6, rule[told], (part[:, 0] - (key << 32))[told]


class Activities(NamedTuple):
    """Columns of the approved activities of the year to date. kinds: place in `kind_texts`."""

    branch: Ints
    day: Ints  # 1 is 1 January
    region: Ints
    kinds: Ints
    should_attend: Ints
    attended: Ints
    kind_texts: list[str]


def activities(session: Session, view: View) -> Activities:
    """The approved activities of the year to date; those that nobody has counted yet have nobody in them."""
    since = _instant(end_of(view.first - timedelta(days=1), view.zone))
    until = _instant(end_of(view.as_of, view.zone))
    where = f"starts_at > {since} AND starts_at <= {until} AND {view.known('created_at')}"
    texts = sorted(row[0] for row in rows(session, "SELECT DISTINCT kinds FROM activity"))
    numbers = " ".join(f"WHEN '{_quoted(one)}' THEN {place}" for place, one in enumerate(texts))
    kind = f"(CASE kinds {numbers} ELSE 0 END)" if texts else "0"
    seconds = _word(session, _SECONDS)
    counts = "(approved AND state <> 'cancelled')"
    found = ints(
        session,
        "activity",
        [
            f"organization_id * {1 << 32} + {kind} * 4 + CASE WHEN scope = 'region' THEN 2 ELSE 0 END"
            f" + CASE WHEN {counts} THEN 1 ELSE 0 END",
            seconds.format("starts_at"),
            f"coalesce(should_attend, 0) * {1 << 32} + coalesce(attended, 0)",
            *(["id"] if view.known_at else []),
        ],
        where,
    )
    if view.known_at is not None:
        found = _as_recorded(session, view, found)
    found = found[found[:, 0] & 1 == 1]
    place = found[:, 0]
    return Activities(
        place >> 32,
        _day_of_year(view, found[:, 1]),
        place >> 1 & 1,
        (place & 0xFFFFFFFF) >> 2,
        found[:, 2] >> 32,
        found[:, 2] & 0xFFFFFFFF,
        texts,
    )


def _as_recorded(session: Session, view: View, found: Ints) -> Ints:
    """The figures as they had been noted by then; one without any note was counted when it was over."""
    assert view.known_at is not None
    noted: dict[int, tuple[bool, int]] = {}
    later: set[int] = set()
    statement = select(ActivityRecord).order_by(col(ActivityRecord.id))
    for line in session.execute(statement).scalars():
        if line.recorded_at <= view.known_at:
            counts = line.approved and line.state != "cancelled"
            noted[line.activity_id] = (counts, ((line.should_attend or 0) << 32) + (line.attended or 0))
        else:
            later.add(line.activity_id)
    session.expire_all()
    over = {row[0] for row in rows(session, f"SELECT id FROM activity WHERE ends_at <= {_instant(view.known_at)}")}
    changed = found.copy()
    for row, activity_id in enumerate(found[:, 3].tolist()):
        if activity_id in noted:
            counts, figures = noted[activity_id]
            changed[row, 0] = (changed[row, 0] & ~1) | int(counts)
            changed[row, 2] = figures
        elif activity_id in later or activity_id not in over:
            changed[row, 0] |= 1  # planned, as every activity begins
            changed[row, 2] = 0
    return changed


def _day_of_year(view: View, seconds: Ints) -> Ints:
    """The day in the city of each instant, 1 for 1 January: midnights are counted, so that clocks may change."""
    days = (view.as_of - view.first).days + 1
    midnights = (datetime.combine(view.first + timedelta(days=n), time(), view.zone) for n in range(days))
    return np.searchsorted(np.array([int(one.timestamp()) for one in midnights]), seconds, side="right")


def _word(session: Session, words: Mapping[str, str]) -> str:
    return words[session.connection().dialect.name]


def _instant(at: datetime) -> str:
    """An instant for <= and >, as both databases read it.

    SQLite compares it as text with what is stored, which has no offset and so comes before the same instant here.
    """
    return f"'{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}+00:00'"


def _plain(name: str) -> str:
    if not name.isidentifier():
        raise ValueError(f"{name[:20]!r} is no id of a rule")
    return name


def _quoted(text: str) -> str:
    return text.replace("'", "''")
