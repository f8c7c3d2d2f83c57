"""A day and a time as people type them: `6月20日 19:00`, `明天19点半`, `下周六下午3点到5点`, `tomorrow 7pm`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo


class Window(NamedTuple):
    """What was said. starts_at and ends_at are aware; ends_at is None when no end was named."""

    starts_at: datetime
    ends_at: datetime | None


_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_NUMERAL = re.compile("[零〇一二两三四五六七八九十]+")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAYS_AHEAD = {"大后天": 3, "后天": 2, "明": 1, "tomorrow": 1, "今": 0, "today": 0, "tonight": 0}
_PAST = re.compile("昨|前天|上个?周|上个?月|去年|yesterday|\\blast ")
_LATER = {"下午", "晚上", "晚", "傍晚", "pm"}  # these hours are those after noon
_TIME = re.compile(
    r"(?P<part>凌晨|早上|上午|中午|下午|傍晚|晚上|晚)?\s*(?P<hour>\d{1,2})"
    r"(?:\s*:\s*(?P<minute>\d{2})|\s*[点时](?:(?P<half>半)|(?P<quarter>[13])刻|(?P<spoken>\d{1,2})分?)?|(?=\s*[ap]m))"
    r"\s*(?P<english>[ap]m)?"
)
_TO = re.compile(r"\s*(?:-|–|—|~|到|至|to|until)\s*")


def spoken_window(text: str, now: datetime, zone: ZoneInfo) -> Window | None:
    """The day and time in `text`, on the city's calendar as seen from `now`; None when it names no such time.

    A day without a year is the next one; a time without a day is today's, or tomorrow's when it is past.
    """
    said = _plain(text)
    if _PAST.search(said):
        return None
    today = now.astimezone(zone).date()
    day, rest, named = _day(said, today)
    if named and day is None:
        return None
    first = _TIME.search(rest)
    start = _clock(first, None) if first else None
    if first is None or start is None:
        return None
    if day is None:
        day = today if datetime.combine(today, start, zone) > now else today + timedelta(days=1)
    starts_at = datetime.combine(day, start, zone)
    to = _TO.match(rest, first.end())
    second = _TIME.match(rest, to.end()) if to else None
    if second is None:
        return Window(starts_at, None)
    end = _clock(second, first)
    if end is None:
        return None
    ends_at = datetime.combine(day, end, zone)
    return Window(starts_at, ends_at if ends_at > starts_at else ends_at + timedelta(days=1))


def spoken_day(text: str, today: date) -> date | None:
    """The day that `text` names, as seen from `today`; None when it names none, or one that is past."""
    said = _plain(text)
    day, _, named = _day(said, today)
    return day if named and day is not None and day >= today and not _PAST.search(said) else None


def _plain(text: str) -> str:
    """Half-width, lower case, Chinese numerals as digits."""
    text = unicodedata.normalize("NFKC", text).lower().replace("号", "日")
    text = text.replace("星期", "周").replace("礼拜", "周")
    return _NUMERAL.sub(lambda found: str(_number(found[0])), text)


def _number(numeral: str) -> int:
    if "十" not in numeral:
        return int("".join(str(_DIGITS[one]) for one in numeral))
    tens, _, ones = numeral.partition("十")
    return 10 * (_DIGITS.get(tens, 1) if tens else 1) + (_DIGITS.get(ones, 0) if ones else 0)


def _clock(found: re.Match[str], before: re.Match[str] | None) -> time | None:
    """The time of day; an end without `下午` is in the same part of the day as its beginning."""
    hour = int(found["hour"])
    minute = int(found["minute"] or found["spoken"] or 0)
    if found["half"]:
        minute = 30
    elif found["quarter"]:
        minute = 15 * int(found["quarter"])
    part = found["part"] or found["english"]
    if part is None and before is not None:
        part = before["part"] or before["english"]
    if (part in _LATER and hour < 12) or (part == "中午" and hour < 3):
        hour += 12
    if part == "am" and hour == 12:
        hour = 0
    return time(hour, minute) if hour < 24 and minute < 60 else None


def _day(said: str, today: date) -> tuple[date | None, str, bool]:
    """(the day or None when there is no such day, the text without it, whether a day was named)."""
    for form, read in _FORMS:
        found = form.search(said)
        if found:
            rest = said[: found.start()] + " " + said[found.end() :]
            return read(found, today), rest, True
    return None, said, False


def _full(found: re.Match[str], today: date) -> date | None:
    return _real(int(found[1]), int(found[2]), int(found[3]))


def _month_day(found: re.Match[str], today: date) -> date | None:
    return _next(today, int(found[1]), int(found[2]))


def _named_month(found: re.Match[str], today: date) -> date | None:
    return _next(today, _MONTHS.index((found[1] or found[4])[:3]) + 1, int(found[2] or found[3]))


def _of_this_month(found: re.Match[str], today: date) -> date | None:
    wanted = int(found[1])
    for months in range(3):
        year, month = divmod(today.year * 12 + today.month - 1 + months, 12)
        day = _real(year, month + 1, wanted)
        if day is not None and day >= today:
            return day
    return None


def _near(found: re.Match[str], today: date) -> date | None:
    return today + timedelta(days=_DAYS_AHEAD[found[1]])


def _weekday(found: re.Match[str], today: date) -> date | None:
    wanted = 6 if found[2] in "日天7" else int(found[2]) - 1
    monday = today - timedelta(days=today.weekday())
    weeks = len(found[1].replace("本", "").replace("这", "").replace("个", ""))
    day = monday + timedelta(days=7 * weeks + wanted)
    return day + timedelta(days=7) if day < today and not found[1] else day


def _english_weekday(found: re.Match[str], today: date) -> date | None:
    away = (_WEEKDAYS.index(found[1][:3]) - today.weekday()) % 7
    return today + timedelta(days=away)


def _next(today: date, month: int, day: int) -> date | None:
    """This day of the year, of the next year when it is over; 29 February in the year that has one."""
    for year in range(today.year, today.year + 5):
        found = _real(year, month, day)
        if found is not None and found >= today:
            return found
    return None


def _real(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


_ENGLISH = "jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec"
_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], date | None]], ...] = (
    (re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})日?"), _full),
    (re.compile(r"(\d{1,2})\s*月\s*(\d{1,2})\s*日?(?!\d|点|:)"), _month_day),
    (
        re.compile(rf"\b({_ENGLISH})[a-z]*\.?\s+(\d{{1,2}})\b(?!:)|\b(\d{{1,2}})\s+({_ENGLISH})[a-z]*"),
        _named_month,
    ),
    (re.compile(r"(?<![\d:])(\d{1,2})[-/.](\d{1,2})(?![\d:点时]|\s*[点时])"), _month_day),
    (re.compile(r"(?<!\d)(\d{1,2})\s*日"), _of_this_month),
    (re.compile(r"(大后天|后天|tomorrow|today|tonight)"), _near),
    (re.compile(r"(明|今)(?:天|日|(?=[早晚]))"), _near),
    (re.compile(r"((?:下下|下|本|这)?个?)周([1-7日天])"), _weekday),
    (re.compile(r"\b(mon|tues?|wed|thur?s?|fri|sat|sun)[a-z]*"), _english_weekday),
)


_DAYS_BACK = {"前天": 2, "昨": 1, "yesterday": 1, "今": 0, "today": 0}


def spoken_past_day(text: str, today: date) -> date | None:
    """The day in `text` that is over or today: `昨天`, `6月10日`, `2026-06-10`; None when it names none.

    A day without a year is the last one that there was.
    """
    said = _plain(text)
    whole = _FORMS[0][0].search(said)
    if whole:
        day = _full(whole, today)
        return day if day is not None and day <= today else None
    part = _FORMS[1][0].search(said) or _FORMS[3][0].search(said)
    if part:
        days = (_real(year, int(part[1]), int(part[2])) for year in range(today.year, today.year - 5, -1))
        return next((day for day in days if day is not None and day <= today), None)
    return next((today - timedelta(days=back) for word, back in _DAYS_BACK.items() if word in said), None)
