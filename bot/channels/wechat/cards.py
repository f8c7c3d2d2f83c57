"""Cards in WeChat: 订阅通知 (one consent, one card) and 模板消息 (services only), each a channel beside the chat.

Neither has a key of its own that lasts: a card of which nobody knows whether it went out is never sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.channels.wechat.api import Api
from bot.channels.wechat.inbound import CHANNEL
from bot.channels.wechat.reply import clean
from db.cards import way
from notices.card_rules import Card, cards_in, kind_of
from notices.channel import Message, SendError

SUBSCRIPTION, TEMPLATE = way(CHANNEL, "subscription"), way(CHANNEL, "template")
PATHS = {SUBSCRIPTION: "/cgi-bin/message/subscribe/bizsend", TEMPLATE: "/cgi-bin/message/template/send"}
TIME = "%Y年%m月%d日 %H:%M"  # as the platform wants times and dates


class CardChannel:
    """Fulfils `notices.channel.CardChannel` for one way. An address is an openid of the chats beside it."""

    beside = CHANNEL

    def __init__(
        self, name: str, api: Api, cards: Sequence[Card], clock: Callable[[], datetime], zone: ZoneInfo
    ) -> None:
        self.name = name
        self._api = api
        self._cards = [card for card in cards if way(CHANNEL, card.way) == name]
        self._clock = clock
        self._zone = zone

    def parts(self, text: str) -> Sequence[str]:
        """`text` as it is: what does not fit a card as a whole is not sent on one."""
        return [text]

    def templates(self, key: str, message: Message) -> Sequence[str]:
        """Ids of the templates that take the whole of `message`, for a row with this key."""
        return [card.template for card, _ in self._filled(key, message)]

    async def send(self, address: str, message: Message, *, key: str) -> str:
        """Show `message` on the first card that takes it; the platform's number, empty where it gives none.

        Raises SendError; a day's quota that is used up is no reason to wait, there are other ways.
        """
        found = next(iter(self._filled(key, message)), None)
        if found is None:
            raise SendError("permanent", "no_card")
        card, values = found
        payload = {
            "touser": address,
            "template_id": card.template,
            "data": {name: {"value": clean(value)} for name, value in values.items()},
        }
        try:
            answer = await self._api.send(PATHS[self.name], payload)
        except SendError as error:
            if error.reason == "daily_quota":
                raise SendError("permanent", "daily_quota") from None
            raise
        return str(answer.get("msgid") or "")

    def _filled(self, key: str, message: Message) -> list[tuple[Card, dict[str, str]]]:
        kind, time = kind_of(key), self._clock().astimezone(self._zone).strftime(TIME)
        filled = ((card, card.filled(message.plain(), time)) for card in self._cards if kind in card.kinds)
        return [(card, values) for card, values in filled if values is not None]


def read_cards(path: str) -> tuple[Card, ...]:
    """The templates in the operator's file, none without a path. Raises ValueError that says what is wrong."""
    if not path:
        return ()
    try:
        return cards_in(Path(path).read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text") from None
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror})") from None
