"""The web channel for the outbox: a letter becomes a line of the chat and appears on every open page."""

from __future__ import annotations

from collections.abc import Sequence

from bot.channels.web.chat import WebChat
from bot.channels.web.lines import NAME
from notices.channel import Message, SendError


class WebChannel:
    """Fulfils `notices.channel.Channel`. It never fails halfway: the line stands or it does not."""

    name = NAME

    def __init__(self, chat: WebChat) -> None:
        self._chat = chat

    def parts(self, text: str) -> Sequence[str]:
        """`text` whole: a page has no limit."""
        return (text,)

    async def send(self, address: str, message: Message, *, key: str) -> str:
        """Add `message` to the chat; its line's id. A second try with the same key adds nothing."""
        if not message.text.strip() and message.picture is None:
            raise SendError("permanent", "empty")
        return await self._chat.push(address, message, key=key)
