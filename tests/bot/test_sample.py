"""The sample city: the same from the same seed, and exact to the last point."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import func, select
from sqlmodel import Session, col

from bot import sample
from bot.sample import city, places
from db import ledger, migrate, schema, verify
from db.activities import Activity
from db.attendance import Attendance
from db.engine import write_engine
from db.ledger import Entry, Total, Wallet
from db.members import Membership
from db.organizations import Organization
from db.rewards import Redemption, Reward
from db.wishes import WISH_STATES, Wish, WishClaim
from scoring.catalogue import shipped
from tests.bot.sample_cities import NOW, SMALL, City, filled


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def small(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """A city of twenty branches on either database. Tests must not change it."""
    if request.param == "sqlite":
        made = filled(f"sqlite:///{tmp_path_factory.mktemp('small') / 'city.db'}")
        yield made
        made.engine.dispose()
        return
    server, name = request.getfixturevalue("postgresql_server"), f"s{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server.format(name="postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        made = filled(server.format(name=name))
        yield made
        made.engine.dispose()
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def dump(made: City) -> dict[str, list[Any]]:
    """Every row of every table; the audit log's hashes and times are those of `now`, too."""
    with made.engine.connect() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(table))))
            for table in schema.metadata.sorted_tables
        }


# --- exact ------------------------------------------------------------------------------------------------


def test_every_invariant_that_the_service_verifies_holds(small: City) -> None:
    with Session(small.engine) as session:
        findings = list(verify.run(session))
    assert [str(one) for one in findings if one.broken] == []
    assert len(findings) > 10


def test_totals_are_the_sums_of_the_lines(small: City) -> None:
    lines: Counter[tuple[int, int, str]] = Counter()
    hundredths: Counter[tuple[int, int, str]] = Counter()
    columns = (Entry.member_id, Entry.day, Entry.rule_id, Entry.points, Entry.hundredths)
    for member_id, day, rule_id, points, raw in small.all(select(*map(col, columns)).where(col(Entry.in_index))):
        lines[member_id, day.year, rule_id] += points
        hundredths[member_id, day.year, rule_id] += raw
    totals = {
        (one.member_id, one.year, one.rule_id): (one.points, one.hundredths) for (one,) in small.all(select(Total))
    }
    assert totals == {key: (lines[key], hundredths[key]) for key in lines}
    assert len(totals) > 1000


def test_wallets_are_the_sums_of_the_lines_and_nobody_owes_or_overspent(small: City) -> None:
    lines: Counter[int] = Counter()
    for member_id, points in small.all(
        select(col(Entry.member_id), col(Entry.points)).where(col(Entry.in_wallet)).order_by(col(Entry.id))
    ):
        lines[member_id] += points
        assert lines[member_id] >= -10, "a deduction may come first, spending may not"
    wallets = {one.member_id: one.balance - one.debt for (one,) in small.all(select(Wallet))}
    assert {member_id: points for member_id, points in wallets.items() if points} == {
        member_id: points for member_id, points in lines.items() if points
    }
    assert len(wallets) == small.made.members


def test_every_line_has_the_points_that_its_rule_pays(small: City) -> None:
    rules = shipped()
    kinds: set[str] = set()
    for (line,) in small.all(select(Entry)):
        kinds.add(line.rule_id)
        if line.rule_id in ("REDEEM", "REFUND", "PROJECT"):
            assert not line.in_index
            assert line.terms_from is None
            continue
        terms = rules.rule(line.rule_id).terms_on(line.day)
        assert terms is not None
        assert line.terms_from == terms.starts
        assert line.in_index
        if terms.grades is not None:
            assert line.points in terms.grades.values()
        elif terms.event_cap is not None:
            assert line.points == min(terms.event_cap, line.hundredths // 100)
        else:
            assert line.points == terms.points
    assert {"PB1", "PB2", "PB3", "PB4", "PP1", "PP2", "PP3", "PP4", "PP5", "PN1", "REDEEM", "REFUND"} <= kinds


def test_every_attendance_has_one_award_and_every_award_its_attendance(small: City) -> None:
    statement = select(col(Attendance.activity_id), col(Attendance.member_id), col(Activity.scope)).join(Activity)
    came = {(f"activity:{one}", member_id, scope) for one, member_id, scope in small.all(statement)}
    scopes = {"PB1": "branch", "PP1": "region"}
    paid = [
        (cause, member_id, scopes[rule_id])
        for cause, member_id, rule_id in small.all(
            select(col(Entry.cause), col(Entry.member_id), col(Entry.rule_id)).where(
                col(Entry.rule_id).in_(scopes)
            )
        )
    ]
    assert len(paid) == len(set(paid))
    assert set(paid) == came
    assert len(came) > 2000


def test_closed_activities_count_those_who_came(small: City) -> None:
    came = Counter(one for (one,) in small.all(select(col(Attendance.activity_id))))
    for (one,) in small.all(select(Activity).where(col(Activity.state) != "planned")):
        assert one.attended == came[one.id]
        assert one.should_attend >= one.attended
        assert (one.state == "held") == (one.should_attend > 0 and 2 * one.attended >= one.should_attend)
        assert one.ends_at <= NOW


def test_what_was_received_is_on_the_shelf_held_or_handed_over(small: City) -> None:
    states: Counter[tuple[int, str]] = Counter()
    raised = 0
    for (one,) in small.all(select(Redemption)):
        states[one.reward_id, one.state] += 1
        paid = small.one(select(func.sum(col(Entry.points))).where(col(Entry.cause) == f"redemption:{one.id}"))
        assert paid == (0 if one.state in ("expired", "cancelled") else -one.points)
        assert (one.closed_at is None) == (one.state == "held")
        if one.pickup_code is None:
            raised += one.points
    for (reward,) in small.all(select(Reward)):
        if reward.kind == "goods":
            assert reward.received == reward.stock + states[reward.id, "held"] + states[reward.id, "handed_over"]
        else:
            assert (reward.goal, reward.raised, raised) == (800, 460, 460)
    assert {state for _, state in states} == {"held", "handed_over", "expired", "cancelled"}


def test_memberships_have_no_gap_and_no_overlap(small: City) -> None:
    spans: dict[int, list[Membership]] = {}
    for (one,) in small.all(select(Membership).order_by(col(Membership.member_id), col(Membership.from_day))):
        spans.setdefault(one.member_id, []).append(one)
    assert len(spans) == small.made.members
    for one in spans.values():
        assert one[-1].to_day is None
        assert [span.to_day for span in one[:-1]] == [span.from_day for span in one[1:]]
    assert any(len(one) > 1 for one in spans.values())


def test_a_wish_has_a_claim_when_somebody_works_on_it(small: City) -> None:
    claims = {one.wish_id: one for (one,) in small.all(select(WishClaim))}
    wishes = [one for (one,) in small.all(select(Wish))]
    for wish in wishes:
        assert (wish.id in claims) == (wish.state in ("claimed", "delivered", "closed"))
        if wish.id in claims:
            assert claims[wish.id].member_id != wish.wisher_id
    assert {wish.state for wish in wishes} >= set(WISH_STATES) - {"draft"}
    closed = {f"wish:{wish.id}" for wish in wishes if wish.state == "closed"}
    assert closed == {cause for (cause,) in small.all(select(col(Entry.cause)).where(col(Entry.rule_id) == "PP3"))}


def test_new_rows_are_numbered_behind_those_of_the_sample(small: City) -> None:
    with Session(small.engine) as session:
        last = session.execute(select(func.max(Entry.id))).scalar_one()
        ledger.book(
            session,
            member_id=small.made.people.member.id,
            rule_id="PB1",
            cause="activity:9",
            points=2,
            day=NOW.date(),
            booked_at=NOW,
        )
        assert session.execute(select(func.max(Entry.id))).scalar_one() == last + 1


# --- the same, and only once ------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_city_and_another_seed_another(tmp_path: Path) -> None:
    cities = [filled(tmp_path / f"{number}.db", seed=seed) for number, seed in enumerate((1, 1, 2))]
    first, second, other = map(dump, cities)
    for made in cities:
        made.engine.dispose()
    assert first == second
    assert other["member"] != first["member"]


def test_a_database_with_an_organisation_is_not_filled_again(small: City) -> None:
    with pytest.raises(sample.NotEmpty):
        sample.fill(small.engine, size=SMALL, seed=1, now=NOW)
    assert sample.people(small.engine) == small.made.people


def test_a_database_without_a_sample_city_has_no_sample_people(tmp_path: Path) -> None:
    migrate.upgrade(f"sqlite:///{tmp_path / 'empty.db'}")
    engine = write_engine(f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(LookupError):
        sample.people(engine)
    with Session(engine) as session, pytest.raises(LookupError):
        sample.keep_open(session, NOW)
    engine.dispose()


def test_the_smallest_city_has_everybody_in_it(tmp_path: Path) -> None:
    made = filled(tmp_path / "one.db", size=1)
    assert made.made.branches == 1
    assert len({one.id for one in made.made.people.all()}) == 9
    assert [one.scope for one in made.made.activities] == ["branch", "region"]
    made.engine.dispose()


@pytest.mark.parametrize("size", [0, 11_466])
def test_a_size_out_of_bounds_is_refused_before_anything_is_written(tmp_path: Path, size: int) -> None:
    migrate.upgrade(f"sqlite:///{tmp_path / 'city.db'}")
    engine = write_engine(f"sqlite:///{tmp_path / 'city.db'}")
    with pytest.raises(ValueError, match="11,465"):
        sample.fill(engine, size=size, now=NOW)
    with Session(engine) as session:
        assert session.execute(select(func.count()).select_from(Organization)).scalar_one() == 0
    engine.dispose()


def test_the_largest_city_is_planned_with_every_member() -> None:
    plan = city.plan(11_465, 1, NOW.date())
    assert len(plan.branches) == 11_465
    assert plan.people == sum(branch.people for branch in plan.branches) == 316_714
    assert len({node.code for node in plan.nodes}) == len(plan.nodes)
    assert len({places.town(number) for number in range(768)}) == 768
