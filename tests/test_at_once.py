"""A race of which one act fell over is no race that passed."""

from __future__ import annotations

import pytest
from sqlmodel import text

from tests.at_once import at_once, seen_at_once


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'race.db'}"


def test_each_gives_what_it_gave_in_the_order_of_the_acts(url):
    def wrote(session):
        session.execute(text("CREATE TABLE IF NOT EXISTS done (place INTEGER)"))
        return session.execute(text("INSERT INTO done VALUES (1)")).rowcount

    assert at_once(url, lambda _: "a", wrote, wrote, lambda _: None) == ["a", 1, 1, None]
    assert at_once(url, lambda s: s.execute(text("SELECT count(*) FROM done")).scalar_one()) == [2], "committed"


def test_everybody_has_read_before_anybody_writes(url):
    def taken(session, meet):
        session.execute(text("CREATE TABLE IF NOT EXISTS done (place INTEGER)"))
        session.commit()
        seen = session.execute(text("SELECT count(*) FROM done")).scalar_one()
        meet()
        session.execute(text("INSERT INTO done VALUES (1)"))
        return seen

    assert seen_at_once(url, *[taken] * 4) == [0] * 4


def test_what_an_act_raises_is_raised_here_and_nobody_waits_for_it(url):
    with pytest.raises(ZeroDivisionError):
        at_once(url, lambda _: "fine", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        seen_at_once(url, lambda _, meet: meet(), lambda _, meet: 1 / 0)
