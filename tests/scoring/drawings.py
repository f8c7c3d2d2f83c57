"""Drawings that must not change by accident. `python -m tests.scoring.drawings` draws them anew, after a look."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scoring.charts import Axis, Chart, Place, quorum, radar, top_places
from scoring.star_card import star_card

FILE = Path(__file__).parent / "data" / "drawings.json"
AXES = [Axis("领导班子", 1500), Axis("党员队伍", 1500), Axis("领域特色", 4000)]
BOARD = [Place(1, "甲支部", 9650), Place(2, "乙支部", 9513, "本支部"), Place(2, "丙支部", 9513)]


def _radar(language: Any) -> Chart:
    return radar(
        "甲支部",
        AXES,
        [1300, 1050, 3100],
        [1150, 1100, 2600],
        own_label="本支部",
        median_label="同领域中位",
        subtitle="堡垒指数",
        language=language,
    )


def _meter(present: int, language: Any = "zh") -> Chart:
    return quorum(
        "到会", present=present, needed=11, eligible=21, state="还差 2 人", subtitle="党员大会", language=language
    )


def drawn() -> dict[str, dict[str, Any]]:
    """Every drawing by its name, as it is stored, with its words."""
    charts = {
        "radar": _radar("zh"),
        "radar in English": _radar("en"),
        "radar without a line below": radar("x", AXES, [0, 0, 0], [0, 0, 0], own_label="a", median_label="b"),
        "board": top_places("前十名", BOARD, subtitle="堡垒指数"),
        "board in English": top_places("TOP", BOARD, language="en"),
        "board for a phone": top_places(
            "前十名", [Place(1, "南门街道杨舍社区第一网格新业态新就业群体联合党支部", 9000, "本支部")], narrow=True
        ),
        "board of ten": top_places("x", [Place(n, f"{n} 支部", 10_000 - 7 * n) for n in range(1, 11)]),
        "meter of nobody": _meter(0),
        "meter below": _meter(10, "en"),
        "meter at the border": _meter(11),
        "meter of all": _meter(21),
        "card": star_card("2026", stars=3, score=7150, state="三星", subtitle="甲支部"),
        "card without a star": star_card("2026", stars=0, score=0, state="no star", language="en"),
        "card of five": star_card("2026", stars=5, score=9900, state="五星"),
    }
    return {name: {"chart": chart.data(), "alt": chart.alt} for name, chart in charts.items()}


if __name__ == "__main__":
    FILE.write_text(json.dumps(drawn(), ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")
