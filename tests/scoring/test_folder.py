"""`score` on folders: the worked examples, what is accepted, and what is refused with file, line and reason."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from bot.__main__ import app
from scoring.catalogue import shipped
from scoring.folder import score_folder
from scoring.folder_reading import Membership, read_folder
from scoring.folder_writing import proof_of, write_scores
from scoring.pool import MonthRow
from scoring.ranks import Place

EXAMPLES = Path(__file__).parent / "data" / "folders"
RESULTS = ("pioneer.csv", "fortress.csv", "org_power.csv", "warnings.csv")
LAST_DAY = "2026-12-31"


def score(data: Path, out: Path, as_of: str = LAST_DAY) -> Result:
    return CliRunner().invoke(app, ["score", "--data", str(data), "--as-of", as_of, "--out", str(out)])


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a result in a fixed order; the proof is there, and its wording is free."""
    with path.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    for row in found:
        assert row.pop("proof", "free")
    return sorted(found, key=lambda row: list(row.values()))


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


def alter(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, "the test alters what is there"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def row_of(out: Path, name: str, which: str) -> dict[str, str]:
    return next(row for row in table(out / name) if which in row.values())


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


# ---- what is refused ---------------------------------------------------------------------------------------

REFUSED = [
    ("organizations.csv", "g1,二,soe,root,", "the id 'g1' stands twice"),
    ("organizations.csv", "o5,x,all,root,", "unknown field 'all'"),
    ("organizations.csv", "o5,x,soe,nobody,", "unknown parent_id 'nobody'"),
    ("organizations.csv", "o5,x,soe,root,2026-02-29", "'2026-02-29' is no day of the calendar"),
    ("organizations.csv", "o5,x,soe,root,2026-2-1", "'2026-2-1' is not a day of the form YYYY-MM-DD"),
    ("organizations.csv", ",x,soe,root,", "'' is no id"),
    ("organizations.csv", '"=1+1",x,soe,root,', "would be a formula"),
    ("organizations.csv", "o5,x,soe,root", "5 cells are needed, not 4"),
    ("organizations.csv", "o5,x,soe,root,,", "5 cells are needed, not 6"),
    ("members.csv", "p7,x,nobody,2026-01-01,,", "unknown org_id 'nobody'"),
    ("members.csv", "p7,x,g1,,,", "'' is not a day"),
    ("members.csv", "p7,x,g1,2026-01-01,2026-01-01,", "to_day 2026-01-01 is not after from_day 2026-01-01"),
    ("members.csv", "p7,x,g1,2028-01-02,2028-01-01,", "is not after from_day"),
    ("members.csv", "p7,x,g1,2026-01-01,,half", "unknown mode 'half'"),
    ("members.csv", "p7,x,g1,20260101,,", "'20260101' is not a day"),
    ("entries.csv", "nobody,PB1,2026-01-01,2,1", "unknown member_id 'nobody'"),
    ("entries.csv", "p1,PB9,2026-01-01,2,1", "unknown rule_id 'PB9'"),
    ("entries.csv", "p1,PB1,yesterday,2,1", "'yesterday' is not a day"),
    ("entries.csv", "p1,PB1,2026-01-01,NaN,1", "'NaN' is not a plain number"),
    ("entries.csv", "p1,PB1,2026-01-01,2,inf", "'inf' is not a plain number"),
    ("entries.csv", "p1,PB1,2026-01-01,2,1e1", "'1e1' is not a plain number"),
    ("entries.csv", "p1,PB1,2026-01-01,2,", "'' is not a plain number"),
    ("entries.csv", "p1,PB1,2026-01-01,2,1/2", "'1/2' is not a plain number"),
    ("entries.csv", 'p1,PB1,2026-01-01,2,"1,5"', "'1,5' is not a plain number"),
    ("entries.csv", "p1,PB1,2026-01-01,2,２", "is not a plain number"),
    ("entries.csv", "p1,PB1,2026-01-01,2,1_0", "'1_0' is not a plain number"),
    ("activities.csv", "y,nobody,branch,x,2026-01-01,1,1,true", "unknown org_id 'nobody'"),
    ("activities.csv", "y,g1,city,x,2026-01-01,1,1,true", "unknown scope 'city'"),
    ("activities.csv", "y,g1,branch,x,2026-01-01,1,1,yes", "'yes' is none of true, false, 1 and 0"),
    ("activities.csv", "y,g1,branch,x,2026-01-01,1,1,", "'' is none of true"),
    ("activities.csv", "y,g1,branch,x,2026-01-01,1.5,1,true", "'1.5' is not a whole number"),
    ("activities.csv", "y,g1,branch,x,2026-01-01,1,-1,true", "'-1' is not a number of people"),
    ("values.csv", "nobody,GI06,2026Q1,1", "unknown org_id 'nobody'"),
    ("values.csv", "g1,XX01,2026Q1,1", "unknown indicator_id 'XX01'"),
    ("values.csv", "g1,F02,2026-01,1", "unknown indicator_id 'F02'"),
    ("values.csv", "g1,GI06,2026H1,1", "'2026H1' is not a quarterly period"),
    ("values.csv", "g1,GI06,2026-03,1", "'2026-03' is not a quarterly period"),
    ("values.csv", "g1,GI06,2026Q5,1", "'2026Q5' is not a quarterly period"),
    ("values.csv", "g1,GI02,2026Q1,1", "'2026Q1' is not a yearly period"),
    ("values.csv", "g1,C02,2026-13,1", "'2026-13' is not a monthly period"),
    ("values.csv", "g1,F01,2026,1", "'2026' is not a monthly period"),
    ("values.csv", "g1,GI06,2026Q1,true", "'true' is not a plain number"),
    ("values.csv", "g1,GI06,2026Q1,1E2", "'1E2' is not a plain number"),
    ("values.csv", "g1,F01,2026-01,2", "'2' is none of true, false, 1 and 0"),
    ("values.csv", "g1,F01,2026-01,1.0", "'1.0' is none of true"),
    ("negatives.csv", "g1,N15,2026-01-01,1", "unknown item_id 'N15'"),
    ("negatives.csv", "nobody,N01,2026-01-01,1", "unknown org_id 'nobody'"),
    ("negatives.csv", "g1,N01,2026-01-01,x", "'x' is not a plain number"),
    ("appraisals.csv", "nobody,2026,1,1,1", "unknown org_id 'nobody'"),
    ("appraisals.csv", "g1,26,1,1,1", "'26' is not a yearly period"),
    ("appraisals.csv", "g1,2026,1,1,many", "'many' is not a plain number"),
    ("entries.csv", f"{'p' * 40},PB1,2026-01-01,2,1", f"unknown member_id '{'p' * 40}'\n"),
    ("entries.csv", f"{'p' * 41},PB1,2026-01-01,2,1", f"unknown member_id '{'p' * 39}…'\n"),
    ("entries.csv", 'p1,PB1,2026-01-01,"2"x,1', "',' expected after '\"'"),
]


@pytest.mark.parametrize(("name", "row", "reason"), REFUSED, ids=lambda one: str(one)[:30])
def test_a_row_that_cannot_be_read_is_told_with_file_and_line(
    name: str, row: str, reason: str, add: Callable[[str, str], int], folder: Path, tmp_path: Path
) -> None:
    line = add(name, row)
    done = score(folder, tmp_path / "out")
    assert done.exit_code == 2
    assert f"{name}, line {line}: " in done.stderr
    assert reason in done.stderr
    assert not (tmp_path / "out").exists(), "nothing is written"


def test_every_mistake_of_a_file_is_told_at_once_but_no_endless_list(
    add: Callable[[str, str], int], folder: Path, tmp_path: Path
) -> None:
    for _ in range(60):
        add("entries.csv", "p1,PB1,2026-01-01,x,1")
    told = score(folder, tmp_path / "out").stderr.splitlines()
    assert len(told) == 51
    assert told[-1] == "entries.csv: and perhaps more, not read any further"


@pytest.mark.parametrize(
    "header", ["org_id,item_id,day", "org_id,day,item_id,count", "Org_id,item_id,day,count", ""]
)
def test_a_file_with_another_header_is_refused(header: str, folder: Path, tmp_path: Path) -> None:
    (folder / "negatives.csv").write_text(f"{header}\n", encoding="utf-8")
    done = score(folder, tmp_path / "out")
    assert (done.exit_code, done.stderr) == (
        2,
        "negatives.csv, line 1: the header must be org_id,item_id,day,count\n",
    )


def test_a_missing_file_another_encoding_and_an_open_quote_are_refused(folder: Path, tmp_path: Path) -> None:
    path = folder / "negatives.csv"
    whole = path.read_bytes()
    lines = len(whole.splitlines())
    path.unlink()
    done = score(folder, tmp_path / "out")
    assert (done.exit_code, done.stderr) == (2, "negatives.csv: is missing\n")
    path.write_bytes(whole + "g1,N01,2026-01-01,1\n二支部,N01,2026-01-01,1\n".encode("gbk"))
    done = score(folder, tmp_path / "out")
    assert (done.exit_code, done.stderr) == (2, f"negatives.csv, line {lines + 2}: is not UTF-8\n")
    path.write_bytes(whole + b'g1,"N01,2026-01-01,1\n')
    done = score(folder, tmp_path / "out")
    assert done.exit_code == 2
    assert f"negatives.csv, line {lines + 1}: " in done.stderr
    path.write_bytes(b'"org_id\n')
    done = score(folder, tmp_path / "out")
    assert (done.exit_code, done.stderr) == (2, "negatives.csv, line 1: unexpected end of data\n")
    path.write_bytes(b"")
    done = score(folder, tmp_path / "out")
    assert (done.exit_code, done.stderr) == (
        2,
        "negatives.csv, line 1: the header must be org_id,item_id,day,count\n",
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("as_of", ["", "2026-13-01", "20261231", "1999-12-31"])
def test_a_day_that_is_none_or_that_no_rule_knows_is_refused(as_of: str, tmp_path: Path) -> None:
    done = score(EXAMPLES / "2" / "data", tmp_path / "out", as_of)
    assert done.exit_code == 2
    assert done.stderr
    assert not (tmp_path / "out").exists()


def test_a_record_that_begins_before_the_rules_is_refused(
    add: Callable[[str, str], int], folder: Path, tmp_path: Path
) -> None:
    add("values.csv", "g1,C02,1999-12,1")
    done = score(folder, tmp_path / "out")
    assert (done.exit_code, done.stderr) == (2, "the organisational power index has no terms on 1999-12-31\n")


def test_a_refusal_leaves_older_results_as_they_are(
    add: Callable[[str, str], int], folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert score(folder, out).exit_code == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    add("entries.csv", "nobody,PB1,2026-01-01,2,1")
    assert score(folder, out).exit_code == 2
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    shutil.rmtree(out)
    out.write_text("a file where a folder is needed", encoding="utf-8")
    alter(folder / "entries.csv", "nobody,PB1", "p1,PB1")
    assert score(folder, out).exit_code == 2


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
