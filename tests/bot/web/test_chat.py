"""The web chats themselves: lines, letters, pictures, open pages, and strangers who try codes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlmodel import Session

from bot.channels.web.chat import Said, WebChat
from bot.channels.web.send import WebChannel
from bot.channels.web.strangers import TRIES_MAX, WINDOW, Strangers
from db import web
from db.accounts import Chat, chat_at
from notices.channel import Message, Picture, SendError
from tests import cast
from tests.bot.web.conftest import PNG
from tests.cast import ALICE, BOB

Look = Callable[[Callable[[Session], Any]], Awaitable[Any]]
HERS = f"member:{ALICE}"


def _texts(lines: Any) -> list[str]:
    return [line.message.text for line in lines]


async def test_history_comes_back_in_order_and_in_pieces(chat: WebChat) -> None:
    for number in range(7):
        await chat.push(HERS, Message(f"第 {number} 封"), key=f"letter:{number}")
    newest = await chat.history(HERS, count=3)
    assert _texts(newest) == ["第 4 封", "第 5 封", "第 6 封"]
    assert _texts(await chat.history(HERS, count=3, before_id=newest[0].id)) == ["第 1 封", "第 2 封", "第 3 封"]


async def test_an_opening_that_the_page_makes_shows_no_line_of_the_person(chat: WebChat) -> None:
    await chat.say(HERS, Said(key="hello", kind="button", text="menu", label=""))
    assert [line.speaker for line in await chat.history(HERS)] == ["service"]


async def test_a_bind_code_is_not_kept_in_the_line(chat: WebChat) -> None:
    for number, text in enumerate(("绑定 48271935", "4827-1935", "/start 48271935", "我家有 3 口人")):
        await chat.say("device:1", Said(key=str(number), text=text))
    said = [line.message.text for line in await chat.history("device:1") if line.speaker == "person"]
    assert said == ["绑定 ••••••••", "••••-••••", "/start ••••••••", "我家有 3 口人"]


async def test_a_device_that_was_handed_on_shows_nothing_of_its_former_holder(chat: WebChat, look: Look) -> None:
    def hold(member_id: int | None) -> Callable[[Session], None]:
        def change(session: Session) -> None:
            known = chat_at(session, "web", "device:1") or Chat(channel="web", address="device:1", choices={})
            known.member_id = member_id
            session.add(known)

        return change

    await look(hold(ALICE))
    line_id = int(await chat.push("device:1", Message("给艾丽丝"), key="letter:1"))
    assert _texts(await chat.history("device:1")) == ["给艾丽丝"]
    assert await chat.line("device:1", line_id) is not None
    for holder in (None, BOB):
        await look(hold(holder))
        assert await chat.history("device:1") == []
        assert await chat.line("device:1", line_id) is None, "neither its steps nor its live chart"
    assert await chat.letters_for("device:1", "k", first=True) == []


async def test_a_letter_is_added_once_for_every_try(chat: WebChat) -> None:
    channel = WebChannel(chat)
    first = await channel.send(HERS, Message("通知"), key="letter:1:1")
    assert await channel.send(HERS, Message("通知"), key="letter:1:1") == first
    assert await channel.send(HERS, Message("通知"), key="letter:2:1") != first
    assert len(await chat.history(HERS)) == 2
    assert channel.parts("长" * 50_000) == ("长" * 50_000,)


async def test_an_empty_letter_is_refused_for_good(chat: WebChat) -> None:
    with pytest.raises(SendError) as refusal:
        await WebChannel(chat).send(HERS, Message(" "), key="letter:1")
    assert refusal.value.verdict == "permanent"


async def test_open_pages_of_that_chat_wake_and_no_others(chat: WebChat) -> None:
    woken: list[str] = []
    end = chat.watch(HERS, lambda: woken.append("first page"))
    chat.watch(HERS, lambda: woken.append("second page"))
    chat.watch(f"member:{BOB}", lambda: woken.append("Bob's page"))
    await chat.push(HERS, Message("通知"), key="letter:1")
    assert woken == ["first page", "second page"]
    end()
    end()  # a page may be deleted twice
    await chat.say(HERS, Said(key="k", text="菜单"))
    assert woken == ["first page", "second page", "second page"]


async def test_a_line_of_another_chat_cannot_be_pressed(chat: WebChat) -> None:
    line_id = int(await chat.push(HERS, Message("通知"), key="letter:1"))
    assert await chat.line(HERS, line_id) is not None
    assert await chat.line(f"member:{BOB}", line_id) is None
    assert await chat.line(HERS, line_id + 1) is None


async def test_a_picture_is_served_by_its_token_alone(chat: WebChat, http: httpx.AsyncClient) -> None:
    await chat.push(HERS, Message("图", picture=Picture("qr", {"text": "x"}, "一个二维码")), key="letter:1")
    (line,) = await chat.history(HERS)
    assert line.picture_url is not None
    response = await http.get(line.picture_url)
    assert (response.status_code, response.content, response.headers["content-type"]) == (200, PNG, "image/png")
    assert response.headers["x-content-type-options"] == "nosniff"
    for token in ("1", "A" * 22, "../../etc/passwd", line.picture_url[-22:-1] + "!"):
        assert (await http.get(f"/web/picture/{token}")).status_code == 404


async def test_a_picture_that_is_gone_is_not_found(chat: WebChat, http: httpx.AsyncClient) -> None:
    await chat.push(HERS, Message("图", picture=Picture("stored", {"id": 7}, "not there")), key="letter:1")
    (line,) = await chat.history(HERS)
    assert (await http.get(str(line.picture_url))).status_code == 404


async def test_old_lines_are_forgotten_and_younger_ones_stay(chat: WebChat, look: Look) -> None:
    await chat.push(HERS, Message("通知"), key="letter:1")
    assert await look(lambda s: web.forget(s, cast.NOON)) == 0
    assert await look(lambda s: web.forget(s, cast.NOON + timedelta(seconds=1))) == 1
    assert await chat.history(HERS) == []


def test_codes_from_one_network_address_are_counted_within_the_window() -> None:
    strangers = Strangers()
    assert all(strangers.may_try("192.0.2.1", cast.NOON) for _ in range(TRIES_MAX))
    assert not strangers.may_try("192.0.2.1", cast.NOON + WINDOW - timedelta(seconds=1))
    assert strangers.may_try("192.0.2.2", cast.NOON)
    assert strangers.may_try("192.0.2.1", cast.NOON + WINDOW)
