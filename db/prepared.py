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
_DRIVER = "driver"  # place in `Session.info`


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

    def many(self, session: Session, rows: Sequence[dict[str, Any]]) -> int:
        """Run an insert, update or delete once for each of the rows; how many rows of the table it touched."""
        if not rows:
            return 0
        session.flush()
        driver, dialect = session.info.get(_DRIVER) or driver_of(session)
        compiled = self._for(dialect)
        cursor = driver.cursor()
        cursor.executemany(compiled.sql, [compiled.bind(values) for values in rows])
        touched = int(cursor.rowcount)
        cursor.close()
        return touched

    def _for(self, dialect: Dialect) -> _Compiled:
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = _Compiled(self._statement, dialect)
        return compiled

    def _run(self, session: Session, values: dict[str, Any]) -> tuple[_Compiled, Any]:
        session.flush()  # the driver must see what the session still holds; nothing to do costs nothing
        known = session.info.get(_DRIVER)
        driver, dialect = known or driver_of(session)
        compiled = self._for(dialect)
        return compiled, driver.execute(compiled.sql, compiled.bind(values))


def driver_of(session: Session, *, keep: bool = False) -> tuple[Any, Dialect]:
    """The driver's own connection under a session, and its dialect.

    keep: remember it for the rest of this transaction. Only for a session that lives for one transaction.
    """
    connection = session.connection()
    driver = connection.connection.driver_connection
    assert driver is not None
    if keep:
        session.info[_DRIVER] = (driver, connection.dialect)
    return driver, connection.dialect


class _Compiled:
    """The text, the converters of the values that go in, and of those that come out."""

    def __init__(self, statement: Executable | Callable[[str], Executable], dialect: Dialect) -> None:
        built: Any = statement(dialect.name) if callable(statement) else statement
        compiled = built.compile(dialect=dialect)
        self.sql = str(compiled)
        defaults = {name: value for name, value in compiled.params.items() if value is not None}
        processors: dict[str, Processor] = {
            name: bound.type.dialect_impl(dialect).bind_processor(dialect)
            for name, bound in compiled.binds.items()
        }
        in_order: list[str] | None = compiled.positiontup
        self._by_place = in_order is not None
        names = list(compiled.binds) if in_order is None else in_order
        self._places = [(name, processors[name], defaults.get(name)) for name in names]
        self._names = list(names)
        self._converts = any(processors[name] for name in names) or bool(defaults)
        columns: Any = getattr(built, "selected_columns", None) or getattr(built, "_returning", ())
        processed = (column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns)
        self._result = [(place, processor) for place, processor in enumerate(processed) if processor]

    def bind(self, values: dict[str, Any]) -> Any:
        """The values in the driver's own form: a list where places count, else a dict."""
        if not self._converts:
            return [values[name] for name in self._names] if self._by_place else values
        bound = [
            processor(values.get(name, default)) if processor else values.get(name, default)
            for name, processor, default in self._places
        ]
        if self._by_place:
            return bound
        return dict(zip((name for name, _, _ in self._places), bound, strict=True))

    def read(self, rows: Sequence[Any]) -> Sequence[tuple[Any, ...]]:
        """The rows with every value converted."""
        return [self._converted(row) for row in rows] if self._result else rows

    def _converted(self, row: Sequence[Any]) -> tuple[Any, ...]:
        values = list(row)
        for place, processor in self._result:
            if values[place] is not None:  # no type of ours makes anything else of NULL
                values[place] = processor(values[place])
        return tuple(values)
