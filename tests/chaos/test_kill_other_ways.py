"""The sending process is killed while it shows cards and posts into groups: one consent, one card; one day, one topic."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.chaos import ways
from tests.chaos.births import Births
from tests.chaos.conftest import Telling
from tests.chaos.killing import KILLS, Killing, told


def test_kills_spend_no_consent_twice_and_post_nothing_twice(
    births: Births, sqlite_template: Path, tmp_path: Path, telling: Telling
) -> None:
    filled = tmp_path / "filled.db"
    shutil.copy(sqlite_template, filled)
    ways.fill(filled)
    killing = Killing(births, filled, ways.judge, kills=20, at_each=2, what="ways")
    telling(told("cards and groups", killing.many(tmp_path, KILLS // 5)))
