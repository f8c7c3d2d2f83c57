"""Warnings: raised with a proof, owned by a role, acknowledged, cleared and told."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel


class BranchWarning(SQLModel, table=True):
    """One warning about one organisation. The same trouble in the same period is one row."""

    __tablename__ = "warning"
    __table_args__ = (
        UniqueConstraint("organization_id", "kind", "period"),
        Index("ix_warning_state", "state", "kind"),
    )
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    kind: str  # veto_forecast, overdue_assembly, overdue_theme_day, ...
    period: str  # 2026, 2026-03, 2026Q1
    owner_role: str  # who has to act, on the organisation or above it
    state: str = "open"  # open, acknowledged, cleared
    proof: str  # the figures as data, JSON: shown in words by the conversation
    raised_at: datetime
    reminded_at: datetime | None = None
    acknowledged_by: int | None = Field(default=None, foreign_key="member.id")
    acknowledged_at: datetime | None = None
    cleared_at: datetime | None = None
