"""Cards at WeChat: what is posted for one, and what its events say. Consents are counted once for each event."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlmodel import select

from bot.channels.wechat import WeChat
from bot.channels.wechat.agree_page import agree_address, signature
from bot.channels.wechat.card_events import card_events
from db.cards import CardReport
from db.consents import Consent
from notices.card_rules import cards_in
from notices.channel import Message, SendError
from tests.bot.wechat.conftest import ALICE, Accounts, Clock, EchoDispatcher
from tests.bot.wechat.server import ACCEPT_AND_DROP, WeChatServer, errcode

CARDS = cards_in("""
[[card]]
template = "SUB-1"
way = "subscription"
kinds = ["letter", "message"]
fields = { thing1 = "{text}", time2 = "{time}", thing3 = "回复1就能看全文" }
[[card]]
template = "TPL_1"
way = "template"
kinds = ["warning"]
fields = { thing1 = "{text}" }
""")
BIZSEND, TICKET = "message/subscribe/bizsend", "ticket/getticket"
SITE = "https://chat.example.org"


@pytest.fixture
async def ways(account: Accounts) -> dict[str, Any]:
    """The channels of an account with two templates, by name."""
    wechat: WeChat = await account(cards=CARDS)
    return {one.name: one for one in wechat.channels()}


def listed(server: WeChatServer, event: str, element: str, *entries: dict[str, object]) -> Any:
    """An event of WeChat's with a list in it, as the documents show it."""
    plain = server.event(ALICE, event)
    inner = "".join(
        "<List>" + "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in one.items()) + "</List>"
        for one in entries
    )
    document = plain.document.replace("</xml>", f"<{element}>{inner}</{element}></xml>")
    return type(plain)(plain.openid, document)


async def test_a_card_is_posted_with_every_field_filled_and_a_number_only_where_wechat_gives_one(
    ways: dict[str, Any], server: WeChatServer
) -> None:
    assert set(ways) == {"wechat", "wechat:subscription", "wechat:template"}
    assert ways["wechat:subscription"].templates("letter:1", Message("字" * 20)) == ["SUB-1"]
    assert ways["wechat:subscription"].templates("letter:1", Message("字" * 21)) == []
    assert ways["wechat:subscription"].templates("warnings:1", Message("字")) == []
    assert await ways["wechat:subscription"].send(ALICE, Message("有一封红信"), key="knock:letter:d:1:1") == ""
    (call,) = server.accepted(BIZSEND)
    assert call.payload == {
        "touser": ALICE,
        "template_id": "SUB-1",
        "data": {
            "thing1": {"value": "有一封红信"},
            "time2": {"value": "2026年06月15日 12:00"},
            "thing3": {"value": "回复1就能看全文"},
        },
    }
    assert await ways["wechat:template"].send(ALICE, Message("预警"), key="warnings:1:1:1") == "900001"


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (errcode(43101), "permanent: no_consent"),
        (errcode(45009), "permanent: daily_quota"),  # not kept until midnight: there are other ways
        (errcode(47003), "permanent: content_refused"),
        (errcode(-1), "retry: busy"),
        (ACCEPT_AND_DROP, "ambiguous: connection_lost"),
    ],
)
async def test_what_wechat_says_of_a_card_is_read_as_for_every_message(
    outcome: Any, told: str, ways: dict[str, Any], server: WeChatServer
) -> None:
    server.script(BIZSEND, outcome)
    with pytest.raises(SendError) as raised:
        await ways["wechat:subscription"].send(ALICE, Message("您好"), key="wish:1:1:1")
    assert str(raised.value) == told


async def test_the_page_to_agree_is_signed_for_the_address_at_which_it_is_opened(
    account: Accounts, server: WeChatServer, clock: Clock
) -> None:
    wechat = await account(cards=CARDS, site=SITE)
    app = FastAPI()
    app.include_router(wechat.router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=SITE) as browser:
        server.script(TICKET, errcode(-1))
        assert (await browser.get("/wechat/agree")).status_code == 503
        for query, ticket in (("", "ticket-1"), ("?from=singlemessage&x=%E4%B8%AD", "ticket-1"), ("", "ticket-2")):
            page = await browser.get(f"/wechat/agree{query}")
            config = json.loads(page.text.partition("wx.config(")[2].partition(")")[0])
            signed = signature(ticket, config["nonceStr"], config["timestamp"], f"{SITE}/wechat/agree{query}")
            assert config["signature"] == signed
            clock.now += timedelta(seconds=3299 if query == "" else 3301)  # ten minutes early in two hours
        assert 'template="SUB-1"' in page.text  # a template that needs no consent is none to agree to
        assert f"'nonce-{config['nonceStr']}'" in page.headers["Content-Security-Policy"]
        assert (await browser.get("/wechat/agree?" + "x" * 513)).status_code == 414
    assert len(server.accepted(TICKET)) == 2
    assert agree_address(SITE, CARDS[1:]) == agree_address("", CARDS) == ""


def test_the_signature_of_a_page_is_that_of_the_documents() -> None:
    ticket = "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg"
    assert (
        signature(ticket, "Wm3WZYTPz0wzccnW", 1414587457, "http://mp.weixin.qq.com?params=value")
        == "0f9de62fce790f9a083d5c99e95740ceb90c27ed"
    )


async def test_each_consent_of_an_event_counts_once_and_can_be_withdrawn(
    wechat: WeChat, server: WeChatServer, echo: EchoDispatcher
) -> None:
    yes, no = ({"TemplateId": one, "SubscribeStatusString": said, "PopupScene": 2}
               for one, said in (("SUB-1", "accept"), ("SUB-2", "reject")))  # fmt: skip
    popup = listed(server, "subscribe_msg_popup_event", "SubscribeMsgPopupEvent", yes, no)
    for _ in range(2):
        assert await server.deliver(popup) is None
    (given,) = await echo.write(lambda s: s.exec(select(Consent)).all())
    assert (given.address, given.template, given.void_at) == (ALICE, "SUB-1", None)
    refused = {"TemplateId": "SUB-1", "SubscribeStatusString": "reject"}
    for element in ("SubscribeMsgPopupEvent", "SubscribeMsgChangeEvent"):  # the documents name both
        assert len(card_events(
            listed(server, "subscribe_msg_change_event", element, refused).document.encode(), now=server.clock()
        )) == 1  # fmt: skip
    await server.deliver(listed(server, "subscribe_msg_change_event", "SubscribeMsgChangeEvent", refused))
    (given,) = await echo.write(lambda s: s.exec(select(Consent)).all())
    assert given.void_at is not None
    assert echo.asked == 0


async def test_reports_on_cards_are_kept_once(wechat: WeChat, server: WeChatServer, echo: EchoDispatcher) -> None:
    shown = {"TemplateId": "SUB-1", "MsgID": 1700827132819554304, "ErrorCode": 0, "ErrorStatus": "success"}
    sent = listed(server, "subscribe_msg_sent_event", "SubscribeMsgSentEvent", shown)
    blocked = server.event(ALICE, "TEMPLATESENDJOBFINISH", MsgID=900001, Status="failed:user block")
    failed = server.event(ALICE, "TEMPLATESENDJOBFINISH", MsgID=900002, Status="failed: system failed")
    for letter in (sent, blocked, failed, sent, blocked):
        assert await server.deliver(letter) is None
    kept = await echo.write(lambda s: s.exec(select(CardReport).order_by(CardReport.platform_id)).all())
    assert [(one.way, one.shown, one.reason) for one in kept] == [
        ("wechat:subscription", True, ""),
        ("wechat:template", False, "user_refuses"),
        ("wechat:template", False, "card_failed"),
    ]


@pytest.mark.parametrize(
    "old_new",
    [
        ("accept", "maybe"),
        ("SUB-1", "SUB 1"),
        ("<List>", "<Last>"),
        ("<CreateTime>", "<CreateTime>-"),
        (ALICE, "o<b>x</b>"),
        ("</xml>", "</xml><xml/>"),
    ],
)
def test_an_odd_event_says_nothing(old_new: tuple[str, str], clock: Clock) -> None:
    server = WeChatServer(clock=clock)
    yes = {"TemplateId": "SUB-1", "SubscribeStatusString": "accept"}
    document = listed(server, "subscribe_msg_popup_event", "SubscribeMsgPopupEvent", yes).document
    assert len(card_events(document.encode(), now=clock())) == 1
    changed = document.replace(*old_new).replace("</List>", "</Last>" if "Last" in old_new[1] else "</List>")
    assert card_events(changed.encode(), now=clock()) == []
