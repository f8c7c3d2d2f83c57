"""A platform that takes mass letters, the people of a branch on it, and how to look at what became of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func
from sqlmodel import select

from bot.channels.wechat.codes import refusal
from db.mass import MassCount
from notices.channel import SendError
from notices.mass_rules import mass_rules
from tests.cast import ALICE, BOB, KE, MO, NOON, OLGA, RUI, SUN
from tests.notices.sending import FakeChannel

BRANCH = (ALICE, BOB, SUN, MO, RUI, KE, OLGA)
RULES = mass_rules("wechat")
assert RULES is not None
BROKEN = 10**9  # fails in its own way
LOST = SendError("ambiguous", "read_timeout")


class FakeWeChat(FakeChannel):
    """Takes mass letters as WeChat does: one key, one job. `script`: a code or an error for each of the next calls."""

    def __init__(self, *script: int | SendError) -> None:
        super().__init__("wechat", text_max=2000)
        self.script = list(script)
        self.jobs: dict[str, list[str]] = {}
        self.tries: list[str] = []
        self.bad: set[str] = set()  # addresses for whose sake all of a batch are refused
        self.state = "sending"  # what it says when it is asked
        self.asked: list[str] = []

    async def send_mass(self, addresses: Any, message: Any, *, key: str) -> str:
        self.tries.append(key)
        answer = self.script.pop(0) if self.script else 0
        if answer == BROKEN:
            raise RuntimeError
        if isinstance(answer, int) and answer:
            raise refusal(answer, now=NOON)
        if self.bad & set(addresses):
            raise refusal(40003, now=NOON)
        self.jobs.setdefault(key, list(addresses))
        if isinstance(answer, SendError):  # taken, and nobody hears of it
            raise answer
        return f"job{list(self.jobs).index(key)}"

    async def mass_state(self, platform_id: str) -> Any:
        self.asked.append(platform_id)
        return self.state

    @property
    def reached(self) -> list[str]:
        return sorted(address for job in self.jobs.values() for address in job)


async def fates(sent: Any) -> set[tuple[str, str, str | None]]:
    return {(row.state, row.reason, row.channel) for row in await sent.rows()}


async def taken(look) -> int:
    return await look(lambda s: s.execute(select(func.coalesce(func.sum(MassCount.taken), 0))).scalar_one())
