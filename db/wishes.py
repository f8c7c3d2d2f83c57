"""Micro-wishes and the claims on them: tables, and what the wisher and the reviewer do with a wish."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, case, func, or_, select, text, update
from sqlmodel import Field, Session, SQLModel, col

from db.organizations import Organization

WISH_STATES = (
    "draft",  # being written in the chat; nobody but the wisher sees it
    "submitted",
    "published",
    "rejected",
    "claimed",
    "delivered",
    "closed",
    "withdrawn",
)
CLAIM_STATES = ("live", "delivered", "closed", "released")
OPEN_STATES = ("submitted", "published", "claimed", "delivered")


class Wish(SQLModel, table=True):
    """One micro-wish. The wisher is known to the reviewer only; nobody else ever sees the name."""

    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id", index=True)  # the branch that looks after it
    wisher_id: int = Field(foreign_key="member.id", index=True)
    title: str
    area: str = ""  # where, without a name: a neighbourhood
    value_yuan: int | None = None  # about; at most 300; 0: costs nothing
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
    extended_at: datetime | None = None  # when `due_at` was moved, which may happen once
    due_at: datetime
    delivered_at: datetime | None = None
    picture_id: int | None = Field(default=None, foreign_key="picture.id")
    report: str = ""
    closed_at: datetime | None = None


def changed(session: Session, statement: Any) -> bool:
    """Whether a conditional update found its row; the session forgets what it had read of it."""
    return bool(session.execute(statement.execution_options(synchronize_session="fetch")).rowcount)  # type: ignore[attr-defined]


def by_id(session: Session, wish_id: int | None) -> Wish | None:
    """The wish as it is now."""
    statement = select(Wish).where(col(Wish.id) == wish_id).execution_options(populate_existing=True)
    return session.execute(statement).scalar_one_or_none()


def draft(session: Session, *, wisher_id: int, organization_id: int, title: str, now: datetime) -> int:
    """Begin a wish; the id of its draft. A draft that the member had begun before is written over."""
    begun = select(Wish).where(col(Wish.wisher_id) == wisher_id, col(Wish.state) == "draft").limit(1)
    wish = session.execute(begun).scalar_one_or_none()
    if wish is None:
        wish = Wish(
            wisher_id=wisher_id, organization_id=organization_id, title=title, state="draft", created_at=now
        )
        session.add(wish)
    wish.organization_id, wish.title, wish.area, wish.value_yuan = organization_id, title, "", None
    session.flush()
    assert wish.id is not None
    return wish.id


def describe(session: Session, wish_id: int, wisher_id: int, **values: str | int) -> bool:
    """Set the area or the value of the member's own draft; False when it is no draft any more."""
    return changed(session, _own(wish_id, wisher_id, "draft").values(**values))


def submit(session: Session, wish_id: int, wisher_id: int, now: datetime) -> bool:
    """Hand the draft in for review; False when it is no complete draft of the member any more."""
    complete = _own(wish_id, wisher_id, "draft").where(col(Wish.value_yuan).is_not(None), col(Wish.area) != "")
    return changed(session, complete.values(state="submitted", created_at=now))


def withdraw(session: Session, wish_id: int, wisher_id: int, now: datetime) -> bool:
    """Take the member's own wish back; False when somebody has claimed it, or it has ended."""
    own = _own(wish_id, wisher_id, "draft", "submitted", "published")
    return changed(session, own.values(state="withdrawn", closed_at=now))


def _own(wish_id: int, wisher_id: int, *states: str) -> Any:
    return update(Wish).where(
        col(Wish.id) == wish_id, col(Wish.wisher_id) == wisher_id, col(Wish.state).in_(states)
    )


def of_wisher(session: Session, wisher_id: int, *, most: int) -> Sequence[Wish]:
    """The member's own wishes that were handed in: the open ones first, then the newest."""
    statement = (
        select(Wish)
        .where(col(Wish.wisher_id) == wisher_id, col(Wish.state).not_in(("draft", "withdrawn")))
        .order_by(case((col(Wish.state).in_(OPEN_STATES), 0), else_=1), col(Wish.id).desc())
        .limit(most)
    )
    return session.execute(statement).scalars().all()


def open_count(session: Session, wisher_id: int) -> int:
    """How many wishes of the member are on their way."""
    statement = select(func.count()).where(col(Wish.wisher_id) == wisher_id, col(Wish.state).in_(OPEN_STATES))
    return int(session.execute(statement).scalar_one())


def published(
    session: Session, *, branch_id: int | None, branch_path: str, but: int, most: int, offset: int
) -> Sequence[Wish]:
    """Wishes that wait for somebody: own branch first, then the neighbours, each the oldest first.

    but: whose own wishes are left out. A neighbour is a branch under the same committee.
    """
    beside = branch_path.strip("/").rpartition("/")[0]
    near = case(
        (col(Wish.organization_id) == branch_id, 0),
        (col(Organization.path).startswith(f"/{beside}/", autoescape=True), 1),
        else_=2,
    )
    statement = (
        select(Wish)
        .join(Organization, col(Organization.id) == col(Wish.organization_id))
        .where(col(Wish.state) == "published", col(Wish.wisher_id) != but)
        .order_by(near, col(Wish.published_at), col(Wish.id))
        .limit(most)
        .offset(offset)
    )
    return session.execute(statement).scalars().all()


# What the reviewer does


def _under(paths: Sequence[str]) -> Any:
    """The branch that looks after the wish is in one of these subtrees."""
    return or_(*(col(Organization.path).startswith(path, autoescape=True) for path in paths))


def to_review(session: Session, paths: Sequence[str], reviewer_id: int, *, most: int) -> Sequence[Wish]:
    """Wishes handed in within these subtrees, the oldest first; never the reviewer's own."""
    if not paths:
        return ()
    statement = (
        select(Wish)
        .join(Organization, col(Organization.id) == col(Wish.organization_id))
        .where(col(Wish.state) == "submitted", col(Wish.wisher_id) != reviewer_id, _under(paths))
        .order_by(col(Wish.created_at), col(Wish.id))
        .limit(most)
    )
    return session.execute(statement).scalars().all()


def to_confirm(
    session: Session, paths: Sequence[str], reviewer_id: int, before: datetime, *, most: int
) -> Sequence[tuple[Wish, WishClaim]]:
    """Reports of done within these subtrees that the wisher has left unanswered since `before`.

    Never one in which the reviewer is the wisher or the one who did it.
    """
    if not paths:
        return ()
    statement = (
        select(Wish, WishClaim)
        .join(WishClaim, col(WishClaim.wish_id) == col(Wish.id))
        .join(Organization, col(Organization.id) == col(Wish.organization_id))
        .where(
            col(WishClaim.state) == "delivered",
            col(WishClaim.delivered_at) <= before,
            col(Wish.wisher_id) != reviewer_id,
            col(WishClaim.member_id) != reviewer_id,
            _under(paths),
        )
        .order_by(col(WishClaim.delivered_at), col(WishClaim.id))
        .limit(most)
    )
    return [(wish, claim) for wish, claim in session.execute(statement)]


def publish(session: Session, wish_id: int, reviewer_id: int, now: datetime) -> bool:
    """Publish a wish that was handed in; False when it was reviewed or withdrawn meanwhile, or is one's own."""
    reviewed = _reviewed(wish_id, reviewer_id, now)
    return changed(session, reviewed.values(state="published", published_at=now))


def reject(session: Session, wish_id: int, reviewer_id: int, now: datetime, why: str) -> bool:
    """Send a wish back with a reason; False when it was reviewed or withdrawn meanwhile, or is one's own."""
    reviewed = _reviewed(wish_id, reviewer_id, now)
    return changed(session, reviewed.values(state="rejected", review_note=why, closed_at=now))


def _reviewed(wish_id: int, reviewer_id: int, now: datetime) -> Any:
    return (
        update(Wish)
        .where(col(Wish.id) == wish_id, col(Wish.state) == "submitted", col(Wish.wisher_id) != reviewer_id)
        .values(reviewed_by=reviewer_id, reviewed_at=now)
    )


def unreviewed(session: Session, before: datetime) -> Sequence[Wish]:
    """Wishes that were handed in at `before` or earlier and that nobody has reviewed."""
    statement = (
        select(Wish).where(col(Wish.state) == "submitted", col(Wish.created_at) <= before).order_by(col(Wish.id))
    )
    return session.execute(statement).scalars().all()


def unclaimed(session: Session, before: datetime) -> Sequence[Wish]:
    """Wishes that were published at `before` or earlier and that nobody has claimed."""
    statement = (
        select(Wish).where(col(Wish.state) == "published", col(Wish.published_at) <= before).order_by(col(Wish.id))
    )
    return session.execute(statement).scalars().all()
