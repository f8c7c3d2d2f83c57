"""What counts as a duty stands in the rules; the database's own copy must not drift from it."""

from __future__ import annotations

from db.duties import COUNTABLE
from scoring.catalogue import shipped
from tests.cast import DAY


def test_the_countable_kinds_are_those_of_the_rules():
    assert set(shipped().fortress.terms_on(DAY).veto.countable_kinds) == COUNTABLE
