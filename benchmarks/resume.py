"""How soon the service sends again after `kill -9`: `python -m bot run` from its start to the first message.

A letter to a city is on its way over Telegram (a stand-in with TLS that answers after 60 ms). The process is
killed and begun again; `s` runs from its start to the arrival of its first message, `cpu_s` is what it has used
by then. On a file the process does everything; on PostgreSQL it is a worker, which takes the accounts over.

    python -m benchmarks.resume [--members 316714] [--kills 5]
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import letter_city
from benchmarks.bot_api import TOKEN, StandIn, stand_in
from db import migrate
from tests.databases import postgresql_cluster, postgresql_programs

MESSAGES = 30  # between two kills
TICKS = os.sysconf("SC_CLK_TCK")


def begun(server: StandIn, folder: Path, database: str, role: str) -> subprocess.Popen[bytes]:
    """Start the service."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    settings = {
        "database_url": database,
        "telegram_token": TOKEN,
        "telegram_api_url": server.url,
        "cookie_secret": "cookie-secret-of-the-benchmark-0123456789",
        "port": str(port),
        "role": role,
        "web_chat": "false",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HONGXIN_")}
    named = {f"HONGXIN_{name.upper()}": value for name, value in settings.items()}
    place = {"PYTHONPATH": str(Path(__file__).parents[1]), **server.trusted}
    with (folder / "log.txt").open("ab") as log:
        words = [sys.executable, "-m", "bot", "run"]
        return subprocess.Popen(words, cwd=folder, env={**kept, **named, **place}, stdout=log, stderr=log)


def cpu_s(pid: int) -> float:
    """What the process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def one_life(server: StandIn, folder: Path, database: str, role: str) -> tuple[float, float]:
    """From a start to a kill: (seconds, CPU seconds) until the first message."""
    server.forget()
    since = time.time()
    process = begun(server, folder, database, role)
    used_s = 0.0
    while (arrived := server.arrivals())["count"] < MESSAGES:
        if process.poll() is not None:
            raise RuntimeError((folder / "log.txt").read_text()[-3000:])
        if arrived["count"] and not used_s:
            used_s = cpu_s(process.pid)
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return arrived["first"] - since, used_s


def resumed(server: StandIn, folder: Path, database: str, role: str, members: int, kills: int) -> dict[str, Any]:
    """A letter to a city of so many members, and what came of each kill."""
    migrate.upgrade(database)
    letter_city.build(database, members, max(1, round(members * letter_city.BRANCHES / letter_city.MEMBERS)))
    letter_city.queue_alone(database, letter_city.ROOT, "全市通知", 2)
    lives = [one_life(server, folder, database, role) for _ in range(kills + 1)][1:]
    seconds = sorted(round(took, 2) for took, _ in lives)
    return {"s": seconds, "cpu_s": round(sum(used for _, used in lives) / len(lives), 2)}


def main() -> None:
    """Measure on both databases and print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=letter_city.MEMBERS)
    parser.add_argument("--kills", type=int, default=5)
    given = parser.parse_args()
    figures: dict[str, Any] = {"benchmark": "resume", "members": given.members}
    with tempfile.TemporaryDirectory() as made, stand_in(Path(made)) as server:
        folder, asked = Path(made), (given.members, given.kills)
        figures["sqlite"] = resumed(server, folder, f"sqlite:///{folder / 'city.db'}", "all", *asked)
        if postgresql_programs() is not None:
            with postgresql_cluster() as cluster:
                database = cluster.format(name="postgres")
                figures["postgresql_worker"] = resumed(server, folder, database, "worker", *asked)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
