"""Named places at which a test lets the process die, to see what is left behind."""

from __future__ import annotations

import os
import signal
from functools import cache


class Failpoint:
    """Ends the process at a named place: armed with `send.after_intent:3`, when it comes there the third time."""

    def __init__(self, armed: str) -> None:
        self._name, _, times = armed.partition(":")
        self._left = int(times or 1)

    def __call__(self, name: str) -> None:
        if name == self._name:
            self._left -= 1
            if not self._left:
                os.kill(os.getpid(), signal.SIGKILL)


@cache
def _armed() -> Failpoint:
    return Failpoint(os.environ.get("HONGXIN_FAILPOINT", ""))


def disarm() -> None:
    """Forget which place was named: it is read anew, as by a process that a test has just forked."""
    _armed.cache_clear()


def reach(name: str) -> None:
    """The process is at this place. Nothing happens unless HONGXIN_FAILPOINT names it."""
    _armed()(name)
