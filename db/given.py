"""Rows of Python as a table in SQL, so that one statement does for all of them what else takes one for each.

A driver lets go of the interpreter and takes it back around every statement: beside a busy event loop that costs
more than the statement itself. The rows travel as one JSON text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import JSON, BigInteger, Text, bindparam, cast, func, select
from sqlalchemy.sql.expression import Subquery
from sqlalchemy.types import TypeEngine

_KINDS: dict[type, TypeEngine[Any]] = {int: BigInteger(), str: Text()}


def given(dialect: str, **columns: type[int] | type[str]) -> Subquery:
    """A table of these columns, in the order of each row's values; its parameter `rows` takes `as_rows`."""
    text = bindparam("rows", type_=Text)
    if dialect == "postgresql":
        value = func.json_array_elements(cast(text, JSON)).table_valued("value").c.value
        chosen = [
            cast(value.op("->>")(place), _KINDS[kind]).label(name)
            for place, (name, kind) in enumerate(columns.items())
        ]
    else:
        value = func.json_each(text).table_valued("value").c.value
        chosen = [
            func.json_extract(value, f"$[{place}]", type_=_KINDS[kind]).label(name)
            for place, (name, kind) in enumerate(columns.items())
        ]
    return select(*chosen).subquery("given")


def as_rows(rows: Iterable[Sequence[int | str]]) -> str:
    """The rows as `given` reads them."""
    return orjson.dumps(list(rows)).decode()
