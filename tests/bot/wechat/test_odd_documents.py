"""What WeChat itself sends without sense is taken quietly: anything but `success` would show people an error."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bot.wechat.conftest import ALICE, EchoDispatcher
from tests.bot.wechat.forged import GOOD, NOW_S, Door, encrypted, plain_block, sealed_as


def inner(**fields: Any) -> str:
    """An otherwise right document with these fields replaced; None leaves one out, a list doubles it."""
    whole: dict[str, Any] = {
        "ToUserName": "gh_hongxin",
        "FromUserName": ALICE,
        "CreateTime": NOW_S,
        "MsgType": "text",
        "Content": "签到",
        "MsgId": 7,
        **fields,
    }
    lines = ""
    for name, value in whole.items():
        for one in value if isinstance(value, list) else [value]:
            lines += "" if one is None else f"<{name}>{one}</{name}>"
    return f"<xml>{lines}</xml>"


QUIET: dict[str, str | bytes] = {
    "empty": "",
    "not XML": "hello",
    "JSON": '{"MsgType": "text"}',
    "deep JSON": "[" * 4000,
    "empty root": "<xml/>",
    "another root": "<message><MsgType>text</MsgType></message>",
    "DOCTYPE": "<!DOCTYPE xml>" + GOOD,
    "billion laughs": '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><xml>&b;</xml>',
    "no MsgType": inner(MsgType=None),
    "MsgType twice": inner(MsgType=["text", "image"]),
    "MsgType nested": inner(MsgType="<a>text</a>"),
    "empty MsgType": inner(MsgType=""),
    "event without Event": inner(MsgType="event"),
    "Event twice": inner(MsgType="event", Event=["CLICK", "SCAN"], EventKey="a"),
    "Event nested": inner(MsgType="event", Event="<b/>", EventKey="a"),
    "unknown Event": inner(MsgType="event", Event="some_day", EventKey="a"),
    "a link of the menu": inner(MsgType="event", Event="VIEW", EventKey="https://example.org"),
    "CLICK without a key": inner(MsgType="event", Event="CLICK"),
    "EventKey nested": inner(MsgType="event", Event="CLICK", EventKey="<a>menu</a>"),
    "end of a mass sending": inner(MsgType="event", Event="MASSSENDJOBFINISH", Status="send success"),
    "no FromUserName": inner(FromUserName=None),
    "FromUserName twice": inner(FromUserName=[ALICE, "oBob"]),
    "FromUserName nested": inner(FromUserName="<a/>"),
    "FromUserName with a quote": inner(FromUserName="o'; DROP"),
    "FromUserName in Chinese": inner(FromUserName="爱丽丝"),
    "FromUserName of 5000 characters": inner(FromUserName="o" * 5000),
    "no ToUserName": inner(ToUserName=None),
    "neither MsgId nor CreateTime": inner(MsgId=None, CreateTime=None),
    "MsgId in words, CreateTime too": inner(MsgId="seven", CreateTime="noon"),
    "GBK": inner().encode("gbk"),
    "UTF-16": inner().encode("utf-16"),
    "invalid UTF-8": inner(Content="CUT").encode().replace(b"CUT", b"\xff\xfe\xe7"),
    "NUL": inner(Content="a\0b"),
    "control character": inner(Content="a\x0bb"),
    "depth 4000": "<xml>" + "<a>" * 4000 + "</a>" * 4000 + "</xml>",
    "depth 4000 in MsgType": inner(MsgType="<a>" * 2000 + "</a>" * 2000),
    "10,000 elements": "<xml>" + "<a/>" * 10_000 + "</xml>",
}


@pytest.mark.parametrize("name", QUIET)
async def test_what_wechat_sends_without_sense_is_taken_quietly(
    name: str, door: Door, echo: EchoDispatcher
) -> None:
    document = QUIET[name]
    content = document if isinstance(document, bytes) else document.encode()
    answer = await door.knock(sealed_as(encrypted(plain_block(content))))
    assert (answer.status_code, answer.content) == (200, b"success")
    assert echo.effects == []
