"""Whether this process may send: a lease on the bot accounts, renewed by a heartbeat, given up by its holder.

Three spans make sure that there is never more than one sender. The owner's heart beats every BEAT_S; an owner that
could not renew for HOLD_S sends nothing until it could; a process that waits takes over when it has seen no beat
for TAKEOVER_S, which is longer. Each side measures on its own monotonic clock, so wrong clocks steal no lease.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from sqlmodel import Session

from db import senders
from db.deliveries import MAILBOX
from db.senders import Account, Seen

BEAT_S = 3.0
HOLD_S = 10.0
TAKEOVER_S = 15.0
HUNG_S = 60.0  # an engine that has not gone round for so long renews no more: another process shall try


class SenderLease:
    """This process's hold on the accounts. The heartbeat writes from its own thread, the engine reads.

    alone: nobody else uses this database, so the first look takes over whatever it finds. hold_s: infinite for
    an engine without a heartbeat, which must then be the only one. clock: monotonic seconds. `accounts` names the
    account's own id on each channel that has accounts.
    """

    def __init__(
        self,
        *,
        alone: bool,
        hold_s: float = HOLD_S,
        takeover_s: float = TAKEOVER_S,
        clock: Callable[[], float] = time.monotonic,
        owner: str | None = None,
    ) -> None:
        self.owner = owner or name_of_this_process()
        self.accounts: dict[str, str] = {}
        self.fences: Mapping[str, int] = {}  # by channel; empty: the accounts are somebody else's
        self._alone = alone
        self._hold_s = hold_s
        self._takeover_s = takeover_s
        self._clock = clock
        self._held_until = 0.0
        self._alive_at = clock()
        self._others: Mapping[Account, Seen] = {}
        self._others_since = 0.0

    def holds(self) -> bool:
        """Whether this process may send now."""
        return bool(self.fences) and self._clock() < self._held_until

    def accounts_of(self, channels: Collection[str]) -> list[Account]:
        """The account on each of these channels; without any the mailbox, into which letters go all the same."""
        return [(name, self.accounts.get(name, "")) for name in (channels or (MAILBOX,))]

    def contend(self, session: Session, accounts: Collection[Account]) -> dict[str, int]:
        """Take the accounts over when nobody sends for them: their fences, for `taken` once committed."""
        seen = senders.look(session, accounts)
        others = {account: one for account, one in seen.items() if not self._free(one)}
        now = self._clock()
        if others != self._others:
            self._others, self._others_since = others, now
        if others and not self._alone and now - self._others_since < self._takeover_s:
            return {}
        return senders.take_over(session, seen, self.owner)

    def taken(self, fences: Mapping[str, int], began: float) -> None:
        """The take-over that began at `began` (of this lease's clock) is committed."""
        self._alone = False  # whoever takes over from us lives
        self.renewed(began)
        self.fences = fences

    def now(self) -> float:
        """Seconds on the lease's clock."""
        return self._clock()

    def renewed(self, began: float) -> None:
        """A renewal that began at `began` is committed."""
        self._held_until = began + self._hold_s

    def lost(self) -> None:
        """Somebody else has taken over."""
        self.fences = {}

    def ours(self, session: Session) -> bool:
        """Whether the accounts are ours for the rest of this transaction: asked before anything is written."""
        return bool(self.fences) and senders.held(session, self.owner) == self.fences

    def alive(self) -> None:
        """The engine goes round."""
        self._alive_at = self._clock()

    def beats(self) -> bool:
        """Whether there is anything to renew: the accounts are ours and the engine goes round."""
        return bool(self.fences) and self._clock() - self._alive_at < HUNG_S

    def _free(self, seen: Seen) -> bool:
        return seen.owner in ("", self.owner) or is_gone(seen.owner)


def name_of_this_process() -> str:
    """A name that no other process has, now or after a restart; says where it runs, so that others see its end."""
    return f"{_place()}/{os.getpid()}/{_born(os.getpid())}/{uuid.uuid4().hex[:12]}"


def is_gone(owner: str) -> bool:
    """Whether the process of this name has surely ended. False for one that runs where we cannot look."""
    place, _, rest = owner.partition("/")
    pid, _, rest = rest.partition("/")
    born = rest.partition("/")[0]
    return bool(place) and place == _place() and pid.isdigit() and _born(int(pid)) != born


def _place() -> str:
    """This boot of this machine (or container); empty where the system does not tell."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}.{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return ""


def _born(pid: int) -> str:
    """When the process began, in the system's ticks; empty for one that has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
