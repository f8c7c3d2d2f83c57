"""WeChat official account: safe mode only, passive replies within 5 s, customer messages for the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from bot.channels.wechat import menu
from bot.channels.wechat.agree_page import AgreePage
from bot.channels.wechat.api import Api
from bot.channels.wechat.cards import PATHS, CardChannel
from bot.channels.wechat.guard import Guard
from bot.channels.wechat.menu import SceneCode
from bot.channels.wechat.sealing import key_from
from bot.channels.wechat.send import Draw, WeChatChannel
from bot.channels.wechat.tokens import Tokens, Write
from bot.channels.wechat.transport import DEFAULT_ORIGIN, TOTAL_S, Transport
from bot.channels.wechat.turns import Turns
from bot.channels.wechat.webhook import Webhook
from notices.card_rules import Card
from notices.channel import Channel
from notices.outbox import CITY
from notices.wording import Wording, wording

if TYPE_CHECKING:
    from bot.dispatch import Dispatcher

__all__ = ["SceneCode", "WeChat", "WeChatChannel", "account_api"]

BUDGET_S = 4.0  # of the 5 s that WeChat waits

Pause = Callable[[float], Awaitable[Any]]
"""Waits that many seconds; given so that tests need not."""


def _present() -> datetime:
    return datetime.now(UTC)


def account_api(
    app_id: str,
    app_secret: str,
    api_url: str,
    write: Write,
    clock: Callable[[], datetime],
    *,
    total_s: float = TOTAL_S,
    pause: Pause = asyncio.sleep,
) -> tuple[Transport, Api]:
    """The API of one account and the connections under it, which the caller starts and stops."""
    if not app_id.isascii() or not app_id or not app_secret:
        raise ValueError("HONGXIN_WECHAT_APP_ID and HONGXIN_WECHAT_APP_SECRET belong together")
    transport = Transport(api_url, total_s=total_s)
    return transport, Api(transport, Tokens(app_id, app_secret, transport, write, clock, pause=pause), clock)


class WeChat:
    """One official account, wired: `channels` for the outbox, `router` for the web server.

    Refuses to be built (ValueError, naming the variable, never its value) without a token, with an AES key that is
    not 43 characters, or with an API address that is more than scheme, host and port.
    """

    def __init__(
        self,
        app_id: str,
        app_secret: str,
        token: str,
        aes_key: str,
        previous_aes_key: str | None,
        api_url: str,
        dispatcher: Dispatcher,
        draw: Draw,
        *,
        clock: Callable[[], datetime] = _present,
        say: Wording | None = None,
        budget_s: float = BUDGET_S,
        total_s: float = TOTAL_S,
        pause: Pause = asyncio.sleep,
        cards: Sequence[Card] = (),
        zone: ZoneInfo = CITY,
        site: str = "",
    ) -> None:
        keys = [key_from(aes_key, app_id=app_id, name="HONGXIN_WECHAT_AES_KEY")]
        if previous_aes_key:
            name = "HONGXIN_WECHAT_PREVIOUS_AES_KEY"
            keys.append(key_from(previous_aes_key, app_id=app_id, name=name))
        guard = Guard(token, keys)
        self._say = say or wording("zh")
        self._clock = clock
        self._transport, self._api = account_api(
            app_id, app_secret, api_url or DEFAULT_ORIGIN, dispatcher.write, clock, total_s=total_s, pause=pause
        )
        hint = self._say("wechat.location_hint")
        self.channel = WeChatChannel(self._api, draw, clock, location_hint=hint)
        ways = {one.way for one in cards}
        self._cards = [
            CardChannel(name, self._api, cards, clock, zone) for name in PATHS if name.partition(":")[2] in ways
        ]
        self._turns = Turns(dispatcher, self.channel, clock, budget_s=budget_s, pause=pause)
        webhook = Webhook(guard, self._turns, self.channel, clock, token=token, write=dispatcher.write)
        self.router = webhook.router()
        self.router.include_router(AgreePage(self._api, app_id, cards, site, clock, self._say).router())

    def channels(self) -> list[Channel]:
        """The chats, and the cards that can be shown in them."""
        return [self.channel, *self._cards]

    async def start(self) -> None:
        """Open the connections to WeChat. Without it the webhook answers, but nothing else goes out."""
        await self._transport.start()

    async def stop(self) -> None:
        """Let replies under way go out for some seconds, then close the connections."""
        await self._turns.stop()
        await self._transport.stop()

    async def idle(self) -> None:
        """Return when no reply is under way."""
        await self._turns.idle()

    async def fetch(self, media_id: str) -> bytes:
        """The picture that a person sent, at most 10 MB. Raises SendError."""
        return await self.channel.fetch(media_id)

    async def create_menu(self) -> bool:
        """Set the menus of the account; False when no followers are tagged as secretaries."""
        return await menu.create_menu(self._api, self._say)

    async def scene_code(self, scene: str, *, lasts: timedelta) -> SceneCode:
        """A code whose scan comes in with `scene`; lasts at most 30 days."""
        return await menu.scene_code(self._api, scene, lasts=lasts, clock=self._clock)
