"""Simple Markdown: what becomes bold, italic or a link, what stays as it was typed, and what is said to be wrong."""

from __future__ import annotations

import time

import pytest

from notices.markup import Mark, Marked, filled, joined, parse, pieces, plain, safe_url


@pytest.mark.parametrize(
    ("source", "text", "marks"),
    [
        ("**重要**通知", "重要通知", [("重要", "bold")]),
        ("*a* b_c_d _e_", "a b_c_d e", [("a", "italic"), ("e", "italic")]),
        ("***both***", "both", [("both", "italic"), ("both", "bold")]),
        ("**a *b* c**", "a b c", [("a b c", "bold"), ("b", "italic")]),
        ("- 一\n* 二\n  + 三\n1. 四", "• 一\n• 二\n  • 三\n1. 四", []),
        ("# 标题 #\n正文", "标题\n正文", [("标题", "bold")]),
        ("[政府网](https://www.gov.cn/a?b=1)请看", "政府网请看", [("政府网", "link")]),
        ("看 https://www.gov.cn/x。好", "看 https://www.gov.cn/x。好", [("https://www.gov.cn/x", "link")]),
        ("\\*not\\* 3*4=12 * 5 ** a **", "*not* 3*4=12 * 5 ** a **", []),
        ("<b>x</b> `y` &amp;", "<b>x</b> `y` &amp;", []),
        ("🎉**红**🎉", "🎉红🎉", [("红", "bold")]),
        ("", "", []),
    ],
)
def test_what_is_markup_and_what_is_not(source, text, marks):
    found = parse(source)
    assert (found.text, found.problems) == (text, ())
    assert [(found.text[mark.start : mark.end], mark.kind) for mark in found.marks] == marks


@pytest.mark.parametrize(
    ("source", "why", "line"),
    [
        ("好\n**没有关上", "unpaired", 2),
        ("[看](www.gov.cn", "link_open", 1),
        ("[看](javascript:alert)", "link_bad", 1),
        ("[看]()", "link_bad", 1),
        ("[看](https://good.cn@evil.com/)", "link_bad", 1),
        ("[www.gov.cn](https://evil.com/)", "link_differs", 1),
    ],
)
def test_what_was_meant_otherwise_is_named_and_stays_as_it_was_typed(source, why, line):
    found = parse(source)
    assert [(one.why, one.line) for one in found.problems] == [(why, line)]
    assert (found.text, found.marks) == (source, ())


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://www.gov.cn/", True),
        ("HTTP://gov.cn:8080/a?b=c#d", True),
        ("https://gov.cn/" + "a" * 485, True),
        ("https://gov.cn/" + "a" * 486, False),
        ("ftp://gov.cn/", False),
        ("https://localhost/", False),
        ("https://192.168.1.1/", False),
        ("https://gov.cn:0/", False),
        ("https://gov.cn:99999/", False),
        ("https://[::1", False),
        ("https://gоv.cn/", False),  # the o is Cyrillic
        ("//gov.cn", False),
        ('https://gov.cn/"onclick', False),
    ],
)
def test_where_a_link_may_lead(url, safe):
    assert safe_url(url) is safe


def test_names_are_put_in_without_being_read_as_markup_and_the_marks_move_along():
    marked = parse("{姓名}同志**您在{支部}**：[看{姓名}](https://a.cn)，{别的}")
    found = filled(marked, {"姓名": "*赵*", "支部": "[x](https://b.cn)"})
    assert found.text == "*赵*同志您在[x](https://b.cn)：看*赵*，{别的}"
    assert [found.text[mark.start : mark.end] for mark in found.marks] == ["您在[x](https://b.cn)", "看*赵*"]
    assert plain(found.text, found.marks).endswith("看*赵*（https://a.cn），{别的}")


def test_parts_keep_what_of_the_marks_lies_in_them():
    whole = joined(["头", parse("**一二三四**")])
    first, second = pieces(whole.text, whole.marks, ["头\n一二", "三四"])
    assert first == Marked("头\n一二", (Mark(2, 4, "bold"),))
    assert second == Marked("三四", (Mark(0, 2, "bold"),))


@pytest.mark.parametrize("sign", ["*", "_", "**", "[", "*_", "[a](", "**a", "{", "\\"])
def test_whoever_plays_waits_no_second_and_loses_no_character(sign):
    source = sign * (5000 // len(sign))
    began = time.process_time()
    found = parse(source)
    assert time.process_time() - began < 1
    assert all(0 <= mark.start < mark.end <= len(found.text) for mark in found.marks)
