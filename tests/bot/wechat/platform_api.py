"""The API half of the WeChat stand-in: tokens, messages, media, menus and codes, scriptable per call."""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Self

from aiohttp import web

APP_ID, APP_SECRET = "wx0123456789abcdef", "canary-app-secret-5f1c"


@dataclass(frozen=True)
class Seen:
    """One thing on a person's phone. way `error`: WeChat's own notice that the account is out of order."""

    way: Literal["passive", "customer", "mass", "error"]
    text: str = ""
    image: bytes | None = None


@dataclass(frozen=True)
class Call:
    """An API call that was accepted: its path below /cgi-bin/, and what was in it."""

    path: str
    payload: Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What the next call of a path meets instead of the usual. accept: it takes effect nevertheless."""

    errcode: int | None = None
    status: int = 200
    location: str = ""
    body: bytes | None = None
    accept: bool = False
    then: Literal["answer", "hang", "drop"] = "answer"


def errcode(code: int) -> Outcome:
    """A refusal with this code."""
    return Outcome(errcode=code)


def status(code: int) -> Outcome:
    """An HTTP error of some gateway on the way."""
    return Outcome(status=code, body=b"<html>bad gateway</html>")


NONSENSE = Outcome(body=b"<html>welcome to this hotel's wifi</html>")
ACCEPT_AND_HANG = Outcome(accept=True, then="hang")
ACCEPT_AND_DROP = Outcome(accept=True, then="drop")


@dataclass
class Window:
    """A time in which a person may be sent so many customer messages."""

    closes_at: datetime
    left: int


@dataclass
class PlatformApi:
    """WeChat's API for one account, with what it keeps. Everything that reached a phone is in `sent`."""

    clock: Callable[[], datetime]
    app_id: str = APP_ID
    app_secret: str = APP_SECRET
    keeps_windows: bool = False  # refuse customer messages outside a person's window, as WeChat does
    url: str = ""
    calls: list[Call] = field(default_factory=list)  # accepted calls, append-only
    requests: list[str] = field(default_factory=list)  # the path of every request, accepted or not
    last_body: bytes = b""  # of the last request, as it came
    tags: list[dict[str, Any]] = field(default_factory=list)
    conditional: list[dict[str, Any]] = field(default_factory=list)  # menus for tags that stand
    menu: list[dict[str, Any]] | None = None
    refuses_tokens: bool = False
    expires_s: int = 7200
    tokens_given: int = 0
    media: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._seen: dict[str, list[Seen]] = defaultdict(list)
        self._script: dict[str, list[Outcome]] = defaultdict(list)
        self._windows: dict[str, list[Window]] = defaultdict(list)
        self._numbers = itertools.count(23_000_000_000_000_001)
        self._valid = ""
        self._stopping = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.router.add_post("/cgi-bin/stable_token", self._stable_token)
        app.router.add_route("*", "/cgi-bin/{path:.+}", self._api)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping.set()
        assert self._runner is not None
        await self._runner.cleanup()

    def sent(self, openid: str) -> list[Seen]:
        """Everything that this person has on the phone, in order."""
        return list(self._seen[openid])

    def words(self, openid: str) -> list[str]:
        """The texts among it."""
        return [seen.text for seen in self._seen[openid] if seen.text]

    def script(self, path: str, *outcomes: Outcome) -> None:
        """What the next calls of `path` (below /cgi-bin/) meet, one each; then all is as usual again."""
        self._script[path].extend(outcomes)

    def revoke(self) -> None:
        """The token in force is worth nothing from now on; stable_token gives another."""
        self._valid = ""

    def accepted(self, path: str) -> list[Call]:
        """The accepted calls of one path."""
        return [call for call in self.calls if call.path == path]

    async def _stable_token(self, request: web.Request) -> web.StreamResponse:
        self.requests.append("stable_token")
        asked = await request.json()
        if self._script["stable_token"]:
            return await self._act(request, self._script["stable_token"].pop(0), lambda: {})
        if (asked["appid"], asked["secret"], asked["grant_type"]) != (
            self.app_id,
            self.app_secret,
            "client_credential",
        ):
            return web.json_response({"errcode": 40125, "errmsg": f"invalid appsecret {asked['secret']}"})
        self.tokens_given += 1
        if not self._valid or asked.get("force_refresh"):
            self._valid = f"canary-access-token-{self.tokens_given}"
        return web.json_response({"access_token": self._valid, "expires_in": self.expires_s})

    async def _api(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        self.requests.append(path)
        payload = await _payload(request)
        self.last_body = b"" if request.content_type.startswith("multipart/") else await request.read()
        if self._script[path]:
            outcome = self._script[path].pop(0)
            return await self._act(request, outcome, lambda: self._accept(path, payload))
        given = request.query.get("access_token")
        if self.refuses_tokens or not given or given != self._valid:
            return web.json_response({"errcode": 40001, "errmsg": f"invalid credential {given}"})
        answer = self._accept(path, payload)
        if isinstance(answer, bytes):
            return web.Response(body=answer, content_type="image/jpeg")
        return web.json_response(answer)

    async def _act(
        self, request: web.Request, outcome: Outcome, accept: Callable[[], object]
    ) -> web.StreamResponse:
        if outcome.accept:
            accept()
        if outcome.then == "hang":
            await self._stopping.wait()
        if outcome.then == "drop":
            assert request.transport is not None
            request.transport.close()
        if outcome.errcode is not None:
            return web.json_response({"errcode": outcome.errcode, "errmsg": "scripted"})
        headers = {"Location": outcome.location} if outcome.location else None
        return web.Response(status=outcome.status, body=outcome.body, headers=headers)

    def _accept(self, path: str, payload: Mapping[str, Any]) -> dict[str, Any] | bytes:
        """The effect of a call, and WeChat's answer to it."""
        answer = getattr(self, "_do_" + path.replace("/", "_"), lambda _: {"errcode": 0, "errmsg": "ok"})(payload)
        if isinstance(answer, bytes) or answer.get("errcode", 0) == 0:
            self.calls.append(Call(path, payload))
        return answer

    def _do_message_custom_send(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        openid = payload["touser"]
        if self.keeps_windows:
            standing = [window for window in self._windows[openid] if self.clock() < window.closes_at]
            usable = [window for window in standing if window.left > 0]
            if not usable:
                return {"errcode": 45047 if standing else 45015, "errmsg": "out of response limit"}
            min(usable, key=lambda window: window.closes_at).left -= 1
        if payload["msgtype"] == "text":
            assert 0 < len(payload["text"]["content"].encode()) <= 2048
            self._seen[openid].append(Seen("customer", payload["text"]["content"]))
        else:
            media_id = payload["image"]["media_id"]
            if media_id not in self.media:
                return {"errcode": 40007, "errmsg": "invalid media_id"}
            self._seen[openid].append(Seen("customer", image=self.media[media_id]))
        return {"errcode": 0, "errmsg": "ok"}

    def _do_message_mass_send(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        known = [call.payload["clientmsgid"] for call in self.accepted("message/mass/send")]
        if payload["clientmsgid"] in known:
            return {"errcode": 45065, "errmsg": "clientmsgid exist"}
        if not 2 <= len(payload["touser"]) <= 10_000:
            return {"errcode": 40130, "errmsg": "invalid openid list size"}
        for openid in payload["touser"]:
            self._seen[openid].append(Seen("mass", payload["text"]["content"]))
        return {"errcode": 0, "errmsg": "ok", "msg_id": 1_000_000 + len(known)}

    def _do_message_mass_get(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        assert payload["msg_id"].isdigit()
        return {"msg_id": payload["msg_id"], "msg_status": "SEND_SUCCESS"}

    def _do_message_template_send(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        assert all(0 < len(one["value"]) <= 20 for one in payload["data"].values())
        return {"errcode": 0, "errmsg": "ok", "msgid": 900_001 + len(self.accepted("message/template/send"))}

    def _do_ticket_getticket(self, _payload: Mapping[str, Any]) -> dict[str, Any]:
        number = len(self.accepted("ticket/getticket")) + 1
        return {"errcode": 0, "errmsg": "ok", "ticket": f"ticket-{number}", "expires_in": 7200}

    def _do_media_upload(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        media_id = f"media-{next(self._numbers)}"
        self.media[media_id] = payload["media"]
        return {"type": "image", "media_id": media_id, "created_at": int(self.clock().timestamp())}

    def _do_media_get(self, payload: Mapping[str, Any]) -> dict[str, Any] | bytes:
        return self.media.get(payload["media_id"], {"errcode": 40007, "errmsg": "invalid media_id"})

    def _do_menu_create(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        self.menu = payload["button"]
        return {"errcode": 0, "errmsg": "ok"}

    def _do_menu_get(self, _: Mapping[str, Any]) -> dict[str, Any]:
        if self.menu is None:
            return {"errcode": 46003, "errmsg": "menu no exist"}
        return {"menu": {"button": self.menu, "menuid": 1}, "conditionalmenu": self.conditional}

    def _do_menu_addconditional(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        self.conditional.append({**payload, "menuid": next(self._numbers)})
        return {"menuid": str(self.conditional[-1]["menuid"])}

    def _do_menu_delconditional(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        self.conditional = [one for one in self.conditional if str(one["menuid"]) != payload["menuid"]]
        return {"errcode": 0, "errmsg": "ok"}

    def _do_tags_get(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {"tags": self.tags}

    def _do_qrcode_create(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        scene = payload["action_info"]["scene"]["scene_str"]
        return {
            "ticket": f"ticket-{scene}",
            "expire_seconds": payload["expire_seconds"],
            "url": f"http://weixin.qq.com/q/{scene}",
        }


async def _payload(request: web.Request) -> dict[str, Any]:
    if request.content_type.startswith("multipart/"):
        form = await request.post()
        part = form["media"]
        assert isinstance(part, web.FileField)
        return {**request.query, "media": part.file.read()}
    if request.can_read_body:
        found: dict[str, Any] = await request.json()
        return found
    return {name: value for name, value in request.query.items() if name != "access_token"}
