"""Letters in four lanes and replies through one account on a virtual clock, against a platform that keeps count."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.telegram.failures import CallError
from bot.channels.telegram.replies import Replies
from notices.channel import Message
from notices.pacing import pacer
from notices.wording import wording

GROUPS = ("-1001", "-1002")
PEOPLE = tuple(str(number) for number in range(1, 60))


class VirtualTime:
    """Seconds that pass only when everybody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleeping: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleeping, (self.now + max(seconds, 1e-6), next(self._order), woken))
        await woken

    async def run(self, work: set[asyncio.Task[None]]) -> None:
        loop: Any = asyncio.get_running_loop()
        while not all(task.done() for task in work):
            while loop._ready:  # noqa: ASYNC110 - until everybody sleeps
                await asyncio.sleep(0)
            if self._sleeping:
                self.now, _, woken = heapq.heappop(self._sleeping)
                woken.set_result(None)
            await asyncio.sleep(0)
        for task in work:
            task.result()


class CountingApi:
    """Stands for Api over Telegram: answers the calls whose numbers are in `floods` with a 429."""

    def __init__(self, time: VirtualTime, floods: dict[int, int]) -> None:
        self.pacer = pacer("telegram", paid_per_s=100, clock=time)
        self.seen: list[tuple[float, str, bool]] = []  # when, to whom, paid
        self.halts: list[tuple[float, float, str, bool]] = []  # from, to, answering whom, paid
        self.replied: dict[str, list[float]] = {}
        self._time = time
        self._floods = floods

    async def call(self, method: str, arguments: dict[str, Any], read_s: float | None = None) -> Any:
        chat, paid = arguments["chat_id"], bool(arguments.get("allow_paid_broadcast"))
        if left_s := self.pacer.paused_s(chat, paid=paid):
            raise CallError("retry", "paused", retry_after_s=left_s)
        now = self._time.now
        self.seen.append((now, chat, paid))
        if pause_s := self._floods.get(len(self.seen)):
            self.halts.append((now, now + pause_s, chat, paid))
            self.pacer.pause(pause_s, chat, paid=paid)
            raise CallError("retry", "429", code=429, retry_after_s=pause_s)
        return {"message_id": 1}


async def _letters(api: CountingApi, time: VirtualTime, chats: list[str], paid: bool) -> None:
    """A lane of the engine: it asks, and goes when it may."""
    for chat in chats:
        while True:
            if wait_s := api.pacer.wait_s(chat, paid=paid):
                await time.sleep(wait_s)
                continue
            api.pacer.take(chat, paid=paid)
            try:
                await api.call("sendMessage", {"chat_id": chat, "allow_paid_broadcast": paid})
                break
            except CallError:
                continue


async def _reply(api: CountingApi, replies: Replies, time: VirtualTime, at: float, chat: str) -> None:
    await time.sleep(at)
    await replies.push(chat, Message("签到成功"), edits=None)


def _most(times: list[float], span_s: float) -> int:
    most, begins = 0, 0
    for place, at in enumerate(times):
        while times[begins] < at - span_s:
            begins += 1
        most = max(most, place - begins + 1)
    return most


chats = st.sampled_from(PEOPLE + GROUPS)
LANES = st.lists(st.lists(chats, max_size=60), min_size=4, max_size=4)


@settings(max_examples=40, deadline=None)
@given(
    lanes=LANES,
    paid=st.lists(chats, max_size=150),
    replies=st.lists(st.tuples(st.floats(0, 8), chats), max_size=60),
    floods=st.dictionaries(st.integers(1, 200), st.integers(1, 30), max_size=4),
)
def test_no_limit_is_passed_and_nothing_leaves_inside_a_pause(
    lanes: list[list[str]], paid: list[str], replies: list[tuple[float, str]], floods: dict[int, int]
) -> None:
    async def live() -> CountingApi:
        time = VirtualTime()
        api = CountingApi(time, floods)
        pushing = Replies(api, draw=None, say=wording("zh"), sleep=time.sleep)  # type: ignore[arg-type]
        work = [_letters(api, time, lane, False) for lane in lanes] + [_letters(api, time, paid, True)]
        work += [_reply(api, pushing, time, at, chat) for at, chat in replies]
        await time.run({asyncio.ensure_future(one) for one in work})
        return api

    seen = asyncio.run(live())
    free = [at for at, _, paid in seen.seen if not paid]
    assert _most(free, 1.0) <= 30
    assert _most([at for at, _, paid in seen.seen if paid], 1.0) <= 100
    for chat in {chat for _, chat, _ in seen.seen}:
        own = [at for at, whom, _ in seen.seen if whom == chat]
        assert _most(own, 1.0) <= 1
        assert _most(own, 60.0) <= (20 if chat in GROUPS else 60)
    for begins, ends, answered, paid in seen.halts:
        concerned = [
            at for at, chat, other in seen.seen if (chat == answered if answered in GROUPS else other == paid)
        ]
        assert [at for at in concerned if begins < at < ends] == []


async def test_a_reply_waits_for_replies_before_it_and_for_no_letter() -> None:
    time = VirtualTime()
    api = CountingApi(time, {})
    pushing = Replies(api, draw=None, say=wording("zh"), sleep=time.sleep)  # type: ignore[arg-type]
    letters = [asyncio.ensure_future(_letters(api, time, list(PEOPLE), False)) for _ in range(3)]
    crowd = [asyncio.ensure_future(_reply(api, pushing, time, 1.0, f"9{number}")) for number in range(29)]
    await time.run({*letters, *crowd})
    replied = [at for at, chat, _ in api.seen if chat.startswith("9") and len(chat) > 1 and int(chat) >= 90]
    assert len([at for at in replied if at <= 2.1]) == 29
    assert time.now == pytest.approx((3 * len(PEOPLE) + 29) / 29, abs=0.5)  # and no slot was left empty
