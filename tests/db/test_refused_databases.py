"""What is no database of ours is refused in one line, and left alone."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from sqlmodel import Session

from db import migrate
from db.engine import write_engine
from db.migrate import Refused
from tests import cast


def digest(path: Path) -> dict[str, str]:
    """Every file of the folder with its content's hash."""
    return {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in path.parent.iterdir()}


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
