"""What the tests that kill share."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chaos.births import Births
from tests.chaos.platform import fill

Telling = Callable[[str], None]
PEOPLE = 300  # in every run: a letter to so many, for it shall last longer than the kills


@pytest.fixture(scope="session")
def filled(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with a letter that waits to be sent."""
    path = tmp_path_factory.mktemp("filled") / "hongxin.db"
    shutil.copy(sqlite_template, path)
    fill(f"sqlite:///{path}", PEOPLE)
    return path


@pytest.fixture(scope="session")
def births(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Births]:
    """Starts senders without the seconds that importing takes."""
    rehearsal = tmp_path_factory.mktemp("rehearsal") / "hongxin.db"
    shutil.copy(filled, rehearsal)
    made = Births(f"sqlite:///{rehearsal}")
    yield made
    made.close()


@pytest.fixture
def telling(capsys: pytest.CaptureFixture[str]) -> Telling:
    """Prints a figure that was measured, past pytest's capture."""

    def tell(words: str) -> None:
        with capsys.disabled():
            print(f"\n{words}")  # noqa: T201 - it is for people

    return tell
