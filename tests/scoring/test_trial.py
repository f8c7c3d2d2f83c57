"""What if: another rule on a stored year, with what is booked priced anew."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine
from sqlmodel import Session
from typer.testing import CliRunner

from bot.__main__ import app
from db import ledger, values
from db.city_columns import View
from scoring.catalogue import RULES, RulesError, shipped
from scoring.trial import Trial, run_trial
from scoring.trial_rules import tried_rules
from tests.cast import ALICE, BOB, CHARLIE, LIANGFENG, SUN
from tests.conftest import ZONE

DAY = date(2026, 6, 15)
NOW = datetime(2026, 6, 15, 4, tzinfo=UTC)


def changed(folder: Path, name: str, *pairs: tuple[str, str]) -> Path:
    """A copy of a shipped rule file in which each text is replaced once."""
    text = (RULES / name).read_text(encoding="utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


@pytest.fixture
def book(engine: Engine) -> Callable[..., None]:
    def write(member_id: int, rule_id: str, points: int, cause: str) -> None:
        with Session(engine) as session:
            ledger.book(
                session,
                member_id=member_id,
                rule_id=rule_id,
                cause=cause,
                points=points,
                hundredths=100 if points > 0 else -100,
                day=DAY,
                booked_at=NOW,
                terms_from=date(2000, 1, 1),
            )
            session.commit()

    return write


@pytest.fixture
def run(engine: Engine) -> Callable[[Path], Trial]:
    def trial(file: Path) -> Trial:
        with Session(engine) as session:
            return run_trial(session, View(DAY, ZONE), shipped(), tried_rules(file, 2026))

    return trial


def moved(trial: Trial) -> dict[int, tuple[int, int]]:
    return {one.key: (one.before, one.after) for one in trial.members.moved}


def test_another_price_counts_for_what_is_booked_and_for_what_was_taken_back(book, run, tmp_path):
    book(ALICE, "PB1", 2, "activity:1")
    book(ALICE, "PB1", 2, "activity:2")
    book(BOB, "PB1", 2, "activity:1")
    book(BOB, "PB1", -2, "undo:activity:1")
    trial = run(changed(tmp_path, "pioneer.toml", ("points = 2\ncap    = 30", "points = 3\ncap    = 30")))
    assert moved(trial) == {ALICE: (24_00, 26_00)}
    assert (trial.members.up, trial.members.down, trial.members.middle) == (1, 0, 2_00)


def test_grades_have_a_price_each(book, run, tmp_path):
    book(ALICE, "PB4", 8, "review:1")
    book(BOB, "PB4", 6, "review:1")
    book(CHARLIE, "PB4", 6, "review:1")
    book(CHARLIE, "PB4", -6, "undo:review:1")
    book(SUN, "PB4", 7, "review:1")  # no grade explains it: it keeps its points
    trial = run(
        changed(tmp_path, "pioneer.toml", ("excellent = 8, qualified = 6", "excellent = 8, qualified = 5"))
    )
    assert moved(trial) == {BOB: (26_00, 25_00)}
    assert trial.members.down == 1


def test_a_cap_and_a_band_move_scores_and_stars(book, run, tmp_path):
    for number in range(16):
        book(ALICE, "PB1", 2, f"activity:{number}")
    file = changed(
        tmp_path, "pioneer.toml", ("cap    = 30", "cap    = 31"), ("[60, 2], [0, 1]", "[51, 2], [0, 1]")
    )
    trial = run(file)
    assert moved(trial) == {ALICE: (50_00, 51_00)}
    assert dict(trial.members.stars) == {(1, 2): 1}


def test_terms_of_next_year_are_tried_as_if_they_held_already(book, run, tmp_path):
    book(ALICE, "PB1", 2, "activity:1")
    later = '\n[[rule.terms]]\nfrom = 2027-01-01\npoints = 5\ncap = 30\nstatus = "P"\nsource = "a proposal"\n\n[[rule.cases]]'
    text = (RULES / "pioneer.toml").read_text(encoding="utf-8").replace("\n[[rule.cases]]", later, 1)
    (tmp_path / "pioneer.toml").write_text(text, encoding="utf-8")
    assert moved(run(tmp_path / "pioneer.toml")) == {ALICE: (22_00, 25_00)}


def test_a_threshold_moves_months_and_colours(engine, run, tmp_path):
    with Session(engine) as session:
        for month in ("2026-03", "2026-04", "2026-05"):
            values.record(
                session,
                organization_id=LIANGFENG,
                indicator_id="C15",
                period=month,
                value="0.95",
                collect="auto",
                cause="test",
                recorded_at=NOW,
            )
        session.commit()
    text = (RULES / "org_power_indicators.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    row = next(line for line in text if line.startswith("C15,"))
    eased = row.replace(",1.00,", ",0.90,", 1).replace("0.9999", "0.8999")
    (tmp_path / "org_power_indicators.csv").write_text("".join(text).replace(row, eased), encoding="utf-8")
    trial = run(tmp_path / "org_power_indicators.csv")
    assert [(one.key, one.month, one.after - one.before) for one in trial.months.moved] == [
        (LIANGFENG, month, 20_00) for month in ("2026-03", "2026-04", "2026-05")
    ]
    assert [(one.month, one.colour, one.after) for one in trial.colours if one.organization_id == LIANGFENG] == [
        ("2026-03", "blue", ""),
        ("2026-04", "blue", ""),
        ("2026-05", "blue", ""),
        ("2026-05", "red", ""),
    ]


def test_the_shipped_rules_move_nobody(book, run):
    book(ALICE, "PB1", 2, "activity:1")
    trial = run(RULES / "pioneer.toml")
    assert (trial.members.moved, trial.branches.moved, trial.months.moved, trial.colours) == ([], [], [], [])


@pytest.mark.parametrize(
    ("name", "pair", "reason"),
    [
        ("pioneer.toml", ("cap    = 30", "kap    = 30"), "pioneer.toml: rule 1, terms 1, kap"),
        ("negative_list.csv", ("N01,", "N02,"), "negative_list.csv: N02: stands twice"),
    ],
)
def test_a_file_with_mistakes_is_refused_with_their_place(tmp_path, name, pair, reason):
    with pytest.raises(RulesError, match=reason):
        tried_rules(changed(tmp_path, name, pair), 2026)


def test_on_the_command_line(database_url, book, tmp_path, monkeypatch):
    book(ALICE, "PB1", 2, "activity:1")
    monkeypatch.setenv("HONGXIN_DATABASE_URL", database_url)
    file = changed(tmp_path, "pioneer.toml", ("points = 2\ncap    = 30", "points = 3\ncap    = 30"))
    told = CliRunner().invoke(app, ["rules", "try", str(file), "--year", "2026", "--out", str(tmp_path / "out")])
    assert told.exit_code == 0, told.output
    assert "members: 1 of 11 move, 1 up, 0 down" in told.stdout
    rows = (tmp_path / "out" / "members.csv").read_text(encoding="utf-8-sig").splitlines()
    assert rows == ["code,before,after,stars_before,stars_after", f"M{ALICE},22.00,23.00,1,1"]
    strange = tmp_path / "my_rules.toml"
    strange.write_text("", encoding="utf-8")
    refused = CliRunner().invoke(app, ["rules", "try", str(strange), "--year", "2026"])
    assert (refused.exit_code, refused.stderr.split(":")[0]) == (1, "my_rules.toml")
    assert CliRunner().invoke(app, ["rules", "try", str(file), "--year", "9000"]).exit_code == 2


def test_schemas_for_editors_name_every_key(tmp_path):
    told = CliRunner().invoke(app, ["rules", "schema", str(tmp_path)])
    assert told.exit_code == 0
    assert '"full_at"' in (tmp_path / "pioneer.toml.schema.json").read_text(encoding="utf-8")
