"""A random year through the service's own functions: every way of computing its figures says the same.

`HONGXIN_YEAR_EVENTS=100000` asks for a long year (`make year`), `HONGXIN_YEAR_SEED` for another one. When a year fails,
`HONGXIN_YEAR_MOST=N` lives only its first N changes: halve until the first one that does harm is found.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Engine, delete
from sqlmodel import Session

from db import verify
from db.city_results import MonthMark
from db.rebuild import rebuild
from scoring import catalogue
from scoring.standing import pay
from scoring.update import prepare, store
from tests.conftest import ZONE
from tests.scoring.year.driver import ACTS, Year
from tests.scoring.year.opinions import (
    TABLES,
    Told,
    difference,
    every_column,
    exported,
    one_by_one,
    replayed,
    stored,
)
from tests.scoring.year.town import LAST, YEAR

EVENTS = int(os.environ.get("HONGXIN_YEAR_EVENTS", "1500"))
SEED = int(os.environ.get("HONGXIN_YEAR_SEED", "20260101"))
MOST = int(os.environ["HONGXIN_YEAR_MOST"]) if "HONGXIN_YEAR_MOST" in os.environ else None
AT_FIRST = {"a project has raised what it was given"}  # the cast's: something was raised before the first line
SHOWN_DAYS = 7 if EVENTS < 10_000 else 24  # days whose figures are kept, to be replayed later
HELD_DAYS = 1 if EVENTS < 10_000 else 3  # of them days on which everything is held against everything
DEARER, NARROWER = date(YEAR, 7, 1), date(YEAR, 9, 10)
NEW_TERMS = {
    "PB1": f"from = {DEARER}\npoints = 3\ncap = 30",
    "PP1": f"from = {NARROWER}\npoints = 2\ncap = 7",
}

"""Terms that begin within the year: another price, and another price with another cap."""


@pytest.fixture
def new_terms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The shipped rules, and two of them get new terms within the year."""
    rules = tmp_path / "rules"
    shutil.copytree(catalogue.RULES, rules)
    text = (rules / "pioneer.toml").read_text(encoding="utf-8")
    for rule_id, terms in NEW_TERMS.items():
        place = text.index("[[rule.cases]]", text.index(f'"{rule_id}"'))
        block = f'[[rule.terms]]\n{terms}\nstatus = "P"\nsource = "this test"\n\n'
        text = text[:place] + block + text[place:]
    (rules / "pioneer.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(catalogue, "RULES", rules)
    _forget_rules()
    assert catalogue.shipped().rule("PP1").terms_on(LAST).cap == 7  # type: ignore[union-attr]
    yield
    monkeypatch.undo()
    _forget_rules()


def _forget_rules() -> None:
    catalogue.shipped.cache_clear()
    pay.cache_clear()


def shown_days(seed: int) -> list[date]:
    """Days at whose end the figures are kept: chance, a quarter's end, and the year's."""
    chance = Random(seed)
    days = {date(YEAR, 1, 1).toordinal() + chance.randrange(365) for _ in range(SHOWN_DAYS)}
    return sorted({date.fromordinal(one) for one in days} | {date(YEAR, 3, 31), LAST})


def test_all_ways_of_computing_a_random_year_agree(
    engine: Engine, database_url: str, tmp_path: Path, new_terms: None
) -> None:
    print(f"seed {SEED}, {EVENTS} events")  # noqa: T201 - with a failure, what is needed to see it again
    year, shown = Year(engine, seed=SEED, events=EVENTS), dict[date, Told]()
    keep, session = shown_days(SEED), year.town.session
    held = {*Random(SEED).sample(keep[:-1], HELD_DAYS), LAST}
    for day in year.days(most=MOST):
        if day not in keep and MOST is None:
            continue
        _refresh(session, day)
        shown[day] = stored(session, YEAR)
        assert prepare(session, day, zone=ZONE, lines=True).rows == 0, f"{day}: the raw lines say something else"
        if day in held or MOST is not None:
            hold(session, database_url, tmp_path / day.isoformat(), day)
    broken = [str(one) for one in verify.run(session) if one.broken and one.title not in AT_FIRST]
    assert not broken
    assert not missing(year, shown[max(shown)]), "the year was too quiet to prove anything"
    for day, told in shown.items():
        assert not difference(told, replayed(session, day)), f"{day} as it is replayed later"
    session.close()


def _refresh(session: Session, day: date) -> None:
    store(session, prepare(session, day, zone=ZONE))
    session.commit()


def hold(session: Session, url: str, folder: Path, day: date) -> None:
    """Hold the stored figures of the day against every other way to them."""
    told = stored(session, YEAR)
    single = one_by_one(session, day)
    assert told["pioneer.csv"] == single["pioneer.csv"]
    assert [row[:-1] for row in told["fortress.csv"]] == single["fortress.csv"]  # stars ask for the whole field
    session.rollback()
    folder.mkdir()
    scored, second = exported(url, folder, day, {"PP1": 7 if day >= NARROWER else 9})
    assert not difference(told, scored), f"{day}: `score` on the export"
    assert not difference(scored, second), f"{day}: a second arithmetic"
    columns = every_column(session)
    for table in (*TABLES, MonthMark):
        session.execute(delete(table))
    found = rebuild(session)
    assert str(found).count("(0 corrected)") == str(found).count("corrected"), str(found)
    store(session, prepare(session, day, zone=ZONE, lines=True))
    assert every_column(session) == columns, f"{day}: written anew from raw lines"
    session.rollback()


def missing(year: Year, last: Told) -> set[str]:
    """What this test is about and did not happen; a year that was cut short may lack anything."""
    found = {row[2] for row in last["warnings.csv"]} | {f"{row[-1]} stars" for row in last["pioneer.csv"]}
    found |= {name for name, count in year.counts.items() if count}
    wanted = {"blue", "yellow", "red", "1 stars", *year.counts, *(act.__name__ for act in ACTS)}
    return wanted - found if MOST is None else set()
