"""The service dies at named places: what it was sending is in doubt, what it was told or had to do happens once."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import delete
from sqlmodel import Session, col

from db import occurrences
from db.engine import write_engine
from db.occurrences import Occurrence
from tests.day.conftest import MakeDatabase
from tests.day.nursery import Nursery
from tests.day.people import OWN_CODE, PEOPLE
from tests.day.phones import WeChatPhone
from tests.day.script import BIND, BROADCAST
from tests.day.service import alive
from tests.day.stage import Stage, now, stage
from tests.day.telling import tell
from tests.day.waiting import until

SENDING = next(place for place, step in enumerate(BROADCAST) if step.letters)


async def _sent_and_died(one: Stage, failpoint: str) -> None:
    """Everybody binds, the letter is sent, the service dies at the failpoint and starts again."""
    one.service.settings["failpoint"] = failpoint
    await one.service.kill()
    await one.service.start()
    await one.service.ready()
    pid = one.service.pid
    assert pid is not None
    last = BROADCAST[SENDING]
    await tell((*BIND, *BROADCAST[:SENDING]), one.phone, one.truth, one.city.codes)
    await one.phone.say(PEOPLE[last.who], last.text)
    await until(lambda: not alive(pid), f"the service dies at {failpoint}")
    del one.service.settings["failpoint"]
    await one.service.start()
    await one.service.ready()
    await one.truth.settled()


async def test_a_letter_in_doubt_is_not_sent_again_and_an_answer_ends_the_doubt(
    sqlite: MakeDatabase, nursery: Nursery, tmp_path: Path
) -> None:
    # At the same time: after such a death what was only claimed waits until its lease of 20 s is over.
    # The outcomes of a letter may all be written in one go, so only the first writing is sure to come.
    failpoints = ("send.after_intent:1", "send.after_response:2", "send.before_outcome:1")
    await asyncio.gather(*(_doubt(sqlite, nursery, tmp_path / str(n), one) for n, one in enumerate(failpoints)))


async def _doubt(sqlite: MakeDatabase, nursery: Nursery, folder: Path, failpoint: str) -> None:
    async with stage("wechat", sqlite(folder), folder, nursery) as one:
        await _sent_and_died(one, failpoint)
        came = Counter({name: len(one.phone.letters(member_id)) for name, member_id in PEOPLE.items()})
        assert set(came.values()) <= {0, 1}
        missing = [name for name, count in came.items() if not count]
        assert one.truth.doubts() >= max(1, len(missing))
        for name in came.keys() - set(missing):
            reply = await one.phone.say(PEOPLE[name], "收到")
            assert "已记下" in reply.words, name
        assert one.truth.doubts() == len(missing)
        summary = await one.phone.say(PEOPLE["sun"], "回执")
        assert f"送达 {6 - len(missing)}，已读 {6 - len(missing)}，收到 {6 - len(missing)}" in summary.words


AT_START = ("schedule.after_occurrence", "schedule.after_run", "schedule.after_commit")
WHILE_TALKING = ("handler.mid:2", "inbox.before_commit:2", "inbox.after_commit:2", "inbox.after_200:2")
ALL, ONCE = "appeals_undecided", "topic:law_corner"  # tasks, by what they do after an outage


async def test_what_is_said_and_what_is_due_happens_once_wherever_the_service_dies(
    sqlite: MakeDatabase, nursery: Nursery, tmp_path: Path
) -> None:
    async with stage("wechat", sqlite(tmp_path), tmp_path, nursery) as one:
        assert isinstance(one.phone, WeChatPhone)
        await one.service.kill()
        since = now() - timedelta(days=15)
        _down_since(one.truth.url, since)
        for failpoint in AT_START:
            await _start_again(one, failpoint)
            await until(lambda: one.service.pid and not alive(one.service.pid), f"it dies at {failpoint}")
        left = deque((*WHILE_TALKING, ""))

        async def again() -> None:
            await until(lambda: one.service.pid and not alive(one.service.pid), f"it dies before {left}")
            await _start_again(one, left.popleft())
            await one.service.ready()

        await again()
        one.phone.server.between_tries = again
        for name in ("alice", "bob", "mo"):
            await one.phone.say(PEOPLE[name], f"绑定 {one.city.codes[name]}")
            assert "签到成功" in (await one.phone.say(PEOPLE[name], f"签到 {OWN_CODE}")).words, name
        assert not left, "it died at every one of them"
        booked = Counter(one.truth.rows("SELECT member_id FROM entry WHERE cause LIKE 'activity:%'"))
        assert booked == {(PEOPLE[name],): 1 for name in ("alice", "bob", "mo")}
        assert one.truth.rows("SELECT count(*) FROM inbound") == [(6,)]
        assert one.phone.repeated() <= len(WHILE_TALKING)
        _done_as_declared(one, since)


def _down_since(url: str, since: datetime) -> None:
    """It has not run since then."""
    engine = write_engine(url)
    with Session(engine) as session:
        for task in (ALL, ONCE):
            session.execute(delete(Occurrence).where(col(Occurrence.task) == task))
            occurrences.record(session, task, since, ran_at=since, state="begun")
        session.commit()
    engine.dispose()


async def _start_again(one: Stage, failpoint: str) -> None:
    one.service.settings["failpoint"] = failpoint
    await one.service.start()


def _done_as_declared(one: Stage, since: datetime) -> None:
    """One of them made up for all that it missed, the other one for the last."""
    rows = one.truth.rows(
        "SELECT task, state, count(*) FROM occurrence WHERE state <> 'begun' GROUP BY task, state"
    )
    found = {(task, state): count for task, state, count in rows}
    assert found[ALL, "done"] == (now() - since).days
    assert (ALL, "skipped") not in found
    assert (found[ONCE, "done"], found[ONCE, "skipped"]) in ((1, 1), (1, 2))
    assert one.truth.rows("SELECT count(*) FROM letter") == [(1,)]
