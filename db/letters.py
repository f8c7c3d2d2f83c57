"""Topics, subscriptions, Red Letters, and who has read and answered them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field, SQLModel

LETTER_STATES = ("draft", "submitted", "approved", "sending", "done", "stopped")


class Topic(SQLModel, table=True):
    """A column of letters that a member can take or leave."""

    id: str = Field(primary_key=True)  # "party_constitution"; permanent
    title: str
    title_en: str
    mandatory: bool = False  # cannot be left: rare, and marked as such in every letter
    order: int = 0


class Subscription(SQLModel, table=True):
    """A member's choice about a topic. Without a row a member gets the topic."""

    member_id: int = Field(foreign_key="member.id", primary_key=True)
    topic_id: str = Field(foreign_key="topic.id", primary_key=True)
    wanted: bool
    changed_at: datetime


class Letter(SQLModel, table=True):
    """One Red Letter, from draft to done. Recipients are computed by the server from the author's role."""

    __table_args__ = (
        Index("ix_letter_state", "state"),
        Index("ix_letter_author_id", "author_id", "created_at"),
    )
    id: int | None = Field(default=None, primary_key=True)
    topic_id: str = Field(foreign_key="topic.id")
    author_id: int | None = Field(default=None, foreign_key="member.id")  # None: the service itself
    organization_id: int = Field(foreign_key="organization.id")  # the node in whose name it is sent
    audience: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    title: str
    body: str
    ask: str = "ack"  # none, ack (the 收到 button)
    answer_until: datetime | None = None
    state: str = "draft"  # one of LETTER_STATES
    lane: int = 2  # 0 replies and urgent, 1 branch letters, 2 city letters
    content_hash: str = ""
    recipients: int = 0  # rows written when it was sent
    unbound: int = 0  # people of the audience without any chat
    origin: str | None = Field(default=None, unique=True)  # what made it, for letters of the service: unique
    created_at: datetime
    approved_by: int | None = Field(default=None, foreign_key="member.id")
    approved_at: datetime | None = None
    sent_at: datetime | None = None
    expires_at: datetime | None = None
    stopped_at: datetime | None = None


class Receipt(SQLModel, table=True):
    """What one recipient did with a letter."""

    letter_id: int = Field(foreign_key="letter.id", primary_key=True)
    member_id: int = Field(foreign_key="member.id", primary_key=True)
    read_at: datetime | None = None
    acked_at: datetime | None = None
    help_at: datetime | None = None  # "有困难，请联系我"
    answer: str = ""
    chased_at: datetime | None = None
