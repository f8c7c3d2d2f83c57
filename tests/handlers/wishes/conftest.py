"""Micro-wishes from making to confirmation, as wisher, reviewer and claimer see them."""

from __future__ import annotations

import pytest
from sqlmodel import Session, select

from db.wishes import Wish, WishClaim
from tests.cast import ALICE, RUI

GLASSES = "一副老花镜"


@pytest.fixture
def make(say):
    """`await make(ALICE)`: that member's wish for reading glasses is handed in."""

    async def makes(person: int = ALICE, title: str = GLASSES, value: str = "80元"):
        return await say.all(person, "wishes:new", title, "梁丰社区", value, "1")

    return makes


@pytest.fixture
def publish(say, make, look):
    """`await publish(ALICE)`: the wish is made and published by the secretary of the branch; its id."""

    async def publishes(person: int = ALICE, title: str = GLASSES) -> int:
        await make(person, title)
        wish_id = await look(lambda s: s.execute(select(Wish.id).order_by(Wish.id.desc())).scalars().first())
        await say(RUI, f"wish_review:publish:{wish_id}", kind="button")
        return wish_id

    return publishes


@pytest.fixture
def claim_id(look):
    async def asks() -> int:
        return await look(
            lambda s: s.execute(select(WishClaim.id).order_by(WishClaim.id.desc())).scalars().first()
        )

    return asks


async def state(look) -> tuple[str, list[str]]:
    """(state of the last wish, states of its claims)."""

    def read(session: Session) -> tuple[str, list[str]]:
        wish = session.execute(select(Wish).order_by(Wish.id.desc())).scalars().first()
        claims = session.execute(
            select(WishClaim.state).where(WishClaim.wish_id == wish.id).order_by(WishClaim.id)
        )
        return wish.state, list(claims.scalars())

    return await look(read)
