"""The same bookkeeping as a check-in with nothing but `sqlite3`: the floor under any bot on this machine."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

_TABLES = """
CREATE TABLE inbound (id INTEGER PRIMARY KEY, channel TEXT, key TEXT, reply TEXT, UNIQUE (channel, key));
CREATE TABLE attendance (activity_id INT, member_id INT, at TEXT, PRIMARY KEY (activity_id, member_id));
CREATE TABLE entry (id INTEGER PRIMARY KEY, member_id INT, rule_id TEXT, cause TEXT, points INT, day TEXT,
                    UNIQUE (member_id, cause, rule_id));
CREATE TABLE total (member_id INT, year INT, rule_id TEXT, points INT, PRIMARY KEY (member_id, year, rule_id));
CREATE TABLE wallet (member_id INTEGER PRIMARY KEY, balance INT);
"""


def run(folder: Path, members: int) -> dict[str, float]:
    """One transaction per check-in, synchronous=FULL, one after the other."""
    connection = sqlite3.connect(folder / "raw.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.executescript(_TABLES)
    begun, busy = time.perf_counter(), time.process_time()
    waited_ms: list[float] = []
    for member in range(members):
        at = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO inbound (channel, key, reply) VALUES ('raw', ?, 'ok')", (str(member),))
        connection.execute("INSERT INTO attendance VALUES (1, ?, '2026-06-15')", (member,))
        connection.execute(
            "INSERT INTO entry (member_id, rule_id, cause, points, day) "
            "VALUES (?, 'PB1', 'activity:1', 2, '2026-06-15')",
            (member,),
        )
        connection.execute(
            "INSERT INTO total VALUES (?, 2026, 'PB1', 2) ON CONFLICT DO UPDATE SET points = points + 2", (member,)
        )
        connection.execute(
            "INSERT INTO wallet VALUES (?, 2) ON CONFLICT DO UPDATE SET balance = balance + 2", (member,)
        )
        connection.execute("COMMIT")
        waited_ms.append((time.perf_counter() - at) * 1000)
    took, cpu = time.perf_counter() - begun, time.process_time() - busy
    connection.close()
    waited_ms.sort()
    return {
        "per_s": members / took,
        "cpu_us": cpu / members * 1e6,
        "p50_ms": waited_ms[members // 2],
        "p99_ms": waited_ms[int(members * 0.99)],
    }
