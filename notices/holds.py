"""What time ends by itself: pieces that nobody fetched, and wishes that nobody moves. The scheduler calls it.

Every function may be called again at any moment: each step is taken on the condition that it was not taken yet,
and what is told has a key. `most` bounds what one transaction ends; the rest comes with the next call.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import accounts, redemptions, wish_claims, wishes
from db.duties import CITY
from db.redemptions import Found
from db.wish_claims import ANSWER_WITHIN, REMIND_OF_CONTACT
from db.wishes import Wish
from notices import outbox, wish_notes
from notices.channel import Button, Message
from notices.digest import later
from notices.said_time import said
from notices.wording import wording
from notices.working_days import working_days_since

REMIND_BEFORE = timedelta(days=3)  # a piece that waits: a weekend and a working day to fetch it
REMIND_OF_REVIEW = 2  # working days after a wish was handed in: the review is due on the third
CLAIM_WITHIN = timedelta(days=10)  # then the branch itself is asked to see to a wish that nobody claimed
BATCH = 200


def expire_redemptions(session: Session, now: datetime, *, zone: ZoneInfo = CITY, most: int = BATCH) -> int:
    """Close pieces whose time is over: points and piece go back once, and the member is told. How many."""
    day = now.astimezone(zone).date()
    closed = redemptions.expired(session, now=now, day=day, most=most)
    for found in closed:
        _tell(session, found, "expired", now, zone)
    return len(closed)


def remind_of_pick_ups(session: Session, now: datetime, *, zone: ZoneInfo = CITY) -> int:
    """Remind members of pieces whose time is nearly over; how many were not reminded before."""
    soon = redemptions.soon_over(session, now=now, until=now + REMIND_BEFORE)
    return sum(_tell(session, found, "soon_over", now, zone) for found in soon)


def _tell(session: Session, found: Found, name: str, now: datetime, zone: ZoneInfo) -> bool:
    redemption, reward = found
    say = wording(accounts.languages(session, [redemption.member_id]).get(redemption.member_id, "zh"))
    until = said(say, redemption.expires_at, now, zone) if redemption.expires_at else ""
    place = reward.place or say("rewards.place")
    text = say(f"rewards.{name}", name=reward.name, points=redemption.points, until=until, place=place)
    steps = (Button(say("rewards.mine"), "rewards:mine"), Button(say("menu.rewards"), "rewards"))
    about: dict[str, Any] = {
        "member_id": redemption.member_id,
        "key": f"redemption:{redemption.id}:{name}",
        "message": Message(text, steps),
        "now": now,
    }
    if name == "soon_over":
        return later(session, **about, zone=zone, expires_at=redemption.expires_at)
    return outbox.tell(session, **about, expires_at=now + wish_notes.KEPT_FOR)


def release_idle_claims(session: Session, now: datetime, *, most: int = BATCH) -> int:
    """Give wishes back to the list whose claim is past due or was never followed by a contact. How many.

    Both people are told. Whoever claimed was reminded before (`remind_claimers`).
    """
    count = 0
    for one in wish_claims.idle(session, now, most=most):
        if not wish_claims.release(session, one, now=now):
            continue  # it was reported done or given back in this moment
        claim, wish = one
        count += 1
        wish_notes.released(session, one, now)
        steps = [("wishes.others", "wishes")]
        key = f"wish:{wish.id}:lapsed:{claim.id}"
        wish_notes.tell(session, [claim.member_id], "lapsed", key, now, steps, title=wish.title)
    return count


def remind_claimers(session: Session, now: datetime, *, zone: ZoneInfo = CITY) -> int:
    """Remind of a claim a day old without contact, and of one that is nearly due; how many were told."""
    count = 0
    for claim, wish in wish_claims.without_contact(session, now - REMIND_OF_CONTACT):
        steps = [("wishes.see_it", f"wishes:mine:{claim.id}")]
        key = f"wish:{wish.id}:contact:{claim.id}"
        count += wish_notes.tell(
            session, [claim.member_id], "no_contact", key, now, steps, in_digest=zone, title=wish.title
        )
    for claim, wish in wish_claims.due_soon(session, now):
        steps = [("wishes.see_it", f"wishes:mine:{claim.id}")]
        due = claim.due_at.astimezone(zone)
        key = f"wish:{wish.id}:due:{claim.id}:{due:%Y%m%d}"
        values = {"title": wish.title, "month": due.month, "day": due.day}
        count += wish_notes.tell(session, [claim.member_id], "due_soon", key, now, steps, in_digest=zone, **values)
    return count


def chase_stale_wishes(session: Session, now: datetime, *, zone: ZoneInfo = CITY) -> int:
    """Ask the reviewers for what waits too long: a review, a claim, a wisher's answer. How many were told.

    Each is asked once; the reviewers of the branch are asked, without the wisher and the claimer themselves.
    """
    stale: list[tuple[Wish, int | None, str, str]] = [
        (wish, None, "unreviewed", "") for wish in wishes.unreviewed(session, _before_review(now, zone))
    ]
    stale += [
        (wish, None, "unclaimed", f":{wish.published_at:%Y%m%d}")
        for wish in wishes.unclaimed(session, now - CLAIM_WITHIN)
    ]
    stale += [
        (wish, claim.member_id, "unanswered", f":{claim.id}:{claim.delivered_at:%Y%m%d}")
        for claim, wish in wish_claims.unanswered(session, now - ANSWER_WITHIN)
    ]
    return sum(_ask(session, wish, claimer, name, which, now, zone) for wish, claimer, name, which in stale)


def _before_review(now: datetime, zone: ZoneInfo) -> datetime:
    """The last instant of the day after which REMIND_OF_REVIEW working days have come."""
    today = day = now.astimezone(zone).date()
    while working_days_since(day, today) < REMIND_OF_REVIEW:
        day -= timedelta(days=1)
    return datetime.combine(day, time.max, zone).astimezone(UTC)


def _ask(
    session: Session, wish: Wish, claimer: int | None, name: str, which: str, now: datetime, zone: ZoneInfo
) -> int:
    """Ask the reviewers of the wish's branch, apart from the two whom it concerns; how many were told."""
    day = now.astimezone(zone).date()
    concerned = (wish.wisher_id,) if claimer is None else (wish.wisher_id, claimer)
    asked = [one.id for one in wish_notes.reviewers(session, wish, day, but=concerned) if one.id is not None]
    steps = [("wishes.see_it", f"wish_review:see:{wish.id}")]
    key = f"wish:{wish.id}:{name}{which}"
    return wish_notes.tell(session, asked, name, key, now, steps, in_digest=zone, title=wish.title)
