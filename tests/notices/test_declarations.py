"""What the service says about declarations by itself, the draw, and what a claw-back does to the indices."""

from __future__ import annotations

import hashlib
import random
import subprocess
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
from sqlmodel import Session, select
from typer.testing import CliRunner

from bot.__main__ import app
from bot.jobs import JOBS
from db import declarations, occurrences, spot_checks
from db.declarations import Declaration, DeclarationDraft
from db.indices import FortressIndex
from db.members import Role
from db.values import IndicatorValue
from notices import declaration_days, declaration_outcomes
from notices import declarations as reminders
from notices import spot_checks as draws
from notices.declarations import month_before
from notices.schedule import Task, next_after
from scoring.catalogue import shipped
from scoring.declaring import closing_periods, month_of
from scoring.items import read_value
from scoring.org_power import PowerFacts, org_power
from scoring.spot_check import commitment, draw, place, size
from scoring.update import refresh_city
from tests.cast import BOB, DING, LIANGFENG, NOON, QIAN, RUI, SHAZHOU, SUN
from tests.conftest import ZONE
from tests.handlers.declaring import at
from tests.notices import digests

TENTH = Fraction(1, 10)


def run(look, task, work, now, zone=ZONE):
    """Let a task begin at `now` and its parts run to the end; how many parts did something."""

    async def runs() -> int:
        await look(lambda s: occurrences.record(s, task, now, ran_at=now))
        count = 0
        while await look(lambda s: work(s, now, zone)):
            count += 1
        return count

    return runs()


@pytest.fixture
def told(look):
    """`await told(SUN)`: what was noted to be told to that member, in order."""

    async def asks(person: int) -> list[str]:
        return await look(lambda s: digests.told(s, person))

    return asks


def declare(session: Session, organization_id=LIANGFENG, thing="C02", value="2", period="2026-05", by=SUN):
    """A declaration that was handed in on 3 June."""
    draft = DeclarationDraft(
        member_id=by, organization_id=organization_id, indicator_id=thing, period=period, value=value,
        changed_at=at(6, 3),
    )  # fmt: skip
    declarations.new_draft(session, draft)
    closing = {"2026Q2": "2026-06"}.get(period, period)
    made = declarations.declare(session, draft, closing=closing, now=at(6, 3))
    assert isinstance(made, Declaration)
    return made.id


def approved(session: Session, **more):
    """The same, approved on 4 June."""
    row = declarations.by_id(session, declare(session, **more))
    assert declaration_outcomes.approve(session, row, row.version, RUI, at(6, 4))
    return row.id


# Told by itself


async def test_the_first_says_what_is_due_and_the_fourth_what_is_missing(look, told):
    await run(look, reminders.TASK, reminders.remind_next, at(6, 1, 8, 40))
    assert await told(SUN) == [
        "2026 年 5 月有 2 件要申报，6 月 5 日前交：\n支部委员会会议每月至少一次\n主题党日每月一次"
    ]
    await look(lambda s: declare(s))
    await run(look, reminders.TASK, reminders.remind_next, at(6, 4, 8, 40))
    assert (await told(SUN))[1:] == ["2026 年 5 月还有 1 件没报，6 月 5 日截止：\n主题党日每月一次"]
    await look(lambda s: declare(s, thing="C04"))
    await run(look, reminders.TASK, reminders.remind_next, at(6, 4, 9, 40))
    assert len(await told(SUN)) == 2
    assert len(await told(QIAN)) == 2


async def test_reminders_go_through_the_city_in_parts_and_repeat_nothing(look, told, monkeypatch):
    monkeypatch.setattr("notices.declarations.BATCH", 1)
    assert await look(lambda s: reminders.remind_next(s, at(6, 1, 9), ZONE)) == 0  # nothing is under way
    assert await run(look, reminders.TASK, reminders.remind_next, at(6, 1, 8, 40)) == 2
    await run(look, reminders.TASK, reminders.remind_next, at(6, 1, 8, 50))
    assert len(await told(SUN)) == 1


async def test_a_reminder_that_comes_too_late_is_none(look, told):
    await run(look, reminders.TASK, reminders.remind_next, at(6, 6, 8))
    assert await told(SUN) == []


async def test_reviewers_hear_hash_backlog_lot_and_what_lapsed_each_once(look, told):
    await look(
        lambda s: s.add(
            Role(member_id=BOB, organization_id=1, role="committee_reviewer", from_day=date(2026, 1, 1))
        )
    )
    await look(lambda s: draws.fix(s, "2026-05", at(6, 1)))
    await look(lambda s: declare(s))
    await look(lambda s: declare(s, organization_id=SHAZHOU, by=QIAN))
    tell = declaration_days.tell_reviewers_next
    await run(look, declaration_days.TASK, tell, at(6, 5, 8, 45))
    row = await look(lambda s: spot_checks.of_month(s, "2026-05"))
    assert row.commitment in (await told(RUI))[0]
    assert (await told(RUI))[0].splitlines()[-1] == (
        "2026 年 5 月有 2 个支部的 2 件申报等审核，请在 6 月 10 日前审完。到 6 月 15 日还没审的不计。"
    )
    for day in (6, 8, 10):
        await run(look, declaration_days.TASK, tell, at(6, day, 8, 45))
    assert [len(one.splitlines()) for one in (await told(RUI))[1:]] == [1, 1, 1]
    behind = (await told(RUI))[1]
    assert behind.startswith("2026 年 5 月的申报已截止：2 个支部有 ")
    assert behind.endswith(" 项没有申报：梁丰社区党支部、沙洲村党支部")
    assert len(await told(BOB)) == 1, "a nearer reviewer has the branches: only the hash"
    while await look(lambda s: declaration_days.keep_the_days(s, at(6, 11, 0, 5), ZONE)):
        pass
    await run(look, declaration_days.TASK, tell, at(6, 11, 8, 45))
    assert row.seed in (await told(RUI))[-1]
    assert row.seed in (await told(DING))[-1]
    while await look(lambda s: declaration_days.keep_the_days(s, at(6, 15, 0, 5), ZONE)):
        pass
    await run(look, declaration_days.TASK, tell, at(6, 15, 8, 45))
    assert (await told(RUI))[-1] == "2026 年 5 月已锁定：2 个支部有 2 件没审完，不计。"
    assert row.seed not in "".join((await told(RUI))[:3])


def test_the_days_of_the_jobs_are_those_of_the_rules():
    when = {job.name: job for job in JOBS if isinstance(job, Task)}
    june = month_of(date(2026, 5, 31))
    days = shipped().org_power.terms_on(june.last).deadlines
    found, instant = [], NOON.replace(month=5, day=31)
    for _ in range(6):
        instant = next_after(when[declaration_days.TASK], instant, ZONE)
        found.append(instant.astimezone(ZONE).day)
    declared, checked = days.declare_day, days.committee_day
    assert found == [declared, declared + 1, 8, checked, checked + 1, days.lock_day]


# The draw


def test_the_draw_asks_for_seed_and_ids_alone():
    ids = list(range(1, 251))
    lot = draw("seed", ids, TENTH)
    shuffled = random.Random(7).sample(ids, len(ids))
    assert draw("seed", shuffled, TENTH) == lot
    assert len(lot) == 25
    assert draw("another seed", ids, TENTH) != lot
    assert [size(n, TENTH) for n in (0, 1, 10, 11, 20, 21)] == [0, 1, 1, 2, 2, 3]
    assert max(place("seed", one) for one in lot) < min(place("seed", one) for one in set(ids) - set(lot))


def test_everybody_is_drawn_about_as_often():
    times = dict.fromkeys(range(1, 101), 0)
    for seed in range(500):
        for one in draw(str(seed), times, TENTH):
            times[one] += 1
    assert 25 < min(times.values()) <= max(times.values()) < 80  # 50 on average; six standard deviations


def test_the_line_of_the_document_draws_the_same(tmp_path):
    script = (
        "for id in $IDS; do printf '%s %s\\n' \"$(printf '%s:%s' \"$SEED\" $id | sha256sum | cut -d' ' -f1)\" $id; done"
        " | sort | head -n 2 | cut -d' ' -f2"
    )
    done = subprocess.run(
        ["sh", "-c", script], env={"SEED": "s1", "IDS": "3 11 5 7 2 19 23 4 8 31 12", "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert tuple(map(int, done.stdout.split())) == draw("s1", [3, 11, 5, 7, 2, 19, 23, 4, 8, 31, 12], TENTH)
    example = (Path(__file__).parents[2] / "docs" / "spot_check.md").read_text(encoding="utf-8")
    for one in draw("s1", [3, 11, 5, 7, 2, 19, 23, 4, 8, 31, 12], TENTH):
        assert f"{one} (place `{place('s1', one)[:8]}" in example
    assert commitment("s1") == hashlib.sha256(b"s1").hexdigest()


async def test_the_command_prints_what_is_needed_to_draw_again(look, database_url, monkeypatch):
    def prepare(session):
        ids = [approved(session, thing=thing) for thing in ("C02", "C04")]
        draws.draw(session, "2026-05", date(2026, 5, 31), at(6, 11))
        return ids, spot_checks.of_month(session, "2026-05").seed

    monkeypatch.setenv("HONGXIN_DATABASE_URL", database_url)
    monkeypatch.setattr("bot.commands.terminal.migrated", lambda settings: None)  # the tables stand already
    asked = ["spot-check", "--period", "2026-05", "--candidates"]
    assert CliRunner().invoke(app, asked).exit_code == 3
    ids, seed = await look(prepare)
    said = CliRunner().invoke(app, asked)
    assert said.exit_code == 0, said.output
    lines = dict(line.split(": ", 1) for line in said.output.splitlines())
    assert lines["hash"] == commitment(lines["seed"])
    assert lines["seed"] == seed
    assert lines["candidates"] == "2"
    assert lines["all"] == " ".join(map(str, ids))
    assert lines["drawn"] == str(draw(seed, ids, TENTH)[0])
    assert lines["drawn again"] == "the same"


# What a claw-back does


async def test_a_claw_back_lowers_both_indices(look):
    """F01 is worth 4 points of the common part, C02 3 of 6 monthly ones that are due of one dimension."""

    def go(session):
        first = approved(session, thing="F01", value="true", period="2026-06")
        second = approved(session, thing="C02", period="2026-06")
        return first, second

    def figures(session):
        refresh_city(session, date(2026, 7, 20), at(7, 20))
        common = session.get(FortressIndex, (LIANGFENG, 2026)).common
        values = {
            (row.indicator_id, row.period): read_value(row.value, statement=row.indicator_id == "F01")
            for row in session.execute(select(IndicatorValue)).scalars()
        }
        june = month_of(date(2026, 6, 1))
        power = org_power(
            shipped(), PowerFacts("urban_community", values=values), month=june, first_closed={"C02": june.last}
        )
        return common, power.score

    def claw_back(session, ids):
        draws.draw(session, "2026-06", date(2026, 6, 30), at(7, 11))
        for one in ids:
            row = declarations.by_id(session, one)
            row.recheck = "drawn"
            session.flush()
            assert declaration_outcomes.fail_recheck(session, row, DING, at(7, 16), ZONE, "不属实")

    ids = await look(go)
    before = await look(figures)
    await look(lambda s: claw_back(s, ids))
    after = await look(figures)
    assert before[0] - after[0] == 400
    assert before[1] - after[1] == 2000  # C02 is all that is due in its dimension


def test_the_month_before_and_the_periods_that_end_with_it():
    assert month_before(date(2026, 3, 31)) == date(2026, 2, 28)
    ends = {one.text for one in closing_periods(month_of(date(2026, 12, 1)))}
    assert ends == {"2026-12", "2026Q4", "2026H2", "2026"}
