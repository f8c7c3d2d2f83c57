"""The star card: the stars of one year, large enough to be read across a table."""

from __future__ import annotations

from math import cos, pi, sin
from typing import Any

from scoring.canvas import FONT, INK, QUIET, RED, TRACK, WIDTH, Chart, Language, frame, sentence
from scoring.exact import printed

HEIGHT, STARS_MAX = 760, 5
RADIUS, TOP = 84, 380  # pixels


def star_card(
    title: str, *, stars: int, score: int, state: str, subtitle: str = "", language: Language = "zh"
) -> Chart:
    """A card with `stars` of five filled. score: hundredths. state: said under them. ValueError outside 0..5."""
    if not 0 <= stars <= STARS_MAX:
        raise ValueError("a card has between no star and five")
    option = frame(title, subtitle)
    gap = (WIDTH - 128) / STARS_MAX
    option["graphic"] = [
        {
            "type": "polygon",
            "shape": {"points": _star(64 + gap * (place + 0.5), TOP)},
            "style": {"fill": RED if place < stars else TRACK, "stroke": RED, "lineWidth": 4},
        }
        for place in range(STARS_MAX)
    ]
    option["graphic"] += [_words(state, 520, 60, INK), _words(printed(score), 620, 44, QUIET)]
    return Chart(option, sentence(language, title, [state, printed(score)]), height=HEIGHT)


def _star(x: float, y: float) -> list[list[int]]:
    """The ten corners of a star around (x, y), in whole pixels."""
    points = []
    for corner in range(10):
        reach = RADIUS if corner % 2 == 0 else RADIUS * 0.42
        turn = pi * corner / 5 - pi / 2
        points.append([round(x + reach * cos(turn)), round(y + reach * sin(turn))])
    return points


def _words(text: str, top: int, size: int, colour: str) -> dict[str, Any]:
    return {
        "type": "text",
        "left": "center",
        "top": top,
        "style": {"text": text, "fill": colour, "font": f"{size}px {FONT}", "textAlign": "center"},
    }
