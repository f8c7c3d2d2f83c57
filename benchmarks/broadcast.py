"""Sending letters to a city: the outbox on a file, the engine, the Telegram channel, a stand-in with TLS.

The stand-in is a process of its own that answers after 60 ms, and so is each phase: its CPU and memory are its
own. `paced`: 1,000 a second through the durable outbox, beside plain aiohttp (at the same pace, and as fast as
this machine lets it) and python-telegram-bot's own request in the same run. `plan`: the rows of a letter to
316,714 members, and how long each part holds the writer. `branch`: how soon a branch's letter begins while the
city's drains at 29 a second. `resume`: a process is killed, the next begins; seconds until its first message.

    python -m benchmarks.broadcast [--messages 10000] [--members 316714] [--branch-letters 30]
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import letter_city
from benchmarks.bot_api import StandIn, stand_in
from benchmarks.sending_phases import WARM
from db.engine import write_engine
from tests.databases import postgresql_cluster, postgresql_programs

RATE = 1000
PTB_MESSAGES = 600  # its own request reaches some 140 a second
FREE_RATE = 29


def phase(name: str, server: StandIn, **more: Any) -> dict[str, Any]:
    """Run a phase in a process of its own; what it printed."""
    with begun(name, server, **more) as process:
        assert process.stdout is not None
        found: dict[str, Any] = json.loads(process.stdout.read())
    if process.returncode:
        raise RuntimeError(f"{name} ended with {process.returncode}")
    print(name, json.dumps(found), file=sys.stderr)
    return found


def begun(name: str, server: StandIn, **more: Any) -> subprocess.Popen[str]:
    """Start a phase."""
    given = [f"--{key}={value}" for key, value in {"url": server.url, **more}.items()]
    command = [sys.executable, "-m", "benchmarks.sending_phases", name, *given]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **server.trusted})


def paced(folder: Path, server: StandIn, messages: int) -> dict[str, Any]:
    """CPU of a message through the whole engine, through aiohttp alone, and through the library's own request."""
    database = f"sqlite:///{folder / 'paced.db'}"
    letter_city.build(database, messages, max(1, messages // 28))
    letter_city.queue_alone(database, letter_city.ROOT, "全市通知", 2)
    found: dict[str, Any] = {"rate": RATE}
    runs = (("raw_free", messages), ("raw", messages), ("library", PTB_MESSAGES), ("engine", messages))
    for name, count in runs:
        server.forget()
        rate = 0 if name == "raw_free" else RATE
        took = phase(name.partition("_")[0], server, messages=count, rate=rate, database=database)
        arrived = server.arrivals()
        if arrived["count"] != count or arrived["repeated"]:
            raise RuntimeError(f"{name}: {arrived['count']} of {count} arrived, {arrived['repeated']} repeated")
        found[name] = took | {"most_in_1s": arrived["most_in_1s"]}
    found["ratios"] = {
        "engine_to_raw_cpu": round(found["engine"]["cpu_us"] / found["raw"]["cpu_us"], 2),
        "library_to_engine_cpu": round(found["library"]["cpu_us"] / found["engine"]["cpu_us"], 1),
    }
    return found


def branch(server: StandIn, database: str, letters: int) -> dict[str, Any]:
    """Letters of branches, half of what 29 a second carries, while the city's drains; seconds until each."""
    server.forget()
    queued: dict[str, float] = {}
    engine = write_engine(database)
    with begun("engine", server, messages=0, rate=FREE_RATE, database=database) as process:
        while not server.arrivals()["count"]:
            time.sleep(0.2)
        for place, node in enumerate(letter_city.branches(letters)):
            title = f"支部{place}"
            queued[title] = time.time()
            letter_city.queue_alone(database, node, title, 1, engine=engine)
            time.sleep(2.0)
        time.sleep(6.0)
        process.send_signal(signal.SIGKILL)
    engine.dispose()
    seen = server.arrivals()["by_text"]
    began = sorted(seen.get(letter_city.heading(title), float("inf")) - at for title, at in queued.items())
    return {
        "letters": letters,
        "p50_s": round(began[len(began) // 2], 2),
        "p99_s": round(began[int(len(began) * 0.99)], 2),
    }


def resume(server: StandIn, database: str) -> dict[str, Any]:
    """After the kill in `branch`: seconds from the start of a new process to its first message."""
    server.forget()
    since = time.time()
    with begun("engine", server, messages=0, rate=FREE_RATE, database=database) as process:
        while "first" not in (arrived := server.arrivals()):
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    return {"first_message_s": round(arrived["first"] - since, 2)}


def planned(server: StandIn, database: str, members: int) -> dict[str, Any]:
    """The rows of a letter to everybody, written by a process of its own."""
    letter_city.build(database, members, max(1, round(members * letter_city.BRANCHES / letter_city.MEMBERS)))
    return phase("plan", server, database=database)


def main() -> None:
    """Run every phase and print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--members", type=int, default=letter_city.MEMBERS)
    parser.add_argument("--branch-letters", type=int, default=30)
    given = parser.parse_args()
    if given.messages <= WARM:
        parser.error(f"--messages must be more than {WARM}: so many go before the measuring begins")
    figures: dict[str, Any] = {"benchmark": "broadcast"}
    with tempfile.TemporaryDirectory() as made, stand_in(Path(made)) as server:
        folder = Path(made)
        figures["paced"] = paced(folder, server, given.messages)
        database = f"sqlite:///{folder / 'city.db'}"
        figures["plan_sqlite"] = planned(server, database, given.members)
        figures["branch"] = branch(server, database, given.branch_letters)
        figures["resume"] = resume(server, database)
        if postgresql_programs() is not None:
            with postgresql_cluster() as cluster:
                figures["plan_postgresql"] = planned(server, cluster.format(name="postgres"), given.members)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
