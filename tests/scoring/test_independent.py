"""The service's arithmetic against a second one that was written from the description alone."""

from __future__ import annotations

import csv
import functools
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.__main__ import app
from tests.scoring import independent, random_folder

FILES = ("pioneer.csv", "fortress.csv", "org_power.csv", "warnings.csv")
SEEDS = range(40)
KEYS = ("member_id", "org_id", "month", "colour")
Judged = Callable[[int], tuple[Path, date, dict[str, list[dict[str, str]]]]]


def told(path: Path) -> list[dict[str, str]]:
    """The rows of a result, without the sentence that is free."""
    with path.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    for row in found:
        assert row.pop("proof", "free") != ""
    return found


def ordered(table: list[dict[str, str]]) -> list[dict[str, str]]:
    return sorted(table, key=lambda row: [row.get(key, "") for key in KEYS])


def scored(data: Path, as_of: date, out: Path) -> dict[str, list[dict[str, str]]]:
    run = CliRunner().invoke(app, ["score", "--data", str(data), "--as-of", as_of.isoformat(), "--out", str(out)])
    assert run.exit_code == 0, run.output
    return {name: told(out / name) for name in FILES}


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """`judged(seed)`: a random folder, its day, and what the second arithmetic says of it; each computed once."""

    @functools.cache
    def of(seed: int) -> tuple[Path, date, dict[str, list[dict[str, str]]]]:
        data = tmp_path_factory.mktemp("data")
        as_of = random_folder.write(data, seed)
        return data, as_of, independent.score(data, as_of)

    return of


@pytest.mark.parametrize("seed", SEEDS)
def test_both_arithmetics_agree_to_the_last_hundredth(seed: int, judged: Judged, tmp_path: Path) -> None:
    data, as_of, expected = judged(seed)
    found = scored(data, as_of, tmp_path / "out")
    for name in FILES:
        assert ordered(found[name]) == ordered(expected[name]), f"{name} on {as_of}"


def test_chance_reaches_every_star_and_colour(judged: Judged) -> None:
    """What the comparison above is worth: all stars, vetoes, colours and causes occur in it."""
    seen: set[str] = set()
    for seed in SEEDS:
        _, _, results = judged(seed)
        seen |= {f"member {row['stars']}" for row in results["pioneer.csv"]}
        seen |= {f"branch {row['stars']} {row['veto']}" for row in results["fortress.csv"]}
        seen |= {row["colour"] for row in results["warnings.csv"]}
        seen |= {
            cause for row in results["warnings.csv"] for cause in row["reason"].split(";") if "bottom" in cause
        }
    stars = {f"branch {given} false" for given in range(1, 6)} | {f"member {given}" for given in range(6)}
    assert stars | {"branch 0 true", "blue", "yellow", "red", "bottom_10", "bottom_5"} <= seen
