"""Whole columns of integers out of the database, as arrays: what bulk arithmetic reads.

A row of Python objects costs more than the database takes to find it. So SQLite joins many rows into one text,
which is parsed in one go, and PostgreSQL copies them out in binary form. Both leave Python to others meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session

Ints = NDArray[np.int64]

ROWS = 60_000  # of one part: bounds what stands in memory beside the result
_HEAD = 19  # bytes before the first row of PostgreSQL's binary copy, as long as its flags are empty
_PART_BYTES = 1 << 23  # of a copy, before it is parsed


def ints(session: Session, table: str, expressions: Sequence[str], where: str = "true") -> Ints:
    """One row per row of `table` that fulfils `where`, in no order, with a column per expression.

    The expressions are SQL that gives integers and never null. Raises ValueError when one gives null.
    """
    parts = list(parted(session, table, expressions, where))
    return np.concatenate(parts) if parts else np.empty((0, len(expressions)), dtype=np.int64)


def parted(
    session: Session,
    table: str,
    expressions: Sequence[str],
    where: str = "true",
    *,
    few: bool = False,
    key: str = "rowid",
) -> Iterator[Ints]:
    """The same in parts, for more rows than memory should hold. few: an index finds them; there is one part.

    key: the column by whose order SQLite finds the rows of a part, each number once among those of `where`.
    """
    connection = session.connection()
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        yield from _from_sqlite(driver, table, expressions, where, few, key)
    else:
        yield from _from_postgresql(driver, table, expressions, where)


def rows(session: Session, query: str) -> Iterator[Sequence[Any]]:
    """Rows as the driver gives them, for the few columns that are no numbers."""
    driver: Any = session.connection().connection.driver_connection
    cursor = driver.cursor()
    try:
        yield from cursor.execute(query)
    finally:
        cursor.close()


def _from_sqlite(
    driver: Any, table: str, expressions: Sequence[str], where: str, few: bool, key: str
) -> Iterator[Ints]:
    joined = "||','||".join(f"({one})" for one in expressions)
    lows: Sequence[int] = (0,)
    if not few:
        last = f"SELECT coalesce(max({key}), 0) FROM {table} WHERE {'true' if key == 'rowid' else where}"
        lows = range(0, driver.execute(last).fetchone()[0], ROWS)
    for low in lows:
        here = "true" if few else f"{key} > {low} AND {key} <= {low + ROWS}"
        count, text = driver.execute(
            f"SELECT count(*), group_concat({joined}) FROM {table} WHERE {here} AND ({where})"
        ).fetchone()
        if count:
            yield _parsed(text or "", count, len(expressions))


def _parsed(text: str, count: int, width: int) -> Ints:
    flat = np.fromstring(text, dtype=np.int64, sep=",")
    if len(flat) != count * width:  # what is null is left out of the text
        raise ValueError("a column of numbers holds null")
    return flat.reshape(count, width)


def _from_postgresql(driver: Any, table: str, expressions: Sequence[str], where: str) -> Iterator[Ints]:
    columns = ", ".join(f"({one})::bigint" for one in expressions)
    pairs = [pair for n in range(len(expressions)) for pair in ((f"length{n}", ">i4"), (f"value{n}", ">i8"))]
    row = np.dtype([("columns", ">i2"), *pairs])
    with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY (SELECT {columns} FROM {table} WHERE {where}) TO STDOUT (FORMAT BINARY)") as copy,
    ):
        waiting = bytearray()
        begun = False
        for block in copy:
            waiting += block
            if not begun and len(waiting) >= _HEAD:
                del waiting[:_HEAD]
                begun = True
            if begun and len(waiting) >= _PART_BYTES:
                yield _taken(waiting, row, len(expressions))
        if len(waiting) >= row.itemsize:
            yield _taken(waiting, row, len(expressions))


def _taken(waiting: bytearray, row: np.dtype[Any], width: int) -> Ints:
    """The whole rows at the beginning of `waiting`, which keeps the rest (at the end: two bytes that close it)."""
    size = len(waiting) // row.itemsize * row.itemsize
    found = np.frombuffer(bytes(waiting[:size]), dtype=row)
    del waiting[:size]
    if any((found[f"length{n}"] != 8).any() for n in range(width)):
        raise ValueError("a column of numbers holds null")
    return np.column_stack([found[f"value{n}"].astype(np.int64) for n in range(width)])
