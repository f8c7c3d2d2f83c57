"""What a decision on a declaration does: the value counts or is taken back, it is logged, people are told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import audit, declaration_review, members, organizations, periods_locked, spot_checks, values
from db import declarations as stored
from db.declarations import Declaration
from notices import outbox
from notices import spot_checks as draws
from notices.channel import Button, Message
from notices.declarations import said_thing, tell_decided, thing
from notices.voices import voices

COLLECT = "declare"
REVIEWER, DISTRICT, INSPECTOR = "committee_reviewer", "district_org_department", "inspector"


def approve(session: Session, row: Declaration, version: int, by: int, now: datetime) -> bool:
    """Approve the version: its value counts at once. False when it is decided, changed, one's own, or locked."""
    return version == row.version and bool(approve_all(session, [row], by, now))


def approve_all(session: Session, listed: Sequence[Declaration], by: int, now: datetime) -> list[int]:
    """Approve these, each as it was read; the ids of those that were approved.

    Rows are held in one order for all, and the audit log, which one at a time may write, comes last: so two
    reviewers, the draw and the lock never wait in a circle.
    """
    for period in sorted({row.period for row in listed}):
        periods_locked.hold_open(session, period)
    fixed = [month for month in sorted({row.closing for row in listed}) if draws.begin(session, month, now)]
    done = []
    for row in sorted(listed, key=lambda one: one.id or 0):
        assert row.id is not None
        if declaration_review.approve(session, row.id, row.version, by, now):
            done.append(row)
    for month in fixed:
        draws.log_fixed(session, month, now)
    for row in done:
        _record(session, row, row.value, f"declaration:{row.id}", by, now, row.note)
        _log(session, row, "declaration.approved", by, now)
    return [row.id for row in done if row.id is not None]


def give_back(session: Session, row: Declaration, version: int, by: int, now: datetime, why: str) -> bool:
    """Return the version with the reason; False as in `approve`."""
    assert row.id is not None
    if not declaration_review.give_back(session, row.id, version, by, now, why):
        return False
    _log(session, row, "declaration.returned", by, now, why=why)
    return True


def tell(session: Session, ids: Sequence[int], now: datetime, zone: ZoneInfo) -> None:
    """Tell the secretaries of the one branch what became of these declarations, which were decided alike."""
    listed = [one for one in (stored.by_id(session, number) for number in ids) if one is not None]
    if listed:
        tell_decided(session, listed, now, now.astimezone(zone).date())


def pass_recheck(session: Session, row: Declaration, by: int, now: datetime) -> bool:
    """End the second look well; False when it has ended, or the officer declared or approved it."""
    assert row.id is not None
    if not spot_checks.settle(session, row.id, by, now, passed=True):
        return False
    _log(session, row, "declaration.recheck_passed", by, now)
    return True


def fail_recheck(session: Session, row: Declaration, by: int, now: datetime, zone: ZoneInfo, why: str) -> bool:
    """Take the value back, locked or not, and tell the branch and its committee. False as in `pass_recheck`."""
    assert row.id is not None
    if not spot_checks.settle(session, row.id, by, now, passed=False, reason=why):
        return False
    _record(session, row, "", f"clawback:declaration:{row.id}", by, now, why)
    _log(session, row, "declaration.clawed_back", by, now, why=why)
    tell(session, [row.id], now, zone)
    _tell_role(session, row, REVIEWER, "told_clawed_back", "declaration_review", now, zone, why)
    return True


def suggest_fraud(session: Session, row: Declaration, by: int, now: datetime, zone: ZoneInfo) -> int:
    """Ask the inspectors to look into N03; nothing is posted by itself. How many were told for the first time."""
    told = _tell_role(session, row, INSPECTOR, "told_suspect", None, now, zone, row.recheck_reason)
    if told:
        _log(session, row, "declaration.suspected", by, now, item="N03")
    return told


def _tell_role(
    session: Session,
    row: Declaration,
    role: str,
    name: str,
    step: str | None,
    now: datetime,
    zone: ZoneInfo,
    why: str,
) -> int:
    branch = organizations.get(session, row.organization_id)
    found = members.holders(session, branch, role, now.astimezone(zone).date())
    told = 0
    for member_id, say in voices(session, [one.id for one in found if one.id is not None]).items():
        text = say(f"declarations.{name}", branch=branch.name, thing=said_thing(say, branch, row), why=why)
        buttons = (Button(say(f"menu.{step}"), step),) if step else ()
        key = f"declaration:{row.id}:{name}"
        told += outbox.tell(session, member_id=member_id, key=key, message=Message(text, buttons), now=now)
    return told


def _record(session: Session, row: Declaration, value: str, cause: str, by: int, now: datetime, why: str) -> None:
    """Record the value for what was declared, and for the items that follow it."""
    one = thing(organizations.get(session, row.organization_id), row)
    also = [(item, row.closing) for item in one.what.also] if one else []
    for indicator_id, period in [(row.indicator_id, row.period), *also]:
        values.record(
            session,
            organization_id=row.organization_id,
            indicator_id=indicator_id,
            period=period,
            value=value,
            collect=COLLECT,
            cause=cause,
            recorded_at=now,
            recorded_by=by,
            reason=why,
        )


def _log(session: Session, row: Declaration, action: str, by: int, now: datetime, **detail: object) -> None:
    audit.record(
        session,
        at=now,
        actor_id=by,
        action=action,
        subject=f"declaration:{row.id}",
        version=row.version,
        organization=row.organization_id,
        indicator=row.indicator_id,
        period=row.period,
        value=row.value,
        **detail,
    )
