"""Property tests judge figures, not the speed of the machine that they happen to run on; and files to be altered."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from scoring.catalogue import RULES

EXAMPLES = Path(__file__).parent / "data" / "folders"
Alter = Callable[[str, str, str], Path]

settings.register_profile("figures", deadline=None)
# `make mutants`: the same examples every time; the first that tells a mutant is enough, be it large or not the only.
settings.register_profile(
    "mutants",
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    report_multiple_bugs=False,
)
settings.load_profile("mutants" if "MUTANT_UNDER_TEST" in os.environ else "figures")


@pytest.fixture
def alter(tmp_path: Path) -> Alter:
    """Alter one text in a copy of the rule files; the copy's directory comes back."""
    copy = tmp_path / "rules"
    shutil.copytree(RULES, copy)

    def change(name: str, old: str, new: str) -> Path:
        text = (copy / name).read_text(encoding="utf-8")
        assert old in text, "the test alters what is there"
        (copy / name).write_text(text.replace(old, new, 1), encoding="utf-8")
        return copy

    return change


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the second example, to be altered."""
    return Path(shutil.copytree(EXAMPLES / "2" / "data", tmp_path / "data"))


@pytest.fixture
def add(folder: Path) -> Callable[[str, str], int]:
    """Add a row to a file of the copy; the number of its line."""

    def append(name: str, row: str) -> int:
        text = (folder / name).read_text(encoding="utf-8")
        text = text if text.endswith("\n") else f"{text}\n"
        (folder / name).write_text(f"{text}{row}\n", encoding="utf-8")
        return text.count("\n") + 1

    return append
