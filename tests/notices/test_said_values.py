"""Recorded values and thresholds in words."""

from __future__ import annotations

from datetime import date

import pytest

from notices.said_values import said_demand, said_recorded
from notices.wording import wording
from scoring.catalogue import shipped

DAY = date(2026, 6, 15)
RULES = {
    **{
        one.id: one
        for field in ("urban_community", "admin_village")
        for one in shipped().indicators_on(field, DAY)
    },
    **{one.id: one for one in shipped().common_on(DAY)},
}


@pytest.mark.parametrize(
    ("rule", "zh", "en"),
    [
        ("C02", "至少 1", "at least 1"),
        ("C07", "不超过 0", "at most 0"),
        ("C10", "少于 2", "below 2"),
        ("C01", "是", "yes"),
        ("UC04", "至少 95%", "at least 95%"),
        ("C08", "至少 100%", "at least 100%"),
        ("AV07", "至少 100%", "at least 100%"),  # of its plan
    ],
)
def test_what_is_asked_is_said_in_words(rule, zh, en):
    assert said_demand(wording("zh"), RULES[rule]) == zh
    assert said_demand(wording("en"), RULES[rule]) == en


@pytest.mark.parametrize(
    ("rule", "value", "zh"),
    [
        ("C02", "2", "2"),
        ("C01", "false", "否"),
        ("C01", "true", "是"),
        ("UC04", "0.9666", "96.66%"),
        ("UC04", "19/20", "95%"),
        ("UC04", "", "没有数值"),
        ("UC04", "好", "好"),
        ("F08", "1", "100%"),
        ("F13", "0.8", "80%"),
        ("F14", "0.5", "50%"),
        ("F03", "true", "是"),
    ],
)
def test_a_share_is_said_in_per_cent_and_a_count_as_it_is(rule, value, zh):
    assert said_recorded(wording("zh"), RULES[rule], value) == zh
