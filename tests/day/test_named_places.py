"""The service dies at one named place after the other, and what was asked for happens once all the same."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections import Counter
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from sqlmodel import Session

from db import failpoints
from db.engine import write_engine
from db.letters import Letter, fingerprint
from tests.cast import ALICE, LIANGFENG, RUI, SUN
from tests.day.conftest import MakeDatabase
from tests.day.nursery import Nursery
from tests.day.people import EARNED, PEOPLE
from tests.day.phones import WeChatPhone
from tests.day.script import BIND, BROADCAST, LETTER
from tests.day.service import ROOT, alive
from tests.day.stage import Stage, now, stage
from tests.day.telling import tell
from tests.day.waiting import LOOK_S, PATIENCE_S, until

ROUNDS = max(1, int(os.environ.get("HONGXIN_CHAOS_KILLS", "200")) // 200)
SUBMITTED = "主题党日补充通知", "地点改在社区党群服务中心。"
SENT = LETTER.partition("\n")[0], LETTER.partition("\n")[2]


@contextlib.asynccontextmanager
async def dying_at(one: Stage, *places: str) -> AsyncIterator[None]:
    """What is done inside is done while the service dies at each of the places, in this order, and begins again."""
    service, left = one.service, [*places, ""]

    async def live() -> None:
        service.settings["failpoint"] = left.pop(0)
        await service.start()

    async def all_lives() -> None:
        while left:
            await until(lambda: service.pid and not alive(service.pid), f"it dies before {left}")
            await live()  # it may die before it serves: what it was told last comes again at once
        await service.ready()

    await service.kill()
    await live()
    await service.ready()
    dying = asyncio.ensure_future(all_lives())
    try:
        yield
        await dying
    finally:
        dying.cancel()


async def back(one: Stage) -> None:
    """Wait until the service serves, however often it dies before."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with contextlib.suppress(AssertionError):  # it has died: its next life begins soon
                return await one.service.ready()
            await asyncio.sleep(LOOK_S)


def submitted(url: str) -> None:
    """A letter of the secretary to the branch that waits for a second person."""
    engine = write_engine(url)
    letter = Letter(
        topic_id="superior_spirit",
        author_id=SUN,
        organization_id=LIANGFENG,
        audience={"node": LIANGFENG, "who": "all"},
        title=SUBMITTED[0],
        body=SUBMITTED[1],
        lane=1,
        state="submitted",
        created_at=now(),
        submitted_at=now(),
    )
    letter.content_hash = fingerprint(letter)
    with Session(engine) as session:
        session.add(letter)
        session.commit()
    engine.dispose()


def judge(one: Stage, *letters: tuple[str, str]) -> None:
    """Hold the outbox against what the people have seen of each letter."""
    for title, body in letters:
        rows = one.truth.rows(
            "SELECT member_id, delivery.state FROM delivery JOIN letter ON letter.id = letter_id"
            " WHERE title = :title",
            title=title,
        )
        assert len(rows) == len({member_id for member_id, _ in rows}) == len(PEOPLE)
        for member_id, state in rows:
            came = sum(body in letter.words for letter in one.phone.letters(member_id))
            assert came in {"sent": {1}, "ambiguous": {0, 1}, "queued": {0}}[state], (title, member_id, state)


async def test_points_an_approval_and_a_letter_happen_once_wherever_the_service_dies(
    sqlite: MakeDatabase, nursery: Nursery, tmp_path: Path
) -> None:
    for number in range(ROUNDS):
        folder = tmp_path / str(number)
        await asyncio.gather(
            _on_telegram(sqlite, nursery, folder / "t"),
            _brought_by_telegram(sqlite, nursery, folder / "b"),
            _on_wechat(sqlite, nursery, folder / "w"),
        )


async def _on_telegram(sqlite: MakeDatabase, nursery: Nursery, folder: Path) -> None:
    async with stage("telegram polling", sqlite(folder), folder, nursery) as one:
        submitted(one.truth.url)
        phone = one.phone
        await tell(BIND, phone, one.truth, one.city.codes)
        for text in ("兑换", "1"):
            await phone.say(ALICE, text)
        for text in ("审红信", "1"):
            shown = await phone.say(RUI, text)
        assert SUBMITTED[1] in shown.words
        async with dying_at(one, "redeem.after_check", "redeem.after_debit"):
            assert "已为您留好：水杯" in (await phone.say(ALICE, "1")).words
        async with dying_at(one, "approve.after_check", "send.after_write:3"):
            await phone.say(RUI, "1")
        async with dying_at(one, "inbox.after_200"):
            for _ in range(2):  # with the second one Telegram hears that the first was taken
                await phone.say(SUN, "积分")
        await one.truth.settled()
        judge(one, SUBMITTED)
        assert phone.repeated() <= one.service.kills + 5
        _redeemed_and_approved_once(one)


def _redeemed_and_approved_once(one: Stage) -> None:
    rows = one.truth.rows
    assert rows("SELECT state, points FROM redemption") == [("held", 20)]
    assert rows("SELECT stock FROM reward WHERE id = 1") == [(1,)]
    assert rows("SELECT points FROM entry WHERE rule_id = 'REDEEM'") == [(-20,)]
    assert rows(f"SELECT balance FROM wallet WHERE member_id = {ALICE}") == [(EARNED - 20,)]
    assert rows("SELECT actor_id FROM audit_event WHERE action = 'letter.approved'") == [(RUI,)]
    assert rows("SELECT approved_by, recipients FROM letter") == [(RUI, len(PEOPLE))]


async def _brought_by_telegram(sqlite: MakeDatabase, nursery: Nursery, folder: Path) -> None:
    """The webhook has said that it took the message, and nobody brings it again."""
    async with stage("telegram webhook", sqlite(folder), folder, nursery) as one:
        async with dying_at(one, "inbox.after_200"):
            assert "绑定码" in (await one.phone.say(ALICE, "你好")).words
        assert one.truth.rows("SELECT count(*) FROM inbound") == [(1,)]
        assert one.phone.repeated() <= 1


async def _on_wechat(sqlite: MakeDatabase, nursery: Nursery, folder: Path) -> None:
    """The first letter there needs a token, which passive replies do not."""
    sending = next(place for place, step in enumerate(BROADCAST) if step.letters)
    async with stage("wechat", sqlite(folder), folder, nursery) as one:
        assert isinstance(one.phone, WeChatPhone)
        one.phone.server.between_tries = partial(back, one)
        submitted(one.truth.url)
        await tell(BIND, one.phone, one.truth, one.city.codes)
        async with dying_at(one, "rotate.mid_row", "send.after_write:2"):
            for text in ("审红信", "1", "1"):
                await one.phone.say(RUI, text)
            await one.truth.settled()
            await tell(BROADCAST[:sending], one.phone, one.truth, one.city.codes)
            await one.phone.say(SUN, BROADCAST[sending].text)
        await one.truth.settled()
        judge(one, SUBMITTED, SENT)
        assert one.truth.doubts() >= 1, "the second one was on the wire"
        ((token, holder),) = one.truth.rows("SELECT token, holder FROM access_token")
        assert token, "the next life has fetched it"
        assert not holder


def test_every_place_is_somewhere_and_some_test_dies_there() -> None:
    reached = Counter[str]()
    for folder in ("bot", "db", "handlers", "notices", "scoring"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            reached.update(re.findall(r'\breach\("([a-z_0-9.]+)"\)', text))
            reached.update(re.findall(r'^AFTER_WRITE = "([a-z_0-9.]+)"$', text, re.MULTILINE))
    assert set(reached) == set(failpoints.PLACES)
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
    assert [name for name in failpoints.PLACES if name not in tests] == []


def test_a_place_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as wrongly:
        wrongly.setenv("HONGXIN_FAILPOINT", "handler.midd:2")
        failpoints.disarm()
        with pytest.raises(ValueError, match="no place handler"):
            failpoints.reach("handler.mid")
    failpoints.disarm()
    failpoints.reach("handler.mid")
