"""The page of a letter: live, for those alone who may watch, readable at every size."""

from __future__ import annotations

import pytest

from tests.browser.conftest import DESKTOP, PHONE, Server, Visit
from tests.browser.test_look import CONTRASTS
from tests.cast import CITY, OLGA, QIAN, SUN
from tests.sent_letters import BLOCKED, DOUBT, SENT, WAITING

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


def _queue(server: Server, **told: object) -> int:
    answer = server._http.post("/test/queue", json=told)
    return int(answer.raise_for_status().json())


async def test_the_page_shows_what_happens_and_only_to_whom_it_concerns(server: Server, visit: Visit) -> None:
    letter_id = _queue(server, states=[SENT, SENT, SENT, BLOCKED, DOUBT, WAITING, WAITING], read=2)
    person = await visit(server)
    page = person.page
    address = f"{server.url}/letters/{letter_id}"
    await page.goto(f"{address}?as={SUN}")
    await page.get_by_text("正在发送 71%（5 / 7）").wait_for()
    assert await page.get_by_label("发送进度").last.get_attribute("value") == "71"
    assert "孙书记" in (await page.get_by_role("table", name="谁没收到").text_content() or "")
    await person.picture("phone-report")
    server._http.post("/test/end", json={"letter_id": letter_id, "states": [SENT] * 7}).raise_for_status()
    await page.get_by_text("送达率 100%").wait_for()  # by itself
    assert await page.get_by_role("table", name="谁没收到").count() == 0
    for other in (QIAN, 999):
        await page.goto(f"{address}?as={other}")
        await page.get_by_text("这里看不到这封红信").wait_for()
        assert server._http.get(f"/letters/{letter_id}/table.csv?as={other}").status_code == 404
    assert "防汛" not in await page.content()
    csv = server._http.get(f"/letters/{letter_id}/table.csv?as={SUN}")
    assert "谁还没读" in csv.content.decode("utf-8-sig")


@pytest.mark.parametrize(("viewport", "size"), [(PHONE, 18), (PHONE, 30), (DESKTOP, 18)])
async def test_everything_on_it_is_readable(
    server: Server, visit: Visit, viewport: dict[str, int], size: int
) -> None:
    city = {"author_id": OLGA, "organization_id": CITY, "audience": {"node": CITY, "who": "all"}, "lane": 2}
    letter_id = _queue(server, states=[SENT] * 4 + [BLOCKED, DOUBT, WAITING, SENT, SENT], read=3, more=city)
    person = await visit(server, viewport)
    page = person.page
    await page.goto(f"{server.url}/letters/{letter_id}?as={OLGA}")
    await page.get_by_role("table", name="各支部送达率").wait_for()
    await page.click(f"[data-size='{size}']")
    assert await page.get_by_role("table", name="谁没收到").count() == 0, "from above people are figures"
    for text in await page.evaluate(CONTRASTS):
        assert text["ratio"] >= 4.5, text
        assert text["px"] >= 16, text
    assert await page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    heights = await page.eval_on_selector_all(
        "a, button", "all => all.map(one => one.getBoundingClientRect().height)"
    )
    assert min(heights) >= (48 if size == 18 else 60)
    kind = "desktop" if viewport is DESKTOP else "phone"
    await person.picture(f"{kind}-report-city" if size == 18 else f"{kind}-elder-report-city")


async def test_a_browser_sees_what_the_person_bound_to_it_may_see(real_server: Server, visit: Visit) -> None:
    letter_id = _queue(real_server, states=[SENT] * 7)
    person = await visit(real_server)
    page = person.page
    await person.open("/")
    await page.goto(f"{real_server.url}/letters/{letter_id}?as={SUN}")
    await page.get_by_text("这里看不到这封红信").wait_for()
    real_server._http.post("/test/bind", json={"member_id": SUN}).raise_for_status()
    await page.reload()
    await page.get_by_text("送达率 100%").wait_for()
