"""Every verdict on a row of a department's spreadsheet, with what it tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from scoring.catalogue import shipped
from scoring.handed_in import judged, spellings
from scoring.observed_scheme import shipped_observed
from scoring.sheet_rows import Branch, Known, Line, Verdict

TODAY = date(2026, 6, 10)

BRANCHES = {
    "B10": Branch(10, "urban_community", "/1/2/10/", None),
    "B20": Branch(20, "admin_village", "/1/2/20/", date(2026, 5, 2)),
    "B30": Branch(30, "soe", "/1/3/30/", None),
}


def known(**more):
    usual = {"branches": BRANCHES, "path": "/1/2/", "remit": (), "values": {}, "cases": {}, "locked": ()}
    return Known(**usual | {"today": TODAY} | more)


def whole(organization, indicator, period, value, odd="", *, rules=None, **more):
    """The verdict with everything that it tells."""
    line = Line(2, organization, indicator, period, value, "", odd)
    (found,) = judged(rules or shipped(), shipped_observed(), known(**more), [line])
    assert found.line is line
    return found


def verdict(*row, **more):
    """Its kind, or the reason of a refusal."""
    found = whole(*row, **more)
    assert (found.kind == "refused") == bool(found.why)
    return found.why or found.kind


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (("B10", "UC04", "2026-05", "0.95"), "new"),
        (("B10", "uc04", "2026/5/1", "0.95"), "new"),
        (("B10", "C13", "2025", "0.9"), "locked"),
        (("B10", "F15", "2026-05", "是"), "new"),
        (("B10", "F15", "2026-05", "0.5"), "yes_or_no"),
        (("B10", "N02", "2026-05-30", "1"), "new"),
        (("B10", "N02", "2026-05-30", "1.5"), "count"),
        (("B10", "N02", "2026-05-30", "101"), "count"),
        (("B10", "N02", "2026-05", "1"), "day"),
        (("B10", "N02", "2026-06-10", "1"), "new"),
        (("B10", "N02", "2026-06-11", "1"), "future"),
        (("B10", "N02", "2026-04-30", "1"), "locked"),
        (("B10", "N01", "2026-05-30", "1"), "collect_inspect"),
        (("B99", "UC04", "2026-05", "1"), "organization"),
        (("B30", "SE08", "2026Q1", "1"), "not_yours"),
        (("B10", "XX1", "2026-05", "1"), "indicator"),
        (("B10", "AV05", "2026Q1", "1"), "field"),
        (("B20", "AV01", "2026-05", "true"), "founded"),
        (("B10", "C02", "2026-05", "1"), "collect_declare"),
        (("B10", "C16", "2026Q1", "1"), "collect_inspect"),
        (("B10", "C15", "2026-05", "1"), "collect_auto"),
        (("B10", "C07", "2026-05", "0"), "new"),
        (("B10", "UC04", "2026-06", "1"), "open"),
        (("B10", "UC04", "2026-04", "1"), "locked"),
        (("B10", "UC04", "2026Q1", "1"), "period_monthly"),
        (("B10", "UC02", "2026-03", "1"), "period_quarterly"),
        (("B10", "UC06", "2026Q2", "1"), "period_half_yearly"),
        (("B10", "UC07", "2026H1", "true"), "period_yearly"),
        (("B10", "UC04", "2026-13", "1"), "period_monthly"),
        (("B10", "UC04", "2026-05", "1,5"), "comma"),
        (("B10", "UC04", "2026-05", "1,000"), "comma"),
        (("B10", "UC04", "2026-05", "95%"), "percent"),
        (("B10", "UC04", "2026-05", "０.９５"), "full_width"),
        (("B10", "UC04", "2026-05", "NaN"), "number"),
        (("B10", "UC04", "2026-05", "inf"), "number"),
        (("B10", "UC04", "2026-05", "1e3"), "exponent"),
        (("B10", "UC04", "2026-05", "-1"), "negative"),
        (("B10", "UC04", "2026-05", "+1"), "formula"),
        (("B10", "UC04", "2026-05", "@SUM(A1)"), "formula"),
        (("B10", "UC04", "2026-05", "2026-05-01"), "value_day"),
        (("B10", "UC04", "2026-05", "0.5", "formula"), "formula"),
        (("B10", "UC04", "2026-05", "2026-05-01", "day"), "value_day"),
        (("B10", "UC04", "2026-05", "95"), "rate"),
        (("B10", "UC04", "2026-05", "2"), "new"),
        (("B10", "UC04", "2026-05", "2.01"), "rate"),
        (("B10", "UC04", "2026-05", "无"), "new"),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, tuple) else value,
)
def test_every_row_has_its_verdict(row, expected):
    assert verdict(*row) == expected


LONG = "X" * 50


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ((LONG, "UC04", "2026-05", "1"), {"code": LONG[:40]}),
        (("B30", "SE08", "2026Q1", "1"), {"code": "B30"}),
        (("B10", LONG, "2026-05", "1"), {"id": LONG[:40]}),
        (("B10", "uc04", "1999-12", "1"), {"id": "uc04"}),
        (("B10", "av05", "2026Q1", "1"), {"id": "AV05"}),
        (("B20", "AV01", "2026-05", "true"), {"day": "2026-05-02"}),
        (("B10", "N02", LONG, "1"), {"text": LONG[:20]}),
        (("B10", "N02", "2026-02-30", "1"), {"text": "2026-02-30"}),
        (("B10", "UC04", LONG, "1"), {"text": LONG[:20]}),
        (("B10", "UC04", "2026-05-02", "1"), {"text": "2026-05-02"}),
        (("B10", "UC02", "2026-01-01", "1"), {"text": "2026-01-01"}),
        (("B10", "C02", "2026-05", "1"), {"id": "C02"}),
        (("B10", "N02", "2026-06-11", "1"), {"period": "2026-06-11"}),
        (("B10", "N02", "2026-04-30", "1"), {"period": "2026-04"}),
        (("B10", "UC04", "2026-06", "1"), {"period": "2026-06"}),
        (("B10", "N02", "2026-05-30", "1" * 30), {"text": "1" * 20}),
        (("B10", "N02", "2026-05-30", "101"), {"text": "101"}),
        (("B10", "N02", "2026-05-30", "٣"), {"text": "٣"}),
        (("B10", "F15", "2026-05", LONG), {"text": LONG[:20]}),
        (("B10", "UC04", "2026-05", LONG), {"text": LONG[:20]}),
        (("B10", "UC04", "2026-05", "3" * 15), {"text": "3" * 15}),
        (("B10", "UC04", "2026-05", "1" * 16), {"text": "1" * 16}),
        (("B10", "UC04", "2026-05", "2026-05-01 00:00:00.000", "day"), {"text": "2026-05-01 00:00:00."}),
        (("B10", "UC04", "2026-05", "1", "formula"), {}),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, tuple) else "",
)
def test_a_refusal_tells_what_it_is_about_and_never_at_length(row, told):
    found = whole(*row)
    assert (found.kind, found.why_values) == ("refused", told)
    assert whole(*row, remit={"UC04"}).why in (found.why, "remit")
    assert found == Verdict(found.line, "refused", found.why, told), "nothing else is told of what is refused"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (("B10", "uc04", "2026/5/1", "0.95"), ("2026-05", None, "0.95")),
        (("B10", "UC04", "2026-05-01", "无"), ("2026-05", None, "")),
        (("B10", "UC04", "2026-05", "none"), ("2026-05", None, "")),
        (("B10", "UC06", "2026h1", "2"), ("2026H1", None, "2")),
        (("B10", "UC02", "2026q2", "2.00"), ("2026Q2", None, "2.00")),
        (("B10", "F15", "2026-05", "否"), ("2026-05", None, "false")),
        (("B10", "F15", "2026-05", "True"), ("2026-05", None, "true")),
        (("B10", "F15", "2026-05", "0"), ("2026-05", None, "false")),
        (("B10", "N02", "2026/6/30", "100"), ("2026-06-30", date(2026, 6, 30), "100")),
        (("B10", "N02", "2026-6-1", "007"), ("2026-06-01", date(2026, 6, 1), "7")),
    ],
    ids=lambda value: ",".join(value) if isinstance(value[1], str) else "",
)
def test_what_is_accepted_is_told_as_it_will_be_stored(row, expected):
    period, day, value = expected
    found = whole(*row, today=TODAY if period == "2026-05" else date(2026, 7, 1))
    assert found == Verdict(found.line, "new", "", {}, "", 10, period, day, value)


def test_a_case_may_be_of_today_and_of_any_branch_below():
    everywhere = {one: replace(BRANCHES[one], path="/1/2/") for one in BRANCHES}
    for organization, number in (("B10", 10), ("B20", 20), ("B30", 30)):
        found = whole(organization, "N02", "2026-06-10", "3", branches=everywhere)
        assert (found.kind, found.organization_id, found.day, found.value) == ("new", number, TODAY, "3")
    assert verdict("B20", "N02", "2026-05-01", "1", today=date(2026, 5, 9)) == "founded"
    assert verdict("B20", "N02", "2026-05-02", "1", today=date(2026, 5, 9)) == "new"


def test_a_value_is_judged_by_the_row_that_holds_at_the_end_of_its_period():
    """UC04 gets another field in June; before 2026 there is none."""
    row = next(one for one in shipped().indicators if one.id == "UC04")
    later = row.model_copy(update={"starts": date(2026, 6, 30), "field": "soe"})
    rules = replace(shipped(), indicators=(*shipped().indicators, later))
    july = date(2026, 7, 1)
    assert verdict("B10", "UC04", "2026-05", "1", rules=rules) == "new"
    assert verdict("B10", "UC04", "2026-06", "1", rules=rules, today=july) == "field"


def test_a_plan_may_be_passed_and_a_count_is_no_rate():
    assert verdict("B10", "C07", "2026-05", "12") == "new"
    for rate, period, today in (("F16", "2026-05", TODAY), ("C13", "2025", date(2026, 1, 5))):
        found = [verdict("B10", rate, period, text, today=today) for text in ("2", "2.000001")]
        assert found == ["new", "rate"], rate


def test_every_spelling_of_a_period_is_looked_up():
    assert spellings("2026q1") == {"2026Q1"}
    assert spellings("2026/5/1") == {"2026/5/1", "2026-05-01", "2026-05"}
    assert spellings("2026-13-01") == {"2026-13-01"}


def test_a_period_is_open_until_its_last_day_is_over_and_locked_on_the_fifteenth():
    row = ("B10", "UC04", "2026-05", "1")
    days = [date(2026, 5, 31), date(2026, 6, 1), date(2026, 6, 14), date(2026, 6, 15)]
    assert [verdict(*row, today=day) for day in days] == ["open", "new", "new", "locked"]
    assert verdict(*row, locked={"2026-05"}) == "locked"
    assert verdict("B10", "N02", "2026-05-30", "1", locked={"2026-05"}) == "locked"


def test_what_stands_decides_between_new_same_and_changed():
    key = (10, "UC04", "2026-05")
    assert verdict("B10", "UC04", "2026-05", "0.50", values={key: ("0.5", "dept")}) == "same"
    assert verdict("B10", "UC04", "2026-05", "0.6", values={key: ("0.5", "dept")}) == "changed"
    assert verdict("B10", "UC04", "2026-05", "无", values={key: ("0.5", "dept")}) == "changed"
    assert verdict("B10", "UC04", "2026-05", "0.6", values={key: ("", "dept")}) == "new"
    seen = {(10, "C07", "2026-05"): ("0", "auto")}
    assert verdict("B10", "C07", "2026-05", "1", values=seen) == "seen"
    cases = {(10, "N02", date(2026, 5, 30)): 2}
    assert [verdict("B10", "N02", "2026-05-30", count, cases=cases) for count in "023"] == [
        "changed",
        "same",
        "changed",
    ]
    assert whole("B10", "N02", "2026-05-30", "0", cases=cases).before == "2"
    assert verdict("B10", "N02", "2026-05-30", "0") == "same", "there were none"
    assert whole("B10", "UC04", "2026-05", "0.6", values={key: ("0.5", "dept")}).before == "0.5"
    told = whole("B10", "C07", "2026-05", "1", values=seen)
    assert told.why_values == {"value": "0"}
    assert verdict("B10", "C07", "2026-05", "1", values={(10, "C07", "2026-05"): ("", "auto")}) == "new"
    for before, after, kind in (("true", "true", "same"), ("true", "0", "changed"), ("", "none", "same")):
        found = verdict("B10", "F15", "2026-05", after, values={(10, "F15", "2026-05"): (before, "dept")})
        assert found == kind, (before, after)


def test_a_remit_leaves_only_what_it_names():
    assert verdict("B10", "UC04", "2026-05", "1", remit={"UC04"}) == "new"
    assert verdict("B10", "UC04", "2026-05", "1", remit={"UC06"}) == "remit"


def test_rows_that_say_the_same_twice_are_both_refused():
    rows = [("B10", "UC04", "2026-05"), ("B10", "uc04", "2026-05"), ("B10", "UC04", "2026-04")]
    lines = [Line(number, *row, "1") for number, row in enumerate(rows, 2)]
    found = judged(shipped(), shipped_observed(), known(), lines)
    assert [(one.why, one.why_values.get("row")) for one in found] == [
        ("twice", 3),
        ("twice", 2),
        ("locked", None),
    ]
    cases = [("B10", "N02", "2026-05-30"), ("B10", "n02", "2026/5/30"), ("B10", "N02", "2026-05-30")]
    lines = [Line(number, *row, "1") for number, row in enumerate(cases, 5)]
    found = judged(shipped(), shipped_observed(), known(), lines)
    assert [(one.why, one.why_values) for one in found] == [("twice", {"row": row}) for row in (6, 5, 5)]
    assert [one.line for one in found] == lines
