"""What a failed call of the Bot API means: was it certainly not carried out, refused, or does nobody know?"""

from __future__ import annotations

import aiohttp
from telegram.error import TelegramError

from notices.channel import Verdict


class CallError(TelegramError):
    """A call of the Bot API that did not certainly succeed; carries the decision.

    verdict: as in SendError. reason: short, stable, free of secrets. code: the HTTP status, None when there
    was no answer. description: Telegram's own words, for matching and for the log; never the token.
    """

    def __init__(
        self,
        verdict: Verdict,
        reason: str,
        *,
        code: int | None = None,
        description: str = "",
        retry_after_s: float | None = None,
        moved_to: str | None = None,
    ) -> None:
        super().__init__(f"{verdict}: {reason}")
        self.verdict = verdict
        self.reason = reason
        self.code = code
        self.description = description
        self.retry_after_s = retry_after_s
        self.moved_to = moved_to

    @property
    def refused(self) -> bool:
        """Telegram itself said no to this very call: the same call would get the same answer."""
        return bool(self.description) and self.code in (400, 403) and self.moved_to is None


NOT_SENT: tuple[tuple[type[Exception], str], ...] = (  # the first match counts
    (aiohttp.ConnectionTimeoutError, "connect_timeout"),
    (aiohttp.ClientConnectorDNSError, "dns"),
    (aiohttp.ClientConnectorError, "connect_refused"),
    (aiohttp.ClientHttpProxyError, "proxy_refused"),
    (ValueError, "bad_address"),
)


def unheard(error: Exception, *, handed: bool) -> CallError:
    """What a transport error means: was the request certainly not sent, or does nobody know?

    handed: the request was given to an open connection, so some of it may have left.
    """
    for kind, reason in NOT_SENT:
        if isinstance(error, kind):
            return CallError("retry", reason)
    if not handed:
        return CallError("retry", "not_written")
    if isinstance(error, TimeoutError):
        return CallError("ambiguous", "read_timeout")
    if isinstance(error, aiohttp.ClientPayloadError):
        return CallError("ambiguous", "half_answer")
    return CallError("ambiguous", "connection_lost")
