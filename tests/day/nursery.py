"""Starts of `python -m bot` without the seconds that importing takes: forked from a process that has imported.

What runs is the same command in a process of its own, so it can be killed like any other; only its birth is quick.
`python -m db.migrate` is born in the same way.
Orders come as JSON lines on standard input, process ids go out on standard output.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from tests.day.service import ROOT

MIGRATE = "db.migrate"
ENDED = "it has ended by itself"


class Nursery:
    """A Starter. Close it at the end."""

    def __init__(self) -> None:
        words = [sys.executable, "-m", "tests.day.nursery"]
        self._process = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._turn = threading.Lock()  # one order, one answer

    async def start(self, environment: Mapping[str, str], folder: Path) -> int:
        return await self.begin(environment, folder, "run")

    async def begin(self, environment: Mapping[str, str], folder: Path, *words: str) -> int:
        """The process id of another command. The last line of its `log.txt` is ENDED unless it was killed."""
        order = json.dumps({"environment": {**environment}, "folder": str(folder), "words": words})
        return await asyncio.to_thread(self._ask, order)

    def ended(self) -> None:
        """Nothing is left behind: the nursery does not wait for its children."""

    def close(self) -> None:
        """End the nursery; what it started goes its own way."""
        self._process.communicate()

    def _ask(self, order: str) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._turn:
            self._process.stdin.write(order + "\n")
            self._process.stdin.flush()
            return int(self._process.stdout.readline())


def _serve() -> None:
    import pypinyin  # noqa: F401 - with the first message

    import bot.__main__
    import bot.front
    import bot.web  # noqa: F401 - what `run` imports when it begins

    assert threading.active_count() == 1, "a fork would lose the other threads"
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _live(order["environment"], Path(order["folder"]), order["words"])
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def _live(environment: Mapping[str, str], folder: Path, words: list[str]) -> None:
    """Be this command from now on."""
    from bot.__main__ import app
    from db import migrate

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()  # Ctrl+C in the terminal is for the tests
    os.chdir(folder)
    log = os.open("log.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, target in ((0, nothing), (1, log), (2, log)):
        os.dup2(target, number)
    os.environ.clear()
    os.environ.update(environment)
    try:
        if words[0] == MIGRATE:
            migrate.main(words[1:])
        else:
            app(words)
    except SystemExit as end:
        print(f"exit status {end.code}")  # noqa: T201 - for the log
    print(ENDED, flush=True)  # noqa: T201 - for the log
    os._exit(0)


if __name__ == "__main__":
    _serve()
