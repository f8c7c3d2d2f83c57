"""What people are told about a wish by itself: no names, because nobody knows yet over which channel it goes.

The wisher learns that somebody has claimed the wish and, in the chat, who; the claimer learns which secretary
brings the two together, never the wisher. The secretary, who knows the wisher, is asked to do so.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import accounts, members, organizations
from db.members import Member
from db.wish_claims import Claimed
from db.wishes import Wish
from notices import outbox
from notices.channel import Button, Message
from notices.digest import later
from notices.wording import wording

REVIEWERS = ("secretary", "committee_reviewer")
KEPT_FOR = timedelta(days=7)  # what could not be told within a week is not worth telling any more

Step = tuple[str, str]  # name of the button's words, action


def tell(
    session: Session,
    member_ids: Iterable[int],
    name: str,
    key: str,
    now: datetime,
    steps: Iterable[Step],
    *,
    in_digest: ZoneInfo | None = None,
    **values: object,
) -> int:
    """Tell the members the text `wishes.told_NAME`, each in the own language; how many were not told before.

    in_digest: the city's zone, for a reminder that has time until the next digest.
    """
    ids, steps = list(member_ids), list(steps)
    languages = accounts.languages(session, ids)
    told = 0
    for member_id in ids:
        say = wording(languages.get(member_id, "zh"))
        message = Message(
            say(f"wishes.told_{name}", **values), tuple(Button(say(label), action) for label, action in steps)
        )
        about: dict[str, Any] = {"member_id": member_id, "key": key, "message": message, "now": now}
        if in_digest is not None:
            told += later(session, **about, zone=in_digest, expires_at=now + KEPT_FOR)
        else:
            told += outbox.tell(session, **about, expires_at=now + KEPT_FOR)
    return told


def published(session: Session, wish: Wish, now: datetime) -> None:
    """The wisher learns that the wish stands on the list."""
    tell(session, [wish.wisher_id], "published", f"wish:{wish.id}:published", now, [_own(wish)], title=wish.title)


def rejected(session: Session, wish: Wish, now: datetime, why: str) -> None:
    """The wisher learns why the wish was sent back."""
    steps = [("wishes.make", "wishes:new")]
    tell(session, [wish.wisher_id], "rejected", f"wish:{wish.id}:rejected", now, steps, title=wish.title, why=why)


def claimed(session: Session, one: Claimed, now: datetime, day: date) -> None:
    """Wisher and secretary learn that somebody has claimed the wish."""
    claim, wish = one
    key = f"wish:{wish.id}:claimed:{claim.id}"
    tell(session, [wish.wisher_id], "claimed", key, now, [_own(wish)], title=wish.title)
    contact = contact_of(session, one, day)
    if contact is not None and contact.id is not None:
        steps = [("wishes.see_it", f"wish_review:see:{wish.id}")]
        tell(session, [contact.id], "bring_together", key, now, steps, title=wish.title)


def released(session: Session, one: Claimed, now: datetime) -> None:
    """The wisher learns that the wish is on the list again."""
    claim, wish = one
    key = f"wish:{wish.id}:released:{claim.id}"
    tell(session, [wish.wisher_id], "released", key, now, [_own(wish)], title=wish.title)


def delivered(session: Session, one: Claimed, now: datetime) -> None:
    """The wisher is asked whether the wish has come true. Each report of done asks once."""
    claim, wish = one
    key = f"wish:{wish.id}:delivered:{claim.id}:{now:%Y%m%d%H%M%S}"
    steps = [
        ("wishes.yes", f"wishes:yes:{claim.id}"),
        ("wishes.not_yet", f"wishes:no:{claim.id}"),
        ("wishes.see_report", f"wishes:report_of:{claim.id}"),
    ]
    tell(session, [wish.wisher_id], "delivered", key, now, steps, title=wish.title)


def confirmed(session: Session, one: Claimed, now: datetime, points: int) -> None:
    """The claimer learns that it is confirmed, and what it pays."""
    claim, wish = one
    name = "confirmed" if points else "confirmed_only"
    steps = [("wishes.lines", "points:lines"), ("wishes.others", "wishes")]
    key = f"wish:{wish.id}:confirmed:{claim.id}"
    tell(session, [claim.member_id], name, key, now, steps, title=wish.title, points=points)


def reopened(session: Session, one: Claimed, now: datetime) -> None:
    """The claimer learns that the wisher says "not yet"."""
    claim, wish = one
    key = f"wish:{wish.id}:reopened:{claim.id}:{now:%Y%m%d%H%M%S}"
    steps = [("wishes.see_it", f"wishes:mine:{claim.id}")]
    tell(session, [claim.member_id], "reopened", key, now, steps, title=wish.title)


def contact_of(session: Session, one: Claimed, day: date) -> Member | None:
    """Who brings wisher and claimer together: a reviewer of the wish's branch who is neither of the two."""
    claim, wish = one
    found = reviewers(session, wish, day, but=(wish.wisher_id, claim.member_id))
    return found[0] if found else None


def reviewers(session: Session, wish: Wish, day: date, *, but: tuple[int, ...]) -> list[Member]:
    """The branch's secretaries, else the committee's reviewers, without the members in `but`."""
    branch = organizations.get(session, wish.organization_id)
    for role in REVIEWERS:
        found = [one for one in members.holders(session, branch, role, day) if one.id not in but]
        if found:
            return found
    return []


def _own(wish: Wish) -> Step:
    return "wishes.see_it", f"wishes:own:{wish.id}"
