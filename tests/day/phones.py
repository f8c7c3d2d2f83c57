"""The people's phones on each channel: say a thing as a platform carries it, and tell what came up on the screen.

Each platform tries again as it really does when the service does not answer: Telegram until the service has taken
the update, WeChat three times, the web page with the key that it gave to the message.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp

from notices.channel import Message
from tests.bot.telegram.chats import Sent
from tests.bot.telegram.server import TelegramServer
from tests.bot.wechat.server import Letter, WeChatServer
from tests.day.screen import Screen
from tests.day.truth import Truth
from tests.day.waiting import LOOK_S, PATIENCE_S, until


class Phone(Protocol):
    """Everybody's phones on one channel. Letters are what came up without being asked for, in order."""

    async def say(self, member_id: int, text: str, picture: bytes | None = None) -> Screen:
        """Type `text`, or send a picture; the reply as it is shown."""
        ...

    def letters(self, member_id: int) -> list[Screen]:
        """Every letter that came up so far."""
        ...

    def repeated(self) -> int:
        """How many replies came up a second time."""
        ...


@dataclass
class WebPhone:
    """A page of one's own, through `POST /web/say`. Letters come with the next thing that is said."""

    url: str
    keys: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    got: dict[int, list[Screen]] = field(default_factory=lambda: defaultdict(list))

    async def say(self, member_id: int, text: str, picture: bytes | None = None) -> Screen:
        said: dict[str, Any] = {"as": f"phone-{member_id}", "text": text, "key": f"k{next(self.keys)}"}
        if picture is not None:
            said["image"] = base64.b64encode(picture).decode()
        answer = await self._answer(said)
        self.got[member_id] += [_of_web(one) for one in answer["pushed"]]
        return _of_web(answer)

    async def _answer(self, said: dict[str, Any]) -> Any:
        """The same request until it is answered."""
        async with asyncio.timeout(PATIENCE_S), aiohttp.ClientSession() as client:
            while True:
                try:
                    async with client.post(f"{self.url}/web/say", json=said) as answer:
                        assert answer.status == 200, await answer.text()
                        return await answer.json()
                except aiohttp.ClientError:
                    await asyncio.sleep(LOOK_S)

    def letters(self, member_id: int) -> list[Screen]:
        return self.got[member_id]

    def repeated(self) -> int:
        return 0


def _of_web(shown: dict[str, Any]) -> Screen:
    return Screen(shown["text"], tuple(label for label, _ in shown["buttons"]), bool(shown["images"]))


@dataclass
class TelegramPhone:
    """A private chat with the bot. webhook: updates are brought to the service, else it fetches them."""

    server: TelegramServer
    truth: Truth
    webhook: bool

    async def say(self, member_id: int, text: str, picture: bytes | None = None) -> Screen:
        user = self._user(member_id)
        before = len(self.server.shown(user))
        said = self.server.send_photo(user, picture, text) if picture else self.server.say(user, text)
        update = await said
        async with asyncio.timeout(PATIENCE_S):
            while self.webhook and update in self.server.unconfirmed():
                await asyncio.sleep(LOOK_S)
                if self.server.webhook:  # else Telegram waits until the service has said where it is
                    await self.server.bring()
        key = f"u{update}"
        await until(lambda: key in self._replies(member_id), f"“{text}” is committed")
        reply = self._replies(member_id)[key]
        await until(lambda: self._find(user, before, reply), f"the reply to “{text}” is shown")
        found = self._find(user, before, reply)
        assert found is not None
        return _of_telegram(found)

    def _find(self, user: int, before: int, reply: Message) -> Sent | None:
        return next((sent for sent in self.server.shown(user)[before:] if sent.text == reply.text), None)

    def _replies(self, member_id: int) -> dict[str, Message]:
        return self.truth.replies("telegram", str(self._user(member_id)))

    def letters(self, member_id: int) -> list[Screen]:
        replies = {reply.text for reply in self._replies(member_id).values()}
        return [_of_telegram(s) for s in self.server.shown(self._user(member_id)) if s.text not in replies]

    def repeated(self) -> int:
        count = 0
        for user in self.server.chats.by_id:
            replies = [reply.text for reply in self.truth.replies("telegram", str(user)).values()]
            count += sum(sent.text in replies for sent in self.server.shown(user)) - len(replies)
        return count

    @staticmethod
    def _user(member_id: int) -> int:
        return 90_000 + member_id


def _of_telegram(sent: Sent) -> Screen:
    return Screen(sent.text, tuple(sent.labels), sent.photo is not None)


@dataclass
class WeChatPhone:
    """A follower of the account. Replies come in the answer to WeChat, letters and pictures as customer messages."""

    server: WeChatServer
    truth: Truth
    shown: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))  # replies as they were shown

    async def say(self, member_id: int, text: str, picture: bytes | None = None) -> Screen:
        openid = self.openid(member_id)
        before = len(self.server.sent(openid))
        letter = self._written(openid, text, picture)
        heard = await self.server.deliver(letter)
        errors = [seen for seen in self.server.sent(openid)[before:] if seen.way == "error"]
        assert heard is not None, f"“{text}” got no reply: {errors or 'success'}"
        self.shown[member_id].append(heard)
        reply = self._last_reply(openid)
        if reply.picture is not None:
            await until(lambda: self._pictures(openid, before), f"the picture of the reply to “{text}” comes")
        return Screen(heard, (), reply.picture is not None)

    def _written(self, openid: str, text: str, picture: bytes | None) -> Letter:
        if picture is None:
            return self.server.typed(openid, text)
        media_id = f"inbound-{len(self.server.media)}"
        self.server.media[media_id] = picture
        return self.server.message(openid, "image", PicUrl="http://nowhere.test/p", MediaId=media_id)

    def _last_reply(self, openid: str) -> Message:
        return list(self.truth.replies("wechat", openid).values())[-1]

    def _pictures(self, openid: str, before: int) -> int:
        return sum(seen.image is not None for seen in self.server.sent(openid)[before:])

    def letters(self, member_id: int) -> list[Screen]:
        seen = self.server.sent(self.openid(member_id))
        replies = set(self.shown[member_id])
        customer = [one.text for one in seen if one.way == "customer" and one.text]
        return [Screen(text) for text in customer if text not in replies]

    def repeated(self) -> int:
        count = 0
        for member_id, replies in self.shown.items():
            seen = [one.text for one in self.server.sent(self.openid(member_id)) if one.text]
            count += sum(text in replies for text in seen) - len(replies)
        return count

    @staticmethod
    def openid(member_id: int) -> str:
        """Who that is on WeChat."""
        return f"oDay_{member_id:06d}"


def reaching(url: Callable[[], str], path: str) -> Callable[[bytes, dict[str, str]], Awaitable[int]]:
    """How Telegram brings an update to our webhook: the status, 502 when nobody answers there."""

    async def carry(body: bytes, headers: dict[str, str]) -> int:
        try:
            async with (
                aiohttp.ClientSession() as client,
                client.post(f"{url()}{path}", data=body, headers=headers) as answer,
            ):
                return answer.status
        except aiohttp.ClientError:
            return 502

    return carry
