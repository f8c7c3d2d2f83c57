"""The sample city: the same from the same seed, believable, and exact to the last point."""

from __future__ import annotations

import sqlite3
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, func, select, text
from sqlmodel import Session, col

from bot import sample
from bot.dispatch import Dispatcher
from bot.sample import city, places
from bot.writer import Writer
from db import ledger, migrate, schema, verify
from db.accounts import Chat
from db.activities import Activity
from db.attendance import Attendance
from db.declarations import Declaration
from db.dues import DuesPayment
from db.engine import write_engine
from db.indices import FortressIndex
from db.inspections import Inspection
from db.ledger import Entry, Total, Wallet
from db.letters import Letter, Receipt
from db.members import Member, Membership, Role
from db.organizations import FIELDS, Organization, RegionOrganization
from db.rectifications import Rectification
from db.rewards import Redemption, Reward
from db.warnings import POOL, BranchWarning
from db.wishes import WISH_STATES, Wish, WishClaim
from handlers.conversation import Incoming
from notices.wording import LANGUAGES
from scoring.catalogue import shipped
from tests.conftest import ZONE

NOW = datetime(2026, 6, 15, 4, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 1, 1, 15, 59, 30, tzinfo=UTC)  # half a minute before midnight in the city
NEW_YEAR = datetime(2026, 12, 31, 16, 30, tzinfo=UTC)  # half past midnight of 1 January 2027 there
SMALL = 20


@dataclass
class City:
    """A filled database with what `fill` told of it."""

    engine: Engine
    made: sample.Sample
    told: list[tuple[str, int, int]]

    def all(self, statement: Any) -> list[Any]:
        with Session(self.engine) as session:
            return list(session.execute(statement).all())

    def one(self, statement: Any) -> Any:
        return self.all(statement)[0][0]


def filled(where: Path | str, **more: Any) -> City:
    """A new city in an SQLite file or at a URL."""
    url = where if isinstance(where, str) else f"sqlite:///{where}"
    migrate.upgrade(url)
    engine = write_engine(url)
    told: list[tuple[str, int, int]] = []
    values = {"size": SMALL, "seed": 1, "now": NOW, **more}
    return City(engine, sample.fill(engine, progress=lambda *one: told.append(one), **values), told)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """The city of sixty branches. Tests must not change it."""
    made = filled(tmp_path_factory.mktemp("whole") / "city.db", size=60)
    yield made
    made.engine.dispose()


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


def copy(made: City, path: Path) -> None:
    """The same city in another file, with what still stands in the write-ahead log."""
    with sqlite3.connect(str(made.engine.url.database)) as old, sqlite3.connect(path) as new:
        old.backup(new)
    old.close()
    new.close()


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


# --- believable -------------------------------------------------------------------------------------------


def test_sixty_branches_in_five_fields_with_regions_across_the_tree(whole: City) -> None:
    branches = [one for (one,) in whole.all(select(Organization).where(col(Organization.field).is_not(None)))]
    fields = Counter(one.field for one in branches)
    assert len(branches) == whole.made.branches == 60
    assert set(fields) == set(FIELDS)
    assert min(fields.values()) >= 10, "a TOP10 needs ten"
    assert whole.made.members == whole.one(select(func.count()).select_from(Member)) == 1500
    inside: dict[int, set[int]] = {}
    paths = {one.id: one.path.split("/")[2] for one in branches}
    for (row,) in whole.all(select(RegionOrganization)):
        inside.setdefault(row.region_id, set()).add(row.organization_id)
    for members in inside.values():
        assert len(members) >= 7
        assert len({paths[one] for one in members}) >= 3, "branches of several committees"


def test_people_of_all_ages_with_many_names(whole: City) -> None:
    members = [one for (one,) in whole.all(select(Member))]
    years = [one.admitted_on.year for one in members]
    assert min(years) < 1965
    assert max(years) >= 2025
    names = Counter(one.name for one in members)
    assert len(names) > 1100
    assert max(names.values()) <= 6
    assert all(2 <= len(one.name) <= 3 and one.name.isalpha() for one in members)
    assert any(one.probationary for one in members)
    assert all((one.city != "") == one.mobile for one in members)


def test_a_third_of_the_sample_branch_is_mobile_and_the_sample_people_are_what_they_are_called(
    whole: City,
) -> None:
    people = whole.made.people
    home = select(col(Membership.organization_id)).where(col(Membership.to_day).is_(None))
    branch_id = whole.one(home.where(col(Membership.member_id) == people.member.id))
    everybody = [
        one
        for (one,) in whole.all(
            select(Member)
            .join(Membership)
            .where(col(Membership.organization_id) == branch_id, col(Membership.to_day).is_(None))
        )
    ]
    mobile = {one.id for one in everybody if one.mobile}
    assert (len(everybody), len(mobile)) == (28, 9)
    assert people.mobile.id in mobile
    assert people.member.branch == people.mobile.branch == people.secretary.branch
    roles = {(one.member_id, one.role): one for (one,) in whole.all(select(Role))}
    assert roles[people.secretary.id, "secretary"].organization_id == branch_id
    assert (people.reviewer.id, "committee_reviewer") in roles
    assert (people.keeper.id, "reward_keeper") in roles
    for one, role in (
        (people.department, "department"),
        (people.district, "district_org_department"),
        (people.second_district, "district_org_department"),
        (people.inspector, "inspector"),
    ):
        assert one is not None
        assert (one.id, role) in roles
    assert sum(role == "department" for _, role in roles) == 2
    assert Counter(role for _, role in roles)["secretary"] == 60
    assert Counter(role for _, role in roles)["committee_reviewer"] == 4


def test_nobody_has_an_address_on_a_real_platform(whole: City) -> None:
    chats = [one for (one,) in whole.all(select(Chat))]
    assert {one.channel for one in chats} == {"web"}
    assert all(one.address == f"member:{one.member_id}" for one in chats)
    assert 0.5 < len(chats) / whole.made.members < 0.7


def test_branches_differ(whole: City) -> None:
    found = [one for (one,) in whole.all(select(FortressIndex).where(col(FortressIndex.year) == 2026))]
    assert len(found) == 60
    scores = sorted(one.score for one in found)
    assert scores[-1] - scores[0] > 2000, "twenty points between the best and the last"
    assert len(set(scores)) > 40


def test_at_the_end_of_the_year_there_are_stars_of_every_kind_and_one_veto(tmp_path: Path) -> None:
    made = filled(tmp_path / "city.db", size=60, now=datetime(2026, 12, 31, 12, 0, tzinfo=UTC))
    found = [one for (one,) in made.all(select(FortressIndex))]
    assert {one.stars for one in found} >= {0, 1, 2, 3, 4}
    assert sum(one.veto for one in found) in (2, 3, 4), "the sample branch, the one near the veto, and few others"
    assert all(one.appraisal for one in found)
    made.engine.dispose()


def test_the_sample_branch_is_near_the_veto_and_its_secretary_is_warned(whole: City) -> None:
    people = whole.made.people
    branch_id = whole.one(
        select(col(Role.organization_id)).where(
            col(Role.member_id) == people.secretary.id, col(Role.role) == "secretary"
        )
    )
    kinds = {
        kind
        for (kind,) in whole.all(
            select(col(BranchWarning.kind)).where(col(BranchWarning.organization_id) == branch_id)
        )
    }
    assert "veto_forecast" in kinds


def test_three_letters_were_sent_read_and_partly_answered(whole: City) -> None:
    letters = [one for (one,) in whole.all(select(Letter).where(col(Letter.author_id).is_not(None)))]
    receipts = Counter(one for (one,) in whole.all(select(col(Receipt.letter_id))))
    assert len(letters) == 3
    for letter in letters:
        assert letter.recipients + letter.unbound == 27, "everybody but the author"
        assert 0 < receipts[letter.id] < letter.recipients


def test_progress_is_told_to_the_end(whole: City) -> None:
    branches = [one[1:] for one in whole.told if one[0] == "branches"]
    assert branches[-1] == (60, 60)
    assert branches == sorted(branches)


def test_the_year_can_be_told_in_more_detail(tmp_path: Path) -> None:
    made = [filled(tmp_path / f"{lines}.db", lines_per_member=lines) for lines in (20, 50)]
    few, many = (one.made.lines / one.made.members for one in made)
    for one in made:
        one.engine.dispose()
    assert 18 <= few <= 29
    assert 40 <= many <= 60


# --- always something to do -------------------------------------------------------------------------------


def speaking(made: City, now: Callable[[], datetime]) -> tuple[Writer, Dispatcher]:
    writer = Writer(made.engine)
    return writer, Dispatcher(writer, zone=ZONE, clock=now, demo=True)


@pytest.mark.parametrize("now", [NOW, MIDNIGHT, NEW_YEAR])
async def test_the_sample_member_can_check_in_twice_whatever_the_day_and_hour(
    tmp_path: Path, now: datetime
) -> None:
    made = filled(tmp_path / "city.db", now=now)
    writer, dispatcher = speaking(made, lambda: now)
    try:
        branch, region = made.made.activities
        for one, points in ((branch, "+2"), (region, "+3")):
            incoming = Incoming(
                channel="web",
                address=f"member:{made.made.people.member.id}",
                key=one.code,
                sent_at=now,
                text=f"签到 {one.code}",
            )
            answer = await dispatcher.answer(incoming)
            assert answer.message is not None
            assert "签到成功" in answer.message.text
            assert points in answer.message.text
    finally:
        writer.close()


def test_something_is_open_at_every_hour_when_it_is_renewed_every_hour(tmp_path: Path) -> None:
    made = filled(tmp_path / "city.db", size=8)
    with Session(made.engine) as session:
        for hour in range(40):
            now = NOW + timedelta(hours=hour)
            opened = sample.keep_open(session, now)
            assert [one.scope for one in opened] == ["branch", "region"]
            still = select(col(Activity.code)).where(
                col(Activity.check_in_opens_at) <= now,
                col(Activity.check_in_closes_at) >= now + timedelta(hours=1),
            )
            assert {one.code for one in opened} <= {code for (code,) in session.execute(still)}
        before = session.execute(select(func.count()).select_from(Activity)).scalar_one()
        sample.keep_open(session, now)
        assert session.execute(select(func.count()).select_from(Activity)).scalar_one() == before
    made.engine.dispose()


def test_every_colour_has_a_few_branches_and_the_sample_branch_one_that_waits(whole: City) -> None:
    live = whole.all(
        select(col(BranchWarning.kind), col(BranchWarning.state), col(BranchWarning.organization_id)).where(
            col(BranchWarning.kind).in_(POOL), col(BranchWarning.period) == "2026-04"
        )
    )
    counts = Counter(kind for kind, _, _ in live)
    assert all(3 <= counts[kind] <= 25 for kind in POOL), counts
    assert {state for _, state, _ in live} == {"open", "acknowledged"}
    branch = whole.one(
        select(Membership.organization_id).where(Membership.member_id == whole.made.people.member.id)
    )
    assert [(kind, state) for kind, state, of in live if of == branch] == [("pool_blue", "open")]
    assert whole.one(select(func.count()).where(col(BranchWarning.state) == "cleared")) > 0


def test_somebody_has_a_declaration_to_review_and_a_card_to_work_on(whole: City) -> None:
    people = whole.made.people
    assert people.inspector is not None
    assert whole.all(select(Declaration.declared_by, Declaration.period, Declaration.state)) == [
        (people.secretary.id, "2026-06", "submitted")
    ]
    assert whole.all(select(Rectification.state)) == [("open",)]
    assert whole.all(select(Inspection.inspector_id, Inspection.state)) == [(people.inspector.id, "noticed")]


def test_the_sample_peoples_dues_are_ticked_as_they_are_booked(whole: City) -> None:
    me = whole.made.people.member.id
    booked = select(Entry.cause).where(col(Entry.member_id) == me, col(Entry.rule_id) == "PB2")
    ticked = select(DuesPayment.month).where(col(DuesPayment.member_id) == me, col(DuesPayment.state) == "paid")
    months = sorted(month for (month,) in whole.all(ticked))
    assert months
    assert months == sorted(cause.removeprefix("dues:") for (cause,) in whole.all(booked))


def test_a_city_from_before_the_departments_is_still_one(tmp_path: Path, whole: City) -> None:
    copy(whole, tmp_path / "city.db")
    engine = write_engine(f"sqlite:///{tmp_path / 'city.db'}")
    with Session(engine) as session:
        for role in ("department", "district", "second_district", "inspector"):
            session.execute(select(Member).where(col(Member.code) == f"sample-{role}")).scalar_one().code = role
        session.commit()
    assert [one.role for one in sample.people(engine).all()] == [
        "member",
        "secretary",
        "mobile",
        "reviewer",
        "keeper",
    ]


async def test_every_sample_person_has_something_behind_what_they_may_try_first(
    tmp_path: Path, whole: City
) -> None:
    copy(whole, tmp_path / "city.db")
    engine = write_engine(f"sqlite:///{tmp_path / 'city.db'}")
    made = City(engine, whole.made, [])
    writer, dispatcher = speaking(made, lambda: NOW)
    try:
        for one in whole.made.people.all():
            assert all(one.title(language) and one.first(language) for language in LANGUAGES)
            for number, word in enumerate([*one.first("zh").split(" · "), "签到", "活动"]):
                incoming = Incoming(
                    channel="web", address=f"member:{one.id}", key=f"{one.role}{number}", sent_at=NOW, text=word
                )
                answer = await dispatcher.answer(incoming)
                assert answer.message is not None
                assert "抱歉" not in answer.message.text
                assert "没看明白" not in answer.message.text, word
                assert not answer.message.text.startswith("14 天内还没有"), one.role
                nothing_open = answer.message.text.startswith("现在没有可以签到")
                assert not nothing_open or one.role not in ("member", "secretary", "mobile")
    finally:
        writer.close()


def test_nothing_points_to_nowhere(whole: City) -> None:
    with whole.engine.connect() as connection:
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
