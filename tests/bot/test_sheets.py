"""Reading a department's spreadsheet: whatever the bytes are, rows or a refusal."""

from __future__ import annotations

import contextlib
import csv
import io
import zipfile
from datetime import date

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sheets import Refusal, read
from bot.sheets.form import FormRow, drawn
from bot.sheets.refusal import COLUMNS_MAX, FILE_BYTES_MAX, ROWS_MAX
from notices.cells import csv_bytes, safe_cell
from scoring.sheet_rows import Line

HEADER = ["组织编号", "指标编号", "期间", "数值", "备注"]


def table(*rows, header=HEADER, encoding="utf-8"):
    made = io.StringIO()
    csv.writer(made).writerows([header, *rows])
    return made.getvalue().encode(encoding)


def workbook(fill, titles=("数据",)):
    """An xlsx; `fill(sheets, book)` writes into it, the header stands in the first sheet."""
    made = io.BytesIO()
    book = xlsxwriter.Workbook(made)
    sheets = [book.add_worksheet(title) for title in titles]
    sheets[0].write_row(0, 0, HEADER)
    fill(sheets, book)
    book.close()
    return made.getvalue()


def repacked(content, change):
    """The same xlsx with its parts changed by `change(parts)`."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    change(parts)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, part in parts.items():
            packed.writestr(name, part)
    return made.getvalue()


def good(sheets, _book):
    sheets[0].write_row(1, 0, ["B10", "UC04", "2026-05", 0.95, "热线"])


def refused(content):
    with pytest.raises(Refusal) as caught:
        read(content)
    return caught.value.why


def test_a_csv_and_a_workbook_say_the_same():
    row = ["B10", "UC04", "2026-05", "0.95", "热线"]
    expected = [Line(2, *row)]
    assert read(table(row)).lines == expected
    assert read(b"\xef\xbb\xbf" + table(row)).lines == expected
    assert read(workbook(good)).lines == expected
    english = ["Organization", "indicator", "period", "value", "note"]
    assert read(table(row, header=english)).lines == expected


def test_gbk_is_read_and_said():
    found = read(table(["B10", "UC04", "2026-05", "0.95", "热线"], encoding="gbk"))
    assert (found.gbk, found.lines[0].note) == (True, "热线")
    assert read(table(["B10", "UC04", "2026-05", "1", ""])).gbk is False


def test_rows_without_a_value_say_nothing():
    found = read(
        table(["B10", "UC04", "2026-05", "", ""], ["", "", "", "", ""], ["B20", "UC04", "2026-05", "1", ""])
    )
    assert ([line.number for line in found.lines], found.blank) == ([4], 1)
    assert refused(table(["B10", "UC04", "2026-05", "", ""])) == "all_blank"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b" \n ", "empty"),
        (table(["B10"], header=["组织编号", "指标编号", "期间"]), "header"),
        (table(["B10"], header=[*HEADER, "金额"]), "column"),
        (table(["B10"], header=[*HEADER, "数值"]), "column_twice"),
        (table(), "no_rows"),
        (table(["x"] * (COLUMNS_MAX + 1)), "columns"),
        (table(header=[str(n) for n in range(10_000)]), "columns"),
        (table(*[["B10", "UC04", "2026-05", "1", ""]] * (ROWS_MAX + 1)), "rows"),
        (table(["B10", "UC04", "2026-05", "1", ""]).replace(b",", b"\t"), "column"),
        ("组织编号,指标编号".encode("utf-16"), "encoding"),
        (b"\xff\xff\xff\xff", "encoding"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "locked"),
        (b"PK\x03\x04 and no more", "broken"),
        (b"x" * (FILE_BYTES_MAX + 1), "large"),
        (b'a"b\n"' + b"x" * 200_000, "broken"),
        (table(["B10", "UC04", "2026-05", "1", "said"]).replace(b"said", b'"said') * 2, "broken"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_none_of_ours_is_refused_with_its_own_reason(content, why):
    assert refused(content) == why


def test_as_many_rows_as_are_allowed_are_read():
    found = read(table(*[["B10", "UC04", "2026-05", "1", ""]] * ROWS_MAX))
    assert len(found.lines) == ROWS_MAX


def test_a_workbook_far_too_wide_or_long_is_refused_before_it_is_laid_out():
    def wide(sheets, _book):
        sheets[0].write(1, 10_000, "x")

    def long(sheets, _book):
        sheets[0].write(ROWS_MAX + 1, 0, "x")

    def formatted(sheets, book):
        good(sheets, book)
        sheets[0].write_blank(1_000_000, 10_000, None, book.add_format({"bold": True}))  # nothing in it

    assert refused(workbook(wide)) == "columns"
    assert refused(workbook(long)) == "rows"
    assert len(read(workbook(formatted)).lines) == 1


def test_a_zip_bomb_is_refused_whatever_its_list_of_contents_says():
    def blow_up(parts):
        parts["xl/media/picture.png"] = b"\0" * (51 * 2**20)

    bomb = repacked(workbook(good), blow_up)
    assert len(bomb) < FILE_BYTES_MAX
    assert refused(bomb) == "bomb"
    lying = bytearray(bomb)
    at = lying.rindex(b"xl/media/picture.png") - 46
    lying[at + 24 : at + 28] = (1000).to_bytes(4, "little")  # what it claims to unpack to
    assert refused(bytes(lying)) in ("bomb", "broken")


def test_a_password_a_missing_part_and_a_document_type_are_refused():
    marked = bytearray(workbook(good))
    for mark, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = marked.index(mark)
        marked[at + place] |= 1
    assert refused(bytes(marked)) == "locked"
    assert refused(repacked(workbook(good), lambda parts: parts.pop("xl/workbook.xml"))) == "broken"

    def entities(parts):
        name = "xl/worksheets/sheet1.xml"
        parts[name] = parts[name].replace(b"<worksheet", b'<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet', 1)

    assert refused(repacked(workbook(good), entities)) == "broken"


def test_of_several_sheets_the_one_with_data_must_be_clear():
    def both(sheets, book):
        good(sheets, book)
        sheets[1].write(0, 0, "x")

    assert refused(workbook(both, ("甲", "乙"))) == "sheets"
    assert len(read(workbook(both, ("数据", "乙"))).lines) == 1
    assert len(read(workbook(good, ("甲", "乙"))).lines) == 1
    assert refused(repacked(workbook(good, ("甲",)), _emptied)) == "empty"


def _emptied(parts):
    name = "xl/worksheets/sheet1.xml"
    begin, end = parts[name].index(b"<sheetData>"), parts[name].index(b"</sheetData>")
    parts[name] = parts[name][:begin] + b"<sheetData>" + parts[name][end:]


def test_formulas_and_dates_are_marked_and_numbers_come_as_they_were_typed():
    def fill(sheets, book):
        rows = sheets[0]
        for number in range(1, 7):
            rows.write_row(number, 0, ["B10", "UC04", "2026-05"])
        rows.write_formula(1, 3, "=1/2", None, 0.5)
        rows.write_datetime(2, 3, date(2026, 5, 1), book.add_format({"num_format": "m-d"}))
        rows.write_number(3, 3, 0.1 + 0.2)
        rows.write_number(4, 3, 0.95, book.add_format({"num_format": "0%"}))
        rows.write_boolean(5, 3, True)
        rows.write_number(6, 3, 1e-7)
        rows.write_datetime(6, 2, date(2026, 5, 1), book.add_format({"num_format": "yyyy-mm"}))

    found = read(workbook(fill)).lines
    assert [(line.value, line.odd) for line in found] == [
        ("0.5", "formula"),
        ("2026-05-01", "day"),
        ("0.3", ""),
        ("0.95", ""),
        ("true", ""),
        ("0.0000001", ""),
    ]
    assert found[5].period == "2026-05-01"


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\xef\xbb\xbf"]))
def test_no_bytes_crash_the_reader(content, start):
    with contextlib.suppress(Refusal):
        read(start + content)


WORKBOOK = workbook(good)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(WORKBOOK) - 1), st.binary(min_size=1, max_size=8))
def test_no_damaged_workbook_crashes_the_reader(place, piece):
    with contextlib.suppress(Refusal):
        read(WORKBOOK[:place] + piece + WORKBOOK[place + len(piece) :])


# ---- what goes out ---------------------------------------------------------------------------------------------


@given(st.text(max_size=20))
def test_no_exported_cell_begins_a_formula(text):
    cells = next(csv.reader(io.StringIO(csv_bytes([[text, "b"]]).decode("utf-8-sig"), newline="")))
    assert not cells[0].lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))
    assert safe_cell(text).removeprefix("'") == text or text.startswith("'")


def test_the_empty_form_can_be_read_back_and_holds_no_formula():
    rows = [FormRow("B10", "=cmd()", "UC04", "+诉求", "2026-05", ">=0.95")]
    content = drawn(rows, [])
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        assert b"<f" not in packed.read("xl/worksheets/sheet1.xml")
    assert refused(content) == "all_blank"
