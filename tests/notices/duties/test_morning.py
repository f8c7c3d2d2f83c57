"""One digest a day for everything that has time."""

from __future__ import annotations

from datetime import date, time

from sqlmodel import select

from bot.jobs import JOBS
from db.occurrences import Reminder
from notices import digest, reminders
from notices.schedule import Task
from tests.cast import LIANGFENG, MO
from tests.notices.duties.year import (
    DAY,
    at,
    later,
    meeting,
    remind,
    subjects,
    tick,
    told,
)


def test_everything_of_a_day_is_one_message_at_half_past_eight(session):
    day = date(2026, 7, 15)
    meeting(session, "party_lecture", day + DAY)
    remind(session, day)
    assert later(session, "a", at(day, 6))
    assert not later(session, "a", at(day, 7))
    later(session, "short", at(day, 6), expires_at=at(day, 8, 30))
    tick(session, at(day, 8, 29))
    assert told(session) == []
    tick(session, at(day, 8, 30))
    ((key, text, labels),) = told(session)
    assert key == f"digest:{day}"
    assert text.splitlines()[0] == "【提醒】有 3 件事："
    assert sorted(text.splitlines()[1:]) == sorted(
        ["明天 09:00，party_lecture，活动室。", "这个月还没有开支委会，也没有安排。", "请交材料。"]
    )
    assert sorted(labels) == sorted(["party_lecture", "安排一次", "去交"])
    later(session, "b", at(day, 12), "还有一件。")
    tick(session, at(day, 12))
    assert len(told(session)) == 1  # the day has had its digest
    tick(session, at(day + DAY, 7, 30))
    assert told(session)[1][:2] == (f"digest:{day + DAY}", "还有一件。")
    assert "short" not in str(told(session))


def test_a_theme_day_is_heard_of_on_its_days_and_its_theme_a_week_before(session):
    day = date(2026, 7, 22)
    meeting(session, "theme_party_day", day, (14, 0))
    remind(session, day - 8 * DAY)
    assert not any("theme_day" in one for one in subjects(session))
    remind(session, day - 7 * DAY)
    assert f"theme_day:{LIANGFENG}:{day}" in subjects(session)
    steps = (
        (at(day - 3 * DAY, 13, 59), 0),
        (at(day - 3 * DAY, 14, 0), 1),
        (at(day - DAY, 17, 59), 1),
        (at(day - DAY, 18, 0), 2),
        (at(day, 8, 29), 2),
        (at(day, 8, 30), 3),
        (at(day, 13, 0), 4),
    )
    for now, count in steps:
        tick(session, now)
        assert len(told(session, MO)) == count, now
    assert "7 月 22 日（周三）14:00" in told(session, MO)[0][1]
    assert [key for key, *_ in told(session, MO)][:3] == [f"digest:{day - n * DAY}" for n in (3, 1, 0)]


def test_after_an_outage_a_theme_day_is_one_line_and_an_early_one_needs_no_morning(session):
    day = date(2026, 7, 22)
    meeting(session, "theme_party_day", day, (10, 30))
    meeting(session, "theme_party_day", day + DAY, (10, 29))
    tick(session, at(day - 4 * DAY, 12, 0))  # planned; then nothing ran until the morning of the first
    tick(session, at(day, 9, 0))
    ((_, text, _),) = told(session, MO)
    assert text.splitlines()[1:] == [
        "今天 10:30，theme_party_day，活动室。",
        "明天 10:29，theme_party_day，活动室。",
    ]
    rows = session.execute(select(Reminder).where(Reminder.member_id == MO, Reminder.kind == "activity_morning"))
    assert [row.due_at for row in rows.scalars()] == [at(day, 8, 30)]


def test_what_reminds_is_noted_before_the_digests_go_out():
    for task in (job for job in JOBS if isinstance(job, Task)):
        if task.name in ("duties", "declarations_due", "declarations_waiting", "economy_reminders"):
            minute, hour = (int(part) for part in task.cron.split()[:2])
            assert time(hour, minute) < reminders.DIGEST_FROM < digest.GOES_AT, task.name
