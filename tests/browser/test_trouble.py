"""The server dies while somebody writes: nothing is lost, nothing happens twice, and the page says how it stands."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Server, Visit
from tests.cast import BOB

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_what_is_written_while_the_server_is_away_stays_and_is_sent_once(
    server: Server, visit: Visit
) -> None:
    person = await visit(server, rough=True)
    await person.open("/?as=guest-away")
    server.kill()
    await person.page.locator(".hx-notice", has_text="连接断了").wait_for()
    await person.page.fill(".hx-input", "我在写信")
    await person.page.press(".hx-input", "Enter")
    await person.page.locator(".hx-notice", has_text="还没有发出去").wait_for()
    assert await person.page.input_value(".hx-input") == "我在写信"
    server.start()
    await person.page.locator(".hx-ready").wait_for(timeout=60_000)
    assert await person.page.input_value(".hx-input") == "我在写信"
    count = await person.page.locator(".hx-service").count()
    await person.page.press(".hx-input", "Enter")
    await person.answer(count)
    assert (await person.lines()).count("我在写信") == 1


async def test_what_was_on_its_way_when_the_server_died_is_done_after_the_restart(
    server: Server, visit: Visit
) -> None:
    person = await visit(server, rough=True)
    await person.open("/?as=guest-on-the-way")
    server.freeze()
    await person.page.fill(".hx-input", "在路上")
    await person.page.press(".hx-input", "Enter")
    await person.page.locator(".hx-waiting").wait_for()
    assert await person.page.input_value(".hx-input") == "在路上", "kept until the answer is there"
    server.kill()
    server.start()
    await person.page.get_by_text("在路上", exact=True).wait_for(timeout=60_000)
    await person.page.wait_for_function("document.querySelector('.hx-input').value === ''")
    assert (await person.lines()).count("在路上") == 1


async def test_an_answer_that_was_lost_on_its_way_back_is_not_worked_out_twice(
    server: Server, visit: Visit
) -> None:
    person = await visit(server)
    await person.open(f"/?as={BOB}")
    await person.page.evaluate("hongxin.done = () => {}")  # the page never hears of the answer
    await person.page.fill(".hx-input", "签到 7000")
    await person.page.press(".hx-input", "Enter")
    await person.page.get_by_text("签到成功").wait_for()
    before = await person.lines()
    await person.page.reload()
    await person.page.wait_for_function("document.querySelector('.hx-ready .hx-input')?.value === ''")
    assert await person.lines() == before
    assert server.say(str(BOB), "签到 7000")["text"].startswith("您今天")
