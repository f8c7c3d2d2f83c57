"""Charts as ECharts options, with what they show in words. Pure: the drawing itself is done elsewhere.

Made for old eyes on small phones: on a canvas 1080 pixels wide no text is smaller than 28, colour is never the
only sign, and what is the reader's own stands in the picture as a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scoring.canvas import (
    FONT,
    INK,
    PAPER,
    QUIET,
    RED,
    RED_SOFT,
    RULE,
    TRACK,
    WIDTH,
    Chart,
    Language,
    frame,
    sentence,
    words,
)
from scoring.exact import printed
from scoring.meter import quorum

__all__ = ["Axis", "Chart", "Place", "quorum", "radar", "top_places"]

NAME_WIDTH = 38  # half Han widths that a name may take beside its score
HALF_HAN = 18  # pixels of one, in the type of the names
ROW, HEAD = 118, 220  # pixels of a place on a board, and of what stands above
NARROW = 720  # pixels of a chart for a phone's page


@dataclass(frozen=True, slots=True)
class Axis:
    """One direction of a radar: its name and the figure at its end, in hundredths."""

    label: str
    most: int


@dataclass(frozen=True, slots=True)
class Place:
    """One line of a board. score: hundredths. mark: said beside the name of the reader's own (`本支部`)."""

    rank: int
    name: str
    score: int
    mark: str = ""


def radar(
    title: str,
    axes: Sequence[Axis],
    own: Sequence[int],
    median: Sequence[int],
    *,
    own_label: str,
    median_label: str,
    subtitle: str = "",
    language: Language = "zh",
) -> Chart:
    """One organisation against the median of its field, in the directions of `axes` (three or more).

    own, median: hundredths, one per axis. Raises ValueError when the lengths differ or an axis has no length.
    """
    if not 3 <= len(axes) == len(own) == len(median) or any(axis.most <= 0 for axis in axes):
        raise ValueError("a radar needs three axes or more, each with a length and a figure of both")
    option = frame(title, subtitle)
    option["legend"] = _radar_legend(own_label, median_label)
    option["radar"] = _radar_grid(axes, own)
    option["series"] = [{"type": "radar", "data": _radar_series(own, median, own_label, median_label)}]
    own_words = [f"{a.label} {printed(v)} / {a.most // 100}" for a, v in zip(axes, own, strict=True)]
    median_words = [f"{a.label} {printed(v)}" for a, v in zip(axes, median, strict=True)]
    alt = [
        sentence(language, f"{title} {own_label}", own_words),
        sentence(language, median_label, median_words),
    ]
    return Chart(option, words(language, alt))


def _radar_grid(axes: Sequence[Axis], own: Sequence[int]) -> dict[str, Any]:
    # The figures stand on a line of their own under the name, so nobody has to read them off the rings.
    return {
        "center": ["50%", "56%"],
        "radius": "54%",
        "clockwise": True,
        "splitNumber": 4,
        "axisNameGap": 22,
        "indicator": [
            {
                "name": f"{axis.label}\n{{value|{printed(mine)}}}{{most| / {axis.most // 100}}}",
                "max": axis.most,
            }
            for axis, mine in zip(axes, own, strict=True)
        ],
        "axisName": {
            "color": INK,
            "fontFamily": FONT,
            "fontSize": 38,
            "lineHeight": 50,
            "rich": {
                "value": {"color": RED, "fontFamily": FONT, "fontSize": 42, "lineHeight": 50},
                "most": {"color": QUIET, "fontFamily": FONT, "fontSize": 32, "lineHeight": 50},
            },
        },
        "splitArea": {"show": True, "areaStyle": {"color": [PAPER, "#FBF5EA"]}},
        "splitLine": {"lineStyle": {"color": RULE, "width": 2}},
        "axisLine": {"lineStyle": {"color": RULE, "width": 2}},
    }


def _radar_legend(own_label: str, median_label: str) -> dict[str, Any]:
    return {
        "bottom": 48,
        "itemWidth": 30,
        "itemHeight": 30,
        "itemGap": 72,
        "selectedMode": False,
        "textStyle": {"fontFamily": FONT, "fontSize": 36, "color": INK},
        "data": [{"name": own_label, "icon": "circle"}, {"name": median_label, "icon": "rect"}],
    }


def _radar_series(
    own: Sequence[int], median: Sequence[int], own_label: str, median_label: str
) -> list[dict[str, Any]]:
    return [
        {
            "name": median_label,
            "value": list(median),
            "symbol": "rect",
            "symbolSize": 16,
            "itemStyle": {"color": QUIET},
            "lineStyle": {"color": QUIET, "width": 4, "type": "dashed"},
        },
        {
            "name": own_label,
            "value": list(own),
            "symbol": "circle",
            "symbolSize": 20,
            "itemStyle": {"color": RED},
            "lineStyle": {"color": RED, "width": 6},
            "areaStyle": {"color": RED, "opacity": 0.16},
        },
    ]


def place_height(count: int) -> int:
    """Pixels that a board of so many places is high."""
    return HEAD + ROW * count + 56


def top_places(
    title: str, places: Sequence[Place], *, subtitle: str = "", language: Language = "zh", narrow: bool = False
) -> Chart:
    """The best of a field as bars, in the order given: rank, name, score. Raises ValueError without any.

    narrow: for a page on a phone, where type of the same size takes more of the width.
    """
    if not places:
        raise ValueError("a board without places has no chart")
    option = frame(title, subtitle)
    option["grid"] = {"left": 150, "right": 84, "top": HEAD, "height": ROW * len(places)}
    option["xAxis"] = {"type": "value", "min": 0, "max": 100_00, "show": False}
    option["yAxis"] = {
        "type": "category",
        "inverse": True,
        "data": [_rank_label(place) for place in places],
        "axisLine": {"show": False},
        "axisTick": {"show": False},
        "axisLabel": {
            "margin": 34,
            "padding": [0, 0, 44, 0],
            "interval": 0,
            "fontFamily": FONT,
            "fontSize": 40,
            "color": QUIET,
            "rich": {"first": {"fontFamily": FONT, "fontSize": 46, "color": RED}},
        },
    }
    width = NARROW if narrow else WIDTH
    option["series"] = _bars(places, language, NAME_WIDTH - (WIDTH - width) // HALF_HAN)
    lines = [f"{p.rank} {p.name}{_mark(p, language)} {printed(p.score)}" for p in places]
    return Chart(option, sentence(language, title, lines), height=place_height(len(places)), width=width)


def _rank_label(place: Place) -> str:
    return f"{{first|{place.rank}}}" if place.rank <= 3 else str(place.rank)


def _mark(place: Place, language: Language) -> str:
    if not place.mark:
        return ""
    return f"（{place.mark}）" if language == "zh" else f" ({place.mark})"


def _shown(place: Place, language: Language, most: int) -> str:
    """The name and the mark in one line; a name that is too long loses its end, the mark never does."""
    mark = _mark(place, language)
    room = most - _width(mark)
    if _width(place.name) <= room:
        return place.name + mark
    shown = place.name
    while shown and _width(shown) > room - 2:
        shown = shown[:-1]
    return f"{shown}…{mark}"


def _width(text: str) -> int:
    """Half Han widths that `text` takes."""
    return sum(1 if char.isascii() else 2 for char in text)


def _bars(places: Sequence[Place], language: Language, room: int) -> list[dict[str, Any]]:
    """The bars with the names above them, and an empty series that carries the scores at the right edge."""
    bar = {"type": "bar", "barWidth": 24, "barGap": "-100%"}
    name = {"show": True, "position": [0, -54], "align": "left", "fontFamily": FONT, "fontSize": 36}
    figure = {"show": True, "position": "right", "align": "right", "fontFamily": FONT, "fontSize": 40}
    bars = [
        {
            "value": place.score,
            "name": place.name + _mark(place, language),  # whole: a live chart breaks it where its screen asks
            "itemStyle": {"color": RED if place.mark else RED_SOFT, "borderRadius": 12},
            "label": {**name, "formatter": _shown(place, language, room), "color": RED if place.mark else INK},
        }
        for place in places
    ]
    figures = [
        {
            "value": 100_00,
            "label": {
                **figure,
                "formatter": printed(place.score),
                "offset": [-6, -44],
                "color": RED if place.mark else INK,
            },
        }
        for place in places
    ]
    track = {"color": TRACK, "borderRadius": 12}
    return [
        {**bar, "data": figures, "itemStyle": track, "silent": True},
        {**bar, "data": bars},
    ]
