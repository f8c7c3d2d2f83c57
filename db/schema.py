"""All tables at once: the one place that imports every aggregate."""

from __future__ import annotations

from sqlalchemy import event, func, inspect, select, text
from sqlalchemy.engine import Connection, Engine
from sqlmodel import Session, SQLModel

from db import (  # noqa: F401 - importing a module registers its tables
    accounts,
    activities,
    activity_records,
    addressing,
    appeals,
    appraisals,
    attendance,
    audit,
    cards,
    city_results,
    common_pace,
    companions,
    consents,
    corrections,
    dated_facts,
    declaration_review,
    declarations,
    deliveries,
    dues,
    duty_facts,
    grade_lists,
    group_calls,
    group_topics,
    groups,
    inbound,
    indices,
    inspection_plans,
    inspections,
    ledger,
    letter_counts,
    letter_deadlines,
    letter_replies,
    letter_series,
    letter_templates,
    letters,
    mass,
    member_modes,
    members,
    negatives,
    occurrences,
    offices,
    organizations,
    period_values,
    periods_locked,
    pictures,
    poll_drives,
    polls,
    pool,
    proposals,
    quizzes,
    rectifications,
    resolutions,
    rewards,
    senders,
    sheets,
    spot_checks,
    standards,
    surveys,
    tokens,
    values,
    vetoes,
    warnings,
    web,
    wishes,
    year_close,
)

metadata = SQLModel.metadata

APPEND_ONLY = (
    "entry",
    "audit_event",
    "value_record",
    "appraisal_record",
    "activity_record",
    "mode_record",
    "year_result",
    "negative",
)


def create(engine: Engine) -> None:
    """Make every table in an empty database. A running service migrates instead (`db.migrations`)."""
    metadata.create_all(engine)


def count_on(session: Session) -> None:
    """Let PostgreSQL number new rows behind those that were written with an id of their own."""
    if session.connection().dialect.name != "postgresql":
        return
    for table in metadata.sorted_tables:
        keys = list(table.primary_key.columns)
        if len(keys) == 1 and keys[0].name == "id" and keys[0].autoincrement in (True, "auto"):
            last = session.execute(select(func.max(keys[0]))).scalar()
            if isinstance(last, int):
                place = text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last)")
                session.execute(place, {"name": f'"{table.name}"', "last": last})


def guard(connection: Connection) -> None:
    """Make the logs append-only: the database itself refuses to change or delete a line.

    A table that an early revision does not have yet is passed over.
    """
    there = set(inspect(connection).get_table_names())
    for table in (name for name in APPEND_ONLY if name in there):
        if connection.dialect.name == "sqlite":
            for verb in ("UPDATE", "DELETE"):
                connection.exec_driver_sql(
                    f"CREATE TRIGGER IF NOT EXISTS {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )
        else:
            connection.exec_driver_sql(
                f"CREATE OR REPLACE FUNCTION {table}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
            )
            connection.exec_driver_sql(
                f"CREATE OR REPLACE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
                f"FOR EACH ROW EXECUTE FUNCTION {table}_is_append_only()"
            )


@event.listens_for(metadata, "after_create")
def _guard_after_create(_target: object, connection: Connection, **_: object) -> None:
    guard(connection)
