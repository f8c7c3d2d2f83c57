"""The folder that a running service writes, scored without it, says what the service itself shows."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col
from typer.testing import CliRunner

from bot import sample
from bot.__main__ import app
from bot.scoring_export import export
from db import ledger, migrate, scoring_export, values
from db.activities import Activity
from db.database_file import Refused
from db.engine import write_engine
from db.indices import Appraisal, FortressIndex, Negative, OrgPowerIndex, PioneerIndex, PoolColour
from db.members import Member, Membership
from db.organizations import Organization
from notices.cells import safe_cell
from scoring.catalogue import shipped
from scoring.folder import Scores, score_folder
from scoring.folder_reading import HEADERS, read_folder
from scoring.org_power_scheme import DIMENSIONS
from scoring.standing import pay
from scoring.update import refresh_city
from tests import cast
from tests.conftest import ZONE

LAST_DAY = date(2026, 12, 31)
NEW_YEAR = datetime(2026, 12, 31, 15, 0, tzinfo=UTC)


def cells(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def scored(url: str, folder: Path, as_of: date) -> Scores:
    """What `score` makes of the database's own export."""
    export(url, folder, as_of=as_of, zone=ZONE)
    return score_folder(shipped(), read_folder(folder, shipped(), as_of))


def stored(session: Session, table: Any, *names: str) -> dict[str, tuple[Any, ...]]:
    """Rows of an index by the first name."""
    columns = [col(getattr(table, name)) for name in names]
    return {str(row[0]): tuple(row[1:]) for row in session.execute(select(*columns))}


def assert_equal(engine: Engine, scores: Scores) -> None:
    with Session(engine) as session:
        names = ("member_id", "base", "positive", "conduct", "score", "stars")
        assert stored(session, PioneerIndex, *names) == {
            member_id: (one.base, one.positive, one.conduct, one.score, one.stars)
            for member_id, one in scores.pioneer.items()
        }
        names = ("organization_id", "common", "specific", "deductions", "base", "appraisal", "score", "activities")
        assert stored(session, FortressIndex, *names, "veto", "stars") == {
            org_id: (
                *(one.common, one.specific, one.deductions, one.base, one.appraisal, one.score),
                *(one.activities, one.veto, scores.stars[org_id]),
            )
            for org_id, one in scores.fortress.items()
        }
        assert_months_equal(session, scores)


def assert_months_equal(session: Session, scores: Scores) -> None:
    """The third index and the colours."""
    power = {
        (row.organization_id, row.month): (
            *(getattr(row, name) for name in DIMENSIONS),
            *(row.deduction, row.score, row.rank, row.field_size, row.unmet, row.negatives),
        )
        for row in session.execute(select(OrgPowerIndex)).scalars()
    }
    assert power
    assert power == {
        (int(row.org_id), row.result.month.text): (
            *(one.score for one in row.result.dimensions),
            *(row.result.deduction, row.result.score, row.place.rank, row.place.n),
            *(";".join(row.result.unmet), ";".join(row.result.hits)),
        )
        for row in scores.org_power
    }
    colours = session.execute(select(PoolColour)).scalars()
    assert {(row.organization_id, row.month, row.colour): (row.owner, row.reason) for row in colours} == {
        (int(org_id), month, one.colour): (one.owner, one.reason) for org_id, month, one in scores.warnings
    }


@pytest.fixture
def busy(engine: Engine) -> Engine:
    """The cast's city after a year of chance."""
    with Session(engine) as session:
        _year(session, Random(7))
        session.commit()
        refresh_city(session, LAST_DAY, NEW_YEAR, zone=ZONE)
        session.commit()
    return engine


def _year(session: Session, chance: Random) -> None:
    members = [cast.ALICE, cast.BOB, cast.CHARLIE, cast.SUN, cast.MO]
    for number in range(120):
        rule = chance.choice(["PB1", "PB2", "PB3", "PP1", "PP2", "PN1", "PN2"])
        day = date(2026, chance.randint(1, 12), chance.randint(1, 28))
        due = pay(rule, day)
        assert due is not None
        hundredths = chance.choice([100, 150, 25]) if rule == "PB3" else 100
        ledger.book(
            session,
            member_id=chance.choice(members),
            organization_id=None,
            rule_id=rule,
            terms_from=due.terms_from,
            cause=f"chance:{number}",
            points=due.points,
            hundredths=hundredths,
            day=day,
            booked_at=NEW_YEAR,
        )
    for number in range(30):
        begin = datetime(2026, chance.randint(1, 12), chance.randint(1, 28), chance.choice([2, 16]), tzinfo=UTC)
        session.add(
            Activity(
                code=f"E{number}",
                organization_id=chance.choice([cast.LIANGFENG, cast.SHAZHOU]),
                scope=chance.choice(["branch", "region"]),
                kinds=chance.choice(["theme_party_day;member_assembly", "party_lecture", "heart_talk"]),
                title="x",
                place="x",
                starts_at=begin,
                ends_at=begin.replace(minute=30),
                check_in_opens_at=begin,
                check_in_closes_at=begin.replace(minute=30),
                state=chance.choice(["held", "held", "cancelled"]),
                approved=chance.random() < 0.8,
                should_attend=chance.choice([None, 10, 10]),
                attended=chance.choice([None, 4, 5, 9]),
            )
        )
    given = [
        ("F01", "2026-11", "true"),
        ("F14", "2026-12", "11"),
        ("UC01", "2026Q2", "1"),
        ("AV02", "2026Q3", "1.00"),
    ]
    given += [("C02", f"2026-{month:02}", chance.choice(["1", "0", ""])) for month in range(1, 13)]
    for branch in (cast.LIANGFENG, cast.SHAZHOU):
        for indicator_id, period, value in given:
            values.record(
                session,
                organization_id=branch,
                indicator_id=indicator_id,
                period=period,
                value=value,
                collect="declare",
                cause="chance",
                recorded_at=NEW_YEAR,
            )
        for count in (2, -1):
            session.add(
                Negative(
                    organization_id=branch, item_id="N04", day=date(2026, 5, 5), count=count, recorded_at=NEW_YEAR
                )
            )
        session.add(
            Appraisal(organization_id=branch, year=2026, self_score=9000, members_masses=8555, superior=8000)
        )
    session.execute(text("UPDATE member SET mode = 'rate' WHERE id = :id"), {"id": cast.BOB})
    session.execute(text("UPDATE member SET mode = 'exempt' WHERE id = :id"), {"id": cast.MO})
    mine = session.execute(select(Membership).where(col(Membership.member_id) == cast.ALICE)).scalar_one()
    mine.to_day = date(2026, 9, 9)
    session.flush()
    session.add(Membership(member_id=cast.ALICE, organization_id=cast.SHAZHOU, from_day=date(2026, 9, 9)))
    root = {"level": "branch", "field": "soe", "parent_id": cast.CITY}
    for org_id, closed_on in ((31, LAST_DAY), (32, date(2027, 1, 1))):
        session.add(
            Organization(
                id=org_id, code=f"B{org_id}", name="=1+1", path=f"/1/{org_id}/", closed_on=closed_on, **root
            )
        )


def test_the_service_and_its_export_agree_to_the_last_hundredth(
    busy: Engine, database_url: str, tmp_path: Path
) -> None:
    scores = scored(database_url, tmp_path / "out", LAST_DAY)
    assert len(scores.pioneer) > 5
    assert scores.fortress.keys() == {"10", "20", "32"}, "the one that closed on the day has no field any more"
    assert {one.appraisal for one in scores.fortress.values()} == {8489, None}
    assert_equal(busy, scores)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(HEADERS)
    assert {row["name"] for row in cells(tmp_path / "out", "organizations.csv") if row["id"] in ("31", "32")} == {
        "'=1+1"
    }
    kinds = {row["approved"] for row in cells(tmp_path / "out", "activities.csv")}
    assert kinds == {"true", "false"}
    days = {row["day"][:4] for row in cells(tmp_path / "out", "activities.csv")}
    assert days == {"2026"}


def test_the_reader_of_an_export_sees_one_moment_and_cannot_write(busy: Engine, database_url: str) -> None:
    with scoring_export.snapshot(database_url) as session:
        before = list(scoring_export.memberships(session))
        with Session(busy) as writing:
            writing.add(Member(id=999, code="M999", name="新", created_at=NEW_YEAR))
            writing.flush()
            writing.add(Membership(member_id=999, organization_id=cast.SHAZHOU, from_day=date(2026, 1, 1)))
            writing.commit()
        assert list(scoring_export.memberships(session)) == before
        with pytest.raises(DBAPIError):
            session.execute(text("DELETE FROM pioneer_index"))
    with scoring_export.snapshot(database_url) as session:
        assert len(list(scoring_export.memberships(session))) == len(before) + 1


def test_a_sample_city_agrees_with_its_export(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'city.db'}"
    migrate.upgrade(url)
    engine = write_engine(url)
    now = datetime(2026, 6, 15, 4, 0, tzinfo=UTC)
    sample.fill(engine, size=12, seed=3, now=now)
    with Session(engine) as session:
        refresh_city(session, now.astimezone(ZONE).date(), now, zone=ZONE)
        session.commit()
    scores = scored(url, tmp_path / "out", now.astimezone(ZONE).date())
    assert len(scores.fortress) == 12
    assert scores.org_power
    assert_equal(engine, scores)
    engine.dispose()


@pytest.mark.parametrize("name", ["=1+1", "+86", "-x", "@x", "\tx", "\rx", " =1", "＝1"])
def test_no_name_can_be_a_formula(name: str) -> None:
    assert safe_cell(name) == f"'{name}"
    assert safe_cell(f"赵{name}") == f"赵{name}"


def test_the_command_writes_the_folder_and_refuses_what_it_cannot_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HONGXIN_DATABASE_URL", f"sqlite:///{tmp_path / 'none.db'}")
    words = ["export", "--scoring", str(tmp_path / "out")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2
    assert "there is no database yet" in done.stderr
    assert not (tmp_path / "none.db").exists(), "looking makes no database"
    assert CliRunner().invoke(app, [*words, "--as-of", "tomorrow"]).exit_code == 2
    migrate.upgrade(f"sqlite:///{tmp_path / 'none.db'}")
    done = CliRunner().invoke(app, [*words, "--as-of", "2026-06-15"])
    assert done.exit_code == 0
    assert cells(tmp_path / "out", "members.csv") == []
    with pytest.raises(Refused), scoring_export.snapshot(f"sqlite:///{tmp_path}"):
        pass
