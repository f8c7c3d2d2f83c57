"""What the page looks like to somebody of eighty: size of type, targets, contrast, pictures, keyboard."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import DESKTOP, PHONE, Person, Server, Visit

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

# Every visible text with its colour and the colour behind it: WCAG's contrast ratio, its size, its words.
CONTRASTS = """() => {
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (rgb) => {
    const [r, g, b] = rgb.map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement, box = element.getBoundingClientRect();
    const style = getComputedStyle(element), words = walk.currentNode.textContent.trim();
    if (!words || box.width < 2 || box.height < 2 || style.visibility === "hidden") continue;
    const [a, b] = [light(parse(style.color).slice(0, 3)), light(behind(element))];
    found.push({ words, px: parseFloat(style.fontSize), ratio: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) });
  }
  return found;
}"""
TARGETS = """() => Array.from(document.querySelectorAll("button, textarea, summary, nav a, .hx-attach"))
  .map((element) => ({ name: element.className + element.textContent, box: element.getBoundingClientRect() }))
  .filter(({ box }) => box.width > 0)
  .map(({ name, box }) => ({ name, width: box.width, height: box.height, right: box.right }))"""


async def _texts(person: Person) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await person.page.evaluate(CONTRASTS)
    assert len(found) > 5
    return found


async def _busy(person: Person, server: Server, key: str) -> None:
    """A page with everything on it: history, a reply with steps, a letter, a notice, the open demo strip."""
    await person.open("/?as=member")
    await person.say("签到")
    server.letter("member:101", "关于做好防汛值守的通知", key, buttons=[["收到", "menu", 1]])
    await person.page.locator(".hx-letter", has_text="防汛").last.wait_for()
    await person.page.evaluate("document.querySelector('.hx-demo').open = true")
    await person.page.evaluate("document.querySelector('.hx-notice').textContent = '还没有收到回复'")


async def test_type_is_large_and_can_be_made_larger_and_stays_so(server: Server, visit: Visit) -> None:
    person = await visit(server)
    await person.open()
    for size, target in ((18, 48), (24, 60), (30, 60)):
        await person.page.click(f"[data-size='{size}']")
        assert await person.computed(".hx-text", "font-size") == f"{size}px"
        assert float((await person.computed(".hx-text", "line-height")).removesuffix("px")) >= 1.5 * size
        assert await person.computed(".hx-choice", "font-size") == f"{size}px"
        assert float((await person.computed(".hx-choice", "min-height")).removesuffix("px")) == target
        assert await person.page.get_attribute(f"[data-size='{size}']", "aria-pressed") == "true"
        assert await person.page.locator("[aria-pressed='true']").count() == 1
    await person.page.reload()
    await person.ready()
    assert await person.computed(".hx-text", "font-size") == "30px"


@pytest.mark.parametrize("size", [18, 24, 30])
async def test_everything_is_readable_and_big_enough_to_tap(server: Server, visit: Visit, size: int) -> None:
    person = await visit(server)
    await _busy(person, server, f"look:{size}")
    await person.page.click(f"[data-size='{size}']")
    for text in await _texts(person):
        assert text["ratio"] >= 4.5, text
        assert text["px"] >= 16, text
    target = 48 if size == 18 else 60
    for box in await person.page.evaluate(TARGETS):
        least = 48 if "hx-who" in box["name"] or "我是" in box["name"] else target  # the strip is no product
        assert box["height"] >= least, box
        assert box["width"] >= 44, box
        assert box["right"] <= PHONE["width"], "nothing runs out of the screen"
    assert await person.page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


async def test_the_contrast_check_can_fail(server: Server, visit: Visit) -> None:
    person = await visit(server)
    await person.open()
    await person.page.add_style_tag(content=".hx-time { color: #999 !important }")
    assert min(text["ratio"] for text in await _texts(person)) < 4.5


async def test_the_page_can_be_heard(server: Server, visit: Visit) -> None:
    person = await visit(server)
    await person.open()
    page = person.page
    assert await page.get_attribute("html", "lang") == "zh-CN"
    log = page.locator("[role=log]")
    assert (await log.get_attribute("aria-live"), await log.get_attribute("aria-relevant")) == (
        "polite",
        "additions",
    )
    said = await person.say("菜单")
    assert said in (await log.text_content() or ""), "what is new comes inside the live region"
    for role, name in (("textbox", "写给红信"), ("button", "发送"), ("button", "大字"), ("main", "和红信的对话")):
        assert await page.get_by_role(role, name=name, exact=True).count() == 1, name  # type: ignore[arg-type]
    assert await page.get_by_role("status").count() == 1
    assert await page.get_by_text("红信：", exact=True).count() >= 1, "every bubble says whose it is"


async def test_the_keyboard_reaches_everything_in_order(server: Server, visit: Visit) -> None:
    person = await visit(server)
    await person.open("/?as=guest-keyboard")
    order = []
    for _ in range(9):
        await person.page.keyboard.press("Tab")
        focused = "document.activeElement"
        order.append(
            await person.page.evaluate(f"{focused}.dataset.size || {focused}.className || {focused}.tagName")
        )
        assert await person.page.evaluate(
            f"[{focused}, {focused}.parentElement].some((at) => getComputedStyle(at).outlineStyle === 'solid')"
        ), f"the focus on {order[-1]} is visible"
    assert order == [
        "SUMMARY", "18", "24", "30", "hx-log", "hx-choice", "hx-choice", "hx-unseen hx-file", "hx-input",
    ]  # fmt: skip
    await person.page.keyboard.press("Tab")
    assert await person.page.evaluate("document.activeElement.className") == "hx-send"


async def test_enter_sends_but_not_while_chinese_is_composed(server: Server, visit: Visit) -> None:
    person = await visit(server)
    await person.open("/?as=guest-enter")
    field = person.page.locator(".hx-input")
    await field.fill("ni hao")
    await field.dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    await field.press("Shift+Enter")
    assert await field.input_value() == "ni hao\n"
    assert len(await person.lines()) == 1
    count = await person.page.locator(".hx-service").count()
    await field.press("Enter")
    await person.answer(count)
    assert await field.input_value() == ""
    assert "ni hao" in await person.lines()


async def test_pictures_of_the_page_for_people_to_look_at(server: Server, visit: Visit) -> None:
    for name, viewport, size in (
        ("phone", PHONE, 18), ("phone-elder", PHONE, 30), ("desktop", DESKTOP, 18),
    ):  # fmt: skip
        person = await visit(server, viewport)
        await person.open(f"/?as=guest-{name}")
        await person.page.click(f"[data-size='{size}']")
        await person.picture(f"{name}-stranger")
        await person.open("/?as=mobile")
        await person.say("菜单")
        await person.picture(f"{name}-menu")
        await person.say("签到")
        await person.press("主题党日")
        await person.picture(f"{name}-check-in")
        server.letter("member:103", "关于做好防汛值守的通知\n请各位党员今晚 18:00 前回复能否到岗。", f"picture:{name}",
                      buttons=[["收到", "menu", 1], ["有困难，请联系我", "points", 2]])  # fmt: skip
        await person.page.locator("[role=log] > :last-child.hx-letter").wait_for()
        await person.picture(f"{name}-letter")
        assert not await person.page.evaluate("document.scrollingElement.scrollTop"), (
            "only the conversation scrolls"
        )
