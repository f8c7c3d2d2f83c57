"""How one request reaches the Bot API, and what its failure means for the next. Knows no message, no person."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import lru_cache, partial
from typing import Any, TypeAlias
from urllib.parse import quote, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import orjson
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from telegram.request import BaseRequest, RequestData
from yarl import URL

from bot.channels.telegram.failures import CallError, unheard
from bot.channels.wire import body_of, written
from db.engine import OUT_OF_ORDER
from notices.pacing import Pacer

LOG = logging.getLogger(__name__)

CONNECT_S = 5.0  # also the wait for a free connection of the pool
READ_S = 10.0  # silence after which nobody knows whether the request was carried out
ANSWER_BYTES_MAX = 16 * 1024 * 1024  # a full batch of updates stays far below
JSON = {"Content-Type": "application/json"}
TOKEN_REFUSED = "token_refused"
TOKEN_PAUSE_S = 600.0  # a refused token heals only when somebody changes it
FLOOD_S = 5.0  # a 429 that names no pause

Clock: TypeAlias = Callable[[], float]


class AiohttpRequest(BaseRequest):
    """python-telegram-bot's transport on aiohttp and orjson.

    It alone holds the token: the Bot above it sees `telegram:/METHOD` only, so that no log line, no repr and
    no exception text of the library can contain it.
    """

    def __init__(self, *, token: str, api_url: str, pacer: Pacer, pool: int, read_s: float = READ_S) -> None:
        self.refused = False  # the last answer said that the token is none
        self._token = token
        self._api_url = api_url.rstrip("/")
        self._pacer = pacer
        self._pool = pool
        self._read_s = read_s
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float:
        """Seconds of silence before a call is given up."""
        return self._read_s

    async def initialize(self) -> None:
        """Open the connection pool."""
        if self._session is None:
            # Kept shorter than Telegram keeps its side: writing into a connection that the other end just
            # closed looks like a lost answer, and a lost answer may not be repeated.
            connector = _Connector(limit=self._pool, keepalive_timeout=20, ttl_dns_cache=300)
            self._session = aiohttp.ClientSession(
                connector=connector,
                request_class=_Request,
                cookie_jar=aiohttp.DummyCookieJar(),
                proxy=_proxy(self._api_url),
            )

    async def shutdown(self) -> None:
        """Close the connection pool; calls in flight end with an error."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def renew(self) -> None:
        """Drop every connection and start with fresh ones."""
        await self.shutdown()
        await self.initialize()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: object = BaseRequest.DEFAULT_NONE,
        write_timeout: object = BaseRequest.DEFAULT_NONE,
        connect_timeout: object = BaseRequest.DEFAULT_NONE,
        pool_timeout: object = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Status and body of a 2xx answer. Raises CallError for everything else, and while a pause lasts."""
        arguments = request_data.parameters if request_data else {}
        read_s = float(read_timeout) if isinstance(read_timeout, int | float) else self._read_s
        return await self._call(url.rpartition("/")[2], arguments, _body(request_data, arguments), read_s)

    async def ask(self, method: str, arguments: dict[str, Any], body: bytes, read_s: float) -> Any:
        """The `result` of a call without files. body: the arguments as JSON. Raises CallError.

        The way of a letter: the library's own way to the same request would cost an eighth of its time.
        """
        _, payload = await self._call(method, arguments, {"data": body, "headers": JSON}, read_s)
        return self.parse_json_payload(payload)["result"]

    async def _call(
        self, method: str, arguments: dict[str, Any], body: dict[str, Any], read_s: float
    ) -> tuple[int, bytes]:
        """Status and body of a 2xx answer. Raises CallError."""
        concerned = str(arguments.get("chat_id", "")), bool(arguments.get("allow_paid_broadcast"))
        self._not_paused(*concerned)
        _may_leave.set(partial(self._may_leave, *concerned))
        url = f"{self._api_url}/bot{self._token}/{method}"
        code, payload = await self._exchange("POST", url, body, read_s, ANSWER_BYTES_MAX)
        if 200 <= code <= 299:
            self.refused = False
            return code, payload
        error = self._refusal(code, payload)
        if code == 429:
            await self._silence(error.retry_after_s or FLOOD_S, *concerned)
        if error.reason == TOKEN_REFUSED:
            self._stop()
        raise error

    def _not_paused(self, chat: str, paid: bool) -> None:
        if left_s := self._pacer.paused_s(chat, paid=paid):
            raise CallError("retry", "paused", retry_after_s=left_s)

    async def _may_leave(self, chat: str, paid: bool) -> None:
        """Raises CallError in a pause, also of another process. What is paid has its own pause and one sender."""
        try:
            if self._pacer.common and not paid:
                await self._pacer.common.learn(chat)
        except OUT_OF_ORDER:
            raise CallError("retry", "no_database") from None
        self._not_paused(chat, paid)  # waiting for the connection may have taken seconds

    async def _silence(self, pause_s: float, chat: str, paid: bool) -> None:
        """The platform wants silence: this process knows at once, the others with the commit."""
        self._pacer.pause(pause_s, chat, paid=paid)
        if self._pacer.common and not paid:
            try:
                await self._pacer.common.tell(pause_s, chat)
            except OUT_OF_ORDER:
                LOG.warning("the database is away: other processes were not told of a pause")

    def _stop(self) -> None:
        """The token is none: the whole account is silent for a while, and the operator is told."""
        if not self.refused:
            LOG.error(
                "Telegram refuses the token: check HONGXIN_TELEGRAM_TOKEN. Nothing is sent and nothing is lost; "
                "it is tried again every %.0f minutes",
                TOKEN_PAUSE_S / 60,
            )
        self.refused = True
        self._pacer.halt(TOKEN_PAUSE_S)

    async def download(self, file_path: str, bytes_max: int) -> bytes:
        """The file that getFile named. Raises CallError; `too_large` when it has more than `bytes_max` bytes."""
        address = f"{self._api_url}/file/bot{self._token}/{quote(file_path)}"
        code, payload = await self._exchange("GET", address, {}, self._read_s, bytes_max)
        if code != 200:
            raise self._refusal(code, payload)
        return payload

    async def _exchange(
        self, method: str, address: str, body: dict[str, Any], read_s: float, bytes_max: int
    ) -> tuple[int, bytes]:
        """Status and body of one HTTP exchange. The causes of its errors hold the URL, so none is kept."""
        assert self._session is not None, "the transport is used before initialize()"
        limits = _limits(read_s)
        handed: list[bool] = []
        _handed.set(handed)
        try:
            async with self._session.request(
                method, URL(address, encoded=True), timeout=limits, allow_redirects=False, **body
            ) as response:
                payload = await body_of(response, bytes_max)
                if payload is None:
                    raise CallError("ambiguous" if method == "POST" else "permanent", "too_large")
                return response.status, payload
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise unheard(error, handed=bool(handed) or method == "GET") from None

    def _refusal(self, code: int, payload: bytes) -> CallError:
        """What a status outside 2xx means."""
        answer = _answer_of(payload)
        description = str(answer.get("description", ""))[:200].replace(self._token, "***")
        parameters = answer.get("parameters")
        parameters = parameters if isinstance(parameters, dict) else {}
        if code == 429:
            pause = parameters.get("retry_after")
            pause_s = float(pause) if isinstance(pause, int | float) and pause > 0 else FLOOD_S
            return CallError("retry", "429", code=code, description=description, retry_after_s=pause_s)
        if code >= 500 or code == 408:
            return CallError("ambiguous", f"http_{code}", code=code, description=description)
        if "migrate_to_chat_id" in parameters:
            moved_to = str(parameters["migrate_to_chat_id"])
            return CallError("retry", "moved", code=code, description=description, moved_to=moved_to)
        if (code == 401 and description) or (code == 404 and description == "Not Found"):
            return CallError("retry", TOKEN_REFUSED, code=code, retry_after_s=TOKEN_PAUSE_S)
        # What carries no description was answered by something on the way; it did not reach Telegram.
        return CallError("retry", f"http_{code}", code=code, description=description)

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """The answer of a call, with its `result`. Raises CallError (ambiguous) when it cannot be read."""
        answer = _answer_of(payload)
        if answer.get("ok") is not True or "result" not in answer:
            raise CallError("ambiguous", "unreadable", code=200)
        return answer


@lru_cache(maxsize=8)
def _limits(read_s: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(
        total=2 * read_s + CONNECT_S, connect=CONNECT_S, sock_connect=CONNECT_S, sock_read=read_s
    )


def _proxy(api_url: str) -> str | None:
    """The HTTP proxy on the way to `api_url` by the usual variables (HTTPS_PROXY, NO_PROXY), None without one.

    Looked up once: aiohttp's own `trust_env` asks a thread for it before every single call.
    """
    parts = urlsplit(api_url)
    if not parts.hostname or proxy_bypass(parts.hostname):
        return None
    proxy = getproxies().get(parts.scheme, "")
    return proxy if proxy.startswith(("http://", "https://")) else None


def _answer_of(payload: bytes) -> dict[str, Any]:
    """The JSON object in `payload`, empty when there is none."""
    try:
        answer = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _body(data: RequestData | None, arguments: dict[str, Any]) -> dict[str, Any]:
    """The body as arguments for aiohttp: JSON of `arguments`, or multipart as soon as a file is in it."""
    if data is None:
        return {}
    if not data.contains_files:
        return {"data": orjson.dumps(arguments), "headers": JSON}
    form = aiohttp.FormData(quote_fields=False)
    for name, value in data.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, media_type) in data.multipart_data.items():
        form.add_field(name, content, filename=filename, content_type=media_type)
    return {"data": form}


async def _always() -> None: ...


_may_leave: ContextVar[Callable[[], Awaitable[None]]] = ContextVar("may_leave", default=_always)
"""Asked when a request has got its connection; raises CallError to keep it here."""


_handed: ContextVar[list[bool]] = ContextVar("handed")
"""Holds something from the moment at which a request was handed to an open connection."""


class _Request(aiohttp.ClientRequest):
    """Tells when its first byte may leave: aiohttp's errors do not say whether that was before or after them."""

    async def write_bytes(self, writer: Any, conn: Connection, content_length: int | None = None) -> None:
        transport = conn.transport
        if transport is not None and not transport.is_closing():
            _handed.get().append(True)
        await super().write_bytes(writer, conn, content_length)
        written(self)


class _Connector(aiohttp.TCPConnector):
    """Lets no request out inside a pause that began while it waited for a connection."""

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - its own limits
    ) -> Connection:
        connection = await super().connect(req, traces, timeout)
        try:
            await _may_leave.get()()
        except CallError:
            connection.release()
            raise
        return connection
