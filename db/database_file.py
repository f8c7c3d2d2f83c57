"""The SQLite file before it is opened for writing: is it there, whole, and ours to write?"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.engine import make_url

from db.engine import database_url

QUICK_CHECK_BYTES_MAX = 256 * 2**20  # a larger file is not read to its end at every start


class Refused(Exception):
    """The database cannot be used as it is. The text is one line for the operator; nothing was written."""


def is_file(url: str) -> bool:
    """Whether the URL names an SQLite file."""
    return make_url(database_url(url)).get_backend_name() == "sqlite"


def look_at(url: str) -> None:
    """Raises Refused for an SQLite file that is damaged, read-only or something else. Writes nothing."""
    if not is_file(url) or not size(url):
        return
    path = _path(url)
    with path.open("rb") as file:
        header = file.read(100)
    if not header.startswith(b"SQLite format 3\x00"):
        raise Refused(f"{path.name} is not a database; nothing was changed")
    log = path.with_name(path.name + "-wal")
    clean = not log.exists() or not log.stat().st_size
    if clean and _promised_bytes(header) > path.stat().st_size:
        raise Refused(f"{path.name} is damaged: its end is missing; restore a backup. Nothing was changed")
    # Without a log nobody writes: `immutable` then keeps SQLite from making its side files.
    question = "immutable=1" if clean else "mode=ro"
    try:
        connection = sqlite3.connect(f"file:{quote(str(path.resolve()))}?{question}", uri=True)
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if path.stat().st_size <= QUICK_CHECK_BYTES_MAX:
                told = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
                if told != "ok":
                    raise Refused(f"{path.name} is damaged; restore a backup. Nothing was changed")
        finally:
            connection.close()
    except sqlite3.DatabaseError:
        raise Refused(f"{path.name} is damaged; restore a backup. Nothing was changed") from None
    if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        raise Refused(f"{path.name} or its folder is read-only; nothing was changed")


def _path(url: str) -> Path:
    return Path(make_url(database_url(url)).database or "")


def size(url: str) -> int:
    """Bytes of the SQLite file; 0 when it is missing. Raises Refused when a folder stands there."""
    path = _path(url)
    if path.is_dir():
        raise Refused(f"{path.name} is a folder, not a database file")
    return path.stat().st_size if path.exists() else 0


def _promised_bytes(header: bytes) -> int:
    """How long the file says that it is; 0 when the header does not know."""
    page_bytes = int.from_bytes(header[16:18], "big")
    page_bytes = 65536 if page_bytes == 1 else page_bytes
    if header[24:28] != header[92:96]:  # the count was written by a version that did not keep it
        return 0
    return page_bytes * int.from_bytes(header[28:32], "big")
