"""The radar alive in the chat: large, beside its words, closed by the phone's own way back, and nobody else's."""

from __future__ import annotations

import pytest

from tests.browser.conftest import DESKTOP, PHONE, Person, Server, Visit
from tests.browser.test_look import CONTRASTS

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
TARGETS = """() => [...document.querySelectorAll("dialog button, dialog a")].map((one) => one.getBoundingClientRect())
  .map(({ height, right }) => ({ height, right }))"""
HIDDEN = (
    "Object.values(document.querySelector('dialog .hx-live').chart.getOption().legend[0].selected).includes(false)"
)


async def _radar(person: Person) -> str:
    """Ask for the own branch's radar and open it; its line's id."""
    await person.open("/?as=member")
    assert "较弱：组织覆盖力" in await person.say("组织力雷达图")
    link = person.page.locator("[data-live]").last
    await link.click()
    await person.page.locator("dialog .hx-live[data-drawn]").wait_for()
    return await link.get_attribute("data-live") or ""


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
async def test_the_radar_is_large_in_every_type_and_says_what_is_weak(
    server: Server, visit: Visit, viewport: dict[str, int]
) -> None:
    person = await visit(server, viewport)
    page, name = person.page, "phone" if viewport is PHONE else "desktop"
    await _radar(person)
    dialog = page.get_by_role("dialog", name="梁丰社区党支部")
    assert await dialog.get_by_role("img").get_attribute("aria-label") == await page.get_attribute(
        "[data-live] img", "alt"
    )
    assert "较弱：组织覆盖力 0.00（C07 按期换届" in (await dialog.text_content() or "")
    assert "较弱：政治领导力" in (await dialog.text_content() or "")
    for size in (18, 30):
        await page.click(f"dialog [data-size='{size}']")
        await page.locator(f"dialog .hx-live[data-drawn='{size}']").wait_for()
        for text in await page.evaluate(CONTRASTS):
            assert text["ratio"] >= 4.5, text
        for box in await page.evaluate(TARGETS):
            assert box["height"] >= (48 if size == 18 else 60), box
            assert box["right"] <= viewport["width"], box
        assert await page.evaluate("(one => one.scrollWidth <= one.clientWidth)(document.querySelector('dialog'))")
        await person.picture(f"{name}-radar-{size}")


async def test_its_legend_takes_a_line_away_the_way_back_closes_it_and_nobody_else_can_open_it(
    server: Server, visit: Visit
) -> None:
    owner, other = await visit(server), await visit(server)
    line_id = await _radar(owner)
    place = owner.page.locator("dialog .hx-live")
    box = await place.bounding_box()
    assert box is not None
    await place.click(position={"x": box["width"] * 0.35, "y": box["height"] - 20})
    await owner.page.wait_for_function(HIDDEN)
    await owner.page.go_back()
    await owner.page.locator("dialog").wait_for(state="detached")
    assert owner.page.url.endswith("/?as=member")
    await other.open("/?as=keeper")
    for forged in (
        f"{{line: '{line_id}'}}",
        "{line: '999999999999999999999'}",
        "{line: '-1'}",
        "{line: {}}",
        "'x'",
    ):
        await other.page.evaluate(f"emitEvent('hongxin_live', {forged})")
    await other.say("菜单")  # what was sent before it has been answered
    assert await other.page.locator("dialog").count() == 0
    await owner.page.evaluate(f"emitEvent('hongxin_live', {{line: '{line_id}'}})")
    await owner.page.click(".hx-live-close")
    await owner.page.locator("dialog").wait_for(state="detached")
