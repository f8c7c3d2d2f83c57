"""The sample city is believable, and there is always something to do in it."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlmodel import Session, col

from bot import sample
from db import dated_facts, members, offices
from db.accounts import Chat
from db.declarations import Declaration
from db.dues import DuesPayment
from db.engine import write_engine
from db.indices import FortressIndex
from db.inspections import Inspection
from db.ledger import Entry
from db.letters import Letter, Receipt
from db.members import Member, Membership, Role
from db.organizations import FIELDS, Organization, RegionOrganization
from db.rectifications import Rectification
from db.warnings import POOL, BranchWarning
from handlers.conversation import Incoming
from notices.dated_days import kinds
from notices.wording import LANGUAGES
from tests.bot.sample_cities import NOW, City, filled, speaking
from tests.cast import DAY
from tests.notices.digests import noted


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """The city of sixty branches. Tests must not change it."""
    made = filled(tmp_path_factory.mktemp("whole") / "city.db", size=60)
    yield made
    made.engine.dispose()


def copy(made: City, path: Path) -> None:
    """The same city in another file, with what still stands in the write-ahead log."""
    with sqlite3.connect(str(made.engine.url.database)) as old, sqlite3.connect(path) as new:
        old.backup(new)
    old.close()
    new.close()


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
    for those in inside.values():
        assert len(those) >= 7
        assert len({paths[one] for one in those}) >= 3, "branches of several committees"


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


def test_the_sample_branch_has_offices_and_dates_and_its_secretary_hears_of_one_this_morning(whole: City) -> None:
    with Session(whole.engine) as session:
        secretary = whole.made.people.secretary
        branch = members.branch_of(session, secretary.id, DAY)
        held = offices.held(session, [branch.id], DAY)[branch.id]
        assert set(held) == set(offices.BRANCH_COMMITTEE)
        assert {one.fact.kind for one in dated_facts.standing(session, [branch.id], DAY)} == set(kinds())
        assert any("最近联系" in text for text in noted(session, secretary.id))


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
