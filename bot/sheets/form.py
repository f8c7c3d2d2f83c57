"""The empty form: a row for every value that a department may hand in now, so that only numbers are missing."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import xlsxwriter
from sqlmodel import Session

from bot.sheets.read import COLUMNS
from bot.sheets.refusal import ROWS_MAX
from db import organizations, sheets
from db.organizations import Organization
from scoring.catalogue import shipped
from scoring.handing_in import closed_before
from scoring.items import CommonItem, Indicator, NegativeItem
from scoring.observed_scheme import shipped_observed


@dataclass(frozen=True, slots=True)
class FormRow:
    """One row to be filled in. wanted: what is asked, in words."""

    organization: str
    name: str
    indicator: str
    title: str
    period: str
    wanted: str


def form_rows(session: Session, *, member_id: int, node: Organization, today: date) -> list[FormRow]:
    """The rows of the department of this member at this node: each with the last period that has closed.

    No more than a sheet may have; what stands further down is reached with a smaller remit.
    """
    remit = sheets.remit_of(session, member_id)
    branches = organizations.branches_under(session, node.path)
    rows = (row for rule, period in _rules(remit, today) for row in _rows(rule, period, branches))
    return [row for row, _ in zip(rows, range(ROWS_MAX), strict=False)]


def _rules(remit: frozenset[str], today: date) -> Iterator[tuple[Indicator | CommonItem, str]]:
    catalogue, observed = shipped(), shipped_observed()
    for rule in catalogue.indicators:
        handed = rule.collect == "dept" or (rule.collect == "auto" and observed.of(rule.id) is None)
        period = closed_before(rule.period, today)
        if handed and (not remit or rule.id in remit) and rule.starts <= period.last:
            yield rule, period.text
    month = closed_before("monthly", today)
    for item in catalogue.common_on(month.last):
        if item.collected and observed.of(item.id) is None and (not remit or item.id in remit):
            yield item, month.text


def _rows(rule: Indicator | CommonItem, period: str, branches: Sequence[Organization]) -> Iterator[FormRow]:
    field = "all" if isinstance(rule, CommonItem) else rule.field
    if rule.statement:
        wanted = "是/否"
    else:
        wanted = f"≥{rule.required}" if isinstance(rule, CommonItem) else f"{rule.op}{rule.threshold}"
    for branch in branches:
        if field in ("all", branch.field):
            yield FormRow(branch.code, branch.name, rule.id, rule.title, period, wanted)


def negatives_of(remit: frozenset[str], today: date) -> list[NegativeItem]:
    """Items of the negative list that the department may hand in."""
    rows = {row.id: row for row in shipped().negatives if row.starts <= today and row.collect == "dept"}
    return [row for row in rows.values() if not remit or row.id in remit]


def drawn(rows: Sequence[FormRow], items: Sequence[NegativeItem]) -> bytes:
    """The workbook: the sheet to be filled in, and one that explains. Its cells are texts, never formulas."""
    made = io.BytesIO()
    book = xlsxwriter.Workbook(made, {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True})
    head, text = book.add_format({"bold": True, "bg_color": "#F3E9E2", "border": 1}), book.add_format()
    text.set_num_format("@")  # as text: a spreadsheet then makes no date of 2026-03
    sheet = book.add_worksheet("数据")
    sheet.freeze_panes(1, 0)
    titles = ("organization", "indicator", "period", "value", "note")
    header = [*(COLUMNS[name][0] for name in titles), "组织名称", "指标名称", "要求"]
    for place, (title, width) in enumerate(zip(header, (12, 10, 10, 10, 16, 28, 48, 10), strict=True)):
        sheet.set_column(place, place, width, text)
        sheet.write_string(0, place, title, head)
    for number, row in enumerate(rows, 1):
        cells = (row.organization, row.indicator, row.period, "", "", row.name, row.title, row.wanted)
        for place, cell in enumerate(cells):
            sheet.write_string(number, place, cell, text)
    more = book.add_worksheet("说明")
    more.set_column(0, 0, 90)
    lines = [
        "只填“数值”一列；没有的数留空。比率写小数：95% 写 0.95。是否题写 是 或 否。写 无 表示取消已报的数。",
        "负面清单：指标编号写条目编号，期间写日子（2026-03-14），数值写次数；改成 0 表示取消。可报的条目：",
        *(f"{item.id} {item.title}" for item in items),
    ]
    for number, line in enumerate(lines):
        more.write_string(number, 0, line)
    book.close()
    return made.getvalue()
