"""Core statements compiled once, for the few that run for every message.

SQLAlchemy's own execution costs about 50 microseconds a statement, the database itself about 5: for the
dozen statements of a check-in that is the difference between 1,400 and over 2,000 a second. Only the hot path
uses this; everything else goes through the session.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.sql.expression import Executable
from sqlmodel import Session

Processor = Callable[[Any], Any] | None


class Prepared:
    """A statement that is compiled for a dialect once and then handed to the driver as it is.

    `statement` is built from Core constructs with `bindparam`s, or a function of the dialect's name where the
    databases differ (ON CONFLICT). Rows come back as plain tuples with Python values.
    """

    def __init__(self, statement: Executable | Callable[[str], Executable]) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, session: Session, **values: Any) -> Sequence[tuple[Any, ...]]:
        """Every row of a query, or of RETURNING."""
        compiled, cursor = self._run(session, values)
        return compiled.read(cursor.fetchall())

    def row(self, session: Session, **values: Any) -> tuple[Any, ...] | None:
        """The first row, or None."""
        found = self.rows(session, **values)
        return found[0] if found else None

    def count(self, session: Session, **values: Any) -> int:
        """How many rows an insert, update or delete touched."""
        return int(self._run(session, values)[1].rowcount)

    def _run(self, session: Session, values: dict[str, Any]) -> tuple[_Compiled, Any]:
        if session.new or session.dirty or session.deleted:
            session.flush()  # the driver must see what the session still holds
        connection = session.connection()
        compiled = self._compiled.get(connection.dialect.name)
        if compiled is None:
            compiled = _Compiled(self._statement, connection.dialect)
            self._compiled[connection.dialect.name] = compiled
        driver = connection.connection.driver_connection
        assert driver is not None
        return compiled, driver.execute(compiled.sql, compiled.bind(values))


class _Compiled:
    """The text, the converters of the values that go in, and of those that come out."""

    def __init__(self, statement: Executable | Callable[[str], Executable], dialect: Dialect) -> None:
        built: Any = statement(dialect.name) if callable(statement) else statement
        compiled = built.compile(dialect=dialect)
        self.sql = str(compiled)
        self._order: list[str] | None = compiled.positiontup
        self._defaults = {name: value for name, value in compiled.params.items() if value is not None}
        self._bind: dict[str, Processor] = {
            name: bound.type.dialect_impl(dialect).bind_processor(dialect)
            for name, bound in compiled.binds.items()
        }
        columns = getattr(built, "selected_columns", None) or getattr(built, "_returning", ())
        self._result: list[Processor] = [
            column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns
        ]
        self._plain = not any(self._result)

    def bind(self, values: dict[str, Any]) -> Any:
        """The values in the driver's own form: a tuple where places count, else a dict."""
        given = {**self._defaults, **values}
        bound = {
            name: (processor(given.get(name)) if processor else given.get(name))
            for name, processor in self._bind.items()
        }
        return tuple(bound[name] for name in self._order) if self._order is not None else bound

    def read(self, rows: Sequence[Any]) -> Sequence[tuple[Any, ...]]:
        """The rows with every value converted."""
        if self._plain:
            return rows
        return [
            tuple(
                processor(value) if processor else value
                for processor, value in zip(self._result, row, strict=True)
            )
            for row in rows
        ]
