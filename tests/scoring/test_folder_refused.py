"""What `score` refuses, with file, line and reason."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scoring.conftest import EXAMPLES
from tests.scoring.folders import alter, score

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
