"""The appraisal poll: opened, answered once, closed and recorded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, select

from db import appraisals, polls, values
from db.appraisals import AppraisalRecord
from db.audit import AuditEvent
from db.indices import Appraisal
from db.polls import Ballot, Poll, Tally
from notices import appraisals as notes
from notices.schedule import Moment
from tests.at_once import at_once
from tests.cast import ALICE, BOB, CHARLIE, CITY, DING, KE, LIANGFENG, MO, OLGA, QIAN, RUI, SHAZHOU, SUN
from tests.conftest import ZONE
from tests.handlers.appraisal.conftest import DECEMBER, EVE, VOTERS, _settle, answer_all


async def test_a_branch_is_appraised_from_opening_to_the_index(say, look, clock, poll_id, told):
    poll = await poll_id()
    assert "测评" in (await told(ALICE))[-1]
    assert await told(CHARLIE) == []
    assert len(await told(RUI)) == 0
    assert "自评" in (await told(SUN))[-1]
    first = await say(ALICE, "测评")
    assert "不记名" in first.text
    paper = await say(ALICE, "1")
    assert "只记您答没答" in paper.text
    assert [label.split()[1] for label in paper.labels()[:4]] == ["优秀", "良好", "一般", "较差"]
    assert "第 2 题" in (await say(ALICE, "1")).text
    assert "第 3 题" in (await say(ALICE, "良好")).text
    assert "谢谢" in (await say(ALICE, "3")).text
    for person in (BOB, MO, KE):
        await answer_all(say, poll, person, 1, 1, 2)
    await answer_all(say, poll, OLGA, 3, 4, 2)
    await say(SUN, f"appraisal:self:{poll}", kind="button")
    assert "0 到 100" in (await say(SUN, "一百分")).text
    assert "90.50" in (await say(SUN, "90.5 分")).text
    await say.all(RUI, "appraisal:superiors", "1")
    assert "80.00" in (await say(RUI, "80")).text
    assert "5 人答完" in (await say(SUN, "appraisal:progress", kind="button")).text
    clock.now = datetime(2026, 12, 16, 16, 0, tzinfo=UTC)  # midnight: the 14 days are over
    assert await look(lambda s: notes.close_due(s, clock.now, ZONE)) == 1
    assert await look(lambda s: notes.close_due(s, clock.now, ZONE)) == 0
    kept = await look(lambda s: appraisals.of_year(s, LIANGFENG, 2026).model_dump())
    # committee: 4 x 100 + 70; organisational life: 3 x 100 + 85 + 50; service: 70 + 4 x 85 -> 94, 87, 82
    assert (kept["self_score"], kept["members_masses"], kept["superior"]) == (90_50, 87_67, 80_00)
    assert await look(lambda s: values.latest(s, LIANGFENG, "F04", "2026-12")) == "0.800000"
    lines = await look(lambda s: [(r.voice, r.cause) for r in appraisals.history(s, LIANGFENG, 2026)])
    assert lines == [(v, f"poll:{poll}") for v in ("self_score", "members_masses", "superior")]
    assert "87.67" in (await told(SUN))[-1]
    assert "87.67" in (await say(BOB, "appraisal:result", kind="button")).text
    assert "已经结束" in (await say(EVE, f"appraisal:paper:{poll}", kind="button")).text


@pytest.mark.parametrize(("people", "figure"), [(VOTERS[:4], None), (VOTERS[:5], 97_22)])
async def test_fewer_than_five_give_no_figure_and_leave_no_answer_behind(
    say, look, clock, poll_id, people, figure
):
    poll = await poll_id()
    for person in people:
        await answer_all(say, poll, person, 1, 1, 1)
    await answer_all(say, poll, EVE, 4)  # one question only: a paper that was not finished
    clock.now += timedelta(days=20)
    await look(lambda s: notes.close_due(s, clock.now, ZONE))
    kept = await look(lambda s: s.get(Appraisal, (LIANGFENG, 2026)).members_masses)
    assert kept == figure  # (550 / 6 + 100 + 100) / 3
    left = await look(lambda s: len(s.execute(select(Tally)).all()))
    assert left == (0 if figure is None else 12)
    assert await look(lambda s: s.execute(select(Ballot)).all()) == []
    assert ("不出结果" in (await say(ALICE, "appraisal:result", kind="button")).text) is (figure is None)
    value = await look(lambda s: values.latest(s, LIANGFENG, "F04", "2026-12"))
    assert value == (None if figure is None else "0.833333")


async def test_one_answer_per_person_and_question_kindly(say, look, poll_id):
    poll = await poll_id()
    await say(ALICE, f"appraisal:grade:{poll}:0:1", kind="button")
    again = await say(ALICE, f"appraisal:grade:{poll}:0:4", kind="button")
    assert "已经答过" in again.text
    assert "第 2 题" in again.text
    skipped = await say(ALICE, f"appraisal:grade:{poll}:2:1", kind="button")
    assert "第 2 题" in skipped.text
    counts = await look(lambda s: polls.tallies(s, poll))
    assert counts["committee"] == {"excellent": 1, "good": 0, "fair": 0, "poor": 0}
    assert sum(counts["org_life"].values()) + sum(counts["service"].values()) == 0


async def test_who_speaks_with_another_voice_and_strangers_to_the_branch_have_no_paper(say, look, poll_id):
    poll = await poll_id()
    for person in (SUN, RUI):
        assert "一人只说一次" in (await say(person, f"appraisal:grade:{poll}:0:1", kind="button")).text
    for forged in (f"appraisal:grade:{poll}:0:1", f"appraisal:paper:{poll}", "appraisal:paper:999"):
        assert "没有找到" in (await say(CHARLIE, forged, kind="button")).text
    for forged in (f"{poll}:0:9", f"{poll}:0:x", f"{poll}:9:1", f"{poll}::", f"{poll}:-1:1", f"{poll}:0:0"):
        await say(BOB, f"appraisal:grade:{forged}", kind="button")
    for person, step in ((QIAN, "self"), (ALICE, "self"), (SUN, "superior"), (QIAN, "superior")):
        reply = await say(person, f"appraisal:{step}:{poll}", kind="button")
        assert "不归您办" in reply.text
    assert await look(lambda s: {n for q in polls.tallies(s, poll).values() for n in q.values()}) == {0}
    kept = await look(lambda s: s.get(Poll, poll).model_dump())
    assert (kept["self_score"], kept["superior"]) == (None, None)


async def test_only_those_above_open_polls_once_and_in_their_season(say, look, clock):
    assert "不是时候" in (await say(RUI, "appraisal:open", kind="button")).text  # June
    clock.now = DECEMBER
    for person in (ALICE, SUN):
        assert "不归您办" in (await say(person, "appraisal:open", kind="button")).text
        assert "不归您办" in (await say(person, f"appraisal:open_one:{LIANGFENG}:yes", kind="button")).text
    await say(RUI, f"appraisal:open_all:{CITY}:2026:yes", kind="button")  # not the reviewer's node
    await say(RUI, "appraisal:open_one:B77", kind="button")
    assert await look(lambda s: s.execute(select(Poll)).all()) == []
    sure = await say.all(RUI, "appraisal:open", "B20")
    assert "不足 5 人" in sure.text  # Charlie alone: Qian speaks for the branch
    assert await look(lambda s: s.execute(select(Poll)).all()) == []
    await say(RUI, "1")
    whole = await say.all(DING, "appraisal:open", "1")
    assert "1 个支部" in whole.text  # the other is open already
    await say(DING, "1")
    again = await say(DING, f"appraisal:open_all:{CITY}:2026:yes", kind="button")
    assert "已经发起过" in again.text
    while await look(lambda s: notes.open_next(s, clock.now, ZONE)):
        pass
    opened = await look(lambda s: [(p.organization_id, p.opened_by) for p in s.execute(select(Poll)).scalars()])
    assert sorted(opened) == [(LIANGFENG, DING), (SHAZHOU, RUI)]
    acts = await look(lambda s: list(s.execute(select(AuditEvent.action)).scalars()))
    assert acts == ["poll.opened"] * 2


async def test_december_proposes_and_the_end_reminds_those_who_are_silent(say, look, clock, poll_id, told):
    moment = Moment(DECEMBER - timedelta(days=1), DECEMBER, ZONE)
    assert await look(lambda s: notes.propose(s, moment)) == 2
    assert await look(lambda s: notes.propose(s, moment)) == 0
    assert "2026 年的支部测评" in (await told(DING))[0]
    poll = await poll_id()
    await answer_all(say, poll, ALICE, 1, 1, 1)
    await answer_all(say, poll, BOB, 1, 1)
    clock.now = DECEMBER + timedelta(days=11)
    assert await look(lambda s: notes.tell_next(s, clock.now, ZONE)) == 0
    clock.now = DECEMBER + timedelta(days=12)
    assert await look(lambda s: notes.tell_next(s, clock.now, ZONE)) == 1
    assert await look(lambda s: notes.tell_next(s, clock.now, ZONE)) == 0
    assert [len(await told(person)) for person in (ALICE, BOB, MO)] == [1, 2, 2]


# ---- races --------------------------------------------------------------------------------------------------


def one_vote(poll: int, person: int, grade: str):
    def act(session: Session) -> bool:
        return polls.vote(
            session, poll_id=poll, member_id=person, number=0, question="committee", grade=grade, now=DECEMBER
        )

    return act


async def test_eight_answers_of_one_person_at_once_count_once(database_url, poll_id, look):
    poll = await poll_id()
    grades = ("excellent", "good", "fair", "poor") * 2
    assert sum(at_once(database_url, *[one_vote(poll, ALICE, grade) for grade in grades])) == 1
    assert sum((await look(lambda s: polls.tallies(s, poll)))["committee"].values()) == 1


async def test_a_close_among_answers_loses_none_that_was_counted(database_url, poll_id, look):
    poll = await poll_id()

    def closing(session: Session) -> bool:
        return notes.close(session, session.get(Poll, poll), DECEMBER + timedelta(minutes=1), ZONE)

    crowd = tuple(range(901, 907))
    await look(lambda s: _settle(s, *crowd))
    acts = [one_vote(poll, person, "excellent") for person in crowd] + [closing, closing]
    results = at_once(database_url, *acts)
    assert results[-2:].count(True) == 1
    counted = sum(bool(one) for one in results[:-2])
    assert await look(lambda s: s.execute(select(Ballot)).all()) == []
    left = await look(lambda s: polls.tallies(s, poll))
    assert left == {}, "nobody has answered everything: nothing is kept"
    assert 0 <= counted <= len(crowd)
    lines = await look(lambda s: len(s.execute(select(AppraisalRecord)).all()))
    assert lines == 3
