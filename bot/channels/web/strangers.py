"""A bound on codes that unbound browsers may try: a new cookie costs nothing, unlike a new Telegram account."""

from __future__ import annotations

from collections import OrderedDict, deque
from datetime import datetime, timedelta

TRIES_MAX = 60  # codes from one network address within WINDOW; a community centre's whole branch fits
WINDOW = timedelta(minutes=10)
SOURCES_MAX = 10_000  # network addresses remembered


class Strangers:
    """Counts tries per network address."""

    def __init__(self) -> None:
        self._tries: OrderedDict[str, deque[datetime]] = OrderedDict()

    def may_try(self, source: str, now: datetime) -> bool:
        """Whether `source` may try one more code now; counts it."""
        tries = self._tries.setdefault(source, deque())
        self._tries.move_to_end(source)
        while tries and tries[0] <= now - WINDOW:
            tries.popleft()
        if len(tries) >= TRIES_MAX:
            return False
        tries.append(now)
        if len(self._tries) > SOURCES_MAX:
            self._tries.popitem(last=False)
        return True
