"""`POST /web/say`: the whole service as one JSON call, and everything that it must refuse."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select
from sqlmodel import Session, col

from bot.channels.web.chat import PICTURE_BYTES_MAX, TEXT_MAX, WebChat
from bot.channels.web.say import JSON_BYTES_MAX
from db import ledger, web
from db.accounts import Chat, chat_at
from db.audit import AuditEvent
from db.inbound import Inbound
from db.members import Member
from db.pictures import Picture
from handlers.conversation import Incoming
from notices.channel import Button, Message
from notices.channel import Picture as Shown
from tests import cast
from tests.bot.web.conftest import PNG, Speaking
from tests.cast import ALICE, BOB

Look = Callable[[Callable[[Session], Any]], Awaitable[Any]]


async def test_a_member_checks_in_with_the_numbers_that_are_shown(ask: Speaking) -> None:
    asked = await ask("member", "签到")
    assert asked["buttons"][0] == [
        "1 主题党日：重温入党誓词（本支部，12:10，社区党员活动室）",
        f"check_in:{cast.OWN_CODE}",
    ]
    assert asked["buttons"][-1] == ["0 菜单", "menu"]
    assert asked["images"] == []
    done = await ask("member", "1")
    assert "签到成功" in done["text"]
    assert "1 撤销" not in done["text"], "the list of buttons is not repeated in the text"


@pytest.mark.parametrize("as_", [ALICE, str(ALICE), "member"])
async def test_a_number_digits_and_the_role_name_are_the_same_person(ask: Speaking, as_: int | str) -> None:
    assert "艾丽丝" in (await ask(as_, "菜单"))["text"]


async def test_any_other_name_is_a_strangers_device_without_data(ask: Speaking, look: Look) -> None:
    reply = await ask("somebody's phone", "积分")
    assert "绑定码" in reply["text"]
    chat = await look(lambda s: chat_at(s, "web", "guest:somebody's phone"))
    assert chat.member_id is None


async def test_a_members_chat_is_bound_on_first_use_and_only_then(ask: Speaking, look: Look) -> None:
    def newcomer(session: Session) -> None:
        session.add(Member(id=999, code="M999", name="新来的", created_at=cast.NOON))

    await look(newcomer)
    assert "新来的" in (await ask(999, "菜单"))["text"]

    def unbind(session: Session) -> None:
        chat = chat_at(session, "web", "member:999")
        assert chat is not None
        chat.member_id = None
        session.add(chat)

    await look(unbind)
    assert "绑定码" in (await ask(999, "菜单"))["text"], "who unbinds stays unbound"


async def test_the_same_key_gives_the_same_reply_and_no_second_effect(ask: Speaking, look: Look) -> None:
    first = await ask("member", f"签到 {cast.OWN_CODE}", key="k1")
    again = await ask("member", f"签到 {cast.OWN_CODE}", key="k1")
    assert again == first
    assert "签到成功" in first["text"]
    assert await look(lambda s: ledger.balance(s, ALICE)) == 2
    assert await look(lambda s: s.execute(select(func.count(col(web.WebLine.id)))).scalar()) == 2


async def test_another_person_with_the_same_key_gets_an_answer_of_their_own(ask: Speaking) -> None:
    await ask("member", "菜单", key="k1")
    stranger = await ask("a thief", "菜单", key="k1")
    assert "艾丽丝" not in stranger["text"]


async def test_without_a_key_every_call_is_a_new_message(ask: Speaking) -> None:
    await ask("member", f"签到 {cast.OWN_CODE}")
    assert "已经签到" in (await ask("member", f"签到 {cast.OWN_CODE}"))["text"]


async def test_a_button_is_pressed_by_its_action_and_kept_by_its_label(ask: Speaking, chat: WebChat) -> None:
    await ask("member", "签到")
    assert "签到成功" in (await ask("member", action=f"check_in:{cast.REGION_CODE}"))["text"]
    said = [line.message.text for line in await chat.history(f"member:{ALICE}") if line.speaker == "person"]
    assert said[-1].startswith("2 区域联建")


async def test_a_reply_that_was_committed_before_the_crash_is_found_and_kept(
    ask: Speaking, chat: WebChat, dispatcher: Any
) -> None:
    address = f"member:{ALICE}"
    await dispatcher.answer(Incoming("web", address, f"{address}|k1", cast.NOON, text=f"签到 {cast.OWN_CODE}"))
    assert await chat.history(address) == []
    assert "签到成功" in (await ask("member", f"签到 {cast.OWN_CODE}", key="k1"))["text"]
    assert len(await chat.history(address)) == 2


async def test_a_reply_counts_as_taken_once_its_line_is_kept(ask: Speaking, look: Look) -> None:
    await ask("member", "菜单")
    assert await look(lambda s: s.execute(select(col(Inbound.taken_at))).scalar_one()) == cast.NOON


async def test_letters_come_once_and_again_only_with_the_same_key(ask: Speaking, chat: WebChat) -> None:
    letter = Message("今晚值守", (Button("收到", "menu", 1),), Shown("qr", {"text": "x"}, "一个二维码"))
    await chat.push(f"member:{ALICE}", letter, key="letter:1")
    await chat.push(f"member:{BOB}", Message("给鲍勃"), key="letter:2")
    first = await ask("member", "菜单", key="k1")
    (pushed,) = first["pushed"]
    assert (pushed["text"], pushed["buttons"]) == ("今晚值守", [["1 收到", "menu"]])
    assert pushed["images"][0]["alt"] == "一个二维码"
    await chat.push(f"member:{ALICE}", Message("第二封"), key="letter:3")
    assert await ask("member", "菜单", key="k1") == first
    assert [line["text"] for line in (await ask("member", "菜单", key="k2"))["pushed"]] == ["第二封"]
    assert (await ask("member", "菜单", key="k3"))["pushed"] == []


@pytest.mark.parametrize("form", [False, True])
async def test_a_picture_is_kept_with_its_bytes_and_its_member(
    http: httpx.AsyncClient, ask: Speaking, look: Look, form: bool
) -> None:
    if form:
        response = await http.post(
            "/web/say", data={"as": str(ALICE), "key": "k"}, files={"image": ("a.png", PNG)}
        )
        assert response.status_code == 200
    else:
        await ask("member", image=base64.b64encode(PNG).decode(), key="k")
        assert ask.status == 200
    picture = await look(lambda s: s.execute(select(Picture)).scalar_one())
    assert (picture.content, picture.media_type, picture.member_id) == (PNG, "image/png", ALICE)


async def test_a_picture_twice_with_one_key_is_one_picture(ask: Speaking, look: Look) -> None:
    image = "data:image/png;base64," + base64.b64encode(PNG).decode()
    first = await ask("member", image=image, key="k")
    assert await ask("member", image=image, key="k") == first
    assert await look(lambda s: s.execute(select(func.count(col(Picture.id)))).scalar()) == 1


async def test_a_place_is_taken_only_whole(ask: Speaking) -> None:
    await ask("member", lat=31.87, lon=120.55)
    assert ask.status == 200
    refusal = await ask("member", lat=31.87)
    assert ask.status == 422
    assert "belong together" in refusal["error"]["message"]


async def test_a_picture_over_the_limit_is_refused_and_nothing_is_kept(
    http: httpx.AsyncClient, look: Look
) -> None:
    at_limit = PNG + bytes(PICTURE_BYTES_MAX - len(PNG))
    for content, status in ((at_limit, 200), (at_limit + b"\0", 413), (b"<svg onload=alert(1)>", 422)):
        response = await http.post("/web/say", data={"as": "member"}, files={"image": ("a.png", content)})
        assert response.status_code == status
    assert await look(lambda s: s.execute(select(func.count(col(Picture.id)))).scalar()) == 1
    ((actor, action),) = await look(lambda s: s.execute(select(AuditEvent.actor_id, AuditEvent.action)).all())
    assert (actor, action) == (ALICE, "picture.refused")


@pytest.mark.parametrize("how", ["form", "json"])
async def test_a_picture_of_40_mb_is_refused_in_words_and_written_down(
    http: httpx.AsyncClient, look: Look, how: str
) -> None:
    content = PNG + bytes(40 * 2**20)
    if how == "form":
        response = await http.post("/web/say", data={"as": "member"}, files={"image": ("a.png", content)})
    else:
        image = base64.b64encode(content).decode()
        response = await http.post("/web/say", json={"as": ALICE, "image": image})
    assert (response.status_code, "5 MiB" in response.json()["error"]["message"]) == (413, True)
    ((actor, action, detail),) = await look(
        lambda s: s.execute(select(AuditEvent.actor_id, AuditEvent.action, AuditEvent.detail)).all()
    )
    assert (actor, action) == (ALICE, "picture.refused")
    assert json.loads(detail)["size_bytes"] > len(content)
    assert await look(lambda s: s.execute(select(func.count(col(Picture.id)))).scalar()) == 0


BAD = {
    "no as": {"text": "菜单"},
    "no text": {"as": "member"},
    "as is null": {"as": None, "text": "菜单"},
    "as is a list": {"as": [101], "text": "菜单"},
    "as is true": {"as": True, "text": "菜单"},
    "as is a fraction": {"as": 101.5, "text": "菜单"},
    "as is empty": {"as": "", "text": "菜单"},
    "as is a number that no member has": {"as": 424242, "text": "菜单"},
    "as is digits that no member has": {"as": "424242", "text": "菜单"},
    "as is below every number": {"as": -1, "text": "菜单"},
    "as is beyond every number": {"as": 10**30, "text": "菜单"},
    "as is too long a name": {"as": "x" * 65, "text": "菜单"},
    "text is a number": {"as": "member", "text": 1},
    "text is null and nothing else": {"as": "member", "text": None},
    "text has a control character": {"as": "member", "text": "签\u0000到"},
    "text has an escape": {"as": "member", "text": "\u001b[31m"},
    "name has a control character": {"as": "guest\u0007", "text": "菜单"},
    "key is a number": {"as": "member", "text": "菜单", "key": 7},
    "key is empty": {"as": "member", "text": "菜单", "key": ""},
    "key is too long": {"as": "member", "text": "菜单", "key": "k" * 65},
    "an unknown field": {"as": "member", "text": "菜单", "admin": True},
    "action is too long": {"as": "member", "action": "a" * 65},
    "two things at once": {"as": "member", "action": "menu", "lat": 1.0, "lon": 2.0},
    "a place beyond the pole": {"as": "member", "lat": 90.5, "lon": 0},
    "a picture that is no base64": {"as": "member", "image": "???"},
    "a picture that is none": {"as": "member", "image": base64.b64encode(b"hello").decode()},
    "a list": [],
    "a text": "菜单",
}


@pytest.mark.parametrize("asked", BAD.values(), ids=BAD.keys())
async def test_bad_input_is_named_and_changes_nothing(http: httpx.AsyncClient, look: Look, asked: Any) -> None:
    response = await http.post("/web/say", json=asked)
    assert response.status_code == 422
    error = response.json()["error"]
    assert set(error) == {"field", "message"}
    assert error["message"]
    assert await look(lambda s: s.execute(select(func.count(col(Inbound.id)))).scalar()) == 0


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"as": "member", "text": "\\ud800"}', b"\xff\xfe", b"[" * 100_000, b'{"as": NaN, "text": "x"}'],
    ids=["empty", "broken", "half a character", "no UTF-8", "nested", "NaN"],
)
async def test_a_body_that_is_no_json_is_refused(http: httpx.AsyncClient, body: bytes) -> None:
    response = await http.post("/web/say", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 422
    assert response.json()["error"]["message"]


async def test_a_text_may_be_long_but_not_endless(ask: Speaking) -> None:
    await ask("member", "啊" * TEXT_MAX)
    assert ask.status == 200
    await ask("member", "啊" * (TEXT_MAX + 1))
    assert ask.status == 422


async def test_a_letter_of_60000_characters_is_refused_by_the_conversation_itself(ask: Speaking) -> None:
    for words in ("发红信", "1", "1"):
        await ask("secretary", words)
    assert "这段文字有 60000 字，最多 5000 字" in (await ask("secretary", "字" * 60_000))["text"]


async def test_a_body_over_the_limit_is_refused(http: httpx.AsyncClient) -> None:
    def body(size: int) -> bytes:
        frame = json.dumps({"as": "member", "text": "菜单"}).encode()
        return frame + b" " * (size - len(frame))

    headers = {"content-type": "application/json"}
    within = await http.post("/web/say", content=body(JSON_BYTES_MAX), headers=headers)
    beyond = await http.post("/web/say", content=body(JSON_BYTES_MAX + 1), headers=headers)
    assert (within.status_code, beyond.status_code) == (200, 413)


async def test_only_json_and_forms_are_read(http: httpx.AsyncClient) -> None:
    response = await http.post("/web/say", content=b"<as>member</as>", headers={"content-type": "text/xml"})
    assert response.status_code == 415


async def test_a_form_with_a_strange_file_or_number_is_refused(http: httpx.AsyncClient) -> None:
    strange = await http.post("/web/say", data={"as": "member"}, files={"virus": ("a.exe", b"MZ")})
    number = await http.post(
        "/web/say", data={"as": "member", "lat": "north", "lon": "1"}, files={"image": ("a", PNG)}
    )
    broken = await http.post("/web/say", content=b"--x", headers={"content-type": "multipart/form-data"})
    assert [answer.status_code for answer in (strange, number, broken)] == [422, 422, 422]


async def test_bidi_zero_width_and_emoji_are_taken_as_they_are(ask: Speaking) -> None:
    reply = await ask("👵🏽 奶奶", "\u202e菜\u200b单")
    assert ask.status == 200
    assert "绑定码" in reply["text"]


async def test_nobody_becomes_a_member_by_naming_an_address(ask: Speaking, look: Look) -> None:
    reply = await ask(f"member:{ALICE}", "菜单")
    assert "艾丽丝" not in reply["text"]
    addresses = await look(lambda s: set(s.execute(select(col(Chat.address))).scalars()))
    assert f"guest:member:{ALICE}" in addresses
