"""What tests of commands start from."""

from __future__ import annotations

import os
import shutil

import pytest
from sqlmodel import Session

from db import migrate, schema
from db.engine import write_engine
from tests import cast
from tests.db.a_day import give_the_project_its_past


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """A migrated database with the cast."""
    path = tmp_path_factory.mktemp("city") / "city.db"
    populate(f"sqlite:///{path}")
    return path


def populate(url: str) -> None:
    migrate.upgrade(url)
    engine = write_engine(url)
    with Session(engine) as session:
        cast.populate(session)
        schema.count_on(session)
        give_the_project_its_past(session)
        session.commit()
    engine.dispose()


@pytest.fixture
def place(monkeypatch, tmp_path):
    """An empty folder to work in, and no setting but the database's."""
    for name in list(os.environ):
        if name.startswith("HONGXIN_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HONGXIN_DATABASE_URL", f"sqlite:///{tmp_path / 'city.db'}")
    return tmp_path


@pytest.fixture
def city(place, template):
    """The path of a database with the cast, to which the settings point."""
    shutil.copy(template, place / "city.db")
    return place / "city.db"
