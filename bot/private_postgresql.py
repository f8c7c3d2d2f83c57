"""A PostgreSQL of one's own on this machine, for a trial: reached through a socket, gone at the end."""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT_BECOMES = "nobody"  # PostgreSQL refuses root


class NoPostgreSQL(Exception):
    """Its programs are not installed, or it did not start; the text says what to do."""


def programs() -> Path | None:
    """The folder with initdb and pg_ctl; None where they are not installed."""
    folders = [*sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True), "/usr/local/bin", "/usr/bin"]
    return next((Path(f) for f in folders if Path(f, "initdb").exists() and Path(f, "pg_ctl").exists()), None)


@contextlib.contextmanager
def private_postgresql(*options: str) -> Iterator[Cluster]:
    """A new cluster, which serves as long as the context. options: settings of the server, `name=value`.

    Raises NoPostgreSQL.
    """
    found = programs()
    if found is None:
        raise NoPostgreSQL("PostgreSQL is not installed: initdb and pg_ctl are needed (apt install postgresql)")
    # Directly under the temporary folder: a socket's path may have at most 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="hongxin-pg-"))
    server = Cluster(found, folder, options)
    try:
        server.begin()
        yield server
    finally:
        server.end()
        shutil.rmtree(folder, ignore_errors=True)


class Cluster:
    """The server of a private cluster. url: of its only database; socket: on which it listens."""

    def __init__(self, found: Path, folder: Path, options: tuple[str, ...]) -> None:
        self.url = f"postgresql://hongxin@/postgres?host={folder}"
        self.socket = folder / ".s.PGSQL.5432"
        self._options = options
        self._before: list[str] = []
        if os.getuid() == 0:
            shutil.chown(folder, ROOT_BECOMES)
            self._before = ["setpriv", f"--reuid={ROOT_BECOMES}", "--clear-groups", "--"]
        self._programs = found
        self._folder = folder
        self._data = folder / "data"

    def begin(self) -> None:
        """Make the cluster and start its server. Raises NoPostgreSQL."""
        options = "listen_addresses=''", f"unix_socket_directories='{self._folder}'", "max_connections=100"
        words = " ".join(f"-c {one}" for one in (*options, *self._options))
        try:
            self._run(
                "initdb", "-D", self._data, "-U", "hongxin", "-A", "trust", "--encoding=UTF8", "--locale=C", "-N"
            )
            self._control("-l", self._folder / "log", "-o", words, "start")
        except (OSError, subprocess.CalledProcessError) as error:
            raise NoPostgreSQL(f"PostgreSQL did not start: {error}") from None

    def restart(self, how: str) -> None:
        """Stop it `fast` or, as in a crash, `immediate`, and start it again."""
        self._control("-m", how, "-l", self._folder / "log", "restart")

    def end(self) -> None:
        """Stop the server, if it runs."""
        if (self._data / "postmaster.pid").exists():
            self._control("-m", "fast", "stop")

    def _control(self, *words: str | Path) -> None:
        self._run("pg_ctl", "-D", self._data, "-w", *words)

    def _run(self, program: str, *words: str | Path) -> None:
        command = [*self._before, str(self._programs / program), *map(str, words)]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        # In a session of its own, out of reach of the Ctrl+C that ends us: it is stopped last.
        subprocess.run(command, check=True, cwd="/", start_new_session=True, **quiet)  # type: ignore[call-overload]
