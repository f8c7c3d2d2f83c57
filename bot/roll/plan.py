"""The dry run: a verdict for every row of a roll against what is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.engine import Engine
from sqlmodel import Session, col

from bot.roll.columns import COMPANION_COLUMNS, FLAGS, ROLE_WORDS, SHEETS, Column
from bot.roll.mistakes import mistakes_of
from bot.roll.read import Roll
from db import companions, dated_facts, offices
from db.members import Member, Membership, Role
from db.organizations import Organization, Region, RegionOrganization
from notices.dated_days import roll_columns

SHOWN_MAX = 200  # lines of rows that change nothing are counted, not shown


@dataclass(frozen=True, slots=True)
class Verdict:
    """What happens to one row: new, changed, same or refused, and why or what."""

    sheet: str
    row: int
    code: str
    verdict: str
    what: str
    values: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return (
            f"{SHEETS[self.sheet][0]} {self.row} {self.code}: {self.verdict}{' ' + self.what if self.what else ''}"
        )


@dataclass(slots=True)
class Plan:
    """All verdicts, in the order of the file."""

    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def refused(self) -> int:
        """Rows that cannot be imported; then none is."""
        return sum(verdict.verdict == "refused" for verdict in self.verdicts)

    @property
    def changes(self) -> int:
        """Rows that are new or changed."""
        return sum(verdict.verdict in ("new", "changed") for verdict in self.verdicts)

    def lines(self) -> Iterator[str]:
        """Refused rows first, then what is new or changed."""
        shown = [v for v in self.verdicts if v.verdict == "refused"]
        shown += [v for v in self.verdicts if v.verdict in ("changed", "new")]
        yield from (str(verdict) for verdict in shown[:SHOWN_MAX])
        if len(shown) > SHOWN_MAX:
            yield f"... {len(shown) - SHOWN_MAX} more"

    def summary(self) -> str:
        """Counts per verdict in one line."""
        counts = Counter(verdict.verdict for verdict in self.verdicts)
        told = ", ".join(f"{counts[word]} {word}" for word in ("new", "changed", "same", "refused"))
        return told + ("; nothing is imported while a row is refused" if counts["refused"] else "")


def plan(engine: Engine, roll: Roll, *, today: date) -> Plan:
    """What an import of the roll would do. Reads only."""
    with Session(engine) as session:
        known = Known(session, roll, today)
        made = Plan()
        for sheet in SHEETS:
            seen: set[str] = set()
            for number, row in roll.rows[sheet]:
                made.verdicts.append(_judge(known, sheet, number, row, seen))
        return made


class Known:
    """What is stored, and what the roll itself brings, by the city's own numbers."""

    def __init__(self, session: Session, roll: Roll, today: date) -> None:
        self.today = today
        organizations = session.execute(select(Organization)).scalars().all()
        by_id = {one.id: one.code for one in organizations}
        self.organizations = {
            one.code: {
                "name": one.name,
                "level": one.level,
                "field": one.field,
                "parent": by_id.get(one.parent_id, ""),
                "founded_on": one.founded_on,
                "place": one.place,
                "term_ends_on": one.term_ends_on,
                "committee_members": one.committee_members,
            }
            for one in organizations
        }
        parents = {row.get("code", ""): row.get("parent", "") for _, row in roll.rows["organizations"]}
        self.codes = self.organizations.keys() | parents.keys()
        self.parents = {code: one["parent"] for code, one in self.organizations.items()} | parents
        self.regions = self._regions(session, by_id)
        self.members = self._members(session, by_id)
        self.people = self.members.keys() | {row.get("code", "") for _, row in roll.rows["members"]}

    @staticmethod
    def _regions(session: Session, by_id: dict[int | None, str]) -> dict[str, dict[str, Any]]:
        inside: dict[int, set[str]] = {}
        for region_id, organization_id in session.execute(
            select(col(RegionOrganization.region_id), col(RegionOrganization.organization_id))
        ):
            inside.setdefault(region_id, set()).add(by_id[organization_id])
        found = session.execute(select(Region)).scalars()
        return {
            one.code: {"name": one.name, "organizations": ";".join(sorted(inside.get(one.id or 0, set())))}
            for one in found
        }

    def _members(self, session: Session, by_id: dict[int | None, str]) -> dict[str, dict[str, Any]]:
        belongs = {
            member_id: (by_id[organization_id], from_day)
            for member_id, organization_id, from_day in session.execute(
                select(col(Membership.member_id), col(Membership.organization_id), col(Membership.from_day)).where(
                    col(Membership.to_day).is_(None)
                )
            )
        }
        left: dict[int, date | None] = {}
        for member_id, to_day in session.execute(
            select(col(Membership.member_id), func.max(col(Membership.to_day))).group_by(col(Membership.member_id))
        ):
            left[member_id] = to_day
        roles: dict[int, set[str]] = {}
        for member_id, role, organization_id in session.execute(
            select(col(Role.member_id), col(Role.role), col(Role.organization_id)).where(
                col(Role.to_day).is_(None) | (col(Role.to_day) > self.today)
            )
        ):
            roles.setdefault(member_id, set()).add(f"{role}:{by_id[organization_id]}")
        for member_id, held in offices.of_roll(session, self.today).items():
            named = {f"{office}:{by_id[organization_id]}" for office, organization_id in held}
            roles.setdefault(member_id, set()).update(named)
        days = dated_facts.days_of_members(session)
        names = ("name", "admitted_on", "probationary", "mobile", "city", "phone", "mode", "status")
        with_whom, there = self._companions(session), dated_facts.destinations(session)
        return {
            one.code: {name: getattr(one, name) for name in names}
            | dict(zip(("organization", "from_day"), belongs.get(one.id or 0, ("", None)), strict=True))
            | {"roles": ";".join(sorted(roles.get(one.id or 0, set()))), "left": left.get(one.id or 0)}
            | {column: days.get(one.id or 0, {}).get(kind) for column, kind in roll_columns().items()}
            | {"transfer_to": by_id.get(there.get(one.id or 0), "")}
            | {column: with_whom.get((one.id or 0, kind), "") for column, kind in COMPANION_COLUMNS.items()}
            for one in session.execute(select(Member)).scalars()
        }

    @staticmethod
    def _companions(session: Session) -> dict[tuple[int, str], str]:
        """Member and kind -> the numbers of those who accompany them, as the sheet has them."""
        rows = session.execute(select(col(Member.id), col(Member.code)))
        codes: dict[int, str] = {row[0]: row[1] for row in rows}
        return {
            (member_id, kind): ";".join(sorted(codes[one] for one in ids))
            for member_id, kinds in companions.of_members(session).items()
            for kind, ids in kinds.items()
        }


def _judge(known: Known, sheet: str, number: int, row: dict[str, str], seen: set[str]) -> Verdict:
    code = row.get("code", "")
    values, mistakes = _values(SHEETS[sheet][1], row)
    if code in seen:
        mistakes.append("this number stands twice in the file")
    seen.add(code)
    if not mistakes:
        mistakes = list(mistakes_of(known, sheet, code, values))
    if mistakes:
        return Verdict(sheet, number, code, "refused", "; ".join(mistakes))
    stored: dict[str, Any] | None = getattr(known, sheet).get(code)
    if stored is None:
        return Verdict(sheet, number, code, "new", "", values)
    changed = {
        name: value
        for name, value in values.items()
        if name != "code" and (stored[name] or None) != (value or None)
    }
    if sheet == "members" and "organization" not in changed:
        changed.pop("from_day", None)  # the day counts only for a transfer
    contact = changed.get("last_contact_on")
    if "last_contact_on" in changed and (contact is None or contact < (stored["last_contact_on"] or contact)):
        del changed["last_contact_on"]  # the branch knows of a later contact than the city's list
    if not changed:
        return Verdict(sheet, number, code, "same", "", {})
    told = ", ".join(f"{name}: {stored[name] or '-'} -> {value or '-'}" for name, value in changed.items())
    return Verdict(
        sheet, number, code, "changed", told, {"code": code, **changed} | _with_day(sheet, changed, values)
    )


def _with_day(sheet: str, changed: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    return {"from_day": values["from_day"]} if sheet == "members" and "organization" in changed else {}


def _values(columns: tuple[Column, ...], row: dict[str, str]) -> tuple[dict[str, Any], list[str]]:
    """The row's cells as what is stored, and what is wrong with them. A column that is missing changes nothing."""
    values: dict[str, Any] = {}
    mistakes: list[str] = []
    for column in columns:
        if column.name not in row:
            continue
        text = row[column.name]
        if not text:
            if column.needed:
                mistakes.append(f"{column.chinese} is missing")
            elif column.kind == "flag":
                values[column.name] = False
            elif column.name == "mode":
                values[column.name] = "normal"
            elif column.name == "status":
                continue  # an empty cell makes nobody a member again who has left
            else:
                unknown = column.kind in ("day", "number") or column.name in ("field", "phone")
                values[column.name] = None if unknown else ""
            continue
        try:
            values[column.name] = _value(column, text)
        except (KeyError, ValueError):
            mistakes.append(f"{column.chinese}: {text[:40]!r} is not understood")
    return values, mistakes


def _value(column: Column, text: str) -> Any:
    if column.kind == "day":
        return date.fromisoformat(text.replace("/", "-").replace(".", "-"))
    if column.kind == "flag":
        return FLAGS[text.lower()]
    if column.kind == "number":
        if not (text.isascii() and text.isdigit() and len(text) <= 3):
            raise ValueError("a small whole number is needed")
        return int(text)
    if column.words is not None:
        return column.words[text]
    if column.name == "roles":
        return ";".join(sorted(_role(one) for one in text.replace("；", ";").split(";") if one.strip()))
    if column.name in ("organizations", *COMPANION_COLUMNS):
        return ";".join(sorted({one.strip() for one in text.replace("；", ";").split(";") if one.strip()}))
    if text[:1] in "=+@" and column.name in ("code", "name"):
        raise ValueError("a formula is no name")
    return text


def _role(text: str) -> str:
    word, _, code = text.strip().replace("：", ":").partition(":")
    stored = ROLE_WORDS.get(word, word)
    if stored not in ROLE_WORDS.values() or not code:
        raise ValueError(word)
    return f"{stored}:{code}"
