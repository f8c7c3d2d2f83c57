"""Steps that several tests of declarations share."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, select

from db.declarations import Declaration
from db.deliveries import Delivery
from tests.conftest import ZONE


def at(month: int, day: int, hour: int = 10, minute: int = 0) -> datetime:
    """An instant of 2026 on the city's wall."""
    return datetime(2026, month, day, hour, minute, tzinfo=ZONE)


class Story:
    """`await story.declare("C02", "2")`: the whole way through the chat, each picture a new one."""

    def __init__(self, say, look, clock) -> None:
        self.say, self.look, self.clock = say, look, clock
        self._pictures = 0

    async def picture(self, who: int, words: str = ""):
        self._pictures += 1
        return await self.say(who, words, kind="image", picture=f"proof-{who}-{self._pictures}")

    async def declare(self, who: int, branch: int, thing: str, value: str, period: str = "2026-05"):
        """The reply to the confirmation."""
        await self.press(who, f"declare:ask:{branch}:{thing}:{period}")
        await self.say(who, value)
        await self.picture(who)
        return await self.say(who, "1")

    async def press(self, who: int, action: str):
        return await self.say(who, action, kind="button")

    async def row(self, branch: int, thing: str, period: str = "2026-05") -> Declaration:
        def read(session: Session) -> Declaration:
            found = session.execute(
                select(Declaration).where(
                    Declaration.organization_id == branch,
                    Declaration.indicator_id == thing,
                    Declaration.period == period,
                )
            ).scalar_one()
            session.expunge(found)
            return found

        return await self.look(read)

    async def approve(self, who: int, branch: int, thing: str, period: str = "2026-05"):
        row = await self.row(branch, thing, period)
        return await self.press(who, f"declaration_review:yes:{row.id}:{row.version}")

    async def told(self, who: int) -> list[str]:
        """What was noted to be told to that member, in order."""

        def texts(session: Session) -> list[str]:
            rows = session.execute(select(Delivery).where(Delivery.member_id == who).order_by(Delivery.id))
            return [row.content["text"] for row in rows.scalars()]

        return await self.look(texts)
