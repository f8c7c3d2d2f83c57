"""The empty workbook that an operator fills in."""

from __future__ import annotations

from pathlib import Path

import xlsxwriter

from bot.roll.columns import SHEETS
from bot.roll.read import Refusal


def write_template(path: Path) -> None:
    """Write a workbook with the three sheets, their headers, and one example row each to be overwritten.

    Raises Refusal when something stands there already, or OSError.
    """
    if path.suffix.lower() != ".xlsx":
        raise Refusal(f"{path}: the template is a workbook, give a name that ends in .xlsx")
    if path.exists():
        raise Refusal(f"{path} exists already")
    path.touch()  # says at once where nothing can be written
    book = xlsxwriter.Workbook(str(path))
    head = book.add_format({"bold": True, "bg_color": "#F3E9E2", "border": 1})
    grey = book.add_format({"italic": True, "font_color": "#666666"})
    for title, columns in SHEETS.values():
        sheet = book.add_worksheet(title)
        sheet.freeze_panes(1, 0)
        for place, column in enumerate(columns):
            sheet.set_column(place, place, max(12, 2 * len(column.chinese) + 4))
            sheet.write_string(0, place, column.chinese + ("*" if column.needed else ""), head)
            sheet.write_string(1, place, column.example, grey)
            if column.words:
                choices = [word for word in column.words if not word.isascii()]
                sheet.data_validation(1, place, 100_000, place, {"validate": "list", "source": choices})
    book.close()
