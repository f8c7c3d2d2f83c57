"""The page /wechat/agree: WeChat's own button by which a person agrees to be shown a card.

It knows nobody and keeps nothing: who agreed comes from WeChat as an event. What opens the pop-up is WeChat's
script, which asks for a signature over the very address of the page.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from html import escape

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bot.channels.wechat.api import Api
from notices.card_rules import Card
from notices.channel import SendError
from notices.wording import Wording

PATH = "/wechat/agree"
TICKET_GET = "/cgi-bin/ticket/getticket?type=jsapi"
SCRIPTS = "https://res.wx.qq.com"  # where WeChat's script comes from
TEMPLATES_MAX = 3  # in one pop-up of a page
QUERY_MAX = 512  # bytes; WeChat adds some of its own to an address that is passed on
EARLY = timedelta(minutes=10)  # a ticket is renewed so long before its end

STYLE = """
body{margin:0;padding:20px;font:22px/1.6 sans-serif;color:#222;background:#fff}
h1{margin:8px 0;font-size:30px;line-height:1.3}
.s{font-weight:bold;color:#8a0e17}
.e{font-size:18px;color:#555}
.b{width:100%;padding:18px;border:0;border-radius:8px;font-size:26px;color:#fff;background:#b3121d}
"""


def agree_address(site: str, cards: Sequence[Card]) -> str:
    """Where people agree; empty when the account has no cards to agree to, or nobody can reach it."""
    return site.rstrip("/") + PATH if site and any(card.way == "subscription" for card in cards) else ""


class AgreePage:
    """Answers at PATH. One ticket for all, fetched when the first one asks."""

    def __init__(
        self,
        api: Api,
        app_id: str,
        cards: Sequence[Card],
        site: str,
        clock: Callable[[], datetime],
        say: Wording,
    ) -> None:
        self._api = api
        self._app_id = app_id
        self._templates = [card.template for card in cards if card.way == "subscription"][:TEMPLATES_MAX]
        self._address = agree_address(site, cards)
        self._clock = clock
        self._say = say
        self._ticket = ("", clock())
        self._one_at_a_time = asyncio.Lock()

    def router(self) -> APIRouter:
        """The route, for the web server; none without anything to agree to."""
        routes = APIRouter()
        if self._address:
            routes.add_route(PATH, self.answer, methods=["GET"], include_in_schema=False)
        return routes

    async def answer(self, request: Request) -> Response:
        """The page, signed for the address at which it was asked for."""
        query = request.scope["query_string"].decode("ascii", "replace")
        if len(query) > QUERY_MAX:
            return Response(status_code=414)
        try:
            ticket = await self._fresh()
        except SendError:
            return Response(self._say("cards.page_later"), status_code=503, media_type="text/plain; charset=utf-8")
        nonce, stamp = secrets.token_hex(8), int(self._clock().timestamp())
        signed = signature(ticket, nonce, stamp, self._address + (f"?{query}" if query else ""))
        config = {
            "appId": self._app_id,
            "timestamp": stamp,
            "nonceStr": nonce,
            "signature": signed,
            "jsApiList": [],
            "openTagList": ["wx-open-subscribe"],
        }
        policy = (
            f"script-src 'nonce-{nonce}' {SCRIPTS}; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
        )
        headers = {
            "Content-Security-Policy": policy,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
        return HTMLResponse(self._page(config, nonce), headers=headers)

    async def _fresh(self) -> str:
        """A ticket of WeChat's script. Raises SendError."""
        async with self._one_at_a_time:
            ticket, renewed_at = self._ticket
            if not ticket or self._clock() >= renewed_at:
                answer = await self._api.get(TICKET_GET)
                lasts_s, ticket = answer.get("expires_in"), str(answer.get("ticket") or "")
                if not ticket or not isinstance(lasts_s, int):
                    raise SendError("retry", "nonsense")
                self._ticket = (ticket, self._clock() + timedelta(seconds=lasts_s) - EARLY)
            return ticket

    def _page(self, config: dict[str, object], nonce: str) -> str:
        words = {
            name: escape(self._say(f"cards.page_{name}")) for name in ("title", "text", "button", "elsewhere")
        }
        said = {name: self._say(f"cards.page_{name}") for name in ("thanks", "refused", "later")}
        script = (  # WeChat calls a pop-up that was closed or refused a success, too: what was chosen is inside
            f"wx.config({json.dumps(config)});var s={json.dumps(said, ensure_ascii=False)};"
            "var a=document.getElementById('a'),t=document.getElementById('t');"
            "function say(w){t.className='s';t.textContent=w}"
            "a.addEventListener('success',function(e){var d=e.detail||{};"
            "say(/accept/.test(d.subscribeDetails)?s.thanks:s.refused)});"
            "a.addEventListener('error',function(){say(s.later)});"
        )
        return (
            '<!doctype html><html lang="zh-CN"><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{words['title']}</title><style>{STYLE}</style>"
            f'<h1>{words["title"]}</h1><p id="t" role="status">{words["text"]}</p>'
            f'<wx-open-subscribe id="a" template="{escape(",".join(self._templates))}">'
            f'<script type="text/wxtag-template" nonce="{nonce}"><style>{STYLE}</style>'
            f'<button class="b">{words["button"]}</button></script></wx-open-subscribe>'
            f'<p class="e">{words["elsewhere"]}</p>'
            f'<script src="{SCRIPTS}/open/js/jweixin-1.6.0.js"></script>'
            f'<script nonce="{nonce}">{script}</script></html>'
        )


def signature(ticket: str, nonce: str, timestamp_s: int, url: str) -> str:
    """What WeChat's script proves itself with on a page at `url` (without what follows a #)."""
    signed = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp_s}&url={url}"
    return hashlib.sha1(signed.encode(), usedforsecurity=False).hexdigest()
