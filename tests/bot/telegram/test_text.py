"""Lengths and cuts as Telegram counts them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.telegram.text import TEXT_MAX, clean, cut, units


def test_a_text_of_the_limit_stays_whole_and_one_more_is_cut() -> None:
    assert cut("红" * TEXT_MAX, TEXT_MAX) == ["红" * TEXT_MAX]
    assert [units(part) for part in cut("红" * (TEXT_MAX + 1), TEXT_MAX)] == [TEXT_MAX, 1]


def test_an_emoji_counts_two_units() -> None:
    assert units("红") == 1
    assert units("🎉") == 2
    assert cut("🎉" * 2048, TEXT_MAX) == ["🎉" * 2048]
    assert [units(part) for part in cut("红" + "🎉" * 2048, TEXT_MAX)] == [4095, 2]


def test_the_cut_falls_after_a_sentence() -> None:
    text = "一二三四五六七八。九十一二三四五六"
    assert cut(text, 12) == ["一二三四五六七八。", "九十一二三四五六"]


def test_a_paragraph_end_is_better_than_a_sentence_end() -> None:
    text = "first line\n\nsecond one. third one"
    assert cut(text, 26) == ["first line", "second one. third one"]


def test_a_closing_quote_stays_with_its_sentence() -> None:
    assert cut("他说：“好的。”然后走了很远", 10) == ["他说：“好的。”", "然后走了很远"]


@pytest.mark.parametrize(
    "sign",
    ["👨‍👩‍👧‍👦", "👍🏽", "🇨🇳", "❤️", "é", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"],
    ids=["family", "skin", "flag", "variation", "accent", "scotland"],
)
def test_no_visible_sign_is_cut_in_two(sign: str) -> None:
    for before in range(8):
        parts = cut("x" * before + sign * 9, 20)
        assert "".join(parts) == "x" * before + sign * 9
        assert all(re.fullmatch(f"x*(?:{re.escape(sign)})*", part) for part in parts)


def test_a_sentence_end_that_is_half_an_emoji_is_no_place_to_cut() -> None:
    assert cut("一二三四。五六七‼️八九", 9) == ["一二三四。", "五六七‼️八九"]
    assert cut("一二三四。五六!\ufe0f七八九十", 8) == ["一二三四。", "五六!\ufe0f七八九十"]


def test_one_endless_sign_is_cut_all_the_same() -> None:
    parts = cut("e" + "\u0301" * 5000, TEXT_MAX)
    assert [units(part) for part in parts] == [4096, 905]


def test_five_thousand_spaces_become_one_part() -> None:
    assert len(cut(" " * 5000, TEXT_MAX)) == 1


def test_half_a_surrogate_is_replaced() -> None:
    assert clean("a\ud83d") == "a\ufffd"
    assert clean("a🎉") == "a🎉"


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=120), st.integers(4, 40))
def test_parts_fit_and_hold_everything_but_white_space(text: str, units_max: int) -> None:
    parts = cut(text, units_max)
    assert all(units(part) <= units_max for part in parts)
    if text.strip():
        assert "".join("".join(parts).split()) == "".join(text.split())
