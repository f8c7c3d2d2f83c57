"""A server that stands in for the Bot API: real HTTP on loopback, with people who talk and faults on order.

async with TelegramServer() as server:      # server.url, server.token for the bot's settings
    await server.say(7, "签到")              # fetched by polling, or pushed once setWebhook was called
    await server.wait_shown(7, 1)
    await server.press(7, server.sent(7)[-1].message_id, "1 ")
    server.flood("sendMessage", retry_after=3)
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

from tests.bot.telegram.chats import Chats, Refused, Sent, arguments_of
from tests.bot.telegram.faults import Fault, FaultOrders

BOT = {"id": 4242, "is_bot": True, "first_name": "Hongxin", "username": "HongxinTestBot"}
SENT_AT = 1_781_496_000  # 2026-06-15 12:00:00 in Shanghai
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"

Carry = Callable[[bytes, dict[str, str]], Awaitable[int]]


@dataclass(frozen=True)
class Call:
    """One request of the bot. `accepted`: the server did what was asked, whatever it answered."""

    method: str
    arguments: dict[str, Any]
    at: float  # seconds on the clock of the server
    accepted: bool


class TelegramServer(FaultOrders):
    """`calls` is append-only and the ground truth of what reached Telegram; `hasty` came inside a pause."""

    def __init__(
        self,
        token: str = "7000:CANARY-telegram-token",
        *,
        carry: Carry | None = None,
        clock: Callable[[], float] = time.monotonic,
        date: Callable[[], int] = lambda: SENT_AT,
    ) -> None:
        super().__init__()
        self.token = token
        self.url = ""
        self.calls: list[Call] = []
        self.hasty: list[Call] = []
        self.chats = Chats()
        self.commands: dict[str, list[dict[str, str]]] = {}  # scope|language -> what setMyCommands said
        self.webhook: dict[str, Any] | None = None
        self.statuses: list[int] = []  # what the webhook answered
        self.carry = carry
        self._clock = clock
        self._date = date  # when people send what they send, as Unix time
        self._updates: dict[int, dict[str, Any]] = {}
        self._waiting: dict[int, dict[str, Any]] = {}  # not confirmed yet
        self._again: set[int] = set()  # to be delivered once more, even if they are confirmed
        self.files: dict[str, bytes] = {}
        self._changed = asyncio.Condition()
        self._polls = 0
        self._last_update = 1000
        self._quiet_until = 0.0
        self._runner: web.AppRunner | None = None
        self._closed = asyncio.Event()

    async def __aenter__(self) -> TelegramServer:
        app = web.Application(client_max_size=32 * 1024 * 1024)
        app.router.add_post("/bot{token}/{method}", self._request)
        app.router.add_get("/file/bot{token}/{path:.+}", self._file)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closed.set()
        assert self._runner
        await self._runner.cleanup()

    # --- what people do; each returns the update's id, once the bot has answered for it in webhook mode

    async def say(self, user_id: int, text: str) -> int:
        """A person types."""
        return await self.send(user_id, text=text)

    async def send(self, user_id: int, **content: Any) -> int:
        """A person sends anything: `photo=[...]`, `sticker={...}`, `location={...}`."""
        self.chats.meet(user_id).blocked = False
        return await self.update(message=self._message(user_id, **content))

    async def send_photo(self, user_id: int, content: bytes, caption: str = "") -> int:
        """A person sends a picture, which Telegram offers in two sizes."""
        name = f"photo-{len(self.files)}"
        self.files[name] = content
        sizes = [
            {"file_id": f"{name}-small", "width": 90, "height": 90},
            {"file_id": name, "width": 800, "height": 800},
        ]
        return await self.send(user_id, photo=sizes, **({"caption": caption} if caption else {}))

    async def press(self, user_id: int, message_id: int, button: str) -> int:
        """A person presses a button, named by its label, by the beginning of it, or by its data."""
        sent = self.chats.meet(user_id).messages[message_id]
        data = next((d for label, d in sent.buttons if button == d or label.startswith(button)), button)
        message = {"message_id": message_id, "from": BOT, "chat": {"id": user_id, "type": "private"}, "date": 1}
        content: dict[str, Any] = {"photo": [], "caption": sent.text} if sent.photo else {"text": sent.text}
        press = {"id": f"press-{self._last_update}", "from": {"id": user_id}, "data": data}
        return await self.update(callback_query=press | {"message": message | content})

    async def press_in_group(self, group_id: int, user_id: int, message_id: int) -> int:
        """A person presses the first button of the bot's message in a group."""
        sent = self.chats.meet(group_id).messages[message_id]
        chat = {"id": group_id, "type": "supergroup"}
        message = {"message_id": message_id, "from": BOT, "chat": chat, "date": 1, "text": sent.text}
        press = {"id": f"press-{self._last_update}", "from": {"id": user_id}, "data": sent.buttons[0][1]}
        return await self.update(callback_query=press | {"message": message})

    async def add_to_group(self, group_id: int, *, was: str = "left", **member: Any) -> int:
        """The bot is added to a group, or its place in it changes (`status="kicked"`)."""
        self.chats.meet(group_id, "supergroup")
        chat, now = {"id": group_id, "type": "supergroup"}, {"status": "member", **member}
        change = {"chat": chat, "date": self._date(), "old_chat_member": {"status": was}, "new_chat_member": now}
        return await self.update(my_chat_member=change)

    async def block(self, user_id: int, *, blocked: bool = True) -> int:
        """A person blocks the bot, or lets it speak again."""
        self.chats.meet(user_id).blocked = blocked
        member = {"status": "kicked" if blocked else "member", "user": BOT}
        chat = {"id": user_id, "type": "private"}
        return await self.update(my_chat_member={"chat": chat, "date": self._date(), "new_chat_member": member})

    async def say_in_group(self, group_id: int, user_id: int, text: str, **more: Any) -> int:
        """A person types in a group."""
        self.chats.meet(group_id, "supergroup")
        message = self._message(user_id, text=text, **more)
        return await self.update(message=message | {"chat": {"id": group_id, "type": "supergroup"}})

    async def update(self, **body: Any) -> int:
        """Any update, with the next id."""
        self._last_update += 1
        self._updates[self._last_update] = {"update_id": self._last_update, **body}
        await self.redeliver(self._last_update)
        return self._last_update

    async def redeliver(self, update_id: int) -> None:
        """The same update comes (again), whatever the bot has confirmed."""
        self._again.add(update_id)
        self._waiting[update_id] = self._updates[update_id]
        await self._tell()
        if self.webhook:
            await self.bring()

    async def bring(self) -> None:
        """Push what is not confirmed to the webhook, in order; what it does not take with 2xx stays."""
        for update_id, update in sorted(self._waiting.items()):
            assert self.webhook
            secret = {SECRET_HEADER: self.webhook["secret_token"]} if "secret_token" in self.webhook else {}
            body = json.dumps(update, ensure_ascii=False).encode()
            status = await (self.carry or self._push)(body, {"Content-Type": "application/json"} | secret)
            self.statuses.append(status)
            if 200 <= status < 300:
                self._waiting.pop(update_id, None)

    # --- what tests look at

    def sent(self, user_id: int) -> list[Sent]:
        """The bot's messages to a person as they stand now, edits applied, oldest first."""
        return list(self.chats.meet(user_id).messages.values())

    def shown(self, user_id: int) -> list[Sent]:
        """Everything that the person has seen appear or change, in order."""
        return list(self.chats.meet(user_id).shown)

    def called(self, method: str) -> list[Call]:
        """The requests of one method."""
        return [call for call in self.calls if call.method == method]

    def unconfirmed(self) -> list[int]:
        """Updates that Telegram would deliver again."""
        return sorted(self._waiting)

    async def wait_shown(self, user_id: int, count: int) -> list[Sent]:
        """Wait until the person has seen `count` messages and edits."""
        await self.until(lambda: len(self.chats.meet(user_id).shown) >= count)
        return self.shown(user_id)

    async def until(self, happened: Callable[[], bool], patience_s: float = 5.0) -> None:
        """Wait until something holds; it is looked at after every request. Raises TimeoutError."""
        async with asyncio.timeout(patience_s), self._changed:
            await self._changed.wait_for(happened)

    # --- the Bot API

    async def _request(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        arguments, files = await arguments_of(request)
        fault = self.next_fault(method)
        accept = fault is None or fault.accept
        call = Call(method, arguments, self._clock(), accept)
        self.calls.append(call)
        if method != "getUpdates" and call.at < self._quiet_until:
            self.hasty.append(call)
        status, body = 200, b""
        try:
            if request.match_info["token"] != self.token:
                raise Refused(401, "Unauthorized")
            if accept:
                body = _json({"ok": True, "result": await self._do(method, arguments, files)})
        except Refused as refused:
            status = refused.status
            body = _json({"ok": False, "error_code": status, "description": refused.description})
        await self._tell()
        return await self._end(request, fault or Fault("answer", status, body), body)

    async def _end(self, request: web.Request, fault: Fault, body: bytes) -> web.StreamResponse:
        if fault.status == 429:
            pause = json.loads(fault.body).get("parameters", {}).get("retry_after", 0)
            self._quiet_until = max(self._quiet_until, self._clock() + pause)
        if fault.ending == "hang":
            await self._closed.wait()
        if fault.ending == "half":
            response = web.StreamResponse(headers={"Content-Length": str(len(body) + 50)})
            await response.prepare(request)
            await response.write(body[: len(body) // 2])
        if fault.ending != "answer":
            assert request.transport
            request.transport.close()
        headers = {"Location": fault.location} if fault.location else {}
        return web.Response(status=fault.status, body=fault.body, content_type="application/json", headers=headers)

    async def _do(self, method: str, arguments: dict[str, Any], files: dict[str, bytes]) -> Any:
        if method == "getUpdates":
            return await self._get_updates(arguments)
        if method == "getFile":
            return {"file_id": arguments["file_id"], "file_path": f"photos/{arguments['file_id']}"}
        if method == "setWebhook":
            self.webhook = arguments
        if method == "deleteWebhook":
            self.webhook = None
        if method in ("setMyCommands", "deleteMyCommands"):
            scope = arguments.get("scope", {})
            name = f"{scope.get('chat_id', scope.get('type'))}|{arguments.get('language_code', '')}"
            self.commands[name] = arguments.get("commands", [])
        does: dict[str, Callable[[], Any]] = {
            "getMe": lambda: BOT,
            "sendMessage": lambda: self.chats.send_message(arguments),
            "sendPhoto": lambda: self.chats.send_photo(arguments, files.get("photo")),
            "editMessageText": lambda: self.chats.edit_message_text(arguments),
        }
        return does.get(method, lambda: True)()

    async def _get_updates(self, arguments: dict[str, Any]) -> list[dict[str, Any]]:
        if self.webhook:
            raise Refused(409, "Conflict: can't use getUpdates method while webhook is active")
        self._polls += 1
        mine = self._polls
        offset = int(arguments.get("offset") or 0)
        for update_id in [known for known in self._waiting if known < offset and known not in self._again]:
            del self._waiting[update_id]
        await self._tell()
        try:
            async with asyncio.timeout(float(arguments.get("timeout") or 0)), self._changed:
                await self._changed.wait_for(lambda: self._waiting or self._polls != mine)
        except TimeoutError:
            pass
        if self._polls != mine:
            raise Refused(409, "Conflict: terminated by other getUpdates request")
        batch = sorted(self._waiting)[: int(arguments.get("limit", 100))]
        self._again.difference_update(batch)
        return [self._waiting[update_id] for update_id in batch]

    async def _file(self, request: web.Request) -> web.Response:
        content = self.files.get(request.match_info["path"].removeprefix("photos/"))
        if request.match_info["token"] != self.token or content is None:
            return web.json_response({"ok": False, "error_code": 404, "description": "Not Found"}, status=404)
        return web.Response(body=content)

    def _message(self, user_id: int, **content: Any) -> dict[str, Any]:
        sender = {"id": user_id, "is_bot": False, "first_name": "Somebody"}
        chat = {"id": user_id, "type": "private"}
        number = self.chats.next_id()
        return {"message_id": number, "from": sender, "chat": chat, "date": self._date(), **content}

    async def _push(self, body: bytes, headers: dict[str, str]) -> int:
        assert self.webhook
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.webhook["url"], data=body, headers=headers) as response,
        ):
            return response.status

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


def _json(answer: dict[str, Any]) -> bytes:
    return json.dumps(answer, ensure_ascii=False).encode()
