"""Micro-wishes and the claims on them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

WISH_STATES = ("submitted", "published", "rejected", "claimed", "delivered", "closed", "withdrawn")
CLAIM_STATES = ("live", "delivered", "closed", "released")


class Wish(SQLModel, table=True):
    """One micro-wish. The wisher is known to the reviewer only; nobody else ever sees the name."""

    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id", index=True)  # the branch that looks after it
    wisher_id: int = Field(foreign_key="member.id", index=True)
    title: str
    area: str = ""  # where, without a name: a neighbourhood
    value_yuan: int | None = None  # about; at most 300
    state: str = Field(default="submitted", index=True)  # one of WISH_STATES
    created_at: datetime
    reviewed_by: int | None = Field(default=None, foreign_key="member.id")
    reviewed_at: datetime | None = None
    review_note: str = ""
    published_at: datetime | None = None
    closed_at: datetime | None = None


class WishClaim(SQLModel, table=True):
    """A member's claim. At most one claim of a wish is alive."""

    __tablename__ = "wish_claim"
    __table_args__ = (
        CheckConstraint("state IN ('live', 'delivered', 'closed', 'released')", name="state"),
        Index(
            "uq_wish_claim_alive",
            "wish_id",
            unique=True,
            sqlite_where=text("state IN ('live', 'delivered')"),
            postgresql_where=text("state IN ('live', 'delivered')"),
        ),
        Index("ix_wish_claim_member_id", "member_id", "state"),
    )
    id: int | None = Field(default=None, primary_key=True)
    wish_id: int = Field(foreign_key="wish.id")
    member_id: int = Field(foreign_key="member.id")
    state: str = "live"  # one of CLAIM_STATES
    claimed_at: datetime
    contacted_at: datetime | None = None
    due_at: datetime
    delivered_at: datetime | None = None
    picture_id: int | None = Field(default=None, foreign_key="picture.id")
    report: str = ""
    closed_at: datetime | None = None
