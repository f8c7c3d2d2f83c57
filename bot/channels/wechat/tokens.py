"""Access tokens: one in the database for all processes, fetched by one of them at a time.

`stable_token` gives every asker the same token and keeps the previous one valid for five minutes, so a process
that still holds the previous one does no harm. The token and the app secret reach no log and no error.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol, TypeVar

from sqlmodel import Session

from bot.channels.wechat.transport import Transport
from db.failpoints import reach
from db.tokens import StoredToken, end_lease, lease, store_token, stored_token
from notices.channel import SendError

log = logging.getLogger(__name__)

T = TypeVar("T")
Turn = Literal["ours", "theirs", "too soon"]
TOKEN_PATH = "/cgi-bin/stable_token"
REFRESH_BEFORE = timedelta(seconds=300)  # WeChat itself renews then
AGAIN_AFTER = timedelta(seconds=60)  # a token that came with less than 300 s left is used, not fetched again
LEASE = timedelta(seconds=15)  # longer than one fetch may take
REFUSED_PAUSE = timedelta(seconds=30)  # at most one fetch in this time because of refusals
WAIT_S = 0.2  # between two looks at what the fetching process has got
LOOKS_MAX = 100
TROUBLE_PAUSE_S = 300.0  # a wrong secret or a missing permission heals only by an operator's hand


class Write(Protocol):
    """Runs `work` in the writer thread, in a transaction of its own, and commits."""

    def __call__(self, work: Callable[[Session], T], /) -> Awaitable[T]: ...


class Tokens:
    """The access token of one account.

    pause: waits that many seconds; given so that tests need not.
    """

    def __init__(
        self,
        app_id: str,
        app_secret: str,
        transport: Transport,
        write: Write,
        clock: Callable[[], datetime],
        *,
        pause: Callable[[float], Awaitable[Any]] = asyncio.sleep,
    ) -> None:
        self._app_id = app_id
        self._app_secret = app_secret
        self._transport = transport
        self._write = write
        self._clock = clock
        self._pause = pause
        self._holder = uuid.uuid4().hex
        self._one_at_a_time = asyncio.Lock()
        self._held: StoredToken | None = None

    async def token(self, *, refused: str | None = None) -> str:
        """A token to send with; `refused` is one that WeChat has just turned down, to be replaced.

        Raises SendError("retry") when there is none to be had now; nothing was sent then.
        """
        if (held := self._usable(self._held, refused)) is not None:
            return held.token
        async with self._one_at_a_time:
            if (held := self._usable(self._held, refused)) is not None:  # fetched while we waited
                return held.token
            self._held = await self._from_all(refused)
            return self._held.token

    def _usable(self, stored: StoredToken | None, refused: str | None) -> StoredToken | None:
        """`stored` if it can be sent with now, else None."""
        if stored is None or stored.token == refused:
            return None
        now = self._clock()
        left, age = stored.expires_at - now, now - stored.refreshed_at
        fresh = left > REFRESH_BEFORE or (left > timedelta(0) and age < AGAIN_AFTER)
        return stored if fresh else None

    async def _from_all(self, refused: str | None) -> StoredToken:
        """The shared token: read, fetched by us, or awaited from the process that is fetching it."""
        for _ in range(LOOKS_MAX):
            stored, turn = await self._write(lambda session: self._look(session, refused))
            if (usable := self._usable(stored, refused)) is not None:
                return usable
            if turn == "too soon":
                raise SendError("retry", "token_refused", retry_after_s=TROUBLE_PAUSE_S)
            if turn == "ours":
                return await self._fetch(refused is not None)
            await self._pause(WAIT_S)
        raise SendError("retry", "token_busy", retry_after_s=WAIT_S * LOOKS_MAX)

    def _look(self, session: Session, refused: str | None) -> tuple[StoredToken | None, Turn]:
        """The stored token, and whose turn it is to fetch the next one."""
        stored, now = stored_token(session, self._app_id), self._clock()
        if self._usable(stored, refused) is not None:
            return stored, "theirs"
        if refused and stored and stored.refused_at and now - stored.refused_at < REFUSED_PAUSE:
            return stored, "too soon"
        ours = lease(session, self._app_id, holder=self._holder, now=now, until=now + LEASE)
        return stored, "ours" if ours else "theirs"

    async def _fetch(self, because_refused: bool) -> StoredToken:
        """Ask WeChat for the token and keep it for everybody. Raises SendError."""
        try:
            answer = await self._transport.post(
                TOKEN_PATH,
                {
                    "grant_type": "client_credential",
                    "appid": self._app_id,
                    "secret": self._app_secret,
                    "force_refresh": False,
                },
            )
            fetched = self._read(answer, because_refused)
        except SendError as error:
            await self._write(lambda session: end_lease(session, self._app_id, holder=self._holder))
            # To ask for a token twice does no harm, so an ambiguous answer is no reason to give up.
            raise SendError("retry", f"token_{error.reason}", error.retry_after_s) from None
        reach("rotate.mid_row")
        await self._write(lambda session: store_token(session, self._app_id, holder=self._holder, token=fetched))
        return fetched

    def _read(self, answer: dict[str, Any], because_refused: bool) -> StoredToken:
        """The token in WeChat's answer. Raises SendError when there is none in it."""
        code, token, lasts_s = answer.get("errcode", 0), answer.get("access_token"), answer.get("expires_in")
        if isinstance(code, int) and code != 0:
            log.error("WeChat gives no access token: errcode %d", code)
            raise SendError("retry", str(code), retry_after_s=TROUBLE_PAUSE_S)
        well_formed = isinstance(token, str) and token.isascii() and token.isprintable() and 0 < len(token) <= 1024
        if not well_formed or not isinstance(lasts_s, int) or not 0 < lasts_s <= 86_400:
            raise SendError("retry", "nonsense")
        now = self._clock()
        assert isinstance(token, str)
        return StoredToken(token, now + timedelta(seconds=lasts_s), now, now if because_refused else None)
