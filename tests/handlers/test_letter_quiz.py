"""A letter's quiz and survey: made in the draft, answered by number, word and button, each answer once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session, select

from db import ledger, letters, quizzes, surveys
from db.accounts import Chat
from db.letters import Letter
from db.members import Member, Membership
from db.surveys import SurveyPaper, SurveyTally
from notices import surveys as closing
from notices.carried import Carried, Question
from tests.at_once import at_once
from tests.cast import ALICE, BOB, CHARLIE, COMMITTEE, DAY, LIANGFENG, MO, NOON, OLGA, QIAN, RUI, SHAZHOU, SUN
from tests.conftest import ZONE
from tests.notices.sending import FakeChannel, engine, queued

BIRTH = Question("党的生日是哪天？", ("7 月 1 日", "8 月 1 日", "10 月 1 日"), 1)
OATH = Question("入党誓词有几句？", ("8 句", "12 句"), 2)
ASK = "党的生日是哪天？/7 月 1 日/8 月 1 日/10 月 1 日"


@pytest.fixture
def send(look, writer, clock):
    """Send a letter that carries something; its id."""

    async def send(of: Carried, **more) -> int:
        letter_id, now = await look(lambda s: queued(s, carries=of.to_json(), **more)), clock.now
        await engine(writer, clock, FakeChannel()).drain_once()
        clock.now = now
        return letter_id

    return send


def crowd(session: Session, branch: int, first: int, count: int) -> None:
    for number in range(first, first + count):
        session.add(Member(id=number, code=f"X{number}", name=f"群众{number}", created_at=NOON))
        session.flush()
        session.add(Membership(member_id=number, organization_id=branch, from_day=DAY.replace(year=2020)))
        session.add(Chat(channel="web", address=f"member:{number}", member_id=number, choices={}))


async def test_a_secretary_adds_questions_a_survey_and_the_wish_for_replies(say, look, writer, clock):
    await say.all(SUN, "发红信", "1", "1", "请大家学习。", "9")
    extras = await say(SUN, "附题目、调查、回信")
    assert extras.labels()[:4] == ["1 加一道题", "2 加满意度调查", "3 请大家回信", "4 好了，看预览"]
    for wrong, why in (
        ("没有答案", "2 到 4 个答案"),
        ("问？/甲/乙/丙/丁/戊", "2 到 4 个答案"),
        ("问？/甲/甲", "一样"),
        (f"问？/{'长' * 31}/乙", "最多 30 字"),
    ):
        assert why in (await say.all(SUN, "1", wrong)).text
        await say(SUN, "9")
    which = await say.all(SUN, "1", ASK)
    assert which.labels()[:3] == ["1 7 月 1 日", "2 8 月 1 日", "3 10 月 1 日"]
    assert "正确答案：7 月 1 日" in (await say(SUN, "1")).text
    assert "正确答案：12 句" in (await say.all(SUN, "1", "入党誓词有几句？\nA. 8 句\nB. *12 句")).text
    await say.all(SUN, "3", "用常用的一题")
    preview = await say.all(SUN, "4", "5")
    assert preview.text.split("\n")[3:8] == [
        "——",
        "附答题 2 题（答对 60% 得 1 分，一人一次）：",
        "1. 党的生日是哪天？ √7 月 1 日 / 8 月 1 日 / 10 月 1 日",
        "2. 入党誓词有几句？ 8 句 / √12 句",
        "附满意度调查（不记名）：您对党组织的工作满意吗？",
    ]
    assert "附：请大家回信" in preview.text
    letter = await look(lambda s: s.exec(select(Letter)).one())
    before = letters.fingerprint(letter)
    letter.carries = Carried((BIRTH,)).to_json()
    assert letters.fingerprint(letter) != before  # an approval covers the questions, too
    assert "已开始发送" in (await say(SUN, "7")).text
    web = FakeChannel()
    await engine(writer, clock, web).drain_once()
    assert web.sent[0][1].labels() == [
        "1 收到",
        "2 有困难，请联系我",
        "3 答题（2 题）",
        "4 满意度（不记名）",
        "5 写回信",
        "6 退订这个主题",
    ]
    assert "看不到" not in web.texts[0]
    assert "√" not in web.texts[0]


async def test_a_quiz_is_answered_once_pays_once_and_places_whoever_has_company(say, look, send, clock):
    await look(lambda s: crowd(s, SHAZHOU, 900, 3))
    city = {
        "author_id": OLGA,
        "approved_by": RUI,
        "organization_id": 1,
        "audience": {"node": COMMITTEE, "who": "all"},
    }
    letter_id = await send(Carried((BIRTH, OATH)), **city)
    assert (await say(ALICE, "答题")).text == "第 1 题（共 2 题）：党的生日是哪天？"
    assert "直接回复答案前的数字" in (await say(ALICE, "不知道")).text
    assert (await say(ALICE, "7 月 1 日")).text == "答对了。\n第 2 题（共 2 题）：入党誓词有几句？"
    again = await say(ALICE, f"quiz:answer:{letter_id}:0:2", kind="button")
    assert again.text.startswith("这一题您已经答过，第一次的答案算数。\n第 2 题")
    done = await say(ALICE, "b")
    assert done.text.split("\n") == [
        "答对了。这次答题得 1 分。",
        "您答完了：2 题答对 2 题。",
        "同区域满 5 人答完后，这里能看到您的名次。",
    ]
    line = await look(lambda s: ledger.lines(s, ALICE)[0])
    assert (line.rule_id, line.points, line.cause, line.in_index) == ("QUIZ", 1, f"quiz:{letter_id}", False)
    assert "得 1 分" not in (await say(ALICE, f"quiz:answer:{letter_id}:1:2", kind="button")).text
    assert await look(lambda s: ledger.balance(s, ALICE)) == 1
    shown = await say(ALICE, f"points:line:{line.id}", kind="button")
    assert "答对了红信“关于做好防汛值守的通知”里的题" in shown.text

    wrong = await say.all(BOB, "答题", "2", "2")
    assert wrong.text.split("\n")[:2] == ["答对了。", "您答完了：2 题答对 1 题。"]  # half is below 60 %
    assert await look(lambda s: ledger.lines(s, BOB)) == []
    for person in (900, 901):
        await say.all(person, "答题", "1", "1")
    before = await say(BOB, f"quiz:board:{letter_id}:region", kind="button")
    assert before.text.split("\n")[1:] == ["还没有满 5 人答完的，暂时不排名。"]
    fifth = await say.all(902, "答题", "1", "2")
    assert fifth.text.split("\n")[2] == "在沙洲湖区域排第 1 名（5 人答完）。"
    assert "在沙洲湖区域排第 3 名（5 人答完）。" in (await say(BOB, f"quiz:{letter_id}", kind="button")).text
    board = await say(BOB, f"quiz:board:{letter_id}:region", kind="button")
    assert board.text.split("\n")[1:] == [
        "1. 沙洲湖区域：答对 70%（5 人）",
        "您这边：沙洲湖区域，第 1 名（共 1 个），答对 70%。",
    ]
    fields = await say(BOB, f"quiz:board:{letter_id}:field", kind="button")
    assert "行政村" not in fields.text  # three of them: too few to show
    assert "城市社区" not in fields.text

    for person in (OLGA, RUI):  # who wrote or approved it knows the answers
        assert "您知道答案" in (await say(person, f"quiz:{letter_id}", kind="button")).text
        await say(person, f"quiz:answer:{letter_id}:0:1", kind="button")
        assert await look(lambda s, person=person: quizzes.paper(s, letter_id, person)) is None
    for forged in (
        "quiz:999",
        f"quiz:answer:{letter_id}:1:2",
        f"quiz:answer:{letter_id}:0:9",
        f"quiz:answer:{letter_id}:7:1",
    ):
        await say(CHARLIE, forged, kind="button")
    assert await look(lambda s: quizzes.paper(s, letter_id, CHARLIE)) is None
    clock.now += timedelta(days=30)
    assert (await say(QIAN, f"quiz:{letter_id}", kind="button")).text == "答题时间已经过了。"


async def test_only_who_got_the_letter_takes_part(say, send):
    letter_id = await send(Carried((BIRTH,), ("",), replies=True))
    for action in (
        f"quiz:{letter_id}",
        f"quiz:answer:{letter_id}:0:1",
        f"quiz:board:{letter_id}:region",
        f"survey:{letter_id}",
        f"survey:grade:{letter_id}:0:1",
        f"survey:result:{letter_id}",
    ):
        assert (await say(CHARLIE, action, kind="button")).text.startswith("没有找到"), action


def test_one_person_on_two_phones_at_one_instant_earns_once(engine, database_url):
    with Session(engine) as session:
        letter_id = queued(session, carries=Carried((BIRTH,)).to_json())
        quizzes.begin(session, letter_id, ALICE, organization_id=LIANGFENG, region_id=1, field="urban_community")
        session.commit()

    def work(session):
        noted = quizzes.answer(session, letter_id, ALICE, number=0, choice=1, is_right=True, last=True, now=NOON)
        paid = ledger.book(
            session,
            member_id=ALICE,
            organization_id=LIANGFENG,
            rule_id="QUIZ",
            cause=f"quiz:{letter_id}",
            points=1,
            day=DAY,
            in_index=False,
            booked_at=NOON,
        )
        return noted, paid

    gave = at_once(database_url, *[work] * 4)
    assert sorted(gave, key=str) == [(False, False)] * 3 + [(True, True)]
    with Session(engine) as session:
        paper = quizzes.paper(session, letter_id, ALICE)
        assert (paper.score, paper.choices, ledger.balance(session, ALICE)) == (1, "1", 1)


async def test_a_survey_says_what_and_never_who(say, look, send, clock):
    await look(lambda s: crowd(s, SHAZHOU, 900, 2))
    city = {"author_id": OLGA, "organization_id": 1, "audience": {"node": COMMITTEE, "who": "all"}}
    letter_id = await send(Carried(survey=("", "红信多久一封合适？")), **city)
    opened = await say(ALICE, "满意度")
    assert opened.text.split("\n") == [
        "不记名：只记有多少人选了什么，不记是谁；不满 5 人不出结果。",
        "第 1 题（共 2 题）：您对党组织的工作满意吗？",
    ]
    assert opened.labels()[:4] == ["1 满意", "2 基本满意", "3 不太满意", "4 不满意"]
    counted = await say(ALICE, "1")
    assert counted.text == "记下了。\n第 2 题（共 2 题）：红信多久一封合适？"
    other = await say(BOB, f"survey:grade:{letter_id}:0:4", kind="button")
    assert other.text == counted.text  # whatever was said
    again = await say(ALICE, f"survey:grade:{letter_id}:0:3", kind="button")
    assert again.text.startswith("这一题您已经答过")
    words = await say(ALICE, "我很不满")
    assert "直接回复答案前的数字" in words.text
    assert [one.hides for one in (counted, other, words)] == [True] * 3  # no channel keeps what was said
    for person in (ALICE, BOB):
        assert "谢谢，都记下了" in (await say(person, "2")).text
    for person in (MO, SUN, RUI, 302, QIAN, CHARLIE, 900):
        await say.all(person, f"survey:{letter_id}", "2", "1")
    still = await say(OLGA, f"survey:result:{letter_id}", kind="button")
    assert "还没结束" in still.text
    assert "已有 9 人作答" in still.text
    assert "%" not in still.text

    clock.now = NOON + timedelta(days=14)
    assert await look(lambda s: closing.close_due(s, clock.now, ZONE)) == 1
    assert await look(lambda s: closing.close_due(s, clock.now, ZONE)) == 0
    assert await look(lambda s: s.exec(select(SurveyPaper)).all()) == []
    result = await say(OLGA, f"survey:result:{letter_id}", kind="button")
    assert result.text.split("\n") == [
        "“关于做好防汛值守的通知”满意度（9 人作答）：",
        "您对党组织的工作满意吗？ 满意率 88.9%",
        "红信多久一封合适？ 满意率 100.0%",
    ]
    # Three of branch 20: its figure is not kept, nor can it be found by taking branch 10 from all.
    left = await look(lambda s: {one.organization_id for one in s.exec(select(SurveyTally)).all()})
    assert left == {surveys.REST}
    assert (await say(OLGA, "1")).text == "没有可以单独列出的支部。"
    assert "太少" in (await say(SUN, f"survey:result:{letter_id}", kind="button")).text
    assert "已经结束" in (await say(901, f"survey:{letter_id}", kind="button")).text


async def test_a_survey_with_four_answers_leaves_nothing_and_with_five_branches_are_shown(say, look, send, clock):
    await look(lambda s: crowd(s, SHAZHOU, 900, 5))
    few = await send(Carried(survey=("",)), answer_until=NOON + timedelta(days=1))
    city = {"author_id": OLGA, "organization_id": 1, "audience": {"node": COMMITTEE, "who": "all"}}
    many = await send(Carried(survey=("",)), answer_until=NOON + timedelta(days=2), **city)
    for person in (ALICE, BOB, MO, SUN):
        await say.all(person, f"survey:{few}", "1")
    for person in (ALICE, BOB, MO, SUN, RUI, QIAN, CHARLIE, 900, 901, 902):
        await say.all(person, f"survey:{many}", "4" if person in (QIAN, 900) else "1")
    clock.now = NOON + timedelta(days=2)
    while await look(lambda s: closing.close_due(s, clock.now, ZONE)):
        pass
    assert "不满 5 人作答，不出结果" in (await say(SUN, f"survey:result:{few}", kind="button")).text
    assert await look(lambda s: s.exec(select(SurveyTally).where(SurveyTally.letter_id == few)).all()) == []
    branches = await say.all(OLGA, f"survey:result:{many}", "1")
    assert branches.text.split("\n")[1:] == ["梁丰社区党支部：100.0%", "沙洲村党支部：60.0%"]
    assert (await say(QIAN, f"survey:result:{many}", kind="button")).text == "沙洲村党支部：60.0%"


def test_votes_of_one_person_and_the_close_at_one_instant(engine, database_url):
    """Either the vote is counted and closed with the rest, or it is refused; one paper counts once."""
    with Session(engine) as session:
        letter_id = queued(session, carries=Carried(survey=("",)).to_json())
        surveys.begin(session, letter_id, questions=1, closes_at=NOON + timedelta(days=1))
        session.commit()

    def vote(session, grade):
        return surveys.vote(
            session,
            letter_id,
            ALICE,
            organization_id=LIANGFENG,
            number=0,
            grade=grade,
            grades=["good", "bad"],
            now=NOON,
        )

    *gave, _ = at_once(
        database_url,
        *[lambda s, one=grade: vote(s, one) for grade in ("good", "bad", "bad")],
        lambda s: surveys.close(s, letter_id),
    )
    with Session(engine) as session:
        votes = sum(one.votes for one in session.exec(select(SurveyTally)).all())
        assert votes == sum(gave) <= 1
        assert not surveys.vote(
            session,
            letter_id,
            BOB,
            organization_id=LIANGFENG,
            number=0,
            grade="good",
            grades=["good", "bad"],
            now=NOON,
        )
