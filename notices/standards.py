"""The standards ledger on its own: a secretary hears what was found, and that a deadline comes near."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import members, organizations, standards
from db.standards import StandardEntry
from notices import outbox
from notices.channel import Button, Message
from notices.digest import later
from notices.voices import voices
from scoring.catalogue import shipped
from scoring.standards import StandardItem

REMIND_BEFORE = timedelta(days=3)
BATCH = 50
LANE = 1


def item_of(item_id: str, version: str) -> StandardItem | None:
    """The line of the standard in this version; None when the rules have none such."""
    return next((one for one in shipped().ratings.standards if one.id == item_id and one.version == version), None)


def tell_secretary(
    session: Session, entry: StandardEntry, what: str, key: str, now: datetime, zone: ZoneInfo
) -> None:
    """Tell the branch's secretary about one item. what: met, unmet or due."""
    branch = organizations.get(session, entry.organization_id)
    item = item_of(entry.item_id, entry.version)
    today = now.astimezone(zone).date()
    to = [one.id for one in members.holders(session, branch, "secretary", today) if one.id is not None]
    if item is None:
        return
    until = entry.rectify_deadline
    for member_id, say in voices(session, to).items():
        text = say(
            f"standards.told_{what}",
            item=item.title_in(say.language),
            why=entry.reason,
            month=until.month if until else "",
            day=until.day if until else "",
        )
        message = Message(text, (Button(say("standards.to_item"), f"standards:item:{item.id}"),))
        if what == "due":
            later(session, member_id=member_id, key=key, message=message, now=now, zone=zone)
        else:
            outbox.tell(session, member_id=member_id, key=key, message=message, now=now, lane=LANE)


def remind_due(session: Session, now: datetime, zone: ZoneInfo = outbox.CITY) -> int:
    """Remind secretaries of items whose deadline comes near; how many items."""
    until = (now.astimezone(zone) + REMIND_BEFORE).date()
    due = standards.due_soon(session, until, BATCH)
    for one in due:
        if standards.mark_reminded(session, one):
            key = f"standard:{one.organization_id}:{one.item_id}:{one.version}:{one.revision}:due"
            tell_secretary(session, one, "due", key, now, zone)
    return len(due)
