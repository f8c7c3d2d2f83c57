"""Writing very many rows: straight to the driver, column by column, with bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import JSON
from sqlalchemy.engine import Connection
from sqlmodel import SQLModel


class Memo(dict[Any, Any]):
    """What a column's converter gives for a value, worked out once: a year has few days and few hours."""

    def __init__(self, convert: Callable[[Any], Any]) -> None:
        super().__init__()
        self._convert = convert

    def __missing__(self, value: Any) -> Any:
        if len(self) > 100_000:
            self.clear()
        made = self._convert(value)
        self[value] = made
        return made


class Rows:
    """Rows of one table that wait to be written: `add` takes the given columns, the rest has its default."""

    def __init__(self, connection: Connection, model: type[SQLModel], names: Sequence[str]) -> None:
        table = model.__table__  # type: ignore[attr-defined]
        dialect = connection.dialect
        constants = {
            name: field.default
            for name, field in model.model_fields.items()
            if name not in names and isinstance(field.default, bool | int | str)
        }
        self.written = 0
        self._waiting: list[tuple[Any, ...]] = []
        self._constants = list(constants.values())
        quote = dialect.identifier_preparer.quote
        columns = ", ".join(quote(name) for name in (*names, *constants))
        self._table = f"{quote(table.name)} ({columns})"
        self._places = ", ".join("?" for _ in (*names, *constants))
        self._memos: list[tuple[int, Callable[[Any], Any]]] = []
        for place, name in enumerate(names):
            convert = table.c[name].type.dialect_impl(dialect).bind_processor(dialect)
            if convert is not None:
                plain = isinstance(table.c[name].type, JSON)  # a dict cannot be looked up
                self._memos.append((place, convert if plain else Memo(convert).__getitem__))

    def add(self, *row: Any) -> None:
        """Let one row wait, in the order of the columns."""
        self._waiting.append(row)

    def __len__(self) -> int:
        return len(self._waiting)

    def write(self, driver: Any) -> None:
        """Hand everything that waits to the driver's connection."""
        if not self._waiting:
            return
        columns: list[Iterable[Any]] = list(zip(*self._waiting, strict=True))
        for place, convert in self._memos:
            columns[place] = map(convert, columns[place])
        count = len(self._waiting)
        columns += [[value] * count for value in self._constants]
        rows = zip(*columns, strict=True)
        if hasattr(driver, "executemany"):  # SQLite's connection
            driver.executemany(f"INSERT INTO {self._table} VALUES ({self._places})", rows)
        else:
            with driver.cursor() as cursor, cursor.copy(f"COPY {self._table} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        self.written += count
        self._waiting.clear()


class Loader:
    """The tables of one filling, written in the order in which they point to each other."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._tables: list[Rows] = []

    def rows(self, model: type[SQLModel], columns: str) -> Rows:
        """A table to add to, with the names of its columns; tables that others point to come first."""
        made = Rows(self.connection, model, columns.split())
        self._tables.append(made)
        return made

    def write(self) -> None:
        """Write what waits in every table."""
        driver = self.connection.connection.driver_connection
        for rows in self._tables:
            rows.write(driver)
