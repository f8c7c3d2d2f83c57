"""The board page in a real browser: readable on a phone and on a desk, by eye, by ear and without a script."""

from __future__ import annotations

import asyncio

import pytest

from tests.browser.conftest import DESKTOP, PHONE, Person, Server, Visit
from tests.browser.test_look import CONTRASTS

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
TARGETS = """() => Array.from(document.querySelectorAll("button, select, nav a, footer a"))
  .map((one) => one.getBoundingClientRect()).map(({ width, height, right }) => ({ width, height, right }))"""


async def _open(person: Person, path: str = "/board?field=urban_community") -> None:
    await person.page.goto(person.url + path, timeout=120_000)  # the first picture starts the worker
    assert await person.page.evaluate("[...document.images].every((one) => one.naturalWidth > 0)")


async def _drawn(person: Person, size: int) -> None:
    """Wait for both live charts, in this size of the text."""
    await person.page.locator(f".hx-live[data-drawn='{size}']").nth(1).wait_for()


@pytest.mark.parametrize("size", [18, 24, 30])
@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
async def test_it_is_readable_and_nothing_runs_out_of_the_screen(
    server: Server, visit: Visit, viewport: dict[str, int], size: int
) -> None:
    person = await visit(server, viewport)
    await _open(person)
    await person.page.click(f"[data-size='{size}']")
    await _drawn(person, size)
    assert await person.page.locator("picture:visible").count() == 0, "the live chart stands in its place"
    for text in await person.page.evaluate(CONTRASTS):
        assert text["ratio"] >= 4.5, text
        assert text["px"] >= min(size, 18), text
    assert await person.page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    for box in await person.page.evaluate(TARGETS):
        assert box["height"] >= (48 if size == 18 else 60), box
        assert box["right"] <= viewport["width"], box
    narrow = await person.page.evaluate("document.images[0].currentSrc.includes('narrow')")
    assert narrow is (viewport is PHONE)
    await person.picture(f"{'phone' if viewport is PHONE else 'desktop'}-board-{size}")


async def test_without_a_script_or_without_the_engine_the_picture_stays(server: Server, visit: Visit) -> None:
    person = await visit(server, rough=True)
    failed = asyncio.Event()
    person.page.on("requestfailed", lambda _request: failed.set())
    await person.page.route("**/echarts-*.js", lambda route: route.abort())
    await _open(person)
    await asyncio.wait_for(failed.wait(), 10)
    await person.page.wait_for_function("!document.querySelector('.hx-live')")
    assert await person.page.locator("picture:visible").count() == 2
    assert "<noscript" not in await person.page.content(), "nothing but the script takes the picture away"


async def test_tables_say_what_the_pictures_show_and_fields_and_months_are_chosen(
    server: Server, visit: Visit
) -> None:
    person = await visit(server)
    page = person.page
    await _open(person, "/board")
    assert await page.locator("[aria-current]").text_content() == "行政村"
    await page.get_by_role("link", name="城市社区").click()
    table = page.get_by_role("region", name="城市社区 组织力指数 TOP10（2026年4月）").get_by_role("table")
    assert await table.get_by_role("row").count() == 8
    assert "东莱社区党支部" in (await table.text_content() or "")
    assert "老宅" not in (await table.text_content() or ""), "nobody is shown to be last"
    await page.get_by_label("组织力指数的月份").select_option("2026-03")
    await page.get_by_role("button", name="看", exact=True).click()
    assert await page.get_by_role("heading", name="城市社区 组织力指数 TOP10（2026年3月）").count() == 1
    await page.get_by_role("link", name="English").click()
    assert await page.get_attribute("html", "lang") == "en"
