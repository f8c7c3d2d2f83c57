"""The advice about weak points: complete, about what there is, and in time."""

from __future__ import annotations

import shutil
from datetime import date

import pytest

from handlers.diagnosis import NEXT
from scoring.catalogue import RULES, RulesError, load, shipped


def test_every_rule_of_the_lists_has_an_advice_that_fits_a_phone():
    rules = shipped()
    known = {row.id for rows in (rules.common, rules.indicators, rules.negatives) for row in rows}
    assert set(rules.suggestions.by_id) == known
    assert {one.next for one in rules.suggestions.suggestion} <= {*NEXT, "none"}
    assert {one.by for one in rules.suggestions.suggestion if one.id.startswith("N")} == {"now"}


def test_an_advice_is_given_in_two_languages_and_names_who_helps():
    suggestions = shipped().suggestions
    for one in suggestions.suggestion:
        assert (one.do_in("zh"), one.do_in("en")) == (one.do, one.do_en)
        assert suggestions.whom(one.ask).id == one.ask


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            'id     = "C02"',
            'id     = "C99"',
            "suggestions.toml: C02 has no suggestion|suggestions.toml: there is no C99",
        ),
        ('id     = "C02"', 'id     = "C01"', "suggestions.toml: an id stands twice"),
        ('next   = "declare"', 'next   = "dance"', "suggestions.toml: suggestion 14, next: Input should be"),
        ('id       = "department"', 'id       = "office"', "suggestions.toml: department must be named under ask"),
    ],
)
def test_a_mistake_is_named_with_its_file(tmp_path, old, new, told):
    copy = tmp_path / "rules"
    shutil.copytree(RULES, copy)
    text = (copy / "suggestions.toml").read_text(encoding="utf-8")
    assert old in text
    (copy / "suggestions.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(RulesError) as caught:
        load(copy)
    assert all(any(one.startswith(part) for one in caught.value.mistakes) for part in told.split("|"))


@pytest.mark.parametrize(
    ("rule", "kind", "today", "until"),
    [
        ("C02", "monthly", date(2026, 6, 30), date(2026, 6, 30)),
        ("C02", "monthly", date(2026, 7, 1), date(2026, 7, 31)),
        ("C03", "quarterly", date(2026, 6, 15), date(2026, 6, 30)),
        ("C06", "yearly", date(2026, 1, 1), date(2026, 12, 31)),
        ("C13", "monthly", date(2026, 1, 1), date(2026, 12, 31)),
        ("N01", "monthly", date(2026, 6, 15), date(2026, 6, 15)),
    ],
)
def test_the_last_day_is_that_of_the_period_that_runs(rule, kind, today, until):
    assert shipped().suggestions.by_id[rule].until(kind, today) == until
