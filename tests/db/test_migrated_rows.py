"""Rows of an older schema keep their meaning in the new one."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Connection, MetaData
from sqlmodel import Session

from db import migrate, period_rebuild, values
from db.engine import write_engine
from tests import cast


def test_values_that_were_there_before_their_log_get_its_first_line(empty_url: str) -> None:
    migrate.upgrade(empty_url, to="0001")
    engine = write_engine(empty_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO organization (id, code, name, level, path, place) VALUES (10, 'B10', 'b', 'branch', '/10/', '')"
        )
        for indicator, value in (("C02", "1"), ("F01", "true")):
            connection.exec_driver_sql(
                "INSERT INTO indicator_value (organization_id, indicator_id, period, value, recorded_at)"
                f" VALUES (10, '{indicator}', '2026-03', '{value}', '2026-04-05 02:00:00')"
            )
    migrate.upgrade(empty_url)
    with Session(engine) as session:
        assert [(line.value, line.cause) for line in values.history(session, 10, "C02", "2026-03")] == [
            ("1", "before_the_log")
        ]
        assert period_rebuild.correct(session) == (1, 0)
    engine.dispose()


def test_letters_from_before_count_for_the_branch_of_each_person(empty_url: str) -> None:
    migrate.upgrade(empty_url, to="0004")
    engine = write_engine(empty_url)
    tables = MetaData()
    tables.reflect(engine)

    def put(connection: Connection, name: str, **given: Any) -> None:
        """A row with what matters here, and something in every other column that must not be empty."""
        made = {
            column.name: "1" if column.type.python_type is str else column.type.python_type(1)
            for column in tables.tables[name].columns
            if not column.nullable and column.name not in given and column.type.python_type in (str, int, bool)
        }
        connection.execute(tables.tables[name].insert().values(made | given))

    with engine.begin() as connection:
        for branch_id in (10, 11):
            place = {"code": f"B{branch_id}", "level": "branch", "path": f"/{branch_id}/"}
            put(connection, "organization", id=branch_id, parent_id=None, **place)
        put(connection, "member", id=5, status="active", mode="normal")
        put(
            connection,
            "membership",
            member_id=5,
            organization_id=10,
            from_day=date(2020, 1, 1),
            to_day=date(2026, 1, 1),
        )
        put(
            connection, "membership", id=2, member_id=5, organization_id=11, from_day=date(2026, 1, 1), to_day=None
        )
        put(connection, "topic", id="t")
        letter = {"author_id": 5, "organization_id": 10, "topic_id": "t", "state": "done", "created_at": cast.NOON}
        put(connection, "letter", id=7, audience={}, **letter)
        for key, part in (("letter:7", 1), ("letter:7", 2), ("letter:7:chase:2026-06-15", 1)):
            row = {
                "key": key,
                "part": part,
                "letter_id": 7,
                "member_id": 5,
                "state": "sent",
                "not_before": cast.NOON,
            }
            put(connection, "delivery", id=part + len(key), **row)
    migrate.upgrade(empty_url)
    with engine.connect() as connection:
        counted = connection.exec_driver_sql("SELECT key, part, counts_for FROM delivery ORDER BY key, part").all()
    assert [tuple(row) for row in counted] == [
        ("letter:7", 1, 11),
        ("letter:7", 2, None),
        ("letter:7:chase:2026-06-15", 1, None),
    ]
    engine.dispose()
