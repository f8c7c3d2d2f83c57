"""Carrying out a plan: everything in one transaction, parents before children."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.engine import Engine
from sqlmodel import Session, col

from bot.roll.columns import COMPANION_COLUMNS
from bot.roll.plan import Plan, Verdict
from db import audit, companions, dated_facts, gone, member_modes, offices
from db.members import Member, Membership, Role
from db.offices import OFFICES
from db.organizations import Organization, Region, RegionOrganization
from notices.dated_days import roll_columns

Progress = Callable[[str, int, int], None]


def apply(engine: Engine, plan: Plan, *, now: datetime, progress: Progress = lambda *_: None) -> None:
    """Write every new and changed row of the plan; all or nothing. Refused rows must be gone before."""
    assert not plan.refused, "a plan with refused rows is not carried out"
    with Session(engine) as session:
        work = _Work(session, now)
        todo = [verdict for verdict in plan.verdicts if verdict.verdict in ("new", "changed")]
        for done, verdict in enumerate(work.parents_first(todo), start=1):
            getattr(work, verdict.sheet)(verdict)
            if done % 500 == 0 or done == len(todo):
                session.flush()
                progress("import", done, len(todo))
        work.name_companions()
        work.lay_paths()
        work.take_back_letters()
        audit.record(session, at=now, actor_id=None, action="roll.imported", subject="roll", rows=len(todo))
        session.commit()


class _Work:
    """Writes rows and remembers the ids that the city's own numbers got."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.session = session
        self.now = now
        self.day = now.date()
        rows = session.execute(select(col(Organization.code), col(Organization.id)))
        self.moved: dict[int, int] = {}  # member -> the branch of today
        self.accompanied: list[tuple[int, str, str]] = []  # member, kind, numbers on the roll
        self.ids: dict[str, int] = {row[0]: row[1] for row in rows}

    def parents_first(self, todo: list[Verdict]) -> list[Verdict]:
        """Organisations in the order of the tree; the rest as it came."""
        by_code = {verdict.code: verdict for verdict in todo if verdict.sheet == "organizations"}

        def depth(verdict: Verdict) -> int:
            steps, one = 0, by_code.get(verdict.values.get("parent") or "")
            while one is not None and steps < 50:
                steps, one = steps + 1, by_code.get(one.values.get("parent") or "")
            return steps

        order = {"organizations": 0, "regions": 1, "members": 2}
        return sorted(todo, key=lambda v: (order[v.sheet], depth(v) if v.sheet == "organizations" else 0))

    def organizations(self, verdict: Verdict) -> None:
        """Write one organisation; its path is laid at the end."""
        values = dict(verdict.values)
        if "parent" in values:
            values["parent_id"] = self.ids[parent] if (parent := values.pop("parent")) else None
        if verdict.verdict == "changed":
            self._change(Organization, verdict.code, values)
            return
        row = Organization(**values, path="")
        self.session.add(row)
        self.session.flush()
        assert row.id is not None
        self.ids[row.code] = row.id

    def regions(self, verdict: Verdict) -> None:
        """Write one region and what belongs to it."""
        values = dict(verdict.values)
        inside = values.pop("organizations", None)
        if verdict.verdict == "new":
            self.session.add(Region(**values))
            self.session.flush()
        elif len(values) > 1:
            self._change(Region, verdict.code, values)
        region_id = self.session.execute(
            select(col(Region.id)).where(col(Region.code) == verdict.code)
        ).scalar_one()
        if inside is not None:
            self.session.execute(delete(RegionOrganization).where(col(RegionOrganization.region_id) == region_id))
            for code in inside.split(";"):
                self.session.add(RegionOrganization(region_id=region_id, organization_id=self.ids[code]))

    def members(self, verdict: Verdict) -> None:
        """Write one member with membership and roles; another branch is a transfer from that day on."""
        values = dict(verdict.values)
        organization, from_day = values.pop("organization", None), values.pop("from_day", None)
        roles, there = values.pop("roles", None), values.pop("transfer_to", None)
        days = {kind: values.pop(column) for column, kind in roll_columns().items() if column in values}
        with_whom = {kind: values.pop(column) for column, kind in COMPANION_COLUMNS.items() if column in values}
        if verdict.verdict == "new":
            days = {kind: day for kind, day in days.items() if day is not None}
            with_whom = {kind: codes for kind, codes in with_whom.items() if codes}
            member = Member(**values, created_at=self.now)
            self.session.add(member)
            self.session.flush()
            member_id = member.id
        else:
            mode = values.pop("mode", None)
            if len(values) > 1:
                self._change(Member, verdict.code, values)
            member_id = self.session.execute(
                select(col(Member.id)).where(col(Member.code) == verdict.code)
            ).scalar_one()
            if mode is not None:
                member_modes.change(self.session, member_id, mode, self.now)
        assert member_id is not None
        if organization:
            self._belong(member_id, self.ids[organization], from_day)
            if verdict.verdict == "changed":
                self.moved[member_id] = self.ids[organization]
        if roles is not None:
            self._hold(member_id, set(filter(None, roles.split(";"))))
        self._keep_days(member_id, days)
        if there is not None:
            dated_facts.send_to(self.session, member_id, self.ids[there] if there else None)
        self.accompanied += [(member_id, kind, codes or "") for kind, codes in with_whom.items()]

    def name_companions(self) -> None:
        """Once everybody has a row: whoever accompanies somebody may stand further down in the file."""
        if not self.accompanied:
            return
        self.session.flush()
        ids = {row[0]: row[1] for row in self.session.execute(select(col(Member.code), col(Member.id)))}
        for member_id, kind, codes in self.accompanied:
            companions.put(self.session, member_id, kind, [ids[code] for code in codes.split(";") if code])

    def _keep_days(self, member_id: int, days: dict[str, date | None]) -> None:
        """The days that the roll has for a member. Whoever has moved has used the letter of transfer."""
        if member_id in self.moved:
            dated_facts.arrived(self.session, member_id, "transfer_letter", self.now)
            dated_facts.send_to(self.session, member_id, None)
        if not days:
            return
        belongs = select(col(Membership.organization_id)).where(
            col(Membership.member_id) == member_id, col(Membership.to_day).is_(None)
        )
        organization_id = self.session.execute(belongs).scalar_one()  # every row of the sheet names a branch
        for kind, day in days.items():
            dated_facts.from_roll(self.session, member_id, organization_id, kind, day, self.now)

    def lay_paths(self) -> None:
        """Compute the path of every organisation anew: a moved node moves its subtree."""
        rows = self.session.execute(select(Organization)).scalars().all()
        by_id = {row.id: row for row in rows}

        def path(row: Organization) -> str:
            above = path(by_id[row.parent_id]) if row.parent_id is not None else "/"
            return f"{above}{row.id}/"

        for row in rows:
            laid = path(row)
            if row.path != laid:
                row.path = laid

    def take_back_letters(self) -> None:
        """Whoever has moved gets no letter any more that was written to the former branch alone."""
        for member_id, organization_id in self.moved.items():
            branch = self.session.get(Organization, organization_id)
            assert branch is not None
            gone.moved(self.session, member_id, branch.path, self.now)

    def _change(self, table: Any, code: str, values: dict[str, Any]) -> None:
        values.pop("code", None)
        self.session.execute(update(table).where(table.code == code).values(**values))

    def _belong(self, member_id: int, organization_id: int, from_day: Any) -> None:
        self.session.execute(
            update(Membership)
            .where(col(Membership.member_id) == member_id, col(Membership.to_day).is_(None))
            .values(to_day=from_day, ended_at=self.now)
        )
        begun = {"from_day": from_day, "recorded_at": self.now}  # the day may lie before, and replays ask for both
        self.session.add(Membership(member_id=member_id, organization_id=organization_id, **begun))

    def _hold(self, member_id: int, wanted: set[str]) -> None:
        """End the roles that are not wanted any more today, begin those that are new."""
        rows = self.session.execute(
            select(Role).where(col(Role.member_id) == member_id, col(Role.to_day).is_(None))
        ).scalars()
        codes = {number: code for code, number in self.ids.items()}
        named = {name for name in wanted if name.partition(":")[0] in OFFICES}
        wanted -= named
        parts = (name.partition(":") for name in named)
        offices.from_roll(self.session, member_id, [(one[0], self.ids[one[2]]) for one in parts], self.day)
        for row in rows:
            name = f"{row.role}:{codes[row.organization_id]}"
            if name in wanted:
                wanted.discard(name)
            else:
                row.to_day = self.day
        for name in sorted(wanted):
            role, _, code = name.partition(":")
            self.session.add(
                Role(member_id=member_id, organization_id=self.ids[code], role=role, from_day=self.day)
            )
