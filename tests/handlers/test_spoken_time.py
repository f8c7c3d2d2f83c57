"""Days and times as people type them. Now is noon of Monday 15 June 2026."""

from __future__ import annotations

import pytest

from handlers.spoken_time import spoken_window
from tests.cast import NOON
from tests.conftest import ZONE


def read(text):
    window = spoken_window(text, NOON, ZONE)
    if window is None:
        return None
    starts, ends = window
    told = f"{starts:%m-%d %H:%M}" if starts.year == 2026 else f"{starts:%Y-%m-%d %H:%M}"
    return f"{told} {ends:%d %H:%M}" if ends else told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("6月20日 19:00", "06-20 19:00"),
        ("６月２０日１９：００", "06-20 19:00"),
        ("六月二十号晚上七点半", "06-20 19:30"),
        ("6-20 19:00", "06-20 19:00"),
        ("6/20 19:00", "06-20 19:00"),
        ("6.20 19:00", "06-20 19:00"),
        ("2026-06-20 19:00", "06-20 19:00"),
        ("2027年1月5日 9点", "2027-01-05 09:00"),
        ("1月5日 9点", "2027-01-05 09:00"),
        ("20日19:00", "06-20 19:00"),
        ("3号 19:00", "07-03 19:00"),
        ("明天19点", "06-16 19:00"),
        ("明天 19：30", "06-16 19:30"),
        ("明晚7点", "06-16 19:00"),
        ("今天下午3点一刻", "06-15 15:15"),
        ("今晚八点", "06-15 20:00"),
        ("后天上午9点", "06-17 09:00"),
        ("大后天十九点", "06-18 19:00"),
        ("周六 9:00", "06-20 09:00"),
        ("周一19点", "06-15 19:00"),
        ("下周三19点", "06-24 19:00"),
        ("星期天下午两点", "06-21 14:00"),
        ("中午12点半", "06-15 12:30"),
        ("19:00", "06-15 19:00"),
        ("9点", "06-16 09:00"),
        ("tomorrow 7pm", "06-16 19:00"),
        ("June 20 19:00", "06-20 19:00"),
        ("20 June 19:00", "06-20 19:00"),
        ("saturday 9:30", "06-20 09:30"),
        ("6月20日 19:00-20:30", "06-20 19:00 20 20:30"),
        ("周六下午3点到5点", "06-20 15:00 20 17:00"),
        ("明天19:00至21点", "06-16 19:00 16 21:00"),
        ("明天 22:00-0:30", "06-16 22:00 17 00:30"),
        ("2月29日 9:00", "2028-02-29 09:00"),
    ],
)
def test_what_people_type_is_understood(text, told):
    assert read(text) == told


@pytest.mark.parametrize(
    "text",
    [
        "",
        "好的",
        "明天",
        "6月20日",
        "6月31日 19:00",
        "2月30日 9:00",
        "明天25点",
        "明天19:75",
        "13月1日 9:00",
        "😀",
        "19",
        "昨天19点",
        "前天晚上7点",
        "上周六下午3点",
        "yesterday 7pm",
    ],
)
def test_what_names_no_day_or_time_is_not_guessed(text):
    assert read(text) is None
