"""The service as an operator starts it, `python -m bot run`, on a free port of this machine; ended by SIGKILL."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import aiohttp

from tests.day.waiting import LOOK_S, PATIENCE_S, until

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    """A port on which nobody listens now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


class Starter(Protocol):
    """Starts `python -m bot run`."""

    async def start(self, environment: Mapping[str, str], folder: Path) -> int:
        """The process id. What it prints goes to `log.txt` in the folder, in which it also works."""
        ...

    def ended(self) -> None:
        """Every process that it started has been killed."""
        ...


class Command:
    """A new interpreter for every start, as on a server."""

    words: tuple[str, ...] = ("-m", "bot", "run")

    def __init__(self) -> None:
        self._started: list[subprocess.Popen[bytes]] = []

    async def start(self, environment: Mapping[str, str], folder: Path) -> int:
        return self._begin(environment, folder)

    def _begin(self, environment: Mapping[str, str], folder: Path) -> int:
        with (folder / "log.txt").open("ab") as log:
            words = [sys.executable, *self.words]
            process = subprocess.Popen(words, cwd=folder, env={**environment}, stdout=log, stderr=log)
        self._started.append(process)
        return process.pid

    def ended(self) -> None:
        """The last one was killed: take its leftovers off the system's list."""
        for process in self._started:
            process.wait(PATIENCE_S)
        self._started.clear()


@dataclass
class Service:
    """One service with its settings. `kills` counts how often it was killed."""

    folder: Path
    settings: dict[str, str]
    starter: Starter
    port: int = field(default_factory=free_port)
    kills: int = 0
    pid: int | None = None

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        """What the process sees: nothing of this one's own settings."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        named = {f"HONGXIN_{name.upper()}": value for name, value in self.settings.items()}
        return {**kept, "PYTHONPATH": path, "HONGXIN_PORT": str(self.port), **named}

    async def start(self) -> None:
        """Begin; returns before it serves."""
        self.pid = await self.starter.start(self.environment(), self.folder)

    async def ready(self) -> None:
        """Wait until it serves. Fails with what it printed when it has ended by itself."""
        async with asyncio.timeout(PATIENCE_S), aiohttp.ClientSession() as client:
            while not await self._serves(client):
                if self.pid is not None and not alive(self.pid):
                    raise AssertionError(f"the service has ended:\n{self.printed()}")
                await asyncio.sleep(LOOK_S)

    async def _serves(self, client: aiohttp.ClientSession) -> bool:
        try:
            async with client.get(f"{self.url}/healthz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self.pid is not None:
            self.kills += 1
            await self._end()

    async def close(self) -> None:
        """The end of the test."""
        if self.pid is not None:
            await self._end()

    async def _end(self) -> None:
        assert self.pid is not None
        pid, self.pid = self.pid, None  # who waits for it to be ready goes on waiting
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        await until(lambda: not alive(pid), "the service is gone", look_s=LOOK_S / 4)
        self.starter.ended()

    def printed(self) -> str:
        """The end of what it printed so far."""
        log = self.folder / "log.txt"
        return log.read_text(encoding="utf-8", errors="replace")[-6000:] if log.exists() else ""


def alive(pid: int) -> bool:
    """Whether this process still runs; one that has ended and waits for its parent does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2]
    except OSError:
        return False
    return state.split()[0] not in "ZX"


@contextlib.asynccontextmanager
async def serving(service: Service) -> AsyncIterator[Service]:
    """The service, started and ready; killed at the end, whatever happened."""
    await service.start()
    try:
        await service.ready()
        yield service
    finally:
        await service.close()
