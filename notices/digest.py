"""The digest of a day: everything that a person is reminded of, in one message.

Apart from it go what cannot wait (check-in opens, one may enter from afar, an hour before), what must arrive by
itself because something follows from it (dues, warnings, rectifications, answers to letters), and greetings.
Whatever else reminds hands its message over with `later`, early enough for the morning's digest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import digest_notes
from db.occurrences import Reminder
from notices.channel import Button, Message
from notices.wording import Wording

GOES_AT = time(8, 30)  # what is noted before goes out then, or with an activity's reminder that is due earlier
SHOWN_MAX = 5  # lines with a button of their own in a digest
NAMED_MAX = 5  # branches or people by name in one line


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to be reminded of. alone: the whole message if it is the only one. step: its button in a list."""

    row: Reminder
    line: str
    alone: Message
    step: Button | None
    is_activity: bool = False


def later(
    session: Session,
    *,
    member_id: int,
    key: str,
    message: Message,
    now: datetime,
    zone: ZoneInfo,
    expires_at: datetime | None = None,
) -> bool:
    """Put the message into the member's next digest. False when the member has it under this key already.

    In a list its first line stands with its first button. After `expires_at` it is not told any more.
    """
    morning = datetime.combine(now.astimezone(zone).date(), GOES_AT, zone).astimezone(UTC)
    return digest_notes.note(
        session,
        member_id=member_id,
        key=key,
        content=message.to_json(),
        due_at=max(now, morning),
        expires_at=expires_at,
    )


def in_a_line(names: Sequence[str]) -> str:
    """The first of the names, with dots where there are more."""
    return "、".join(names[:NAMED_MAX]) + ("……" if len(names) > NAMED_MAX else "")


def item_of(row: Reminder, message: Message) -> Item:
    """A message that was handed over, as a line of a digest."""
    line = message.text.partition("\n")[0].removeprefix("【提醒】").removeprefix("[Reminder] ")
    return Item(row, line, message, message.buttons[0] if message.buttons else None)


def message_of(say: Wording, items: Sequence[Item]) -> Message:
    """The digest: one thing as it is, several as a list."""
    if len(items) == 1:
        return items[0].alone
    name = "several" if all(one.is_activity for one in items) else "things"
    lines = [say(f"reminders.{name}", count=len(items)), *(one.line for one in items)]
    steps = tuple(one.step for one in items[:SHOWN_MAX] if one.step is not None)
    return Message("\n".join(lines), steps)
