"""Talking on the page: history, two people at once, letters that arrive, pictures, and text that is only text."""

from __future__ import annotations

import pytest

from tests.bot.web.conftest import PNG
from tests.browser.conftest import DESKTOP, Server, Visit
from tests.cast import CHARLIE, OLGA

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_newcomer_is_greeted_once(server: Server, visit: Visit) -> None:
    person = await visit(server)
    await person.open("/?as=guest-newcomer")
    await person.page.reload()
    await person.ready()
    (greeting,) = await person.lines()
    assert "绑定码" in greeting


async def test_history_and_an_unsent_text_survive_a_reload(server: Server, visit: Visit) -> None:
    person = await visit(server)
    await person.open("/?as=member")
    await person.say("签到")
    await person.press("主题党日")
    before = await person.lines()
    await person.page.fill(".hx-input", "还没写完")
    await person.page.reload()
    await person.ready()
    assert await person.lines() == before
    assert await person.page.input_value(".hx-input") == "还没写完"


async def test_only_the_newest_steps_count_and_old_ones_stay_as_words(server: Server, visit: Visit) -> None:
    person = await visit(server)
    await person.open("/?as=keeper")
    await person.say("签到")
    await person.say("菜单")
    assert await person.page.locator(".hx-service:not(:last-child) .hx-choice:visible").count() == 0
    assert "区域联建" in (await person.page.locator(".hx-was:visible").last.text_content() or "")
    assert await person.page.locator(".hx-service:last-child .hx-choice:visible").count() > 1


async def test_two_tabs_are_two_people_with_a_history_of_their_own(server: Server, visit: Visit) -> None:
    person = await visit(server, DESKTOP)
    await person.open("/?as=reviewer")
    await person.say("积分")
    other = await person.context.new_page()
    await other.goto(f"{server.url}/?as=reviewer")
    await other.locator(".hx-people a", has_text="支部书记").click()
    await other.locator(".hx-ready .hx-whose", has_text="孙书记").wait_for()
    assert "积分" not in await other.locator(".hx-text").all_text_contents()
    assert await other.locator("[aria-current=page]").text_content() == "✓ 支部书记 孙书记"
    assert "芮审核" in (await person.page.text_content(".hx-whose") or "")
    await person.say("菜单")
    assert "芮审核" in (await person.lines())[-1]


async def test_the_strip_says_that_it_is_only_the_demo_and_makes_strangers(server: Server, visit: Visit) -> None:
    person = await visit(server)
    await person.open("/?as=member")
    assert not await person.page.is_visible(".hx-people"), "folded on a phone"
    await person.page.click(".hx-demo summary")
    assert "仅供演示" in (await person.page.text_content(".hx-demo-note") or "")
    assert await person.page.locator(".hx-people a").count() == 6
    assert await person.page.locator(".hx-app .hx-demo").count() == 0, "it stands apart from the chat"
    await person.page.click(".hx-people a:last-child")
    await person.page.locator(".hx-ready .hx-whose", has_text="还没有绑定").wait_for()


async def test_a_letter_appears_in_the_open_page_and_can_be_answered(server: Server, visit: Visit) -> None:
    person = await visit(server)
    await person.open(f"/?as={CHARLIE}")
    await person.page.evaluate("window.untouched = true")
    server.letter(
        f"member:{CHARLIE}", "今晚值守", "talk:1", buttons=[["收到", "menu", 1]], qr="7K4M", alt="取货码的二维码"
    )
    letter = person.page.locator(".hx-letter")
    await letter.wait_for()
    assert await person.page.evaluate("window.untouched"), "without a reload"
    image = letter.locator("img")
    assert await image.get_attribute("alt") == "取货码的二维码"
    await person.page.wait_for_function("document.querySelector('.hx-letter img').naturalWidth > 100")
    assert "查理" in await person.press("收到")
    server.letter(f"member:{CHARLIE}", "今晚值守", "talk:1")  # a second try of the outbox
    await person.say("菜单")
    assert await letter.count() == 1


async def test_what_was_said_elsewhere_appears_here(server: Server, visit: Visit) -> None:
    person = await visit(server)
    await person.open("/?as=guest-elsewhere")
    server.say("guest-elsewhere", "你好呀")
    await person.page.get_by_text("你好呀").wait_for()


async def test_earlier_lines_come_on_request_and_in_order(server: Server, visit: Visit) -> None:
    for number in range(45):
        server.letter("guest:guest-history", f"第 {number} 封", f"history:{number}")
    person = await visit(server)
    await person.open("/?as=guest-history")
    assert (await person.lines())[0] == "第 5 封"
    await person.page.click(".hx-earlier")
    await person.page.get_by_text("第 0 封", exact=True).wait_for()
    assert await person.lines() == [f"第 {number} 封" for number in range(45)]
    assert not await person.page.is_visible(".hx-earlier")


async def test_a_picture_is_attached_and_shown(server: Server, visit: Visit) -> None:
    person = await visit(server)
    await person.open("/?as=secretary")
    count = await person.page.locator(".hx-service").count()
    await person.page.set_input_files(".hx-file", {"name": "a.png", "mimeType": "image/png", "buffer": PNG})
    await person.answer(count)
    image = person.page.locator(".hx-person img")
    assert await image.get_attribute("alt") == "我发的图片"
    await person.page.wait_for_function("document.querySelector('.hx-person img').naturalWidth > 0")


async def test_a_table_is_sent_and_answered_and_an_own_address_is_a_link(server: Server, visit: Visit) -> None:
    person = await visit(server)
    await person.open(f"/?as={OLGA}")
    count = await person.page.locator(".hx-service").count()
    table = {"name": "五月.csv", "mimeType": "text/csv", "buffer": "组织编号,指标编号".encode()}
    await person.page.set_input_files(".hx-file", table)
    assert "正在逐行核对" in await person.answer(count)
    assert "五月.csv" in (await person.page.locator(".hx-person").last.text_content() or "")
    await person.press("要空白表")
    link = person.page.locator(".hx-service:last-child a.hx-download")
    assert (await link.get_attribute("href") or "").startswith("/web/form/")


async def test_a_file_that_is_no_picture_is_named_and_not_sent(server: Server, visit: Visit) -> None:
    person = await visit(server)
    await person.open("/?as=guest-file")
    await person.page.set_input_files(".hx-file", {"name": "a.png", "mimeType": "image/png", "buffer": b"MZ"})
    await person.page.locator(".hx-notice", has_text="打不开").wait_for()
    assert len(await person.lines()) == 1


async def test_a_picture_that_cannot_be_drawn_is_told_in_words(server: Server, visit: Visit) -> None:
    person = await visit(server, rough=True)
    await person.page.route("**/web/picture/*", lambda route: route.fulfill(status=503))
    await person.open("/?as=guest-unseen")
    server.letter("guest:guest-unseen", "图在这里", "talk:unseen", qr="x", alt="五个维度的雷达图")
    await person.page.get_by_text("图片没有显示出来：五个维度的雷达图").wait_for()


async def test_text_is_never_markup(server: Server, visit: Visit) -> None:
    person = await visit(server)
    await person.open("/?as=guest-markup")
    nasty = "<img src=x onerror=alert(1)> ${7*7} `x` {{7*7}} \\u003cb> :style"
    await person.say(nasty)
    await person.page.reload()
    await person.ready()
    assert nasty in await person.lines()
    assert await person.page.locator(".hx-bubble img").count() == 0


async def test_a_forged_press_is_answered_and_does_nothing(server: Server, visit: Visit) -> None:
    person = await visit(server)
    await person.open("/?as=guest-forger")
    count = await person.page.locator(".hx-service").count()
    for forged in ("{kind: 'button', text: '1:0', key: 'a'}", "{kind: 'button', text: '../1', key: 'b'}", "'nonsense'",
                   "{kind: 'location', point: [1e9, 'x'], key: 'c'}", "{kind: 'image', image: '%%%', key: 'd'}"):  # fmt: skip
        await person.page.evaluate(f"emitEvent('hongxin_did', {forged})")
    await person.answer(count)
    assert "过时" in (await person.lines())[-1]
    assert "绑定码" in await person.say("菜单")


async def test_the_language_of_the_chat_is_the_language_of_the_page(server: Server, visit: Visit) -> None:
    person = await visit(server)
    await person.open("/?as=guest-english")
    await person.page.fill(".hx-input", "English")
    await person.page.press(".hx-input", "Enter")
    await person.page.locator(".hx-ready .hx-send", has_text="Send").wait_for()
    assert await person.page.get_attribute(".hx-app", "lang") == "en"
    assert await person.page.input_value(".hx-input") == ""


async def test_marks_are_shown_and_a_link_says_where_it_leads(server: Server, visit: Visit) -> None:
    person = await visit(server)
    await person.open("/?as=secretary")
    for words in (
        "发红信",
        "1",
        "1",
        "请看**重要** *通知* [看这里](https://www.gov.cn/a?b=1)<b onclick=x()>不是标签</b>",
    ):
        await person.say(words)
    shown = person.page.locator(".hx-service:last-child .hx-text")
    assert await shown.locator("strong").all_text_contents() == ["重要"]
    assert await shown.locator("em").all_text_contents() == ["通知"]
    assert await shown.locator("a").get_attribute("href") == "https://www.gov.cn/a?b=1"
    assert await shown.locator("a").get_attribute("rel") == "noopener noreferrer nofollow"
    assert "看这里（www.gov.cn）<b onclick=x()>不是标签</b>" in (await shown.text_content() or "")
    assert await shown.locator("b").count() == 0
