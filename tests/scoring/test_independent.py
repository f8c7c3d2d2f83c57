"""The service's arithmetic against a second one that was written from the description alone."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.__main__ import app
from tests.scoring import independent, random_folder

FILES = ("pioneer.csv", "fortress.csv", "org_power.csv", "warnings.csv")
KEYS = ("member_id", "org_id", "month", "colour")


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


@pytest.mark.parametrize("seed", range(40))
def test_both_arithmetics_agree_to_the_last_hundredth(seed: int, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    as_of = random_folder.write(data, seed)
    expected = independent.score(data, as_of)
    found = scored(data, as_of, tmp_path / "out")
    for name in FILES:
        assert ordered(found[name]) == ordered(expected[name]), f"{name} on {as_of}"


def test_chance_reaches_every_star_and_colour(tmp_path: Path) -> None:
    """What the comparison above is worth: all stars, vetoes, colours and causes occur in it."""
    seen: set[str] = set()
    for seed in range(40):
        data = tmp_path / str(seed)
        data.mkdir()
        results = independent.score(data, random_folder.write(data, seed))
        seen |= {f"member {row['stars']}" for row in results["pioneer.csv"]}
        seen |= {f"branch {row['stars']} {row['veto']}" for row in results["fortress.csv"]}
        seen |= {row["colour"] for row in results["warnings.csv"]}
        seen |= {
            cause for row in results["warnings.csv"] for cause in row["reason"].split(";") if "bottom" in cause
        }
    stars = {f"branch {given} false" for given in range(1, 6)} | {f"member {given}" for given in range(6)}
    assert stars | {"branch 0 true", "blue", "yellow", "red", "bottom_10", "bottom_5"} <= seen
