"""The sender's heartbeat: a thread with its own connection, so that a busy event loop does not cost the lease."""

from __future__ import annotations

import logging
import threading

from sqlmodel import Session

from db import senders
from db.engine import OUT_OF_ORDER, heartbeat_engine
from notices.lease import BEAT_S, SenderLease

log = logging.getLogger(__name__)


class Heartbeat:
    """Renews the lease every `every_s` seconds while there is one, and tells it when somebody else has it."""

    def __init__(self, url: str, lease: SenderLease, *, every_s: float = BEAT_S) -> None:
        self._engine = heartbeat_engine(url)
        self._lease = lease
        self._every_s = every_s
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self) -> None:
        """End; waits for the beat that is under way."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._ending.wait(self._every_s):
            if self._lease.beats():
                self._beat()
        self._engine.dispose()

    def _beat(self) -> None:
        began, fences = self._lease.now(), self._lease.fences
        try:
            with Session(self._engine) as session:
                ours = senders.renew(session, self._lease.owner)
                session.commit()
        except OUT_OF_ORDER as error:
            log.warning("the heartbeat was not written: %s", type(error).__name__)
            return
        if ours >= len(fences):
            self._lease.renewed(began)
        elif self._lease.fences is fences:  # and not given back meanwhile
            self._lease.lost()
