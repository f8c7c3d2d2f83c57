"""The refresh of a city: totals, raw lines, branch after branch and the replay of a past day say the same."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine, select, text, update
from sqlmodel import Session, col
from typer.testing import CliRunner

from bot.__main__ import app
from bot.roll.apply import apply
from bot.roll.plan import plan
from bot.roll.read import Roll
from db import appraisals, city_results, ledger, resolutions
from db.activities import Activity
from db.city_results import MonthMark
from db.indices import FortressIndex, PioneerIndex, PoolColour
from db.ledger import Entry
from db.members import Member, Membership
from db.organizations import Organization
from scoring.catalogue import shipped
from scoring.differences import fortress as fortress_difference
from scoring.differences import pioneer as pioneer_difference
from scoring.month_differences import month_differences
from scoring.replay import replay
from scoring.standing import standing
from scoring.update import compute, prepare, store
from tests.cast import RUI, SUN
from tests.conftest import ZONE
from tests.scoring.city_year import BRANCHES, JUNE, MARCH, TABLES, Year, at


@pytest.fixture
def year(engine: Engine) -> Iterator[Year]:
    with Session(engine) as session:
        made = Year(session, 11)
        made.live(date(2026, 1, 1), MARCH)
        yield made
        session.rollback()


def stored(session: Session) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every result, without the day since which it stands."""
    session.expire_all()
    found = {}
    for table in TABLES:
        names = [name for name in table.model_fields if name not in ("as_of", "rank_before")]
        rows = session.execute(select(*(col(getattr(table, name)) for name in names)))
        found[table.__name__] = sorted(tuple(str(cell) for cell in row) for row in rows)
    return found


def refresh(session: Session, day: date, *, lines: bool = False) -> int:
    ready = prepare(session, day, zone=ZONE, lines=lines)
    assert ready.year == day.year
    store(session, ready)
    return ready.rows


def test_totals_raw_lines_and_one_branch_after_the_other_agree(year):
    session = year.session
    year.live(date(2026, 4, 1), JUNE, about=date(2026, 1, 1))
    moves = {5_003: date(2026, 4, 15), 5_008: date(2026, 5, 1)}  # one to another branch, one away with an index
    for member_id, day in moves.items():
        here = session.execute(select(Membership).where(col(Membership.member_id) == member_id)).scalar_one()
        here.to_day, here.ended_at = day, at(day)
    session.flush()
    there = {"organization_id": 512, "from_day": moves[5_003], "recorded_at": at(moves[5_003])}
    session.add(Membership(member_id=5_003, **there))
    session.flush()
    assert refresh(session, JUNE) > 200
    assert refresh(session, JUNE) == 0, "nothing has changed"
    assert refresh(session, JUNE, lines=True) == 0, "the raw lines say the same"
    single = compute(session, JUNE, zone=ZONE)
    rows = {row.organization_id: row for row in session.execute(select(FortressIndex)).scalars()}
    assert {one.organization_id for one in single.branches} == set(rows)
    for one in single.branches:
        row = rows[one.organization_id]
        names = ("common", "specific", "deductions", "base", "appraisal", "score", "activities", "veto")
        assert [getattr(row, name) for name in names] == [getattr(one.result, name) for name in names]
    scores = dict(zip(single.members.ids, single.members.result.score.tolist(), strict=True))
    people = session.execute(select(PioneerIndex)).scalars()
    assert {row.member_id: row.score for row in people} == scores
    assert len(set(scores.values())) > 20, "the year was too quiet to prove anything"
    alone = {member_id: standing(session, member_id, JUNE) for member_id in (*range(5_000, 5_012), 5_999)}
    assert [one for one, found in alone.items() if found is None] == [5_002, 5_999], "exempt, and nobody"
    assert {one: found.score for one, found in alone.items() if found} == {
        one: scores[one] for one, found in alone.items() if found
    }
    colours = {row.colour for row in session.execute(select(PoolColour)).scalars()}
    assert colours == {"blue", "yellow", "red"}


SPOILED = (
    "UPDATE pioneer_index SET stars = 5 - stars WHERE member_id = 5004",
    "DELETE FROM pioneer_index WHERE member_id = 5004",
    "UPDATE fortress_index SET common = common + 1 WHERE organization_id = 510",
    "UPDATE org_power_index SET score = score + 1 WHERE organization_id = 510",
    "UPDATE org_power_index SET field_size = 99 WHERE organization_id = 510 AND month = '2026-02'",
    "UPDATE pool_colour SET proof = '{}'",
    "INSERT INTO pool_colour VALUES (510, '2024-01', 'red', 'lead_department', 'C01', '{}')",
)


def test_a_rebuild_puts_right_what_was_spoiled(year):
    refresh(year.session, MARCH)
    right = stored(year.session)
    for spoil in SPOILED:
        year.session.execute(text(spoil))
        assert stored(year.session) != right, spoil
        assert refresh(year.session, MARCH, lines=True) > 0
        assert stored(year.session) == right, spoil


def test_what_is_gone_from_the_tree_is_gone_from_the_results(year):
    session = year.session
    refresh(session, MARCH)
    session.execute(update(Organization).where(col(Organization.id) == 510).values(closed_on=date(2026, 3, 30)))
    session.execute(update(Organization).where(col(Organization.id) == 511).values(field=None))
    refresh(session, MARCH)
    assert not [row for rows in stored(session).values() for row in rows[1:] if row[0] in ("510", "511")]


def test_the_rank_before_is_that_of_the_end_of_the_last_month(year):
    session = year.session

    def ranks(day: date) -> dict[int, tuple[int, int | None]]:
        refresh(session, day)
        session.expire_all()
        rows = session.execute(select(FortressIndex)).scalars()
        return {row.organization_id: (row.rank, row.rank_before) for row in rows}

    march = ranks(MARCH)
    assert {before for _, before in march.values()} == {None}
    year.live(date(2026, 4, 1), date(2026, 4, 1))
    first = ranks(date(2026, 4, 1))
    year.live(date(2026, 4, 2), date(2026, 4, 2))
    later = ranks(date(2026, 4, 30))
    assert len({tuple(rank for rank, _ in one.values()) for one in (march, first, later)}) == 3
    for found in (first, later):
        assert {one: before for one, (_, before) in found.items()} == {
            one: rank for one, (rank, _) in march.items()
        }


def test_rows_are_compared_when_their_mark_is_another_or_everything_is_asked_for(year):
    """What stands beside a right mark is looked at from the raw lines only, which `python -m bot rebuild` does."""
    session, wrong = year.session, {"score": 1}
    refresh(session, MARCH)
    right = stored(session)

    def spoil(mark: str) -> None:
        session.execute(update(FortressIndex).where(col(FortressIndex.organization_id) == 510).values(wrong))
        session.execute(update(MonthMark).where(col(MonthMark.month) == "2026").values(mark=mark))
        session.commit()

    spoil("of other figures")
    assert refresh(session, MARCH) == 2  # the row and the mark
    assert stored(session) == right
    spoil(session.get_one(MonthMark, "2026").mark)
    assert refresh(session, MARCH) == 0
    assert refresh(session, MARCH, lines=True) == 1
    assert stored(session) == right


def test_a_value_within_a_stored_month_changes_its_rows_and_the_reds_after_it(year):
    session = year.session
    refresh(session, MARCH)
    before = stored(session)
    year.record(512, "C02", "2026-01", "0", at(MARCH))
    year.record(512, "C02", "2026-02", "0", at(MARCH))
    year.record(512, "C02", "2026-03", "0", at(MARCH))
    refresh(session, MARCH)
    red = session.get_one(PoolColour, (512, "2026-03", "red"))
    assert "C02" in red.reason.split(";")
    assert [one["month"] for one in red.proof["months"]] == ["2026-01", "2026-02", "2026-03"]
    assert stored(session)["OrgPowerIndex"] != before["OrgPowerIndex"]
    assert refresh(session, MARCH, lines=True) == 0


def afterwards(year: Year) -> None:
    """What April to June bring: late approvals, reversals, transfers, clawbacks, resolutions, new figures."""
    session, may = year.session, at(date(2026, 5, 20))
    year.live(date(2026, 4, 1), JUNE, about=date(2026, 1, 15))
    early = session.execute(select(Entry).where(col(Entry.cause) < "chance:15").order_by(col(Entry.id)).limit(9))
    for line in early.scalars().all():
        ledger.reverse(session, line, booked_at=may, reason="appeal")
    for n in (5_005, 5_006):
        here = session.execute(select(Membership).where(col(Membership.member_id) == n)).scalar_one()
        here.to_day, here.ended_at = date(2026, 3, 15), may
        session.flush()
        session.add(Membership(member_id=n, organization_id=515, from_day=date(2026, 3, 15), recorded_at=may))
    for (activity_id,) in session.execute(select(col(Activity.id)).order_by(col(Activity.id)).limit(20)).all():
        year.close(activity_id, may)
    for branch in BRANCHES:
        year.record(branch, "C02", "2026-02", "0", may)  # clawed back
        year.record(branch, "F01", "2026-03", "false", may)
    for member_id in (5_003, 5_007):
        one = resolutions.begin(session, member_id=member_id, organization_id=510, by=SUN, now=may)
        one.mode = "exempt"
        assert resolutions.propose(session, one, may)
        assert resolutions.confirm(session, one, by=RUI, now=may)
    appraisals.record(
        session, organization_id=510, year=2026, voice="superior", hundredths=90, cause="poll:1", recorded_at=may
    )
    session.flush()


def test_a_past_day_is_replayed_as_it_was_known_then(year):
    """Figures stored on 31 March are those that a replay in June gives."""
    session = year.session
    session.execute(update(Member).where(col(Member.id) == 5_003).values(mode="normal"))  # resolved only in May
    refresh(session, MARCH)
    shown = stored(session)
    afterwards(year)
    refresh(session, JUNE)
    assert stored(session)["PioneerIndex"] != shown["PioneerIndex"]
    refresh(session, MARCH)
    assert stored(session) != shown, "what is known today about March is something else"
    found = replay(session, MARCH, zone=ZONE)
    rules = shipped()
    store_differences(session, rules, found)
    now = stored(session)
    assert {name: set(rows) ^ set(shown[name]) for name, rows in now.items()} == {key: set() for key in shown}


def test_a_mode_that_was_there_before_or_came_with_the_roll_is_replayed(year, engine):
    """5002 was exempt from the start, until the roll said otherwise; 5004 was not, until the roll said so."""
    session, may = year.session, date(2026, 5, 20)
    assert {5_002, 5_004} - set(replay(session, MARCH, zone=ZONE).members.ids.tolist()) == {5_002}
    session.commit()
    roll, fixed = Roll(), {"name": "某某", "from_day": "2020-01-01"}
    for member_id, branch, mode in ((5_002, 510, "正常"), (5_004, 512, "免计")):
        row = {"code": f"Z{member_id}", "organization": f"Z{branch}", "mode": mode}
        roll.rows["members"].append((member_id, row | fixed))
    apply(engine, plan(engine, roll, today=may), now=at(may))
    for day, away in ((MARCH, 5_002), (date(2026, 5, 19), 5_002), (may, 5_004)):
        assert {5_002, 5_004} - set(replay(session, day, zone=ZONE).members.ids.tolist()) == {away}
    refresh(session, may)
    assert session.get(PioneerIndex, (5_004, 2026)) is None


def store_differences(session: Session, rules: Any, found: Any) -> None:
    differences = [
        pioneer_difference(rules, found, city_results.pioneer(session, found.as_of.year)),
        *fortress_difference(session, rules, found, whole=True),
    ]
    for one in (*differences, *month_differences(session, rules, found, whole=True)):
        one.write(session)


def test_a_replay_is_told_as_files_of_a_city_a_branch_or_a_member(year, database_url, tmp_path, monkeypatch):
    refresh(year.session, MARCH)
    scores = {row.member_id: row.score for row in year.session.execute(select(PioneerIndex)).scalars()}
    year.session.commit()
    monkeypatch.setenv("HONGXIN_DATABASE_URL", database_url)
    folder = tmp_path / "out"
    run = CliRunner().invoke(app, ["replay", "--as-of", "2026-03-31", "--out", str(folder)])
    assert run.exit_code == 0, run.output
    with (folder / "pioneer.csv").open(newline="") as file:
        told = {int(row["member_id"]): row["score"] for row in csv.DictReader(file)}
    assert told == {one: f"{score // 100}.{score % 100:02d}" for one, score in scores.items()}
    assert all((folder / name).stat().st_size > 100 for name in ("fortress.csv", "org_power.csv", "warnings.csv"))
    one = CliRunner().invoke(app, ["replay", "--as-of", "2026-03-31", "--member", "Z5004"])
    assert one.stdout.splitlines()[1].startswith("5004,")
    assert len(one.stdout.splitlines()) == 2
    branch = CliRunner().invoke(app, ["replay", "--as-of", "2026-03-31", "--organization", "Z510"])
    assert {line.split(",")[0] for line in branch.stdout.splitlines() if line.startswith("51")} == {"510"}
    assert CliRunner().invoke(app, ["replay", "--as-of", "2026-03-31", "--member", "nobody"]).exit_code == 2
    assert CliRunner().invoke(app, ["replay", "--as-of", "31 March"]).exit_code == 2
