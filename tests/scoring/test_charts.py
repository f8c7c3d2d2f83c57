"""The charts: large letters, exact figures, and everything that they show in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from scoring.charts import Axis, Chart, Place, quorum, radar, top_places
from scoring.star_card import star_card
from tests.scoring import drawings

AXES = [Axis("领导班子", 1500), Axis("党员队伍", 1500), Axis("领域特色", 4000)]
BOARD = [Place(1, "甲支部", 9650), Place(2, "乙支部", 9513, "本支部"), Place(2, "丙支部", 9513)]


def a_radar() -> Chart:
    return radar(
        "甲支部",
        AXES,
        [1300, 1050, 3100],
        [1150, 1100, 2600],
        own_label="本支部",
        median_label="同领域中位",
        subtitle="堡垒指数",
    )


def a_meter(present: int) -> Chart:
    return quorum("到会", present=present, needed=11, eligible=21, state="还差 2 人")


CHARTS = [a_radar(), top_places("前十名", BOARD, subtitle="堡垒指数"), a_meter(9)]


def every(option: Any, key: str) -> Iterator[Any]:
    if isinstance(option, dict):
        for name, value in option.items():
            if name == key:
                yield value
            yield from every(value, key)
    elif isinstance(option, list):
        for value in option:
            yield from every(value, key)


@pytest.mark.parametrize("chart", CHARTS)
def test_no_letter_is_smaller_than_28_on_1080(chart: Chart) -> None:
    sizes = list(every(chart.option, "fontSize"))
    assert len(sizes) > 3
    assert min(sizes) >= 28
    assert chart.width == 1080


@pytest.mark.parametrize("chart", CHARTS)
def test_an_option_survives_storage_unchanged(chart: Chart) -> None:
    assert json.loads(json.dumps(chart.data())) == chart.data()


STORED = json.loads(drawings.FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", STORED)
def test_a_drawing_changes_only_when_somebody_drew_it_anew(name: str) -> None:
    assert drawings.drawn()[name] == STORED[name], "meant so? python -m tests.scoring.drawings"


def test_every_drawing_is_stored() -> None:
    assert list(STORED) == sorted(drawings.drawn())


def test_the_radar_shows_own_figures_and_says_both() -> None:
    chart = a_radar()
    names = [one["name"] for one in chart.option["radar"]["indicator"]]
    assert names[2] == "领域特色\n{value|31.00}{most| / 40}"
    assert [one["max"] for one in chart.option["radar"]["indicator"]] == [1500, 1500, 4000]
    assert [one["value"] for one in chart.option["series"][0]["data"]] == [
        [1150, 1100, 2600],
        [1300, 1050, 3100],
    ]
    assert chart.alt == (
        "甲支部 本支部：领导班子 13.00 / 15，党员队伍 10.50 / 15，领域特色 31.00 / 40。"
        "同领域中位：领导班子 11.50，党员队伍 11.00，领域特色 26.00。"
    )


def test_the_words_of_a_chart_come_in_english_too() -> None:
    chart = radar(
        "Branch A",
        [Axis("a", 100), Axis("b", 100), Axis("c", 100)],
        [1, 2, 3],
        [4, 5, 6],
        own_label="own",
        median_label="median",
        language="en",
    )
    assert chart.alt == "Branch A own: a 0.01 / 1, b 0.02 / 1, c 0.03 / 1. median: a 0.04, b 0.05, c 0.06."
    board = top_places("TOP", [Place(1, "A", 9000, "own")], language="en")
    assert board.alt == "TOP: 1 A (own) 90.00."
    assert board.option["series"][1]["data"][0]["label"]["formatter"] == "A (own)"


@pytest.mark.parametrize(
    ("axes", "own", "median"),
    [
        (AXES[:2], [1, 2], [1, 2]),
        (AXES, [1, 2], [1, 2, 3]),
        (AXES, [1, 2, 3], [1, 2]),
        ([*AXES[:2], Axis("x", 0)], [1, 2, 3], [1, 2, 3]),
    ],
)
def test_a_radar_without_three_directions_is_refused(axes: Any, own: Any, median: Any) -> None:
    with pytest.raises(ValueError, match="three axes"):
        radar("x", axes, own, median, own_label="a", median_label="b")


def test_the_board_marks_the_readers_own_place_in_words() -> None:
    chart = top_places("前十名", BOARD)
    labels = [one["label"]["formatter"] for one in chart.option["series"][1]["data"]]
    assert labels == ["甲支部", "乙支部（本支部）", "丙支部"]
    assert chart.alt == "前十名：1 甲支部 96.50，2 乙支部（本支部） 95.13，2 丙支部 95.13。"


def test_a_long_name_is_cut_but_its_mark_stays_and_the_words_have_it_whole() -> None:
    name = "南门街道杨舍社区第一网格新业态新就业群体联合党支部"
    chart = top_places("前十名", [Place(1, name, 9000, "本支部")])
    shown = chart.option["series"][1]["data"][0]["label"]["formatter"]
    assert shown == "南门街道杨舍社区第一网格新…（本支部）"
    assert name in chart.alt
    exact = "一" * 19
    assert top_places("x", [Place(1, exact, 1)]).option["series"][1]["data"][0]["label"]["formatter"] == exact
    assert "…" in top_places("x", [Place(1, exact + "一", 1)]).option["series"][1]["data"][0]["label"]["formatter"]


def test_the_board_grows_with_its_places() -> None:
    one, three = top_places("x", BOARD[:1]), top_places("x", BOARD)
    assert three.height - one.height == 2 * 118
    with pytest.raises(ValueError, match="without places"):
        top_places("x", [])


def test_the_meter_changes_colour_and_words_at_the_quorum() -> None:
    before, at = a_meter(10), a_meter(11)
    colours = [chart.option["series"][0]["title"]["color"] for chart in (before, at)]
    assert colours[0] != colours[1]
    assert at.alt == "到会：11 / 21，还差 2 人。"


def test_a_meter_without_anybody_eligible_is_refused() -> None:
    assert quorum("x", present=1, needed=1, eligible=1, state="").alt
    assert quorum("x", present=0, needed=0, eligible=1, state="").alt
    with pytest.raises(ValueError, match=r"^a quorum needs somebody eligible, and no more than those$"):
        quorum("x", present=0, needed=-1, eligible=1, state="")
    with pytest.raises(ValueError, match="somebody eligible"):
        quorum("x", present=0, needed=0, eligible=0, state="")
    with pytest.raises(ValueError, match="no more than those"):
        quorum("x", present=0, needed=3, eligible=2, state="")


@pytest.mark.parametrize("stars", [-1, 6])
def test_a_card_has_between_no_star_and_five(stars: int) -> None:
    with pytest.raises(ValueError, match=r"^a card has between no star and five$"):
        star_card("x", stars=stars, score=0, state="")
