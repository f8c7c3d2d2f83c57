"""The schema's way from one version to the next: nothing is lost, and nothing is touched that is not ours."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, inspect, select
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from db import ledger, migrate, schema
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
