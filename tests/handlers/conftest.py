"""What several conversations ask for."""

from __future__ import annotations

import pytest
from sqlmodel import Session, select

from db.deliveries import Delivery


@pytest.fixture
def told(look):
    """`await told(ALICE)`: what was noted to be told to that member, in order."""

    async def asks(person: int) -> list[str]:
        def texts(session: Session) -> list[str]:
            rows = session.execute(select(Delivery).where(Delivery.member_id == person).order_by(Delivery.id))
            return [row.content["text"] for row in rows.scalars()]

        return await look(texts)

    return asks
