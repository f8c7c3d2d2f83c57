"""The page on which people agree to cards, as WeChat's browser shows it: our stand-in for its tag shows the button."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from playwright.async_api import Browser

from bot.channels.wechat.agree_page import AgreePage
from notices.card_rules import Card
from notices.wording import wording
from tests.browser.conftest import PICTURES

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

TAG = """
class Tag extends HTMLElement {
  connectedCallback() { setTimeout(() => {
    this.attachShadow({mode: 'open'}).innerHTML = this.querySelector('script').textContent }) } }
customElements.define('wx-open-subscribe', Tag); window.wx = {config() {}};
"""
CHOSEN = """([kind, detail]) => document.getElementById('a').dispatchEvent(new CustomEvent(kind, {detail}))"""


async def test_the_page_is_large_on_a_small_phone_and_says_what_was_chosen(browser: Browser) -> None:
    say = wording("zh")
    card = Card("SUB-1", "subscription", ("letter",), {})
    made = AgreePage(None, "wx1", [card], "https://x.example", lambda: datetime.now(UTC), say)  # type: ignore[arg-type]
    context = await browser.new_context(viewport={"width": 320, "height": 568}, locale="zh-CN")
    page = await context.new_page()
    await page.add_init_script(TAG)
    html = made._page({"appId": "wx1"}, "nonce")
    await page.route(
        "**/*", lambda route: route.fulfill(body=html if route.request.is_navigation_request() else "")
    )
    await page.goto("https://x.example/wechat/agree")
    button = page.get_by_role("button", name=say("cards.page_button"))
    box = await button.bounding_box()
    assert box is not None
    assert box["width"] > 270
    assert box["height"] > 60
    assert box["y"] + box["height"] < 568, "seen without scrolling"
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320
    for kind, detail, words in (
        ("success", {"subscribeDetails": '{"SUB-1":"{\\\\"status\\\\":\\\\"cancel\\\\"}"}'}, "refused"),
        ("error", {"errMsg": "failed"}, "later"),
        ("success", {"subscribeDetails": '{"SUB-1":"{\\\\"status\\\\":\\\\"accept\\\\"}"}'}, "thanks"),
    ):
        await page.evaluate(CHOSEN, [kind, detail])
        assert await page.get_by_role("status").text_content() == say(f"cards.page_{words}")
    PICTURES.mkdir(exist_ok=True)
    await page.screenshot(path=PICTURES / "agree.png")
    await context.close()
