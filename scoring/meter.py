"""The quorum meter: how many are present, against what a vote needs."""

from __future__ import annotations

from typing import Any

from scoring.canvas import FONT, GREEN, INK, QUIET, RED, TRACK, Chart, Language, frame, sentence


def quorum(
    title: str,
    *,
    present: int,
    needed: int,
    eligible: int,
    state: str,
    subtitle: str = "",
    language: Language = "zh",
) -> Chart:
    """How many are present of those who may vote, against what is needed.

    state: said under the figure (`够半数，可以表决` or `还差 2 人`). Raises ValueError without anybody eligible.
    """
    if eligible <= 0 or not 0 <= needed <= eligible:
        raise ValueError("a quorum needs somebody eligible, and no more than those")
    reached = present >= needed
    colour = GREEN if reached else RED
    option = frame(title, subtitle)
    dial = _dial(eligible)
    option["series"] = [
        {
            **dial,
            "axisLine": {"roundCap": True, "lineStyle": {"width": 64, "color": [[1, TRACK]]}},
            "progress": {"show": True, "roundCap": True, "width": 64, "itemStyle": {"color": colour}},
            "data": [{"value": min(present, eligible), "name": state}],
            "title": {"offsetCenter": [0, "42%"], "fontFamily": FONT, "fontSize": 44, "color": colour},
            "detail": {
                "offsetCenter": [0, "4%"],
                "formatter": f"{{now|{present}}}{{all| / {eligible}}}",
                "rich": {
                    "now": {"fontFamily": FONT, "fontSize": 150, "color": INK},
                    "all": {"fontFamily": FONT, "fontSize": 60, "color": QUIET},
                },
            },
        },
        _needed_mark(dial, needed),
    ]
    return Chart(option, sentence(language, title, [f"{present} / {eligible}", state]), height=900)


def _dial(eligible: int) -> dict[str, Any]:
    """What the ring and the mark across it have in common."""
    return {
        "type": "gauge",
        "center": ["50%", "64%"],
        "radius": "74%",
        "startAngle": 210,
        "endAngle": -30,
        "min": 0,
        "max": eligible,
        "pointer": {"show": False},
        "axisTick": {"show": False},
        "splitLine": {"show": False},
        "axisLabel": {"show": False},
        "anchor": {"show": False},
    }


def _needed_mark(dial: dict[str, Any], needed: int) -> dict[str, Any]:
    """A dark line across the ring where the quorum is reached, as a pointer of a second, empty dial."""
    return {
        **dial,
        "axisLine": {"show": False},
        "progress": {"show": False},
        "pointer": {
            "show": True,
            "icon": "rect",
            "width": 8,
            "length": 92,
            "offsetCenter": [0, "-76%"],
            "itemStyle": {"color": INK},
        },
        "title": {"show": False},
        "detail": {"show": False},
        "data": [{"value": needed}],
    }
