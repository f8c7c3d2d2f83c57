"""What WeChat's error codes mean for a message: the whole table, in this one place.

Source: the platform's public documents (customer messages, mass sending, global return codes), read in
November 2026. A code that is not listed is a refusal of an unknown kind: certainly not sent, worth another try.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from notices.channel import SendError, Verdict

TOKEN_REFUSED = frozenset({40001, 40014, 42001})
"""The access token is not accepted: a new one is worth one try."""

SENT = frozenset({0, 45065})
"""Accepted; 45065: this clientmsgid was accepted before."""

DAILY_QUOTA = 45009

BEIJING = ZoneInfo("Asia/Shanghai")  # daily quotas begin anew at midnight there, wherever our city is


@dataclass(frozen=True, slots=True)
class Meaning:
    """What follows from a refusal. `alarm`: an operator has to act, so it is logged as an error."""

    verdict: Verdict
    reason: str
    retry_after_s: float | None = None
    disables: bool = False
    alarm: bool = False


MEANINGS: dict[int, Meaning] = {
    -1: Meaning("retry", "busy", 5.0),
    45011: Meaning("retry", "too_fast", 60.0),
    40003: Meaning("permanent", "wrong_openid", disables=True),
    40031: Meaning("permanent", "wrong_openid"),  # one in a list, nobody says whose
    43004: Meaning("permanent", "not_following", disables=True),
    45015: Meaning("permanent", "window_closed"),  # nothing was heard from the person for too long
    45047: Meaning("permanent", "window_closed"),  # too many customer messages since then
    43101: Meaning("permanent", "no_consent"),
    # The month's or the day's mass letters are used up. Today's other ways are sooner than the next month.
    45028: Meaning("permanent", "mass_quota", alarm=True),
    45066: Meaning("retry", "same_key_too_soon", 60.0),  # of a mass letter, which then still has no outcome
    45067: Meaning("permanent", "content_refused", alarm=True),
    40130: Meaning("permanent", "content_refused", alarm=True),
    48002: Meaning("permanent", "user_refuses"),  # has switched our messages off; may still write to us
    40007: Meaning("permanent", "media_refused"),
    41006: Meaning("permanent", "media_refused"),
    40037: Meaning("permanent", "content_refused"),
    45002: Meaning("permanent", "content_refused"),
    47001: Meaning("permanent", "content_refused"),
    47003: Meaning("permanent", "content_refused"),
    87014: Meaning("permanent", "content_refused"),
    # The account may not do this at all: the planner's next way can still reach the person today.
    48001: Meaning("permanent", "not_permitted", alarm=True),
    48004: Meaning("permanent", "api_banned", alarm=True),
    50002: Meaning("permanent", "account_limited", alarm=True),
    40164: Meaning("retry", "address_not_listed", 300.0, alarm=True),
}


def until_midnight_s(now: datetime) -> float:
    """Seconds until the daily quotas begin anew."""
    here = now.astimezone(BEIJING)
    midnight = datetime.combine(here.date() + timedelta(days=1), time(), BEIJING)
    return (midnight - now).total_seconds()


def refusal(code: int, *, now: datetime) -> SendError:
    """The error for a code that is not in SENT. Its reason is `errcode_N` when the code is unknown."""
    if code == DAILY_QUOTA:
        return SendError("retry", "daily_quota", retry_after_s=until_midnight_s(now))
    if code in TOKEN_REFUSED:
        return SendError("retry", "token_refused", retry_after_s=300.0)
    meaning = MEANINGS.get(code)
    if meaning is None:
        return SendError("retry", f"errcode_{code}", retry_after_s=60.0)
    return SendError(meaning.verdict, meaning.reason, meaning.retry_after_s, meaning.disables)


def alarming(code: int) -> bool:
    """Whether an operator has to hear of it: something is wrong with the account, or we do not know the code."""
    meaning = MEANINGS.get(code)
    return code == DAILY_QUOTA or code in TOKEN_REFUSED or meaning is None or meaning.alarm
