"""Many rows at once into a table whose keys may stand already: what a refresh or an import writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlmodel import Session

Row = Sequence[Any]
KEYS_MAX = 5_000  # keys in one condition


def put(session: Session, table: str, columns: Sequence[str], keys: Sequence[str], rows: Iterable[Row]) -> None:
    """Add the rows, each in the place of the one with the same keys.

    The driver gets the values as they are: numbers, texts, days in ISO form, JSON as text.
    """
    session.flush()
    connection = session.connection()
    driver: Any = connection.connection.driver_connection
    names = ", ".join(f'"{one}"' for one in columns)
    changed = ", ".join(f'"{one}" = excluded."{one}"' for one in columns if one not in keys)
    conflict = f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changed}"
    if connection.dialect.name == "sqlite":
        places = ", ".join("?" * len(columns))
        driver.executemany(f"INSERT INTO {table} ({names}) VALUES ({places}) {conflict}", rows)
        return
    with driver.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE coming (LIKE {table} INCLUDING DEFAULTS) ON COMMIT DROP")
        with cursor.copy(f"COPY coming ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM coming {conflict}")
        cursor.execute("DROP TABLE coming")


def remove(session: Session, table: str, keys: Sequence[str], rows: Sequence[Row]) -> None:
    """Delete the rows with these keys."""
    if not rows:
        return
    session.flush()
    connection = session.connection()
    driver: Any = connection.connection.driver_connection
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    condition = " AND ".join(f"{one} = {mark}" for one in keys)
    cursor = driver.cursor()
    cursor.executemany(f"DELETE FROM {table} WHERE {condition}", rows)
    cursor.close()
