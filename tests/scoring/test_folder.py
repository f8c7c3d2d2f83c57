"""`score` on folders: the worked examples, and what is accepted."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from scoring.catalogue import shipped
from scoring.folder import score_folder
from scoring.folder_reading import Membership, read_folder
from scoring.folder_writing import proof_of, write_scores
from scoring.pool import MonthRow
from scoring.ranks import Place
from tests.scoring.conftest import EXAMPLES
from tests.scoring.folders import RESULTS, alter, row_of, score, table

# ---- the worked examples -----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["1", "2", "3"])
def test_every_worked_example_comes_out_to_the_last_hundredth(number: str, tmp_path: Path) -> None:
    example = EXAMPLES / number
    done = score(example / "data", tmp_path, (example / "data" / "as_of.txt").read_text(encoding="utf-8").strip())
    assert done.exit_code == 0, done.output
    for name in RESULTS:
        assert (tmp_path / name).read_text(encoding="utf-8").split("\n")[0] == (
            example / "expected" / name
        ).read_text(encoding="utf-8").splitlines()[0]
        assert table(tmp_path / name) == table(example / "expected" / name), name
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(RESULTS)


def test_a_mark_at_the_beginning_windows_lines_and_quotes_change_nothing(folder: Path, tmp_path: Path) -> None:
    for path in folder.glob("*.csv"):
        rows = path.read_text(encoding="utf-8").splitlines()
        quoted = [",".join(f'"{cell}"' for cell in row.split(",")) for row in rows]
        path.write_bytes(("\ufeff" + "\r\n".join([*quoted, "", ""])).encode())
    assert score(folder, tmp_path / "out").exit_code == 0
    for name in RESULTS:
        assert table(tmp_path / "out" / name) == table(EXAMPLES / "2" / "expected" / name)


def test_a_quoted_name_may_have_commas_and_lines(
    add: Callable[[str, str], int], folder: Path, tmp_path: Path
) -> None:
    add("organizations.csv", '"o9","a, ""b""\nc",,root,')
    assert score(folder, tmp_path / "out").exit_code == 0
    line = add("organizations.csv", "o8,x,village,root,")
    done = score(folder, tmp_path / "out")
    assert f"organizations.csv, line {line}: unknown field 'village'" in done.output


def test_the_later_of_two_rows_about_the_same_value_or_appraisal_counts(
    add: Callable[[str, str], int], folder: Path, tmp_path: Path
) -> None:
    add("values.csv", "g1,F01,2026-12,false")
    add("appraisals.csv", "g1,2026,,,")
    assert score(folder, tmp_path / "out").exit_code == 0
    row = row_of(tmp_path / "out", "fortress.csv", "g1")
    assert (row["common"], row["appraisal"], row["score"]) == ("26.00", "", "36.00")


def test_numbers_are_exact_however_long_they_are(
    add: Callable[[str, str], int], folder: Path, tmp_path: Path
) -> None:
    add("values.csv", f"g1,GI08,2026Q4,0.94{'9' * 90}")
    assert score(folder, tmp_path / "out").exit_code == 0
    assert row_of(tmp_path / "out", "fortress.csv", "g1")["specific"] == "16.00"
    add("values.csv", "g1,GI08,2026Q4,0.950000")
    assert score(folder, tmp_path / "out").exit_code == 0
    assert row_of(tmp_path / "out", "fortress.csv", "g1")["specific"] == "20.00"
    add("entries.csv", "p1,PB3,2026-06-01,0,0.25")
    assert score(folder, tmp_path / "out").exit_code == 0
    # 16.25 of 32 hours: 5.078125, and the two points of the activity.
    assert row_of(tmp_path / "out", "pioneer.csv", "p1")["base"] == "7.08"


@pytest.mark.parametrize("text", ["true", "TRUE", "True", "1"])
def test_yes_can_be_written_in_four_ways(
    text: str, add: Callable[[str, str], int], folder: Path, tmp_path: Path
) -> None:
    add("values.csv", f"g2,F01,2026-12,{text}")
    add("activities.csv", f"y1,g2,region,,2026-05-01,1,1,{text}")
    assert score(folder, tmp_path / "out").exit_code == 0
    row = row_of(tmp_path / "out", "fortress.csv", "g2")
    assert (row["common"], row["activities"]) == ("4.00", "1")


def test_the_mode_is_that_of_the_membership_begun_last(
    add: Callable[[str, str], int], folder: Path, tmp_path: Path
) -> None:
    add("members.csv", "p9,辛,g2,2020-01-01,2026-07-01,exempt")
    add("members.csv", "p9,辛,g3,2026-07-01,,")
    add("members.csv", "p8,庚,g2,2026-07-01,,exempt")
    add("members.csv", "p8,庚,g2,2020-01-01,2026-07-01,")
    done = score(folder, tmp_path / "out")
    assert done.exit_code == 0, done.output
    there = {row["member_id"] for row in table(tmp_path / "out" / "pioneer.csv")}
    assert "p9" in there
    assert "p8" not in there
    assert score(folder, tmp_path / "before", "2026-06-30").exit_code == 0
    there = {row["member_id"] for row in table(tmp_path / "before" / "pioneer.csv")}
    assert "p9" not in there
    assert "p8" in there


def test_what_comes_after_the_day_does_not_exist(
    add: Callable[[str, str], int], folder: Path, tmp_path: Path
) -> None:
    assert score(folder, tmp_path / "before", "2026-06-30").exit_code == 0
    for name, row in (
        ("entries.csv", "p1,PP1,2026-07-01,3,1"),
        ("activities.csv", "z1,g1,branch,party_lecture,2026-07-01,1,1,true"),
        ("values.csv", "g1,F01,2026-07,1"),
        ("values.csv", "g1,GI06,2026Q3,1"),
        ("negatives.csv", "g1,N03,2026-07-01,9"),
        ("organizations.csv", "late,x,soe,root,2026-07-01"),
        ("members.csv", "p7,x,g1,2026-07-01,,"),
    ):
        add(name, row)
    alter(folder / "members.csv", "p1,甲,g1,2000-07-01,,", "p1,甲,g1,2000-07-01,2026-07-01,")
    assert score(folder, tmp_path / "after", "2026-06-30").exit_code == 0
    for name in RESULTS:
        assert table(tmp_path / "before" / name) == table(tmp_path / "after" / name)


def test_a_proof_names_rank_unmet_indicators_and_negative_items(tmp_path: Path) -> None:
    at = Place(rank=10, n=12, lower=2)
    assert proof_of(MonthRow("2026-03", at)) == "2026-03: rank 10 of 12"
    assert proof_of(MonthRow("2026-03", at, ("C02", "SE03"))) == "2026-03: rank 10 of 12, unmet C02 SE03"
    assert proof_of(MonthRow("2026-03", at, (), ("N01", "N03"))) == "2026-03: rank 10 of 12, negative list N01 N03"
    assert proof_of(MonthRow("2026-03", at, ("C02",), ("N03",))) == (
        "2026-03: rank 10 of 12, unmet C02, negative list N03"
    )
    assert score(EXAMPLES / "3" / "data", tmp_path / "out", "2026-06-30").exit_code == 0
    with (tmp_path / "out" / "warnings.csv").open(encoding="utf-8", newline="") as file:
        red = next(row for row in csv.DictReader(file) if (row["colour"], row["month"]) == ("red", "2026-03"))
    assert [month.partition(":")[0] for month in red["proof"].split("; ")] == ["2026-01", "2026-02", "2026-03"]


def test_cases_of_one_month_add_up_in_both_indices(
    add: Callable[[str, str], int], folder: Path, tmp_path: Path
) -> None:
    def deducted(out: str) -> tuple[str, str]:
        assert score(folder, tmp_path / out).exit_code == 0
        with (tmp_path / out / "org_power.csv").open(encoding="utf-8", newline="") as file:
            month = next(row for row in csv.DictReader(file) if (row["org_id"], row["month"]) == ("g1", "2026-12"))
        return row_of(tmp_path / out, "fortress.csv", "g1")["deductions"], month["deduction"]

    add("values.csv", "g1,C02,2026-12,1")  # the record of the months begins with it
    before = deducted("before")
    for day in ("2026-12-01", "2026-12-31"):
        add("negatives.csv", f"g1,N04,{day},1")
    once = shipped().negatives_on("gov_institution", date(2026, 12, 31))
    points = next(-item.points for item in once if item.id == "N04")
    assert [float(one) for one in deducted("after")] == [float(one) + 2 * points for one in before]


def test_the_first_day_counts_and_an_empty_mode_is_the_normal_one(
    add: Callable[[str, str], int], folder: Path
) -> None:
    add("members.csv", "p7,x,g1,2026-06-30,2026-07-01,")
    add("members.csv", "p8,x,g1,2026-06-30,2026-12-01,rate")
    add("members.csv", "p9,x,g1,2026-07-01,,")
    before, after = (read_folder(folder, shipped(), date(2026, month, day)) for month, day in ((6, 30), (7, 1)))
    start = date(2026, 6, 30)
    assert before.members["p7"] == [Membership("g1", start, None, "normal")]
    assert after.members["p7"] == [Membership("g1", start, date(2026, 7, 1), "normal")]
    assert after.members["p8"] == [Membership("g1", start, None, "rate")]
    assert (before.members["p9"], [one.from_day for one in after.members["p9"]]) == ([], [date(2026, 7, 1)])


def test_duties_in_rate_mode_are_those_on_days_of_membership(
    add: Callable[[str, str], int], folder: Path, tmp_path: Path
) -> None:
    """Of five held in two branches three lie within a membership there, and two were attended: 30 x 2/3."""
    for row in ("q1,g2,branch,{},2026-03-31", "q2,g2,branch,{},2026-04-01", "q3,g2,branch,{},2026-04-30"):
        add("activities.csv", row.format("theme_party_day") + ",1,1,true")
    add("activities.csv", "q4,g2,branch,theme_party_day,2026-05-01,1,1,true")
    add("activities.csv", "q5,g3,branch,theme_party_day,2026-05-01,1,1,true")
    add("members.csv", "p9,x,g2,2026-04-01,2026-05-01,rate")
    add("members.csv", "p9,x,g3,2026-05-01,,rate")
    add("entries.csv", "p9,PB1,2026-04-01,2,1")
    add("entries.csv", "p9,PB1,2026-05-01,2,1")
    assert score(folder, tmp_path / "out").exit_code == 0
    assert row_of(tmp_path / "out", "pioneer.csv", "p9")["base"] == "20.00"


def test_results_are_plain_files_in_a_folder_that_is_made(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "a" / "b"
    counts = write_scores(score_folder(shipped(), read_folder(folder, shipped(), date(2026, 12, 31))), out)
    assert list(counts) == list(RESULTS)
    for name, count in counts.items():
        text = (out / name).read_bytes()
        assert b"\r" not in text
        assert text.endswith(b"\n")
        assert count == text.count(b"\n") - 1
    assert counts["pioneer.csv"] > 1


def test_a_result_that_cannot_be_put_in_place_leaves_nothing_unfinished(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "warnings.csv").mkdir(parents=True)
    assert score(folder, out).exit_code == 2
    assert [path.name for path in out.iterdir() if path.name.startswith(".")] == []


def test_a_record_over_the_new_year_keeps_its_streaks(tmp_path: Path) -> None:
    """A quarter that closed unmet in December is red in February, and the record has no gaps."""
    data = tmp_path / "data"
    shutil.copytree(EXAMPLES / "3" / "data", data)
    assert score(data, tmp_path / "out", "2026-02-28").exit_code == 0
    months = {row["month"] for row in table(tmp_path / "out" / "org_power.csv")}
    assert months == {"2025-12", "2026-01", "2026-02"}
    assert score(data, tmp_path / "later", "2026-06-30").exit_code == 0
    later = [row for row in table(tmp_path / "later" / "org_power.csv") if row["month"] <= "2026-02"]
    assert later == table(tmp_path / "out" / "org_power.csv"), "what was shown stays as it was shown"
    assert (
        date(2026, 6, 30).month == len({row["month"] for row in table(tmp_path / "later" / "org_power.csv")}) - 1
    )
