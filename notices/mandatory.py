"""Mandatory letters stay rare: how many one sender may send, and when the next one may go."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from sqlmodel import Session

from db import mandatory

DATA = Path(__file__).with_name("mandatory.toml")


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` mandatory letters within `days` days in the name of one organisation."""

    most: int
    days: int


@cache
def limit() -> Limit:
    """What the data says."""
    return Limit(**tomllib.loads(DATA.read_text(encoding="utf-8")))


def next_from(session: Session, organization_id: int, now: datetime) -> datetime | None:
    """When this organisation may send its next mandatory letter; None: now."""
    rule = limit()
    span = timedelta(days=rule.days)
    sent = mandatory.sent_since(session, organization_id, now - span)
    return sent[-rule.most] + span if len(sent) >= rule.most else None
