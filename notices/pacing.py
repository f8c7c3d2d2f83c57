"""How fast one bot account may send: pure scheduling. It is asked and told; it never waits itself.

One pacer stands for one account, whoever sends through it: letters, notes and replies. Its clock is monotonic: a
corrected wall clock neither stops an account nor lets it hurry.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from notices.common_pace import CommonPace

REMEMBERED_MAX = 10_000  # chats whose last message is kept in mind before the old ones are forgotten
MINUTE_S = 61.0  # a second for what travels unevenly


@dataclass(frozen=True, slots=True)
class Pace:
    """per_s: messages a second over all chats. chat_gap_s: seconds between two messages to one chat.

    group_per_min: messages in any minute to one group, 0: a group is a chat like others. slack_s: what a look
    that came late may make up for; in any second at most floor((1 + slack_s) * per_s) + 1 messages go out.
    most_per_s: never more in any second, however fast a delay is made up for; 0: no limit but that one.
    """

    per_s: float
    chat_gap_s: float = 0.0
    group_per_min: int = 0
    slack_s: float = 0.0
    most_per_s: int = 0


PACES = {
    # The platform says about 30 a second over all, 1 a second per chat and 20 a minute per group.
    "telegram": Pace(29, 1.05, group_per_min=20, slack_s=0.03),
    "wechat": Pace(50, slack_s=0.02),  # a day's quota of 500,000 is the limit that counts; a burst helps nobody
    "web": Pace(1000, slack_s=0.02),  # our own page
}
USUAL = Pace(20, 1.0)  # a channel that is not listed
PAID_SLACK_S = 0.06  # more than a turn of the engine takes
CATCH_UP = 1.25  # how much faster than on average a paid broadcast goes after a delay
SECOND_S = 1.01  # a hundredth for what travels unevenly


def at_most(count: int) -> Pace:
    """The pace of a bucket out of which never more than `count` messages go in any second."""
    return Pace(CATCH_UP * count, slack_s=PAID_SLACK_S, most_per_s=count)


def is_group(address: str) -> bool:
    """Whether the address is that of a group; only Telegram has them, and numbers them below zero."""
    return address.startswith("-")


class _Bucket:
    """A rate over all chats, and a deadline before which nothing goes out of it."""

    def __init__(self, pace: Pace) -> None:
        self.gap_s = 1 / pace.per_s
        self._slack_s = pace.slack_s
        self._next = 0.0  # when the next message is due at an even pace
        self._times: deque[float] = deque(maxlen=pace.most_per_s)  # when the last ones went out
        self._taken = 0  # those of them that are not on their way yet
        self.paused_until = 0.0

    def ready_at(self, waiting: int) -> float:
        """When a message may go out before which `waiting` others have to go."""
        full = self._times and len(self._times) == self._times.maxlen
        at = self._times[0] + SECOND_S if full else 0.0
        return max(self._next - self._slack_s + waiting * self.gap_s, self.paused_until, at)

    def take(self, now: float) -> None:
        self._next = max(self._next, now) + self.gap_s
        self._times.append(now)
        self._taken = min(self._taken + 1, len(self._times))

    def left(self, now: float) -> None:
        self._next = max(self._next, now + self.gap_s)
        if self._taken:
            self._times[-self._taken] = now
            self._taken -= 1

    def later(self, until: float) -> None:
        self._next = max(self._next, until + self._slack_s)


class Pacer:
    """The pace of one account: a bucket for all that is free of charge and, with `paid`, one for paid broadcast.

    The limits of a chat and of a group hold over both. A 429 halts its own bucket, that of a group only the group;
    a deadline only ever moves forward, whoever reports an earlier one later. clock: seconds, never backwards.
    common: what other processes that send through this account are asked; None: there are none.
    """

    def __init__(
        self, pace: Pace, paid: Pace | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._pace = pace
        self._free = _Bucket(pace)
        self._paid = None if paid is None else _Bucket(paid)
        self._chats: dict[str, float] = {}  # when each chat may be written to again
        self._groups: dict[str, deque[float]] = {}  # when a group got its last messages
        self._halted: dict[str, float] = {}  # groups, and until when
        self.waiting = 0  # replies that stand before every letter
        self.common: CommonPace | None = None

    @property
    def pace(self) -> Pace:
        """The pace of what is free of charge."""
        return self._pace

    @property
    def sells(self) -> bool:
        """Whether there is a bucket for paid broadcast."""
        return self._paid is not None

    def wait_s(self, address: str, *, paid: bool = False, reply: bool = False) -> float:
        """Seconds until a message to this chat may go out; 0: now. A reply goes before all that is none."""
        bucket = self._bucket(paid)
        before = 0 if reply or paid else self.waiting
        ready = bucket.ready_at(before)
        return max(0.0, ready - self._clock(), self.chat_wait_s(address))

    def chat_wait_s(self, address: str) -> float:
        """Seconds until this one chat may get a message, whatever the others do; 0: now."""
        ready = self._chats.get(address, 0.0)
        if is_group(address):
            ready = max(ready, self._halted.get(address, 0.0), self._group_ready_at(address))
        return max(0.0, ready - self._clock())

    def take(self, address: str, *, paid: bool = False) -> None:
        """A message to this chat goes out now."""
        now = self._clock()
        self._bucket(paid).take(now)
        self._note(address, now)
        if self._pace.group_per_min and is_group(address):
            self._groups.setdefault(address, deque(maxlen=self._pace.group_per_min)).append(now)

    def left(self, address: str, *, paid: bool = False) -> None:
        """What was taken before goes out only now: what follows keeps its distance from this moment."""
        now = self._clock()
        self._bucket(paid).left(now)
        self._note(address, now)

    def later(self, seconds: float, address: str = "") -> None:
        """Another process goes before: nothing free of charge for so long, or nothing to this chat."""
        until = self._clock() + seconds
        if address:
            self._chats[address] = max(self._chats.get(address, 0.0), until)
        else:
            self._free.later(until)

    def pause(self, seconds: float, address: str = "", *, paid: bool = False) -> None:
        """Send nothing for so long: out of this bucket, or to this group when the address is one."""
        until = self._clock() + seconds
        if is_group(address):
            self._halted[address] = max(self._halted.get(address, 0.0), until)
        else:
            bucket = self._bucket(paid)
            bucket.paused_until = max(bucket.paused_until, until)

    def halt(self, seconds: float) -> None:
        """Send nothing at all for so long: the account itself is refused."""
        for bucket in (self._free, self._paid):
            if bucket is not None:
                bucket.paused_until = max(bucket.paused_until, self._clock() + seconds)

    def paused_s(self, address: str = "", *, paid: bool = False) -> float:
        """Seconds that are left of a pause which concerns this message; 0 without one."""
        until = max(self._bucket(paid).paused_until, self._halted.get(address, 0.0))
        return max(0.0, until - self._clock())

    def _note(self, address: str, now: float) -> None:
        if self._pace.chat_gap_s:
            if len(self._chats) >= REMEMBERED_MAX:
                self._forget(now)
            self._chats[address] = now + self._pace.chat_gap_s

    def _bucket(self, paid: bool) -> _Bucket:
        return self._paid if paid and self._paid is not None else self._free

    def _group_ready_at(self, address: str) -> float:
        times = self._groups.get(address)
        full = times is not None and len(times) == times.maxlen
        return times[0] + MINUTE_S if times and full else 0.0

    def _forget(self, now: float) -> None:
        """Drop what no longer holds anything back."""
        self._chats = {chat: free for chat, free in self._chats.items() if free > now}
        self._halted = {group: until for group, until in self._halted.items() if until > now}
        self._groups = {group: times for group, times in self._groups.items() if times[-1] > now - MINUTE_S}


def pacer(channel: str, *, paid_per_s: int = 0, clock: Callable[[], float] = time.monotonic) -> Pacer:
    """A new pacer for an account of this channel. paid_per_s: most paid messages in any second, 0: none."""
    return Pacer(PACES.get(channel, USUAL), at_most(paid_per_s) if paid_per_s else None, clock=clock)
