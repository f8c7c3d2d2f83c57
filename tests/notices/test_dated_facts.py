"""Days about single people: when somebody hears of them, who, and never about somebody who has left."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlmodel import Session

from db import companions, dated_facts
from db.dated_facts import DatedFact
from db.members import Member
from notices import duties
from notices.dated_days import due, kinds, next_on, roll_columns
from notices.wording import texts
from tests.cast import ALICE, BOB, CHARLIE, LIANGFENG, QIAN, RUI, SHAZHOU, SUN
from tests.conftest import ZONE
from tests.notices.digests import noted

DAY = timedelta(days=1)
LONG_AGO = date(2020, 1, 1)


@pytest.mark.parametrize(
    ("kind", "day", "steps"),
    [
        (
            "intake_talk",
            date(2026, 6, 1),
            {"14d": date(2026, 6, 15), "25d": date(2026, 6, 26), "31d": date(2026, 7, 2)},
        ),
        (
            "activist_review",
            date(2025, 12, 31),  # half a year later is the last of June; 14 July is a Tuesday
            {"-14d": date(2026, 6, 16), "0d": date(2026, 6, 30), "14d": date(2026, 7, 14)},
        ),
        (
            "approval_limit",
            date(2026, 3, 2),  # 1 May, a Saturday and a Sunday: holidays until the 5th; 29 August is a Saturday
            {
                "60d": date(2026, 5, 6),
                "80d": date(2026, 5, 21),
                "90d": date(2026, 6, 1),  # planned for a Sunday
                "180d": date(2026, 8, 31),
            },
        ),
        (
            "transfer_letter",
            date(2026, 6, 14),  # a Sunday: the day itself does not move
            {"-15d": date(2026, 6, 1), "-3d": date(2026, 6, 11), "0d": date(2026, 6, 14), "1d": date(2026, 6, 15)},
        ),
        ("mobile_six_months", date(2026, 1, 5), {"150d": date(2026, 6, 4), "180d": date(2026, 7, 6)}),
        (
            "lost_contact",
            date(2026, 1, 31),
            {
                "3m": date(2026, 4, 30),
                "5m": date(2026, 6, 30),
                "6m": date(2026, 7, 31),
                "24m": date(2028, 1, 31),
            },
        ),
    ],
)
def test_every_step_comes_on_its_day_and_not_the_day_before(kind, day, steps):
    known = kinds()[kind]
    assert [step.word for step in known.steps] == list(steps)
    for before, (word, told_on) in zip([None, *steps], steps.items(), strict=False):
        found = due(known, day, LONG_AGO, told_on)
        assert found is not None
        assert found.word == word
        yesterday = due(known, day, LONG_AGO, told_on - DAY)
        assert yesterday is None or yesterday.word == before, word
        if word != "24m":  # the years to come have no calendar of holidays yet
            assert next_on(known, day, told_on - DAY) == told_on
    last = max(steps.values())
    assert due(known, day, LONG_AGO, last + 6 * DAY) is not None  # a service that was down for a week
    assert due(known, day, LONG_AGO, last + 7 * DAY) is None
    assert next_on(known, day, last) is None


def test_what_is_noted_late_is_told_once_by_its_last_step():
    kind, noted_on = kinds()["approval_limit"], date(2026, 6, 15)
    voted = noted_on - timedelta(days=100)
    assert [due(kind, voted, noted_on, noted_on + n * DAY) is not None for n in (-1, 0, 6, 7)] == [
        *(False, True, True, False)
    ]
    assert due(kind, voted, noted_on, noted_on).word == "90d"
    assert due(kind, noted_on - timedelta(days=59), noted_on, noted_on) is None


def test_every_step_has_its_words_and_every_column_its_kind():
    wanted = {f"duties.dated_{one.id}_{step.say}" for one in kinds().values() for step in one.steps}
    wanted |= {
        f"duties.dated_{one.id}_{step.say}_mine"
        for one in kinds().values()
        for step in one.steps
        if "member" in step.to
    }
    wanted |= {
        f"duties.dated_{one.id}_{step.say}_there"
        for one in kinds().values()
        for step in one.steps
        if "receiving" in step.to
    }
    for language in ("zh", "en"):
        known = texts(language)
        assert {name for name in known if name.startswith("duties.dated_")} == wanted
        assert {f"dated.kind_{one}" for one in kinds()} <= set(known)
        asked = {f"dated.day_{one.id}" for one in kinds().values() if one.of == "applicant"}
        assert asked == {name for name in known if name.startswith("dated.day_")} - {"dated.day_wrong"}
    assert {kinds()[one].of for one in roll_columns().values()} == {"member"}
    assert all(one.steps and one.source for one in kinds().values())


def at(day: date) -> datetime:
    return datetime.combine(day, time(6, 30), ZONE).astimezone(UTC)


def add(session, kind, day, member=None, label=""):
    fact = DatedFact(
        organization_id=LIANGFENG, kind=kind, day=day, member_id=member, label=label, noted_at=at(LONG_AGO)
    )
    assert dated_facts.note(session, fact)
    return fact


def test_a_year_of_days_reaches_whom_it_concerns_until_it_is_done(engine):
    with Session(engine) as session:

        def told(person: int, day: date) -> list[str]:
            before = len(noted(session, person))
            for _ in range(2):  # a second pass tells nothing twice
                duties.remind(session, [LIANGFENG, SHAZHOU], at(day), ZONE)
            new = noted(session, person)[before:]
            return [one for one in new if one.startswith(("梁丰社区党支部：", "您从"))]

        talk = add(session, "intake_talk", date(2026, 6, 1), label="ZWM")
        assert told(SUN, date(2026, 6, 12)) == []
        text = "梁丰社区党支部：ZWM 于 2026 年 6 月 1 日递交入党申请，"
        assert told(SUN, date(2026, 6, 15)) == [f"{text}一个月内要派人谈话。"]
        late = f"{text}已满一个月，还没有登记谈话。"
        assert told(RUI, date(2026, 7, 2)) == [late]
        assert late in noted(session, SUN)
        assert dated_facts.end(session, talk, "done", SUN, at(date(2026, 7, 2)), again_on=None)
        assert not dated_facts.end(session, talk, "done", SUN, at(date(2026, 7, 2)), again_on=None)

        add(session, "mobile_six_months", date(2026, 2, 12), member=BOB)
        gone = add(session, "lost_contact", date(2026, 4, 13), member=ALICE)
        mine = "您从 2026 年 2 月 12 日起外出。外出满六个月、地点固定的，应当转组织关系，请和支部商量。"
        assert told(BOB, date(2026, 7, 13)) == [mine]
        heard = [one for one in noted(session, SUN) if "起外出" in one or "最近联系" in one]
        assert len(heard) == 2
        assert not any(name in one for one in heard for name in ("艾丽丝", "鲍勃"))
        assert not any("外出" in one for one in noted(session, CHARLIE))

        session.get(Member, ALICE).status = "lost_contact"  # still somebody to look for, and not written to
        session.get(Member, BOB).status = "left"
        session.flush()
        assert told(BOB, date(2026, 8, 11)) == []
        assert [one for one in told(SUN, date(2026, 9, 14)) if "最近联系" in one] == [
            "梁丰社区党支部：和一位党员最近联系是 2026 年 4 月 13 日，已满 5 个月，请设法联系。"
        ]
        assert dated_facts.end(session, gone, "done", SUN, at(date(2026, 9, 15)), again_on=date(2026, 9, 15))
        assert not any("最近联系" in one for one in told(SUN, date(2026, 10, 13)))  # would have been six months
        assert any("已满 3 个月" in one for one in told(SUN, date(2026, 12, 15)))
        ended = at(date(2026, 7, 2))
        assert [dated_facts.forget(session, ended + n * DAY) for n in (0, 1, 1)] == [0, 1, 0]


def test_a_mentor_hears_of_the_reviews_and_the_secretary_of_those_without_one_or_late(engine):
    with Session(engine) as session:
        add(session, "activist_review", date(2026, 1, 15), label="17")  # due on Wednesday 15 July
        add(session, "activist_review", date(2026, 1, 15), label="18")
        companions.name_mentor(session, LIANGFENG, "17", BOB)
        heard = {}
        for day in (date(2026, 6, 30), date(2026, 7, 1), date(2026, 7, 15), date(2026, 7, 28), date(2026, 7, 29)):
            duties.remind(session, [LIANGFENG], at(day), ZONE)
            for person in (BOB, SUN, RUI):
                told = [one for one in noted(session, person) if "考察" in one]
                heard.setdefault(person, []).append(
                    [sum(f" {one} " in text for text in told) for one in ("17", "18")]
                )
        assert heard[BOB] == [[0, 0], [1, 0], [2, 0], [2, 0], [3, 0]]
        assert heard[SUN] == [[0, 0], [0, 1], [0, 2], [0, 2], [1, 3]]
        assert heard[RUI] == [[0, 0], [0, 0], [0, 0], [0, 0], [1, 1]]


def test_a_letter_of_transfer_is_heard_of_where_it_goes(engine):
    with Session(engine) as session:
        add(session, "transfer_letter", date(2026, 7, 16), ALICE)
        dated_facts.send_to(session, ALICE, SHAZHOU)
        session.flush()
        for day, count in ((date(2026, 6, 30), 0), (date(2026, 7, 1), 1), (date(2026, 7, 17), 2)):
            duties.remind(session, [LIANGFENG, SHAZHOU], at(day), ZONE)
            told = [one for one in noted(session, QIAN) if "要转到您的支部" in one]
            assert len(told) == count, day
        assert not any("艾丽丝" in one for one in told)
