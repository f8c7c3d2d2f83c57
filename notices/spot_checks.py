"""The draw for the second look: the seed is fixed and its hash told, then it is drawn and the seed told."""

from __future__ import annotations

import secrets
from datetime import date, datetime

from sqlmodel import Session

from db import audit, spot_checks
from scoring import spot_check
from scoring.declaring import deadlines

SEED_BYTES = 32


def fix(session: Session, month: str, now: datetime) -> bool:
    """Fix the month's seed before anything of it is approved; False when it is fixed already."""
    fixed = begin(session, month, now)
    if fixed:
        log_fixed(session, month, now)
    return fixed


def begin(session: Session, month: str, now: datetime) -> bool:
    """The same without its line in the audit log, for one who has other rows to hold before: see `log_fixed`."""
    if spot_checks.of_month(session, month) is not None:
        return False
    seed = secrets.token_hex(SEED_BYTES)
    return spot_checks.commit(session, month, seed, spot_check.commitment(seed), now)


def log_fixed(session: Session, month: str, now: datetime) -> None:
    """Bind the seed's hash to its place in the chain of the audit log."""
    row = spot_checks.of_month(session, month)
    assert row is not None, "fixed before"
    audit.record(
        session,
        at=now,
        actor_id=None,
        action="spot_check.fixed",
        subject=f"month:{month}",
        commitment=row.commitment,
    )


def is_drawn(session: Session, month: str) -> bool:
    """Whether the month is drawn."""
    row = spot_checks.of_month(session, month)
    return row is not None and row.drawn_at is not None


def draw(session: Session, month: str, last: date, now: datetime) -> bool:
    """Draw among what is approved for the month that ends on `last`; False when that was done before."""
    fix(session, month, now)  # nothing was approved, or the service stood still since the first of the month
    candidates = spot_checks.begin_draw(session, month, now)
    if candidates is None:
        return False
    row = spot_checks.of_month(session, month)
    assert row is not None, "fixed above"
    drawn = spot_check.draw(row.seed, candidates, deadlines(last).spot_check_share)
    spot_checks.end_draw(session, month, drawn, len(candidates))
    audit.record(
        session,
        at=now,
        actor_id=None,
        action="spot_check.drawn",
        subject=f"month:{month}",
        seed=row.seed,
        candidates=len(candidates),
        drawn=len(drawn),
    )
    return True
