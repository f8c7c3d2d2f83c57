"""The address `/board`: what it shows without a login, and what it does not."""

from __future__ import annotations

import hashlib
import json
import re

import httpx
import pytest
from fastapi import FastAPI

from bot.drawing import ECHARTS, DrawingError
from bot.pages import board, live
from db.indices import OrgPowerIndex
from db.organizations import Organization
from tests import boards
from tests.cast import NOON
from tests.conftest import ZONE


@pytest.fixture
async def ask(writer, look):
    """GET an address of the page; pictures are drawn as their options."""

    async def draw(picture):
        if "行政村" in picture.alt:
            raise DrawingError("no")
        return json.dumps([picture.alt, picture.data], ensure_ascii=False).encode()

    app = FastAPI()
    app.include_router(live.router())
    app.include_router(board.router(writer.write, draw, clock=lambda: NOON, zone=ZONE, title="<港城>"))
    await look(boards.fill)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client.get


async def test_the_best_of_a_field_are_shown_to_everybody_and_nobody_else(ask):
    page = (await ask("/board?field=urban_community")).text
    assert page.count("<tr><td>") == 14, "of thirteen the upper half"
    assert "塘市街道南苑社区第二网格党支部委员会" in page
    assert "云盘社区" not in page
    assert "书记" not in page
    assert "&lt;港城&gt; 榜单" in page
    assert "当月红色预警或当年一票否决的组织不上组织力榜" in page


async def test_the_live_chart_is_the_option_of_the_picture_and_the_policy_knows_its_script(ask):
    page = await ask("/board?field=urban_community&month=2026-03")
    options = re.findall(r'<script type="application/json" class="hx-option">(.*?)</script>', page.text)
    alt, data = (await ask("/board/power.png?field=urban_community&month=2026-03")).json()
    assert alt.startswith("城市社区 组织力指数")
    assert json.loads(options[0]) == data
    assert f"'{live.INTEGRITY}'" in page.headers["content-security-policy"]
    for coding in ("gzip", "identity"):
        script = await ask(live.SOURCE, headers={"accept-encoding": coding})
        assert hashlib.sha256(script.content).digest() == hashlib.sha256(ECHARTS.read_bytes()).digest()
        assert script.headers.get("content-encoding", "identity") == coding
        assert "immutable" in script.headers["cache-control"]


@pytest.mark.parametrize(
    "path",
    ["/board?field=%3Cscript%3E&month=%3Cscript%3E&lang=%3Cscript%3E", "/board?field=soe", "/board?month=2026-05"],
)
async def test_what_does_not_exist_is_replaced_and_never_repeated(ask, path):
    answer = await ask(path)
    assert answer.status_code == 200
    assert "%3C" not in answer.text
    assert "<script>alert" not in answer.text
    assert "2026-05" not in answer.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/board/pioneer.png?field=urban_community", 404),
        ("/board/power.png?field=soe", 404),
        ("/board/fortress.png?field=urban_community&narrow=true", 200),
    ],
)
async def test_only_boards_that_exist_are_drawn(ask, path, status):
    assert (await ask(path)).status_code == status


async def test_a_month_that_is_not_published_is_not_shown(ask, look):
    def provisional(session):
        row = session.get(OrgPowerIndex, (501, "2026-04"))
        copy = {**row.model_dump(), "month": "2026-05", "score": 1}
        session.add(OrgPowerIndex(**copy))
        session.get(Organization, 501).name = "<b>第一</b>"

    await look(provisional)
    page = (await ask("/board?field=urban_community&month=2026-05")).text
    assert "2026年4月" in page
    assert "2026年5月" not in page
    assert "&lt;b&gt;第一" in page
    assert "<b>第一" not in page
    assert "\\u003cb>第一" in page, "in the option, too"
