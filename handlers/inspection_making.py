"""An inspector writes down what was found: branch, item, result, picture, place, words, and what visit it was."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal

from db import inspections, organizations
from handlers.conversation import Button, Context, Reply
from handlers.inspection_draft import Item, begun, confirm, covered, draft_of, drop, gone, items, paths, preview
from notices.said_inspections import is_rate, said_item, said_need
from scoring.items import Indicator, NegativeItem, read_value

FOUND_MAX = 5
PLACE_MAX, NOTE_MAX, NOTE_MIN = 60, 200, 4  # characters
CASES_MAX, CASES_OFFERED, FIGURE_MAX = 20, 5, 100_000
_FIGURE = re.compile(r"(\d{1,6}(?:\.\d{1,2})?)\s*(%?)(?:m2|平方米|平米|平|件|次|个|cases?)?")


def _new(ctx: Context, problem: str = "which_branch") -> Reply:
    text = ctx.say(f"inspections.{problem}", most=FOUND_MAX)
    return Reply(text, ask_location=True, expect="inspect:find", back="inspect")


def _find(ctx: Context) -> Reply:
    """What was typed, or the place that was shared, becomes up to FOUND_MAX branches to choose from."""
    word, point = " ".join(" ".join(ctx.args[1:]).split()), ctx.incoming.point
    if point is not None:
        found = inspections.near(ctx.session, paths(ctx), ctx.today, point, FOUND_MAX)
    elif word:
        found = organizations.search(ctx.session, paths(ctx), word, ctx.today, FOUND_MAX + 1)
    else:
        return _new(ctx)
    if not found:
        return _new(ctx, "none_near" if point is not None else "no_branch")
    buttons = tuple(Button(branch.name, f"inspect:branch:{branch.id}") for branch in found[:FOUND_MAX])
    name = "many_branches" if len(found) > FOUND_MAX else "choose_branch"
    return Reply(ctx.say(f"inspections.{name}", most=FOUND_MAX), buttons, expect="inspect:find", back="inspect")


def _branch(ctx: Context) -> Reply:
    """`branch:ID`: a branch of the own subtree; a fresh draft begins."""
    branch = organizations.find(ctx.session, ctx.arg_id(1))
    if branch is None or branch.id is None or not covered(ctx, branch):
        return _new(ctx, "no_branch")
    inspections.begin(ctx.session, member_id=ctx.me, organization_id=branch.id, now=ctx.now)
    return _ask_item(ctx)


def _ask_item(ctx: Context) -> Reply:
    found = draft_of(ctx)
    if found is None:
        return gone(ctx)
    listed = items(ctx, found[1]).values()
    buttons = tuple(Button(said_item(ctx.say, item), f"inspect:item:{item.id}") for item in listed)
    return Reply(ctx.say("inspections.which_item", branch=found[1].name), buttons, back="inspect:new")


def _item(ctx: Context) -> Reply:
    found = draft_of(ctx)
    if found is None:
        return gone(ctx)
    if ctx.arg(1) not in items(ctx, found[1]):
        return _ask_item(ctx)
    inspections.change(ctx.session, found[0], ctx.now, item_id=ctx.arg(1), value="", picture_id=None, visit="")
    return _ask_value(ctx)


def _ask_value(ctx: Context, problem: str = "") -> Reply:
    found = begun(ctx)
    if found is None:
        return gone(ctx)
    say, item = ctx.say, found[2]
    title, back = said_item(say, item), "inspect:ask_item"
    first = f"{problem}\n" if problem else ""
    if isinstance(item, NegativeItem):
        counts = range(1, CASES_OFFERED + 1)
        buttons = [Button(say("inspections.cases", count=one), f"inspect:value:{one}") for one in counts]
        text = first + say("inspections.how_many", title=title)
        return Reply(text, tuple(buttons), expect="inspect:value", back=back)
    if item.statement:
        yes = Button(say("inspections.met"), "inspect:value:true")
        no = Button(say("inspections.unmet"), "inspect:value:false")
        return Reply(first + say("inspections.is_it_met", title=title), (yes, no), back=back)
    name = "which_rate" if is_rate(item) else "which_figure"
    text = first + say(f"inspections.{name}", title=title, need=said_need(say, item))
    return Reply(text, expect="inspect:value", back=back)


def _value(ctx: Context) -> Reply:
    found = begun(ctx)
    if found is None:
        return gone(ctx)
    draft, _, item = found
    value = value_in(item, " ".join(ctx.args[1:]))
    if value is None:
        return _ask_value(ctx, ctx.say("inspections.value_unclear"))
    finding = True
    if isinstance(item, Indicator):
        finding = not item.is_met(read_value(value, statement=item.statement))
    inspections.change(ctx.session, draft, ctx.now, value=value, finding=finding)
    return _ask_picture(ctx)


def value_in(item: Item, text: str) -> str | None:
    """The value that was typed, as it is stored; None when it cannot be one. A rate is `95%` or `0.95`."""
    text = unicodedata.normalize("NFKC", text).strip().lower()
    if isinstance(item, Indicator) and item.statement:
        return text if text in ("true", "false") else None
    parts = _FIGURE.fullmatch(text)
    if parts is None:
        return None
    figure, percent = Decimal(parts[1]), bool(parts[2])
    if isinstance(item, NegativeItem):
        whole = not percent and figure == int(figure) and 1 <= figure <= CASES_MAX
        return str(int(figure)) if whole else None
    rate = is_rate(item)
    if percent and not rate:
        return None
    figure = figure / 100 if percent else figure
    return format(figure, "f") if figure <= (1 if rate else FIGURE_MAX) else None


def _ask_picture(ctx: Context, problem: str = "") -> Reply:
    found = begun(ctx)
    if found is None or not found[0].value:
        return gone(ctx)
    say, needed = ctx.say, found[0].finding
    text = say("inspections.picture_needed" if needed else "inspections.picture_wanted")
    skip = () if needed else (Button(say("inspections.no_picture"), "inspect:no_picture"),)
    text = f"{problem}\n{text}" if problem else text
    return Reply(text, skip, expect="inspect:picture", back="inspect:ask_value")


def _picture(ctx: Context) -> Reply:
    found = begun(ctx)
    if found is None or not found[0].value:
        return gone(ctx)
    skipped = ctx.arg() == "no_picture" and not found[0].finding
    if ctx.picture_id is None and not skipped:
        return _ask_picture(ctx, ctx.say("inspections.no_picture_came"))
    inspections.change(ctx.session, found[0], ctx.now, picture_id=ctx.picture_id)
    return _ask_place(ctx)


def _ask_place(ctx: Context, problem: str = "which_place") -> Reply:
    found = begun(ctx)
    if found is None:
        return gone(ctx)
    usual = found[1].place
    buttons = (Button(usual, "inspect:place_usual"),) if usual else ()
    text = ctx.say(f"inspections.{problem}", most=PLACE_MAX)
    return Reply(text, buttons, ask_location=True, expect="inspect:place", back="inspect:ask_picture")


def _place(ctx: Context) -> Reply:
    found = begun(ctx)
    if found is None:
        return gone(ctx)
    draft, branch, _ = found
    place = branch.place if ctx.arg() == "place_usual" else " ".join(" ".join(ctx.args[1:]).split())
    point = ctx.incoming.point
    if point is not None:
        place = place or ctx.say("inspections.shared_place")
    if not place or len(place) > PLACE_MAX:
        return _ask_place(ctx, "place_long" if place else "which_place")
    latitude, longitude = point or (None, None)
    inspections.change(ctx.session, draft, ctx.now, place=place, latitude=latitude, longitude=longitude)
    return _ask_note(ctx)


def _ask_note(ctx: Context, problem: str = "") -> Reply:
    found = begun(ctx)
    if found is None:
        return gone(ctx)
    needed = found[0].finding
    text = problem or ctx.say("inspections.note_needed" if needed else "inspections.note_wanted")
    skip = () if needed else (Button(ctx.say("inspections.no_note"), "inspect:no_note"),)
    return Reply(text, skip, expect="inspect:note", back="inspect:ask_place")


def _note(ctx: Context) -> Reply:
    found = begun(ctx)
    if found is None:
        return gone(ctx)
    note = "" if ctx.arg() == "no_note" else " ".join(" ".join(ctx.args[1:]).split())
    if found[0].finding and len(note) < NOTE_MIN:
        return _ask_note(ctx)
    if len(note) > NOTE_MAX:
        return _ask_note(ctx, ctx.say("inspections.note_long", most=NOTE_MAX))
    inspections.change(ctx.session, found[0], ctx.now, note=note)
    return _ask_visit(ctx)


def _ask_visit(ctx: Context) -> Reply:
    visits = [Button(ctx.say(f"inspections.visit_{one}"), f"inspect:visit:{one}") for one in ("open", "covert")]
    return Reply(ctx.say("inspections.which_visit"), tuple(visits), back="inspect:ask_note")


def _visit(ctx: Context) -> Reply:
    found = begun(ctx)
    if found is None or not found[0].place:
        return gone(ctx)
    if ctx.arg(1) not in ("open", "covert"):
        return _ask_visit(ctx)
    inspections.change(ctx.session, found[0], ctx.now, visit=ctx.arg(1))
    return preview(ctx)


STEPS: Mapping[str, Callable[[Context], Reply]] = {
    "new": _new,
    "find": _find,
    "branch": _branch,
    "ask_item": _ask_item,
    "item": _item,
    "ask_value": _ask_value,
    "value": _value,
    "ask_picture": _ask_picture,
    "picture": _picture,
    "no_picture": _picture,
    "ask_place": _ask_place,
    "place": _place,
    "place_usual": _place,
    "ask_note": _ask_note,
    "note": _note,
    "no_note": _note,
    "visit": _visit,
    "confirm": confirm,
    "drop": drop,
}
