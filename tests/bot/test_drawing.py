"""Pictures: drawn in a process of their own, the same every time, and also after that process died."""

from __future__ import annotations

import asyncio
import io
import multiprocessing
import os
import select
import struct
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fontTools.ttLib import TTFont

from bot.drawing import ECHARTS, FONT, Drawing, DrawingError
from notices.channel import Picture
from scoring.charts import Axis, Chart, Place, quorum, radar, top_places

PNG = b"\x89PNG\r\n\x1a\n"
STORED = {7: ("image/jpeg", b"\xff\xd8 a stored picture")}


async def load_stored(picture_id: int) -> tuple[str, bytes]:
    return STORED[picture_id]


@pytest.fixture
async def drawing() -> AsyncIterator[Drawing]:
    one = Drawing(load_stored)
    yield one
    await one.close()


def picture(chart: Chart) -> Picture:
    return Picture("chart", chart.data(), chart.alt)


def board(name: str = "梁丰社区党支部") -> Picture:
    return picture(top_places("前十名", [Place(1, name, 9650), Place(2, "云盘社区党支部", 9513, "本支部")]))


def star(own: int = 1300) -> Picture:
    axes = [Axis("领导班子", 1500), Axis("党员队伍", 1500), Axis("领域特色", 4000)]
    labels = {"own_label": "本支部", "median_label": "同领域中位"}
    return picture(radar("梁丰社区党支部", axes, [own, 1050, 3100], [1150, 1100, 2600], **labels))


def size(png: bytes) -> tuple[int, int]:
    """Width and height as the PNG's own header says."""
    assert png.startswith(PNG)
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def workers() -> list[Any]:
    """The children that run. One that is gone may still be listed while the pool's own thread takes note of it."""
    return [child for child in multiprocessing.active_children() if _runs(child.pid)]


def _runs(pid: int | None) -> bool:
    try:
        os.kill(pid or 0, 0)
    except ProcessLookupError:
        return False
    return True


async def test_every_chart_is_a_png_of_its_own_size(drawing: Drawing) -> None:
    meter = quorum("到会", present=9, needed=11, eligible=21, state="还差 2 人")
    drawn = [await drawing.png(one) for one in (star(), board(), picture(meter))]
    assert [size(png) for png in drawn] == [(1080, 1080), (1080, 220 + 2 * 118 + 56), (1080, 900)]
    assert all(len(png) > 20_000 for png in drawn), "an empty sheet is smaller"


async def test_a_chart_without_a_size_is_a_square(drawing: Drawing) -> None:
    option = {"title": {"text": "空"}}
    assert size(await drawing.png(Picture("chart", {"option": option}, ""))) == (1080, 1080)


async def test_the_same_chart_is_the_same_picture_in_every_process(drawing: Drawing) -> None:
    first = await drawing.png(star())
    await drawing.close()
    assert workers() == []
    other = Drawing(load_stored)
    assert await other.png(star()) == first
    assert await other.png(star(own=1290)) != first
    await other.close()


async def test_names_are_drawn_and_not_boxes(drawing: Drawing) -> None:
    known, other, unknown, unknown_too = [
        await drawing.png(board(name)) for name in ("王璟", "王翀", "王\U0002b4e3", "王\U0002b9a2")
    ]
    assert known != other
    assert unknown == unknown_too, "two characters that the font has not are both a box"


async def test_the_second_time_nothing_is_drawn(drawing: Drawing) -> None:
    first = await drawing.png(star())
    for worker in workers():
        worker.kill()
        worker.join()
    assert await drawing.png(star()) is first
    assert workers() == []


async def test_the_cache_forgets_the_oldest_when_it_is_full(drawing: Drawing) -> None:
    first, second = await drawing.png(star()), await drawing.png(board())
    room_for_one = Drawing(load_stored, cache_bytes_max=max(len(first), len(second)))
    drawn = [await room_for_one.png(one) for one in (star(), board(), board(), star())]
    await room_for_one.close()
    assert drawn[1] is drawn[2]
    assert drawn[3] == drawn[0]
    assert drawn[3] is not drawn[0]


async def test_a_dead_worker_is_replaced(drawing: Drawing) -> None:
    await drawing.png(star())
    (worker,) = workers()
    worker.kill()
    worker.join()
    assert size(await drawing.png(board())) == (1080, 512)
    (replaced,) = workers()
    assert replaced.pid != worker.pid


async def test_many_pictures_at_once_take_one_worker(drawing: Drawing) -> None:
    drawn = await asyncio.gather(*(drawing.png(star(own)) for own in (1000, 1100, 1000, 1200)))
    assert drawn[0] is drawn[2]
    assert len(set(drawn)) == 3
    assert len(workers()) == 1


async def test_a_picture_that_takes_too_long_is_given_up_and_its_worker_ended() -> None:
    one = Drawing(load_stored, timeout_s=0.01)
    with pytest.raises(DrawingError, match=r"not drawn within 0\.01 s"):
        await one.png(star())
    for worker in workers():
        worker.join()
    await one.close()
    assert workers() == []


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (Picture("chart", {"option": 5}, ""), "chart: JSException"),
        (Picture("chart", {"option": {}, "width": 0}, ""), "at most 4096 pixels"),
        (Picture("chart", {"option": {}, "height": 4097}, ""), "at most 4096 pixels"),
        (Picture("chart", {}, ""), "chart: KeyError"),
        (Picture("qr", {"text": "x" * 5000}, ""), "qr: DataOverflowError"),
    ],
)
async def test_what_cannot_be_drawn_says_why_and_leaves_the_worker(
    drawing: Drawing, bad: Picture, reason: str
) -> None:
    with pytest.raises(DrawingError, match=reason):
        await drawing.png(bad)
    assert len(workers()) == 1


async def test_a_code_is_a_png_with_a_quiet_border(drawing: Drawing) -> None:
    code = await drawing.png(Picture("qr", {"text": "7K4M-29QD"}, ""))
    assert size(code) == ((21 + 8) * 16, (21 + 8) * 16)
    assert code != await drawing.png(Picture("qr", {"text": "7K4M-29QE"}, ""))


async def test_a_stored_picture_needs_no_worker(drawing: Drawing) -> None:
    assert await drawing.png(Picture("stored", {"id": 7}, "")) == STORED[7][1]
    with pytest.raises(LookupError):
        await drawing.png(Picture("stored", {"id": 8}, ""))
    assert workers() == []


async def test_closing_twice_or_before_the_first_picture_is_harmless() -> None:
    one = Drawing(load_stored)
    await one.close()
    await one.png(Picture("qr", {"text": "1"}, ""))
    await one.close()
    await one.close()
    assert workers() == []


ORPHAN = """
import asyncio, multiprocessing, sys
from bot.drawing import Drawing
from notices.channel import Picture

async def draw_and_wait():
    drawing = Drawing(None)
    await drawing.png(Picture("qr", {"text": "1"}, ""))
    print(multiprocessing.active_children()[0].pid, flush=True)
    await asyncio.Event().wait()

if __name__ == "__main__":
    asyncio.run(draw_and_wait())
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only Linux can wait for a stranger's process")
def test_a_worker_does_not_outlive_a_killed_service(tmp_path: Path) -> None:
    (tmp_path / "orphan.py").write_text(ORPHAN, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, tmp_path / "orphan.py"], stdout=subprocess.PIPE, env=environment
    ) as service:
        assert service.stdout is not None
        worker = os.pidfd_open(int(service.stdout.readline()))
        service.kill()
        ended, _, _ = select.select([worker], [], [], 20)
        os.close(worker)
    assert ended, "the worker is still there"


def test_the_font_holds_the_names_of_people_and_its_licence() -> None:
    with TTFont(io.BytesIO(FONT.read_bytes())) as font:
        characters = set(font.getBestCmap())
        licence = font["name"].getDebugName(13)
    assert {ord(char) for char in "璟翀頔喆犇梁丰（）…★→①"} <= characters
    assert all(code in characters for code in range(0x4E00, 0x9FA6)), "all common Han"
    assert "SIL Open Font License" in licence
    assert FONT.stat().st_size <= 5.3 * 2**20


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (FONT.parent / "OFL.txt", "SIL OPEN FONT LICENSE Version 1.1"),
        (ECHARTS.parent / "LICENSE", "Apache License"),
        (ECHARTS.parent / "NOTICE", "Apache ECharts"),
    ],
)
def test_what_is_not_ours_comes_with_its_licence(path: Path, words: str) -> None:
    assert words in path.read_text(encoding="utf-8")
