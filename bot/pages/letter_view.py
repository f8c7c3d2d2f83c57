"""The page of a letter as elements: a bar, three figures, and tables. No colour says more than the words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from bot.pages.elements import box, text
from db.letter_counts import KINDS, BranchLine
from notices.letter_reports import Report, state_of
from notices.wording import Wording

NAMES_SHOWN = 100
SIZES = (18, 24, 30)  # pixels, as on the chat page


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look found. branches: (name, figures). missed, unread: rows of names below a header, or empty."""

    say: Wording
    report: Report
    branches: tuple[tuple[str, BranchLine], ...]
    missed: tuple[tuple[object, ...], ...]
    unread: tuple[tuple[object, ...], ...]


def denied(say: Wording) -> None:
    """The same page for a letter that is not there and for somebody who may not see it."""
    with box("main", "hx-main", role="main"):
        text("h1", say("letter_report.page_title"))
        text("p", say("letter_report.page_denied"))
        text("a", say("letter_report.page_chat"), "hx-button", href="/")


def draw(seen: Seen, letter_id: int, query: str, zone: ZoneInfo) -> None:
    """The whole page. query: what the demo needs in every address."""
    say, found = seen.say, seen.report
    with box("header", "hx-top", lang="zh-CN" if say.language == "zh" else say.language):
        with box("div"):
            text("h1", say("letter_report.page_title"))
            text("p", found.name, "hx-name", dir="auto")
        _sizes(say)
    with box("main", "hx-main"):
        _progress(say, found, zone)
        _tables(seen)
        with box("nav", "hx-links", aria_label=say("letter_report.page_title")):
            for kind in ("xlsx", "csv"):
                href = f"/letters/{letter_id}/table.{kind}{query}"
                text("a", say(f"letter_report.page_{kind}"), "hx-button", href=href, download="")
            text("a", say("letter_report.page_chat"), "hx-button", href=f"/{query}")


def _sizes(say: Wording) -> None:
    with box("div", "hx-sizes", role="group", aria_label=say("web.size_group")):
        for size in SIZES:
            attributes = {"data_size": str(size), "aria_label": say(f"web.size_{size}")}
            with box("button", f"hx-size hx-size-{size}", type="button", **attributes):
                text("span", say("web.size_letter"), aria_hidden="true")


def _progress(say: Wording, found: Report, zone: ZoneInfo) -> None:
    with box("section", "hx-progress", aria_label=say("letter_report.page_progress")):
        text("p", state_of(say, found), "hx-state", role="status")
        label = say("letter_report.page_progress")
        box("progress", "hx-bar", max="100", value=str(found.done_percent), aria_label=label)
        with box("dl", "hx-figures"):
            for name in ("sent", "read", "acked"):
                with box("div"):
                    text("dt", say(f"letter_report.page_{name}"))
                    text("dd", str(getattr(found, name)))
        reach = {"percent": found.reach_percent, "people": found.people, "unbound": found.unbound}
        text("p", say("letter_report.reach", **reach))
        if found.left_out:
            text("p", say("letter_report.left_out", count=found.left_out))
        if found.as_of is not None:
            text(
                "p", say("letter_report.as_of", time=found.as_of.astimezone(zone).strftime("%H:%M:%S")), "hx-soft"
            )
        text("p", say("letter_report.page_live"), "hx-soft")


def _tables(seen: Seen) -> None:
    say, found = seen.say, seen.report
    people = say("letter_report.page_count")
    states = [(say(f"letter_report.page_{kind}"), getattr(found, kind)) for kind in (*KINDS, "unbound")]
    _table(say("letter_report.page_states"), (say("letter_report.page_state"), people), states)
    _table(say("letter_report.page_channels"), (say("letter_report.page_channel"), people), found.channels)
    _table(say("letter_report.page_reasons"), (say("letter_report.page_reason"), people), found.reasons)
    if found.branches > 1:
        head = tuple(say(f"letter_report.page_{name}") for name in ("branch", "people", "sent", "unread", "reach"))
        rows = [
            (name, one.people, one.sent, one.sent - one.read, f"{100 * one.sent // one.people}%")
            for name, one in seen.branches
        ]
        shown, count = len(rows), found.branches
        note = say("letter_report.page_more", shown=shown, count=count) if shown < count else ""
        _table(say("letter_report.page_branches"), head, rows, note=note)
    for name, table in (("missed", seen.missed), ("not_read", seen.unread)):
        if len(table) > 1:
            _table(say(f"letter_report.page_{name}"), tuple(str(one) for one in table[0]), table[1:])


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[object]], *, note: str = "") -> None:
    """A table with its title; none without rows."""
    if not rows:
        return
    tall = "hx-tall" if len(rows) > len(KINDS) else ""
    with box("section", "hx-wide" if len(head) > 2 else tall):
        with box("table"):
            text("caption", title)
            with box("thead"), box("tr"):
                for one in head:
                    text("th", one, scope="col")
            with box("tbody"):
                for row in rows:
                    with box("tr"):
                        text("th", str(row[0]), scope="row", dir="auto")
                        for cell in row[1:]:
                            text("td", str(cell))
        if note:
            text("p", note, "hx-soft")
