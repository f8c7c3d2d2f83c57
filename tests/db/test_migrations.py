"""The schema's way from one version to the next: nothing is lost, and nothing is touched that is not ours."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, MetaData, func, inspect, select
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from db import ledger, migrate, period_rebuild, schema, values
from db.engine import write_engine
from db.migrate import Refused
from tests import cast

OPENING = """
import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "{revision}"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade() -> None:
{body}


def downgrade() -> None:
    pass
"""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without a single table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'new' / 'hongxin.db'}"
        return
    server = request.getfixturevalue("postgresql_server")
    name = f"m{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server.format(name="postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        yield server.format(name=name)
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def url(empty_url: str) -> str:
    """A migrated database with the cast and one booked line."""
    migrate.upgrade(empty_url)
    engine = write_engine(empty_url)
    with Session(engine) as session:
        cast.populate(session)
        schema.count_on(session)
        ledger.book(
            session,
            member_id=cast.ALICE,
            rule_id="PB1",
            cause="activity:1",
            points=2,
            day=cast.DAY,
            booked_at=cast.NOON,
        )
        session.commit()
    engine.dispose()
    return empty_url


@pytest.fixture
def revisions(tmp_path: Path) -> Path:
    """A copy of the migrations, to which a test may add its own."""
    return Path(shutil.copytree(migrate.FOLDER, tmp_path / "migrations"))


def add_revision(folder: Path, revision: str, before: str, body: str) -> None:
    text = OPENING.format(
        revision=revision, before=before, body="\n".join(f"    {one}" for one in body.split("\n"))
    )
    (folder / "versions" / f"{revision}_test.py").write_text(text, encoding="utf-8")


def head(folder: Path = migrate.FOLDER) -> str:
    return max(path.name[:4] for path in (folder / "versions").glob("[0-9]*.py"))


def counts(connection: Connection) -> dict[str, int]:
    return {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in schema.metadata.sorted_tables
    }


def shape(connection: Connection) -> dict[str, Any]:
    """Everything that a database says of our tables, checks and partial indexes included."""
    look = inspect(connection)
    found: dict[str, Any] = {}
    for table in sorted(set(look.get_table_names()) - {migrate.VERSION_TABLE}):
        columns = [(c["name"], str(c["type"]), c["nullable"], c.get("default")) for c in look.get_columns(table)]
        found[table] = {
            "columns": sorted(columns),
            "key": look.get_pk_constraint(table),
            "foreign": sorted(map(str, look.get_foreign_keys(table))),
            "unique": sorted(map(str, look.get_unique_constraints(table))),
            "checks": sorted(map(str, look.get_check_constraints(table))),
            "indexes": sorted(map(_index, look.get_indexes(table))),
        }
    return found


def _index(index: Any) -> str:
    where = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return f"{index['name']} {index['column_names']} {bool(index['unique'])} {where}"


def digest(path: Path) -> dict[str, str]:
    """Every file of the folder with its content's hash."""
    return {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in path.parent.iterdir()}


def test_migrations_make_exactly_what_the_models_say(empty_url: str) -> None:
    assert migrate.upgrade(empty_url) == head()
    assert migrate.check(empty_url) == []
    with migrate.connected(empty_url) as connection:
        migrated = shape(connection)
        schema.metadata.drop_all(connection)
        schema.metadata.create_all(connection)
        assert shape(connection) == migrated
        assert len(migrated) == len(schema.metadata.tables)


def test_a_column_that_no_revision_makes_is_told(url: str) -> None:
    with migrate.connected(url) as connection:
        connection.exec_driver_sql("ALTER TABLE member DROP COLUMN phone")
    assert any("phone" in problem for problem in migrate.check(url))


def test_a_second_upgrade_changes_nothing(url: str) -> None:
    with migrate.connected(url) as connection:
        before = counts(connection)
    assert migrate.upgrade(url) == head()
    with migrate.connected(url) as connection:
        assert counts(connection) == before
        assert before["member"] == len(cast.NAMES)


def test_an_existing_empty_file_gets_its_tables(tmp_path: Path) -> None:
    path = tmp_path / "hongxin.db"
    path.touch()
    assert "empty" in migrate.check(f"sqlite:///{path}")[0]
    migrate.upgrade(f"sqlite:///{path}")
    assert migrate.check(f"sqlite:///{path}") == []


def test_an_older_schema_is_told_and_brought_up(url: str, revisions: Path) -> None:
    add_revision(revisions, "0900", head(), 'op.add_column("member", sa.Column("nickname", sa.String()))')
    assert "not 0900" in migrate.check(url, folder=revisions)[0]
    assert migrate.upgrade(url, folder=revisions) == "0900"


@pytest.mark.parametrize("empty_url", ["sqlite"], indirect=True)  # PostgreSQL changes tables where they are
def test_building_every_table_anew_keeps_all_rows_and_the_guard(url: str, revisions: Path) -> None:
    body = "\n".join(
        f'with op.batch_alter_table("{table.name}", recreate="always") as batch: pass'
        for table in schema.metadata.sorted_tables
    )
    add_revision(revisions, "0900", head(), body)
    with migrate.connected(url) as connection:
        before = counts(connection)
    migrate.upgrade(url, folder=revisions)
    with migrate.connected(url) as connection:
        assert counts(connection) == before
    with pytest.raises(DBAPIError, match="append-only"), migrate.connected(url) as connection:
        connection.exec_driver_sql("UPDATE entry SET points = 99")
    with pytest.raises(DBAPIError, match="append-only"), migrate.connected(url) as connection:
        connection.exec_driver_sql("DELETE FROM entry")


FAMILY = """op.create_table("parent", sa.Column("id", sa.Integer, primary_key=True))
op.create_table(
    "child",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("parent_id", sa.Integer, sa.ForeignKey("parent.id", name="fk", ondelete="CASCADE")),
)
op.execute("INSERT INTO parent (id) VALUES (1)")
op.execute("INSERT INTO child (id, parent_id) VALUES (1, 1), (2, 1)")"""
REBUILD = (
    'with op.batch_alter_table("parent", recreate="always") as batch: batch.add_column(sa.Column("x", sa.Text))'
)


@pytest.mark.parametrize(("guarded", "children"), [(True, 2), (False, 0)])
def test_building_a_parent_anew_loses_its_children_only_without_the_guard(
    tmp_path: Path, revisions: Path, monkeypatch: pytest.MonkeyPatch, guarded: bool, children: int
) -> None:
    url = f"sqlite:///{tmp_path / 'family.db'}"
    add_revision(revisions, "0900", head(), FAMILY)
    migrate.upgrade(url, folder=revisions)
    add_revision(revisions, "0901", "0900", REBUILD)
    if not guarded:
        monkeypatch.setattr(migrate, "FOREIGN_KEYS", "ON")
    migrate.upgrade(url, folder=revisions)
    with sqlite3.connect(tmp_path / "family.db") as raw:
        assert raw.execute("SELECT count(*) FROM child").fetchone()[0] == children
    raw.close()


def test_a_revision_that_leaves_orphans_is_rolled_back(tmp_path: Path, revisions: Path) -> None:
    url = f"sqlite:///{tmp_path / 'family.db'}"
    add_revision(revisions, "0900", head(), FAMILY)
    migrate.upgrade(url, folder=revisions)
    add_revision(revisions, "0901", "0900", 'op.execute("DELETE FROM parent")')
    with pytest.raises(Refused, match="child would point to nothing in parent"):
        migrate.upgrade(url, folder=revisions)
    with sqlite3.connect(tmp_path / "family.db") as raw:
        assert raw.execute("SELECT count(*) FROM parent").fetchone()[0] == 1
        assert raw.execute("SELECT version_num FROM alembic_version").fetchone()[0] == "0900"
    raw.close()


def test_a_revision_that_fails_leaves_no_half_of_itself(url: str, revisions: Path) -> None:
    body = 'op.add_column("member", sa.Column("nickname", sa.String()))\nop.execute("SELECT nonsense")'
    add_revision(revisions, "0900", head(), body)
    with pytest.raises(DBAPIError):
        migrate.upgrade(url, folder=revisions)
    assert migrate.check(url) == []


def test_a_newer_schema_is_refused_in_one_line(url: str, revisions: Path) -> None:
    add_revision(revisions, "9999", head(), 'op.add_column("member", sa.Column("nickname", sa.String()))')
    migrate.upgrade(url, folder=revisions)
    with migrate.connected(url) as connection:
        before = shape(connection), counts(connection)
    with pytest.raises(Refused, match="schema 9999, this program knows up to") as refusal:
        migrate.upgrade(url)
    assert "\n" not in str(refusal.value)
    assert migrate.check(url) == [str(refusal.value)]
    with migrate.connected(url) as connection:
        assert (shape(connection), counts(connection)) == before


def test_tables_without_a_version_are_refused(url: str) -> None:
    with migrate.connected(url) as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
    with pytest.raises(Refused, match="no schema version"):
        migrate.upgrade(url)


def _overwrite(path: Path, at: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)


def _damage(path: Path, how: str) -> None:
    if how == "other":
        path.write_text("id,name\n1,Alice\n" * 50)
    elif how == "cut":
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size // 2)
    elif how == "first page":
        _overwrite(path, 100, b"\xff" * 400)
    else:
        _overwrite(path, 4096 * 3, b"\xff" * 4096 * 4)


@pytest.mark.parametrize("how", ["other", "cut", "first page", "pages inside"])
def test_a_damaged_file_is_refused_in_one_line_and_left_alone(tmp_path: Path, how: str) -> None:
    path = tmp_path / "data" / "hongxin.db"
    migrate.upgrade(f"sqlite:///{path}")
    engine = write_engine(f"sqlite:///{path}")  # it writes ahead, as the running service does
    with Session(engine) as session:
        cast.populate(session)
        session.commit()
    engine.dispose()
    _damage(path, how)
    before = digest(path)
    with pytest.raises(Refused) as refusal:
        migrate.upgrade(f"sqlite:///{path}")
    assert "\n" not in str(refusal.value)
    assert path.name in str(refusal.value)
    assert digest(path) == before
    assert migrate.check(f"sqlite:///{path}") == [str(refusal.value)]


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="is a folder"):
        migrate.upgrade(f"sqlite:///{tmp_path}")


def test_a_read_only_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "hongxin.db"
    migrate.upgrade(f"sqlite:///{path}")
    # Permissions do not bind root, as whom tests may run: the question is put to the system, and answered here.
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(Refused, match="read-only"):
        migrate.upgrade(f"sqlite:///{path}")


def test_an_unreachable_server_is_refused_without_the_password() -> None:
    with pytest.raises(Refused, match="cannot be reached") as refusal:
        migrate.upgrade("postgresql://someone:s3cret-word@/none?host=/nonexistent")
    assert "s3cret" not in str(refusal.value)


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


def test_a_new_column_becomes_the_next_revision_and_0001_is_then_fixed(
    revisions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert migrate.revision("nothing", folder=revisions) is None
    for later in (revisions / "versions").glob("000[2-9]_*.py"):
        later.unlink()
    generated = migrate.generate(folder=revisions)
    assert "op.create_table('member'" in generated.read_text(encoding="utf-8")
    fewer = generated.read_text(encoding="utf-8").replace(
        "    sa.Column('phone', sqlmodel.sql.sqltypes.AutoString(), nullable=True),\n", ""
    )
    generated.write_text(fewer, encoding="utf-8")
    written = migrate.revision("phones", folder=revisions)
    assert written is not None
    assert written.name == "0002_phones.py"
    assert "batch_op.add_column(sa.Column('phone'" in written.read_text(encoding="utf-8")
    with pytest.raises(Refused, match="0002_phones"):
        migrate.generate(folder=revisions)


def test_the_first_revision_is_what_the_models_would_write_today(revisions: Path) -> None:
    stored = next((migrate.FOLDER / "versions").glob("0001_*.py")).read_text(encoding="utf-8")
    if head() == "0001":
        assert migrate.generate(folder=revisions).read_text(encoding="utf-8") == stored
