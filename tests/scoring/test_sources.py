"""Sources are said in the reader's language."""

from __future__ import annotations

from scoring.catalogue import shipped
from scoring.sources import chinese, source_in


def shown():
    """Every source that the chat may show."""
    rules = shipped()
    yield from (terms.source for rule in rules.pioneer.rule for terms in rule.terms)
    yield from (terms.veto.source for terms in rules.fortress.terms)
    yield from (row.source for rows in (rules.common, rules.indicators, rules.negatives) for row in rows)
    for terms in rules.org_power.terms:
        yield from (terms.index.source, terms.pool.source, terms.deadlines.source)


def test_every_source_that_the_chat_may_show_has_a_chinese_form():
    assert set(shown()) <= set(chinese())


def test_an_english_reader_gets_the_source_as_it_stands_in_the_rules():
    source = next(shown())
    assert source_in(source, "en") == source
    assert source_in(source, "zh") == chinese()[source] != source


def test_a_source_without_a_chinese_form_is_shown_as_it_stands():
    assert source_in("a rule of our own", "zh") == "a rule of our own"
