"""HTTP to the WeChat API, with the certainty of each failure: not sent, or nobody knows.

Own transport instead of wechatpy's client, which blocks, has no time limit for tokens and repeats without end.
No URL reaches an exception or a log: it carries the access token.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp.connector import Connection

from bot.channels.wire import body_of, written
from notices.channel import SendError

DEFAULT_ORIGIN = "https://api.weixin.qq.com"
JSON_MAX = 1024 * 1024  # bytes of an answer
MEDIA_MAX = 10 * 1024 * 1024  # bytes of a picture
CONNECT_S = 5.0
TOTAL_S = 15.0

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+", re.ASCII)


def origin(api_url: str) -> str:
    """`api_url` when it is scheme, host and port only. Raises ValueError otherwise."""
    trimmed = api_url.rstrip("/")
    if not _ORIGIN.fullmatch(trimmed):
        raise ValueError("HONGXIN_WECHAT_API_URL must be scheme, host and port only, such as " + DEFAULT_ORIGIN)
    return trimmed


class Transport:
    """One connection pool. Every method raises SendError, with verdict `ambiguous` once a request went out."""

    def __init__(self, api_url: str, *, total_s: float = TOTAL_S) -> None:
        self._origin = origin(api_url)
        self._limit = aiohttp.ClientTimeout(total=total_s, sock_connect=min(CONNECT_S, total_s))
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the pool. Needs a running loop."""
        self._session = aiohttp.ClientSession(
            timeout=self._limit,
            connector=aiohttp.TCPConnector(limit=64),
            request_class=_Request,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def stop(self) -> None:
        """Close the pool."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def post(self, path: str, payload: Any, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The JSON object that answers a POST of `payload`; its errcode is not looked at."""
        # WeChat shows \u escapes to people as they are, so Chinese goes out as UTF-8.
        body = json.dumps(payload, ensure_ascii=False).encode("utf-8", "replace")
        headers = {"Content-Type": "application/json; charset=utf-8"}
        async with self._request("POST", path, query, data=body, headers=headers) as response:
            return _object(await _read(response, JSON_MAX))

    async def get(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        """The JSON object that answers a GET."""
        async with self._request("GET", path, query) as response:
            return _object(await _read(response, JSON_MAX))

    async def upload(self, path: str, query: Mapping[str, str], picture: bytes) -> dict[str, Any]:
        """The JSON object that answers the upload of a PNG."""
        form = aiohttp.FormData()
        form.add_field("media", picture, filename="picture.png", content_type="image/png")
        async with self._request("POST", path, query, data=form) as response:
            return _object(await _read(response, JSON_MAX))

    async def download(self, path: str, query: Mapping[str, str]) -> bytes | dict[str, Any]:
        """The file behind a GET, or the JSON object that says why there is none."""
        async with self._request("GET", path, query) as response:
            content = await _read(response, MEDIA_MAX)
            speaks = "json" in response.content_type or "text" in response.content_type
            return _object(content) if speaks or content[:1] == b"{" else content

    @asynccontextmanager
    async def _request(
        self, method: str, path: str, query: Mapping[str, str] | None, **rest: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        assert self._session is not None, "start() was not called"
        url = self._origin + path
        try:
            # A redirect would hand the access token to whoever is named in it.
            async with self._session.request(method, url, params=query, allow_redirects=False, **rest) as response:
                _check_status(method, response.status)
                yield response
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL):
            raise SendError("retry", "unreachable") from None
        except TimeoutError:
            raise SendError("ambiguous", "read_timeout") from None
        except (aiohttp.ClientError, OSError):
            raise SendError("ambiguous", "connection_lost") from None


class _Request(aiohttp.ClientRequest):
    """Tells when it has been written."""

    async def write_bytes(self, writer: Any, conn: Connection, content_length: int | None = None) -> None:
        await super().write_bytes(writer, conn, content_length)
        written(self)


def _check_status(method: str, status: int) -> None:
    """Raise SendError unless the answer may hold WeChat's own verdict.

    A gateway that gives up (5xx, 408) may have handed the request on before, so nobody knows what became of it.
    """
    if status != 200:
        doubtful = method == "POST" and (status >= 500 or status == 408)
        raise SendError("ambiguous" if doubtful else "retry", f"http_{status}")


async def _read(response: aiohttp.ClientResponse, bytes_max: int) -> bytes:
    """The whole body. Raises SendError("permanent") when it is longer than `bytes_max`."""
    content = await body_of(response, bytes_max)
    if content is None:
        raise SendError("permanent", "too_large")
    return content


def _object(content: bytes) -> dict[str, Any]:
    """The JSON object in an answer. Without one nobody knows what became of the request."""
    try:
        found = json.loads(content.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise SendError("ambiguous", "nonsense")
    return found
