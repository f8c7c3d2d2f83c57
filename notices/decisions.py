"""What the planner can decide about one row of the outbox."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from db.sending import Claimed
from notices.channel import Message


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message, ready for one chat. rest: the parts that follow when this one has arrived."""

    row: Claimed
    channel: str
    address: str
    message: Message
    cost: int  # messages that it takes from the chat's window, 0 on a channel without one
    rest: tuple[Message, ...] = ()
    template: str = ""  # of the card on which it is shown; empty: it is no card

    @property
    def key(self) -> str:
        """The same for every try of this part, for platforms that can refuse a repetition."""
        return f"{self.row.key}:{self.row.member_id}:{self.row.part}"


@dataclass(frozen=True, slots=True)
class Hold:
    """Not now: try again at `until`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class End:
    """Not at all. state: suppressed, expired, cancelled or failed."""

    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Knock:
    """What says on a card that something waits: a row of its own, under this key."""

    key: str
    message: Message


@dataclass(frozen=True, slots=True)
class Wait:
    """No way is open: it waits in the mailbox for the member's next message."""

    reason: str
    knock: Knock | None = None


@dataclass(frozen=True, slots=True)
class Gather:
    """With many others in one mass letter, to this chat."""

    channel: str
    address: str


Decision = Parcel | Hold | End | Wait | Gather
