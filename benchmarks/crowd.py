"""A city with an open activity and a crowd that is bound to both platforms."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert
from sqlmodel import Session

from db import migrate
from db.accounts import Chat
from db.engine import write_engine
from db.members import Member, Membership
from tests.cast import LIANGFENG
from tests.day.people import LONG_AGO, populate

FIRST = 1_000_000  # id of the first member of the crowd


def city(path: Path, members: int) -> str:
    """A database with an open activity and a crowd bound to both platforms; its URL."""
    url = f"sqlite:///{path}"
    migrate.upgrade(url)
    engine = write_engine(url)
    now = datetime.now(UTC)
    with Session(engine) as session:
        populate(session, now)
        numbers = range(FIRST, FIRST + members)
        people = [{"id": n, "code": f"X{n}", "name": "某某", "created_at": now} for n in numbers]
        session.execute(insert(Member), people)
        belongs = [{"member_id": n, "organization_id": LIANGFENG, "from_day": LONG_AGO} for n in numbers]
        session.execute(insert(Membership), belongs)
        for channel in ("telegram", "wechat"):
            session.execute(insert(Chat), [chat(channel, n) for n in numbers])
        session.commit()
    engine.dispose()
    return url


def chat(channel: str, member_id: int) -> dict[str, object]:
    """The row of a bound chat. Its address is a valid one on both platforms."""
    return {"channel": channel, "address": str(member_id), "member_id": member_id, "choices": {}}
