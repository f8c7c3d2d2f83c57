"""The board page as HTML: charts for the eye, and under each a table with everything that it shows.

A chart is a picture; the script draws the same option live in its place, sharp and in the chosen size of type.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import urlencode

from bot.pages import live
from db.organizations import FIELDS
from notices.boards import Board
from notices.said_pool import month_end, said_month
from notices.wording import Wording, two_places
from scoring.canvas import WIDTH
from scoring.catalogue import shipped
from scoring.charts import NARROW, place_height

STATIC = Path(__file__).parent / "static"
STYLE = (STATIC / "boards.css").read_text(encoding="utf-8")
SCRIPT = live.SCRIPT + "".join((STATIC / name).read_text(encoding="utf-8") for name in ("size.js", "boards.js"))
SIZES = (18, 24, 30)  # pixels, as on the chat page
PHONE_MAX = 600  # pixels of a page that gets the picture for phones


@dataclass(frozen=True, slots=True)
class Shown:
    """What one page shows. boards: those of the field that have anybody on them."""

    say: Wording
    title: str
    field: str
    month: str | None
    months: tuple[str, ...]
    boards: tuple[Board, ...]

    def address(self, path: str = "/board", **more: str) -> str:
        """The address of this page or of a picture of it, with some of it replaced."""
        query = {"field": self.field, "month": self.month or "", "lang": self.say.language, **more}
        return f"{path}?{urlencode({name: value for name, value in query.items() if value})}"


def page(shown: Shown) -> str:
    """The whole page."""
    say = shown.say
    lang = "zh-CN" if say.language == "zh" else say.language
    title = escape(say("board.page_title", city=shown.title))
    boards = "".join(_section(shown, one) for one in shown.boards) or f"<p>{escape(say('board.empty'))}</p>"
    return (
        f'<!DOCTYPE html><html lang="{lang}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">'
        f"<title>{title}</title><style>{STYLE}</style><script>{SCRIPT}</script></head><body>"
        f"<header><h1>{title}</h1>{_sizes(say)}</header>"
        f"<nav>{_fields(shown)}{_months(shown)}</nav><main>{boards}</main>{_foot(shown)}</body></html>"
    )


def _sizes(say: Wording) -> str:
    letter = escape(say("web.size_letter"))
    buttons = "".join(
        f'<button type="button" class="hx-size hx-size-{size}" data-size="{size}" '
        f'aria-label="{escape(say(f"web.size_{size}"))}"><span aria-hidden="true">{letter}</span></button>'
        for size in SIZES
    )
    return f'<div class="hx-sizes" role="group" aria-label="{escape(say("web.size_group"))}">{buttons}</div>'


def _fields(shown: Shown) -> str:
    items = "".join(
        f'<li><a href="{escape(shown.address(field=field))}"{_current(field == shown.field)}>'
        f"{escape(shown.say(f'fields.{field}'))}</a></li>"
        for field in FIELDS
    )
    return f'<ul class="hx-fields" aria-label="{escape(shown.say("board.page_fields"))}">{items}</ul>'


def _current(is_it: bool) -> str:
    return ' aria-current="page"' if is_it else ""


def _months(shown: Shown) -> str:
    """The chooser is a form: it works without a script."""
    say = shown.say
    if not shown.months:
        return ""
    options = "".join(
        f'<option value="{month}"{" selected" if month == shown.month else ""}>'
        f"{escape(said_month(say, month))}</option>"
        for month in shown.months
    )
    label = escape(say("board.page_month"))
    return (
        f'<form class="hx-months" method="get" action="/board"><label for="month">{label}</label>'
        f'<input type="hidden" name="field" value="{shown.field}"><input type="hidden" name="lang" '
        f'value="{say.language}"><select id="month" name="month">{options}</select>'
        f'<button type="submit">{escape(say("board.page_see"))}</button></form>'
    )


def _section(shown: Shown, board: Board) -> str:
    say = shown.say
    head = escape(
        say(f"board.head_{board.kind}", field=say(f"fields.{board.field}"), when=board.when).rstrip("：:")
    )
    path, option = f"/board/{board.kind}.png", live.embedded(board.chart(say).data())
    height = place_height(len(board.places))
    wide, narrow = escape(shown.address(path)), escape(shown.address(path, narrow="true"))
    more = f"<p>{escape(say('board.equal'))}</p>" if board.more else ""
    rows = "".join(
        f"<tr><td>{one.rank}</td><td>{escape(one.name)}</td><td>{two_places(one.score)}</td></tr>"
        for one in board.places
    )
    columns = "".join(
        f'<th scope="col">{escape(say(f"board.page_{name}"))}</th>' for name in ("rank", "name", "score")
    )
    # The table says all that the picture shows, so the picture needs no words of its own.
    return (
        f'<section aria-labelledby="{board.kind}"><h2 id="{board.kind}">{escape(head)}</h2><picture>'
        f'<source media="(max-width: {PHONE_MAX}px)" srcset="{narrow}" width="{NARROW}" height="{height}">'
        f'<img src="{wide}" width="{WIDTH}" height="{height}" alt=""></picture>{option}'
        f"<table><caption>{escape(say('board.page_table'))}</caption><thead><tr>{columns}</tr></thead>"
        f"<tbody>{rows}</tbody></table>{more}</section>"
    )


def _foot(shown: Shown) -> str:
    """What the boards leave out, when a month comes out, and the other language."""
    say = shown.say
    terms = shipped().org_power
    on = terms.terms_on(month_end(shown.month)) if shown.month else terms.terms[-1]
    colours = say("pool.between").join(say(f"pool.{one}") for one in on.board.left_out)
    other = "en" if say.language == "zh" else "zh"
    words = say("board.page_rule", places=on.board.places, colours=colours, day=on.deadlines.lock_day + 1)
    link = f'<a href="{escape(shown.address(lang=other))}" lang="{other}">{escape(say("board.page_other"))}</a>'
    return f"<footer><p>{escape(words)}</p><p>{link}</p></footer>"
