"""The page as members meet it: no strip, no say endpoint, a device that is known by its cookie."""

from __future__ import annotations

import httpx
import pytest

from tests.browser.conftest import Server, Visit
from tests.cast import OWN_CODE

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_device_is_a_stranger_and_stays_itself(real_server: Server, visit: Visit) -> None:
    person = await visit(real_server)
    await person.open("/?as=secretary")
    assert await person.page.locator(".hx-demo").count() == 0
    assert await person.page.text_content(".hx-whose") == "还没有绑定", "nobody becomes somebody by asking"
    await person.say("有人吗")
    (cookie,) = await person.context.cookies()
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    await person.page.reload()
    await person.ready()
    assert "有人吗" in await person.lines()
    neighbour = await visit(real_server)
    await neighbour.open("/")
    assert "有人吗" not in await neighbour.lines()


async def test_a_forged_cookie_is_a_new_device(real_server: Server, visit: Visit) -> None:
    person = await visit(real_server)
    await person.open("/")
    await person.say("这是我的")
    (cookie,) = await person.context.cookies()
    await person.context.add_cookies([{**cookie, "value": cookie["value"][:-3] + "abc"}])  # type: ignore[list-item]
    await person.open("/")
    assert "这是我的" not in await person.lines()


async def test_nobody_may_say_who_they_are_outside_the_demo(real_server: Server) -> None:
    async with httpx.AsyncClient() as client:
        response = await client.post(f"{real_server.url}/web/say", json={"as": "member", "text": "菜单"})
    assert response.status_code in (404, 405)


async def test_a_deep_link_is_a_scan_and_only_once(real_server: Server, visit: Visit) -> None:
    person = await visit(real_server)
    await person.open("/?start=48271935")
    await person.page.get_by_text("（扫码）").wait_for()
    assert "start" not in person.page.url
    await person.page.wait_for_function("!document.documentElement.classList.contains('hx-waiting')")
    before = await person.lines()
    assert "绑定码" in before[-1]
    await person.page.reload()
    await person.ready()
    assert await person.lines() == before


async def test_a_deep_link_to_an_activity_checks_a_member_in(server: Server, visit: Visit) -> None:
    person = await visit(server)
    await person.open(f"/?as=keeper&start=c-{OWN_CODE}")
    await person.page.get_by_text("签到成功").wait_for()
    assert person.page.url.endswith("/?as=keeper")


async def test_too_many_codes_from_one_place_have_to_wait(real_server: Server, visit: Visit) -> None:
    person = await visit(real_server)
    await person.open("/")
    await person.page.evaluate(
        "for (let i = 0; i < 61; i++) emitEvent('hongxin_did', {kind: 'text', text: '绑定 ' + (10000000 + i), key: 'k' + i})"
    )
    await person.page.locator(".hx-notice", has_text="试的绑定码太多").wait_for()
    new_cookie = await visit(real_server)
    await new_cookie.open("/")
    await new_cookie.page.fill(".hx-input", "绑定 48271935")
    await new_cookie.page.press(".hx-input", "Enter")
    await new_cookie.page.locator(".hx-notice", has_text="试的绑定码太多").wait_for()
    assert len(await new_cookie.lines()) == 1
    assert "聊天服务" in await new_cookie.say("什么是红信")
