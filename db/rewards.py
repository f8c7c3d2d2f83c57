"""Rewards with price and stock, projects that points support, and redemptions with their pick-up codes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel


class Reward(SQLModel, table=True):
    """Something to have for points: goods at a price, or a project that any number of points supports."""

    __table_args__ = (
        CheckConstraint("stock IS NULL OR stock >= 0", name="stock_not_negative"),
        CheckConstraint("kind IN ('goods', 'project')", name="kind"),
    )
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id", index=True)  # offered in this subtree
    kind: str  # goods, project
    name: str
    price: int | None = None  # points; None for a project
    stock: int | None = None  # pieces on hand and not held for anybody; None for a project
    received: int = 0  # pieces ever taken into stock: received = stock + held + handed over
    goal: int | None = None  # points that a project needs
    raised: int = 0  # points given to the project so far
    per_member: int | None = None  # most pieces that one member may have in a year
    place: str = ""  # where it is handed over
    active: bool = True


class Redemption(SQLModel, table=True):
    """One exchange: held -> handed_over | expired | cancelled, exactly once."""

    __table_args__ = (
        CheckConstraint("state IN ('held', 'handed_over', 'expired', 'cancelled')", name="state"),
        Index("ix_redemption_member_id", "member_id", "state"),
        Index("ix_redemption_state", "state", "expires_at"),
    )
    id: int | None = Field(default=None, primary_key=True)
    reward_id: int = Field(foreign_key="reward.id", index=True)
    member_id: int = Field(foreign_key="member.id")
    points: int
    state: str = "held"
    pickup_code: str | None = Field(default=None, unique=True)  # eight characters; None for a project
    created_at: datetime
    expires_at: datetime | None = None
    closed_at: datetime | None = None
    keeper_id: int | None = Field(default=None, foreign_key="member.id")
