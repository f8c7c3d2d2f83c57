"""The service dies between the word to the platform and the note of it: shown as a doubt, never sent again."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

from tests.day.conftest import MakeDatabase
from tests.day.nursery import Nursery
from tests.day.people import PEOPLE
from tests.day.script import BIND, BROADCAST
from tests.day.service import alive
from tests.day.stage import Stage, stage
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
