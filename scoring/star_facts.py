"""What the six stars and the standards ledger of one branch rest on, read from the database."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from sqlmodel import Session

from db import indices, standards, vetoes
from db.organizations import Organization
from scoring.catalogue import shipped
from scoring.six_star import Shares, SixStars, six_stars
from scoring.standards import LedgerState, ledger_state
from scoring.update import compute


def ledger_of(session: Session, branch: Organization, day: date) -> LedgerState:
    """How the branch stands in its standards ledger. An item counts only in the version that holds on `day`."""
    assert branch.id is not None
    items = shipped().ratings.standards_on(branch.field or "", day)
    versions = {item.id: item.version for item in items}
    met = {
        one.item_id: one.state == "met"
        for one in standards.of_branch(session, branch.id)
        if versions.get(one.item_id) == one.version
    }
    return ledger_state(items, met)


def stars_of(session: Session, branch: Organization, day: date) -> SixStars | None:
    """The six stars of the branch on `day`; None when it has no fortress index yet."""
    assert branch.id is not None
    found = compute(session, day, only=branch.id).branches
    if not found:
        return None
    result = found[0].result
    shares: dict[str, Fraction | None] = {f"item:{one.item_id}": one.share for one in result.items}
    shares.update(_indicators(session, branch, day))
    state = ledger_of(session, branch, day)
    shares["standards"] = Fraction(state.met, state.total) if state.total else None
    veto = result.veto or bool(vetoes.confirmed(session, day.year, [branch.id]))
    return six_stars(shipped().ratings.six_star.terms_on(day), shares, veto=veto)


def _indicators(session: Session, branch: Organization, day: date) -> Shares:
    """Of the last month with a result: an indicator that stands unmet is 0, every other one met or not due."""
    last = indices.last_power(session, branch.id or 0, day.isoformat()[:7])
    unmet = set(last.unmet.split(";")) if last else set()
    known = shipped().indicators_on(branch.field or "all", day)
    return {f"indicator:{one.id}": Fraction(0) if one.id in unmet else None for one in known}
