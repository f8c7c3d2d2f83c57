"""Tables over the web: from an open page by its ticket, and in the demo with `POST /web/say`."""

from __future__ import annotations

import base64

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from bot.channels.web import WebChat, say_router, upload_router
from bot.channels.web.chat import TABLE_BYTES_MAX
from db.sheets import Sheet, SheetFile
from tests.cast import ALICE, OLGA

TABLE = "组织编号,指标编号,期间,数值\nB10,UC04,2026-05,1\n".encode()


@pytest.fixture
async def http(chat: WebChat):
    app = FastAPI()
    app.include_router(upload_router(chat))
    app.include_router(say_router(chat, {}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://chat.test") as client:
        yield client


async def kept(look):
    sheets = await look(lambda s: s.execute(select(Sheet.name, Sheet.content)).all())
    assert await look(lambda s: s.execute(select(SheetFile)).all()) == []  # nothing is left lying about
    return [tuple(row) for row in sheets]


async def test_a_page_sends_a_table_by_its_ticket_until_it_is_closed(http, chat, look):
    ticket = chat.ticket(f"member:{OLGA}")
    where = f"/web/file/{ticket}?key=k1&name=五月.csv"
    answers = [(await http.post(where, content=TABLE)).status_code for _ in range(2)]
    assert (answers, await kept(look)) == ([204, 204], [("五月.csv", TABLE)])  # one key: one effect
    lines = await chat.history(f"member:{OLGA}")
    assert next(line.message.text for line in lines) == "五月.csv"
    chat.end_ticket(ticket)
    assert (await http.post(where, content=TABLE)).status_code == 404
    assert (await http.post("/web/file/x?key=k1&name=a", content=TABLE)).status_code == 404


async def test_a_table_that_is_too_large_or_has_no_name_is_refused(http, chat, look):
    ticket = chat.ticket(f"member:{OLGA}")
    large = await http.post(f"/web/file/{ticket}?key=k1&name=a.csv", content=b"x" * (TABLE_BYTES_MAX + 1))
    nameless = await http.post(f"/web/file/{ticket}?key=k1", content=TABLE)
    assert (large.status_code, nameless.status_code, await kept(look)) == (413, 404, [])


async def test_a_table_of_a_member_who_is_no_department_or_of_a_stranger_is_not_kept(http, chat, look):
    for address in (f"member:{ALICE}", "device:nobody"):
        sent = await http.post(f"/web/file/{chat.ticket(address)}?key=k1&name=a.csv", content=TABLE)
        assert (sent.status_code, await kept(look)) == (204, [])


async def test_say_takes_a_table_in_both_forms(http, look):
    whole = {"as": OLGA, "file": base64.b64encode(TABLE).decode(), "file_name": "甲.csv"}
    assert "正在逐行核对" in (await http.post("/web/say", json=whole)).json()["text"]
    form = await http.post("/web/say", data={"as": str(OLGA)}, files={"file": ("乙.csv", TABLE)})
    assert "正在逐行核对" in form.json()["text"]
    assert await kept(look) == [("甲.csv", TABLE), ("乙.csv", TABLE)]
    assert (await http.post("/web/say", json={**whole, "file_name": None})).status_code == 422
    assert (await http.post("/web/say", json={**whole, "file": "%"})).status_code == 422
