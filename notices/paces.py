"""The paces of all accounts, as the engine asks for them: per parcel."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, MutableMapping, Sequence

from db.sending import LANES
from notices.channel import Channels
from notices.decisions import Parcel
from notices.pacing import Pacer, pacer


class Paces:
    """One pacer per channel: the one in `pacers`, else the channel's own (replies take from it, too), else new.

    seconds: the clock of new ones.
    """

    def __init__(
        self,
        channels: Channels,
        pacers: MutableMapping[str, Pacer] | None = None,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._channels = channels
        self._pacers = {} if pacers is None else pacers
        self._seconds = seconds

    def of(self, channel: str) -> Pacer:
        """The pacer of a channel's account."""
        if channel not in self._pacers:
            own = getattr(self._channels.get(channel), "pacer", None)
            self._pacers[channel] = own or pacer(channel, clock=self._seconds)
        return self._pacers[channel]

    def is_paid(self, parcel: Parcel) -> bool:
        """Whether it goes out for a fee: a letter to the city, on an account whose operator wants that."""
        of_city = parcel.row.lane == LANES[-1] and parcel.row.letter_id is not None
        return of_city and self.of(parcel.channel).sells

    def sells(self) -> bool:
        """Whether any account sends for a fee, and so much faster than for free."""
        return any(self.of(name).sells for name in self._channels.by_name)

    def next_s(self, parcels: Iterable[Parcel], *, soon_s: float, most_s: float) -> float:
        """Seconds until the first of them may go out, at most `most_s`; less than `soon_s` is not looked into."""
        shortest = most_s
        for parcel in parcels:
            wait_s = self.of(parcel.channel).wait_s(parcel.address, paid=self.is_paid(parcel))
            shortest = min(shortest, wait_s)
            if shortest <= soon_s:
                break
        return shortest

    def take(self, parcels: Sequence[Parcel], most: int) -> list[bool]:
        """For each whether it goes out once its intent is committed. An empty bucket is asked once a lane."""
        goes, empty = [False] * len(parcels), set[tuple[str, int, bool]]()
        for place, parcel in enumerate(parcels):
            if not most:
                break
            alike = parcel.channel, parcel.row.lane, parcel.row.letter_id is None  # out of the same bucket
            if alike in empty:
                continue
            paid, account = self.is_paid(parcel), self.of(parcel.channel)
            if not account.wait_s(parcel.address, paid=paid):
                account.take(parcel.address, paid=paid)
                goes[place] = True
                most -= 1
            elif not account.chat_wait_s(parcel.address):
                empty.add(alike)
        return goes

    async def among_others(self, parcels: Sequence[Parcel]) -> list[bool]:
        """For each of what was taken whether it may go; else another process has had the account's turn."""
        goes = [True] * len(parcels)
        for place, parcel in enumerate(parcels):
            common = None if self.is_paid(parcel) else self.of(parcel.channel).common
            if common is not None:
                goes[place] = await common.letter(parcel.address)
        return goes

    def left(self, parcel: Parcel) -> None:
        """Its intent is committed, and it goes out now, if at all."""
        self.of(parcel.channel).left(parcel.address, paid=self.is_paid(parcel))

    def paused_s(self, parcel: Parcel) -> float:
        """Seconds of silence that the platform still wants, as far as this parcel is concerned."""
        return self.of(parcel.channel).paused_s(parcel.address, paid=self.is_paid(parcel))

    def pause(self, parcel: Parcel, seconds: float) -> None:
        """The platform has answered this parcel with a wish for silence."""
        self.of(parcel.channel).pause(seconds, parcel.address, paid=self.is_paid(parcel))
