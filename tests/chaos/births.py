"""The test's end of `tests.chaos.birthplace`: gives orders, and hears of births and deaths."""

from __future__ import annotations

import collections
import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.chaos.orders import Order
from tests.day.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]


class Births:
    """The forking program. `rehearsal`: the URL of a filled database that may be used up."""

    def __init__(self, rehearsal: str) -> None:
        words = [sys.executable, "-m", "tests.chaos.birthplace", rehearsal]
        self._program = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._heard: dict[str, queue.SimpleQueue[tuple[str, int]]] = collections.defaultdict(queue.SimpleQueue)
        self._alive: dict[str, int] = {}
        self._giving = threading.Lock()
        self._hearing = threading.Thread(target=self._hear)
        self._hearing.start()
        self.began = time.time()

    def _hear(self) -> None:
        assert self._program.stdout is not None
        for line in self._program.stdout:
            run, what, number = json.loads(line)
            if what == "begun":
                self._alive[run] = number
            else:
                self._alive.pop(run, None)
            self._heard[run].put((what, number))

    def begin(self, run: str, url: str, path: str, **more: Any) -> int:
        """Start the run's child; its id. more: of the order."""
        order = Order(run, url, path, **{"began": self.began, **more})
        assert self._program.stdin is not None
        with self._giving:
            self._program.stdin.write(json.dumps(asdict(order)) + "\n")
            self._program.stdin.flush()
        return self._next(run, "begun")

    def killed(self, run: str) -> bool:
        """Wait for the end of the run's child; was it killed?"""
        status = self._next(run, "ended")
        assert status in (0, signal.SIGKILL), f"{run}: the child ended with {status}"
        return status == signal.SIGKILL

    def _next(self, run: str, expected: str) -> int:
        try:
            what, number = self._heard[run].get(timeout=PATIENCE_S)
        except queue.Empty:
            if run in self._alive:
                os.kill(self._alive[run], signal.SIGUSR1)
            time.sleep(0.5)
            raise AssertionError(f"{run} has not {expected}; standard error says where it stands") from None
        assert what == expected, f"{run}: {what} and not {expected}"
        return number

    def close(self) -> None:
        """End the program, and the children that a failed test has left."""
        for pid in tuple(self._alive.values()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.close()
        self._program.wait()
        self._hearing.join()
        self._program.stdout.close()


def wait(holds: Callable[[], object], what: str) -> None:
    """Wait until something holds. Fails, saying what, when it never does."""
    until = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until, f"in {PATIENCE_S:.0f} s it did not come to this: {what}"
        time.sleep(0.01)
