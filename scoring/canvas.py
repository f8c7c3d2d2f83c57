"""The paper that every chart is drawn on: size, colours, title, and how figures become a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Language = Literal["zh", "en"]

WIDTH = 1080
RED, RED_SOFT, INK, QUIET = "#9B1C1C", "#D9A5A0", "#2A2321", "#6A5F58"
PAPER, RULE, TRACK, GREEN = "#FFFDF8", "#E4DBCD", "#F3ECE0", "#2F6B3A"
FONT = "Noto Sans CJK SC"


@dataclass(frozen=True, slots=True)
class Chart:
    """An ECharts option, the size of its canvas in pixels, and `alt`: what it shows, in words."""

    option: dict[str, Any]
    alt: str
    height: int = WIDTH
    width: int = WIDTH

    def data(self) -> dict[str, Any]:
        """What a picture of kind `chart` carries."""
        return {"option": self.option, "width": self.width, "height": self.height}


def sentence(language: Language, head: str, parts: Sequence[str]) -> str:
    """`head：a，b。` or `head: a, b.`"""
    if language == "zh":
        return f"{head}：{'，'.join(parts)}。"
    return f"{head}: {', '.join(parts)}."


def words(language: Language, sentences: Sequence[str]) -> str:
    """The sentences as one text."""
    return ("" if language == "zh" else " ").join(sentences)


def frame(title: str, subtitle: str) -> dict[str, Any]:
    """The option that every chart starts from: paper, font, title and the line under it."""
    return {
        "animation": False,
        "backgroundColor": PAPER,
        "textStyle": {"fontFamily": FONT, "color": INK, "fontSize": 32},
        "title": {
            "text": title,
            "subtext": subtitle,
            "left": 64,
            "top": 52,
            "itemGap": 16,
            "textStyle": {
                "fontFamily": FONT,
                "fontSize": 50,
                "color": INK,
                "width": WIDTH - 128,
                "overflow": "truncate",
            },
            "subtextStyle": {
                "fontFamily": FONT,
                "fontSize": 32,
                "color": QUIET,
                "width": WIDTH - 128,
                "overflow": "truncate",
            },
        },
    }
