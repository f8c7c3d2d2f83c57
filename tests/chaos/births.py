"""The test's end of `tests.chaos.sender`: gives orders, and hears of births and deaths."""

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
from dataclasses import asdict
from pathlib import Path

from tests.chaos.sender import Order

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120.0


class Births:
    """The forking program. `rehearsal`: the URL of a filled database that may be used up."""

    def __init__(self, rehearsal: str) -> None:
        words = [sys.executable, "-m", "tests.chaos.sender", rehearsal]
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

    def begin(self, run: str, url: str, path: str, *, failpoint: str = "", beat_s: float = 0.0) -> int:
        """Start the run's child; its id."""
        order = Order(run, url, path, self.began, failpoint, beat_s)
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


class Sending:
    """A program that has one child at a time, and the ends of its children."""

    def __init__(self, url: str, path: str, program: str) -> None:
        command = [sys.executable, "-m", program, url, path, str(time.time())]
        self._program = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.kills: collections.Counter[str] = collections.Counter()

    def begin(self, failpoint: str = "") -> int:
        """Start a child; its id."""
        assert self._program.stdin is not None
        self._program.stdin.write(f"{failpoint}\n")
        self._program.stdin.flush()
        return self._read()

    def end(self, what: str) -> bool:
        """Wait for the child; was it killed?"""
        status = self._read()
        assert status in (0, signal.SIGKILL), f"the child ended with {status}"
        self.kills[what] += status == signal.SIGKILL
        return status == signal.SIGKILL

    def _read(self) -> int:
        assert self._program.stdout is not None
        return int(self._program.stdout.readline())

    def close(self) -> None:
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.close()
        self._program.wait()
        self._program.stdout.close()
