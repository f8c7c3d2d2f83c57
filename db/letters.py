"""Topics, subscriptions, and Red Letters from draft to done. `db.receipts` holds what became of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, Column, Index, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col

from db.addressing import Addressing
from db.deliveries import Delivery
from db.organizations import Organization

LETTER_STATES = ("draft", "submitted", "approved", "standing", "sending", "done", "stopped", "dropped")
MARK = 12  # digits of a fingerprint that a button carries
APPROVAL_FOR = timedelta(hours=24)  # how long a second person may approve what was submitted
SENDING_ROLES = frozenset({"secretary", "department", "operator"})
APPROVING_ROLES = frozenset({"committee_reviewer", "department", "secretary", "operator"})


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
        Index("ix_letter_corrects", "corrects"),
        Index("ix_letter_series_id", "series_id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    topic_id: str = Field(foreign_key="topic.id")
    author_id: int | None = Field(default=None, foreign_key="member.id")  # None: the service itself
    organization_id: int = Field(foreign_key="organization.id")  # the node in whose name it is sent
    audience: dict[str, Any] = Field(
        default_factory=dict, sa_column=Column(JSON, nullable=False)
    )  # db.audiences.Audience
    title: str
    body: str
    ask: str = "ack"  # none, ack (the 收到 button)
    answer_until: datetime | None = None
    urgent: bool = False  # goes out in quiet hours, too; needs a second person
    state: str = "draft"  # one of LETTER_STATES
    lane: int = 2  # 0 urgent, 1 branch letters, 2 city letters
    content_hash: str = ""  # of what was submitted or sent; empty while it may change
    recipients: int = 0  # rows written when it was sent
    unbound: int = 0  # people of the audience without any chat
    origin: str | None = Field(default=None, unique=True)  # what made it, for letters of the service: unique
    created_at: datetime
    submitted_at: datetime | None = None
    approved_by: int | None = Field(default=None, foreign_key="member.id")
    approved_at: datetime | None = None
    sent_at: datetime | None = None
    expires_at: datetime | None = None
    stopped_at: datetime | None = None
    stop_reason: str = ""  # "author", "above", "role_ended", "approver_ended", "changed", "corrected"
    corrects: int | None = Field(default=None, foreign_key="letter.id")  # the letter that this one takes back
    picture_id: int | None = Field(default=None, foreign_key="picture.id")
    repeats: dict[str, Any] | None = Field(
        default=None, sa_column=Column(JSON(none_as_null=True))
    )  # notices.letter_repeats.Repeat: while it stands ("standing"), it makes letters and is none itself
    next_at: datetime | None = None  # when a standing letter is to be looked at again
    series_id: int | None = Field(default=None, foreign_key="letter.id")  # the standing letter that made this one
    carries: dict[str, Any] | None = Field(
        default=None, sa_column=Column(JSON(none_as_null=True))
    )  # notices.carried.Carried: a quiz, a survey, whether replies are asked for


class Receipt(SQLModel, table=True):
    """What one recipient did with a letter."""

    letter_id: int = Field(foreign_key="letter.id", primary_key=True)
    member_id: int = Field(foreign_key="member.id", primary_key=True)
    read_at: datetime | None = None
    acked_at: datetime | None = None
    help_at: datetime | None = None  # "有困难，请联系我"
    answer: str = ""


_NAMED = frozenset(
    {"topic_id", "title", "body", "ask", "answer_until", "urgent", "author_id", "organization_id", "audience"}
)
CONTENT = _NAMED | {"corrects", "picture_id", "repeats", "carries"}
"""Columns that decide what a reader sees, who is to get it and when: the hash of a letter covers all of them."""
RUNNING = frozenset(
    {"id", "state", "lane", "content_hash", "recipients", "unbound", "origin", "created_at", "submitted_at"}
    | {"approved_by", "approved_at", "sent_at", "expires_at", "stopped_at", "stop_reason"}
    | {"next_at", "series_id"}
)
"""Columns that change while a letter is on its way, and derived ones. Every column is in one of the two sets."""


def taken_back(letter: Letter) -> bool:
    """Whether a correction has gone out: nobody is to act on the letter any more."""
    return letter.state == "stopped" and letter.stop_reason == "corrected"


def fingerprint(letter: Letter) -> str:
    """SHA-256 over all that a reader sees and who is to get it: what an approval is bound to."""
    until = letter.answer_until.isoformat() if letter.answer_until else None
    content = [letter.topic_id, letter.title, letter.body, letter.ask, until, letter.urgent]
    whom = [letter.author_id, letter.organization_id, letter.audience]
    # What is empty is left out, so that a new column does not change the hash of a letter that is on its way.
    more = {name: value for name in sorted(CONTENT - _NAMED) if (value := getattr(letter, name))}
    listed = [*content, *whom, more] if more else [*content, *whom]
    text = json.dumps(listed, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def topics(session: Session) -> Sequence[Topic]:
    """Every topic in the order in which people see them."""
    return session.execute(select(Topic).order_by(col(Topic.order), col(Topic.id))).scalars().all()


def left_topics(session: Session, member_id: int) -> set[str]:
    """Ids of the topics that the member has left."""
    statement = select(col(Subscription.topic_id)).where(
        col(Subscription.member_id) == member_id, col(Subscription.wanted).is_(False)
    )
    return set(session.execute(statement).scalars())


def choose(session: Session, member_id: int, topic_id: str, *, wanted: bool, at: datetime) -> None:
    """Note a member's choice about a topic; it holds from this moment on."""
    insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    adding = insert(Subscription).values(member_id=member_id, topic_id=topic_id, wanted=wanted, changed_at=at)
    session.execute(
        adding.on_conflict_do_update(
            index_elements=["member_id", "topic_id"], set_={"wanted": wanted, "changed_at": at}
        )
    )


def drop_drafts(session: Session, author_id: int) -> None:
    """Drop what the author began and never sent: one draft at a time. Prepared corrections stay.

    What was in it goes. The row stays, for its number is in the audit log and must not become another letter's.
    """
    emptied = {"title": "", "body": "", "picture_id": None, "carries": None, "repeats": None, "content_hash": ""}
    session.execute(
        update(Letter)
        .where(col(Letter.author_id) == author_id, col(Letter.state) == "draft", col(Letter.corrects).is_(None))
        .values(state="dropped", **emptied)
        .execution_options(synchronize_session=False)
    )
    session.expire_all()


def move(session: Session, letter: Letter, *, was: tuple[str, ...], **values: Any) -> bool:
    """Change a letter that is still in one of the states `was`; False when somebody else was faster."""
    changed = session.execute(
        update(Letter)
        .where(col(Letter.id) == letter.id, col(Letter.state).in_(was))
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    session.refresh(letter)
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def going_out(session: Session, member_id: int, most: int) -> Sequence[Letter]:
    """Letters under way that the member wrote or approved, the newest first."""
    statement = (
        select(Letter)
        .where(
            col(Letter.state) == "sending",
            or_(col(Letter.author_id) == member_id, col(Letter.approved_by) == member_id),
        )
        .order_by(col(Letter.sent_at).desc(), col(Letter.id).desc())
        .limit(most)
    )
    return session.execute(statement).scalars().all()


def watched(session: Session, member_id: int, paths: Sequence[str], most: int) -> Sequence[Letter]:
    """Letters that the member sent or approved, or that a node below `paths` sent, the newest first."""
    below = (col(Organization.path).startswith(path, autoescape=True) for path in paths)
    statement = (
        select(Letter)
        .join(Organization, col(Organization.id) == col(Letter.organization_id))
        .where(
            col(Letter.sent_at).is_not(None),
            or_(col(Letter.author_id) == member_id, col(Letter.approved_by) == member_id, *below),
        )
        .order_by(col(Letter.sent_at).desc(), col(Letter.id).desc())
        .limit(most)
    )
    return session.execute(statement).scalars().all()


def finish(session: Session) -> int:
    """Close the letters of which nothing is on its way any more, and everybody has a row; how many."""
    under_way = (
        select(col(Delivery.id))
        .where(
            col(Delivery.letter_id) == col(Letter.id),
            col(Delivery.state).in_(("queued", "claimed", "sending", "retry")),
        )
        .exists()
    )
    addressed = select(col(Addressing.key)).where(col(Addressing.letter_id) == col(Letter.id)).exists()
    changed = session.execute(
        update(Letter)
        .where(col(Letter.state) == "sending", ~under_way, ~addressed)
        .values(state="done")
        .execution_options(synchronize_session=False)
    )
    return int(changed.rowcount)  # type: ignore[attr-defined]


def by_author(session: Session, author_id: int, *, most: int, offset: int = 0) -> Sequence[Letter]:
    """What the author has sent, the newest first."""
    statement = (
        select(Letter)
        .where(col(Letter.author_id) == author_id, col(Letter.sent_at).is_not(None))
        .order_by(col(Letter.sent_at).desc(), col(Letter.id).desc())
        .limit(most)
        .offset(offset)
    )
    return session.execute(statement).scalars().all()


def submitted(session: Session, since: datetime) -> Sequence[Letter]:
    """Letters that wait for a second person and were submitted after `since`, the oldest first."""
    statement = (
        select(Letter)
        .where(col(Letter.state) == "submitted", col(Letter.submitted_at) > since)
        .order_by(col(Letter.submitted_at))
    )
    return session.execute(statement).scalars().all()


def received(session: Session, member_id: int, *, most: int, offset: int = 0) -> Sequence[Letter]:
    """Letters that have reached the member, the newest first."""
    statement = (
        select(Letter)
        .join(Delivery, col(Delivery.letter_id) == col(Letter.id))
        .where(
            col(Delivery.member_id) == member_id,
            col(Delivery.state) == "sent",
            col(Delivery.part) == 1,
            col(Delivery.content).is_(None),
            ~col(Delivery.key).contains(":chase:"),
        )
        .order_by(col(Delivery.finished_at).desc(), col(Delivery.id).desc())
        .limit(most)
        .offset(offset)
    )
    return session.execute(statement).scalars().all()


def by_origin(session: Session, origin: str) -> Letter | None:
    """The letter of the service that this made; None when it was not made yet."""
    return session.execute(select(Letter).where(col(Letter.origin) == origin)).scalar_one_or_none()


def with_shares(session: Session, author_id: int) -> Sequence[Letter]:
    """Letters of the author that are not sent yet and carry something, locked until the end of the transaction."""
    statement = select(Letter).where(
        col(Letter.author_id) == author_id,
        col(Letter.state).in_(("draft", "submitted")),
        col(Letter.carries).is_not(None),
    )
    locked = statement.order_by(col(Letter.id)).with_for_update().execution_options(populate_existing=True)
    return session.execute(locked).scalars().all()


def sent_shares(session: Session, author_id: int) -> Sequence[dict[str, Any]]:
    """What the author's letters carry that were sent, without those that carry nothing."""
    statement = select(col(Letter.carries)).where(
        col(Letter.author_id) == author_id, col(Letter.sent_at).is_not(None), col(Letter.carries).is_not(None)
    )
    return [stored for stored in session.execute(statement).scalars() if stored]
