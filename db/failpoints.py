"""Named places at which a test lets the process die, to see what is left behind."""

from __future__ import annotations

import os
import signal
from functools import cache

PLACES = (
    "inbox.before_commit",  # what was said has had its effect, which is not committed
    "inbox.after_commit",  # it is committed, and the platform does not know
    "inbox.after_200",  # the platform knows, and will not bring it again
    "handler.mid",  # the handler has answered, and nothing of it is written down
    "redeem.after_check",  # the member may have the piece, and has not got it
    "redeem.after_debit",  # piece and points have moved, and nothing is committed
    "approve.after_check",  # the second person may approve, and the letter is not approved
    "take_over.after_commit",  # this process has become the sender
    "claim.after_commit",  # rows are claimed, and none is on its way
    "send.after_intent",  # the intents are committed, and no request has begun
    "send.after_write",  # a message is on the wire, and no answer has come
    "send.after_response",  # the platform has said yes, and nobody has written it down
    "send.before_outcome",  # the outcomes are about to be written
    "mass.after_intent",  # a batch is about to be handed over
    "mass.after_response",  # it was handed over, and nobody has written it down
    "schedule.after_occurrence",  # the planned instant is noted, and the task has not run
    "schedule.after_run",  # the task has run, and nothing is committed
    "schedule.after_commit",  # it is committed, and the next instant is not looked at
    "job.started",  # a worker has taken a job out of the queue
    "migrate.after_copy",  # a migration has copied rows into another table
    "backup.before_rename",  # the copy is complete, and has not got its name
    "restore.before_unfreeze",  # the copy stands ready beside the database that it is to replace
    "rotate.mid_row",  # the platform has given the next access token, and the row holds the one before
)


class Failpoint:
    """Ends the process at a named place: armed with `send.after_intent:3`, when it comes there the third time."""

    def __init__(self, armed: str) -> None:
        self.name, _, times = armed.partition(":")
        self._left = int(times or 1)

    def __call__(self, name: str) -> None:
        if name == self.name:
            self._left -= 1
            if not self._left:
                os.kill(os.getpid(), signal.SIGKILL)


@cache
def _armed() -> Failpoint:
    made = Failpoint(os.environ.get("HONGXIN_FAILPOINT", ""))
    if made.name and made.name not in PLACES:  # the process would live on, and its test prove nothing
        raise ValueError(f"HONGXIN_FAILPOINT: there is no place {made.name}")
    return made


def disarm() -> None:
    """Forget which place was named: it is read anew, as by a process that a test has just forked."""
    _armed.cache_clear()


def is_named(name: str) -> bool:
    """Whether HONGXIN_FAILPOINT names this place: what has to be done before one dies there is done only then."""
    return _armed().name == name


def reach(name: str) -> None:
    """The process is at this place. Nothing happens unless HONGXIN_FAILPOINT names it."""
    _armed()(name)
