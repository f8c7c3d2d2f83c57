"""A letter's report as a table: a csv or an xlsx, of texts and numbers, never of formulas."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import xlsxwriter
from sqlmodel import Session

from db import letter_counts, receipts
from db.letters import Letter
from notices.cells import csv_bytes, safe_cell
from notices.letter_reports import Report, branch_lines, why_not
from notices.wording import Wording

BRANCHES_MAX = 20_000
PEOPLE_MAX = 20_000
Rows = Sequence[Sequence[object]]
PERCENT_FORM = "0%"
COUNTED = ("sent", "read", "acked", "mailbox", "waiting", "ambiguous", "not_sent")


@dataclass(frozen=True, slots=True)
class Percent:
    """A cell that a spreadsheet can reckon with, and that reads `42%` elsewhere."""

    hundredths: int

    def __str__(self) -> str:
        return f"{self.hundredths}%"


def branch_rows(session: Session, letter_id: int, say: Wording) -> Rows:
    """The header, then every branch with its figures, those with the lowest reach first."""
    head = [say(f"letter_report.page_{name}") for name in ("branch", "people", *COUNTED, "reach")]
    lines = branch_lines(session, letter_id, most=BRANCHES_MAX)
    return [
        head,
        *(
            [name, line.people, *(getattr(line, one) for one in COUNTED), Percent(100 * line.sent // line.people)]
            for name, line in lines
        ),
    ]


def missed_rows(session: Session, letter_id: int, say: Wording, day: date, *, most: int = PEOPLE_MAX) -> Rows:
    """The header, then by name who did not get it by `day`, and why. Only for those who may see names."""
    head = [say("letter_report.page_name"), say("letter_report.page_reason")]
    found = receipts.missed(session, letter_id, day, most=most)
    return [head, *([one.name, why_not(say, one.kind, one.state, one.reason)] for one in found)]


def unread_rows(session: Session, letter_id: int, say: Wording, *, most: int = PEOPLE_MAX) -> Rows:
    """The header, then by name who got the letter and has not read it. Only for those who may see names."""
    lines = receipts.lines(session, letter_id, only="unread", most=most, offset=0)
    return [[say("letter_report.page_name")], *([line.name] for line in lines)]


def sheets(
    session: Session, letter: Letter, found: Report, say: Wording, *, named_on: date | None
) -> dict[str, Rows]:
    """The sheets of the table by their titles: figures, channels, reasons, branches, and the people by name.

    named_on: today, for somebody who may see names; None leaves them out.
    """
    assert letter.id is not None
    people = say("letter_report.page_count")
    states: list[Sequence[object]] = [[say("letter_report.page_state"), people]]
    states += [
        [say(f"letter_report.page_{kind}"), getattr(found, kind)] for kind in (*letter_counts.KINDS, "unbound")
    ]
    if found.left_out:
        states.append([say("letter_report.page_left_out"), found.left_out])
    made: dict[str, Rows] = {
        say("letter_report.page_states"): states,
        say("letter_report.page_channels"): [[say("letter_report.page_channel"), people], *found.channels],
        say("letter_report.page_reasons"): [[say("letter_report.page_reason"), people], *found.reasons],
        say("letter_report.page_branches"): branch_rows(session, letter.id, say),
    }
    if named_on is not None:
        made[say("letter_report.page_missed")] = missed_rows(session, letter.id, say, named_on)
        made[say("letter_report.page_not_read")] = unread_rows(session, letter.id, say)
    return made


def as_csv(tables: dict[str, Rows]) -> bytes:
    """All tables below each other, each under its title."""
    rows: list[Sequence[object]] = []
    for title, table in tables.items():
        rows += [[title], *table, []]
    return csv_bytes(rows)


def as_xlsx(tables: dict[str, Rows]) -> bytes:
    """One sheet per table."""
    made = io.BytesIO()
    book = xlsxwriter.Workbook(made, {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True})
    bold, percent = book.add_format({"bold": True}), book.add_format({"num_format": PERCENT_FORM})
    for title, table in tables.items():
        sheet = book.add_worksheet(title[:31])
        sheet.set_column(0, 0, 30)
        for number, row in enumerate(table):
            for place, cell in enumerate(row):
                if isinstance(cell, Percent):
                    sheet.write_number(number, place, cell.hundredths / 100, percent)
                elif isinstance(cell, int):
                    sheet.write_number(number, place, cell)
                else:
                    sheet.write_string(number, place, safe_cell(str(cell)), *([bold] if number == 0 else []))
    book.close()
    return made.getvalue()
