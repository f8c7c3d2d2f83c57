"""How fast one channel account may send: pure scheduling. It is asked and told; it never waits itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

REMEMBERED_MAX = 10_000  # chats whose last message is kept in mind before the old ones are forgotten


@dataclass(frozen=True, slots=True)
class Pace:
    """per_s: messages a second over all chats. chat_gap_s: seconds between two messages to one chat."""

    per_s: float
    chat_gap_s: float = 0.0


PACES = {
    "telegram": Pace(29, 1.0),  # the platform says about 30 a second over all and 1 a second per chat
    "wechat": Pace(50),  # a day's quota of 500,000 is the limit that counts; a burst helps nobody
    "web": Pace(1000),  # our own page
}
USUAL = Pace(20, 1.0)  # a channel that is not listed


class Pacer:
    """The pace of one account. Every instant is an argument, aware, and never runs backwards."""

    def __init__(self, pace: Pace) -> None:
        self._gap = timedelta(seconds=1 / pace.per_s)
        self._chat_gap = timedelta(seconds=pace.chat_gap_s)
        self._next: datetime | None = None  # when the account may send again
        self._chats: dict[str, datetime] = {}  # when each chat may be written to again
        self.paused_until: datetime | None = None

    def ready_at(self, address: str, now: datetime) -> datetime:
        """When a message to this chat may go out: `now`, or later."""
        waits = (self._next, self.paused_until, self._chats.get(address))
        return max([now, *(instant for instant in waits if instant is not None)])

    def take(self, address: str, now: datetime) -> None:
        """A message to this chat goes out at `now`."""
        # One gap may be made up for after a late look at the clock, never more: no burst passes the limit.
        planned = self._next if self._next is not None and self._next > now - self._gap else now - self._gap
        self._next = planned + self._gap if self._next is not None else now + self._gap
        if self._chat_gap:
            if len(self._chats) >= REMEMBERED_MAX:
                self._chats = {chat: free for chat, free in self._chats.items() if free > now}
            self._chats[address] = now + self._chat_gap

    def pause(self, until: datetime) -> None:
        """Send nothing before `until`. The deadline only moves forward, whoever reports an earlier one later."""
        self.paused_until = until if self.paused_until is None else max(self.paused_until, until)


def pacer(channel: str) -> Pacer:
    """A new pacer for an account of this channel."""
    return Pacer(PACES.get(channel, USUAL))
