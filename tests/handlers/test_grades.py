"""The grades of the democratic review: after it was held, a third excellent at most, confirmed by the committee."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlmodel import Session, select

from db import grade_lists
from db.activities import Activity
from db.grade_lists import GradeList
from db.ledger import Entry
from db.members import Member, Membership
from tests.at_once import seen_at_once
from tests.cast import CHARLIE, DING, NOON, QIAN, RUI, SHAZHOU, SUN

NEW = range(801, 809)  # eight more members of branch 20, ten in all


@pytest.fixture
def held(look):
    """`await held()`: branch 20 has ten members and has held its democratic review."""

    async def write(state: str = "held", count: int = 8) -> int:
        def make(session: Session) -> int:
            for member_id in list(NEW)[:count]:
                session.add(Member(id=member_id, code=f"M{member_id}", name=f"党员{member_id}", created_at=NOON))
                session.flush()
                session.add(Membership(member_id=member_id, organization_id=SHAZHOU, from_day=date(2020, 1, 1)))
            starts = NOON - timedelta(days=4)
            one = Activity(
                code="99001",
                organization_id=SHAZHOU,
                scope="branch",
                kinds="democratic_review",
                title="民主评议会",
                place="村部",
                starts_at=starts,
                ends_at=starts + timedelta(hours=2),
                check_in_opens_at=starts,
                check_in_closes_at=starts + timedelta(hours=2),
                state=state,
                should_attend=10,
                attended=10,
            )
            session.add(one)
            session.flush()
            return one.id

        return await look(make)

    return write


async def lines(look) -> dict[int, int]:
    return await look(
        lambda s: {
            row.member_id: row.points for row in s.execute(select(Entry).where(Entry.rule_id == "PB4")).scalars()
        }
    )


async def test_without_a_review_that_was_held_there_are_no_grades(say, held):
    assert (await say(QIAN, "评议等次")).text.startswith("2026 年还没有开过民主评议会")
    await held("not_held")
    assert (await say(QIAN, "grades:begin", kind="button")).text.startswith("2026 年还没有开过民主评议会")


async def test_grades_go_from_the_secretary_over_the_committee_into_the_ledger(say, look, held):
    await held()
    assert (await say(QIAN, "评议等次")).text.startswith("2026 年的等次还没有录入（民主评议会）")
    assert "合格 10" in (await say(QIAN, "1")).text
    assert "1 查理  2 钱书记  3 党员801" in (await say(QIAN, "记为优秀")).text
    assert "优秀 3，合格 7" in (await say(QIAN, "1 3-4")).text
    await say.all(QIAN, "记为不合格", "党员808")
    await say.all(QIAN, "记为不评", "党员807")
    preview = await say(QIAN, "核对并提交")
    assert "优秀：查理、党员801、党员802" in preview.text
    assert (await say(QIAN, "1")).text.startswith("已提交")
    assert (await say(QIAN, "grades:set:excellent:全部", kind="button")).text.startswith(
        "2026 年民主评议等次（等党委审核）"
    )
    one = await look(lambda s: s.execute(select(GradeList.id)).scalar_one())
    for person in (SUN, QIAN, CHARLIE):
        await say(person, f"record_review:grades_yes:{one}", kind="button")
    assert await lines(look) == {}
    shown = await say(RUI, f"record_review:grades:{one}", kind="button")
    assert "不合格：党员808" in shown.text
    await say(RUI, "1")
    booked = await lines(look)
    assert booked == {CHARLIE: 8, 801: 8, 802: 8, QIAN: 6, **dict.fromkeys(range(803, 807), 6), 808: 0}
    await say(RUI, f"record_review:grades_yes:{one}", kind="button")
    assert await lines(look) == booked
    assert await look(lambda s: s.execute(select(Entry).where(Entry.rule_id == "PZ1")).first()) is None


@pytest.mark.parametrize(
    ("count", "excellent", "fits"), [(7, 3, True), (7, 4, False), (6, 2, True), (6, 3, False)]
)
async def test_a_third_is_the_most(say, held, count, excellent, fits):
    """Nine members: three are a third; eight: two are less, three are more."""
    await held(count=count)
    await say.all(QIAN, "评议等次", "1", "记为优秀", f"1-{excellent}")
    answer = (await say(QIAN, "核对并提交")).text
    assert answer.startswith("请核对") == fits
    assert answer.startswith("优秀太多了") != fits
    forced = (await say(QIAN, "grades:yes", kind="button")).text
    assert forced.startswith("已提交") == fits


async def test_the_committee_returns_a_list_with_a_reason_and_a_new_one_can_follow(say, look, held):
    await held()
    await say.all(QIAN, "评议等次", "1", "核对并提交", "1")
    one = await look(lambda s: s.execute(select(GradeList.id)).scalar_one())
    await say.all(RUI, f"record_review:grades_no:{one}", "请补上票数")
    assert (await say(QIAN, "评议等次")).text.startswith("2026 年的等次还没有录入")
    await say.all(QIAN, "1", "核对并提交", "1")
    assert await look(lambda s: s.execute(select(GradeList.state).order_by(GradeList.id)).scalars().all()) == [
        "returned",
        "submitted",
    ]


async def test_nobody_confirms_a_list_that_they_stand_on(say, look, held):
    await held()
    await look(lambda s: s.add(Member(id=900, code="M900", name="新人", created_at=NOON)))
    await say.all(QIAN, "评议等次", "1")
    one = await look(lambda s: s.execute(select(GradeList.id)).scalar_one())
    await look(lambda s: s.add(grade_lists.MemberGrade(list_id=one, member_id=RUI, grade="qualified")))
    await say.all(QIAN, "评议等次", "核对并提交", "1")
    assert "名单里有您本人" in (await say(RUI, f"record_review:grades:{one}", kind="button")).text
    await say(RUI, f"record_review:grades_yes:{one}", kind="button")
    assert await lines(look) == {}
    await say(DING, f"record_review:grades_yes:{one}", kind="button")
    assert (await lines(look))[RUI] == 6


def test_two_reviewers_confirm_a_list_once(engine, database_url):
    with Session(engine) as session:
        one = grade_lists.begin(
            session, organization_id=SHAZHOU, year=2026, activity_id=3, by=QIAN, grades={CHARLIE: "qualified"}
        )
        grade_lists.submit(session, one, NOON)
        session.commit()
        list_id = one.id

    def confirm(person: int):
        def act(session: Session, meet) -> bool:
            seen = grade_lists.by_id(session, list_id)
            meet()
            return grade_lists.confirm(session, seen, by=person, role="x", now=NOON)

        return act

    done = seen_at_once(database_url, confirm(RUI), confirm(DING))
    assert sorted(done) == [False, True]
