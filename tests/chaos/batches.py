"""Letters that go to many at once: two of them gathered, what WeChat reports, and what must be true in the end."""

from __future__ import annotations

import collections
from datetime import date

from sqlalchemy import update
from sqlmodel import Session, col, select

from db import mass
from db.accounts import Chat
from db.deliveries import Delivery
from db.engine import write_engine
from db.mass import MASS_LANE, MassBatch, MassReport, MassSeat
from db.members import Member, Membership
from notices.outbox import queue_letter
from tests.cast import NOON, SHAZHOU
from tests.notices.sending import letter

PEOPLE = 60
Taken = dict[str, list[str]]
"""What the platform took: the people of each batch by its key, in the order in which it took them."""


def fill(url: str) -> None:
    """Two letters to PEOPLE members, gathered."""
    engine = write_engine(url)
    with Session(engine) as session:
        for number in range(PEOPLE):
            session.add(Member(id=1000 + number, code=f"X{number}", name=f"群众{number}"))
        session.flush()
        for number in range(PEOPLE):
            session.add(Membership(member_id=1000 + number, organization_id=SHAZHOU, from_day=date(2020, 1, 1)))
            session.add(Chat(channel="wechat", address=f"x{number}", member_id=1000 + number, choices={}))
        for title in ("第一封", "第二封"):
            made = letter(author_id=None, audience={"node": SHAZHOU, "who": "all"}, title=title, lane=2)
            queue_letter(session, made, NOON)
        address = select(Chat.address).where(col(Chat.member_id) == Delivery.member_id).scalar_subquery()
        session.execute(
            update(Delivery)
            .where(col(Delivery.member_id) >= 1000)
            .values(lane=MASS_LANE, channel="wechat", address=address)
            .execution_options(synchronize_session=False)
        )
        session.commit()
    engine.dispose()


def report(url: str, taken: Taken) -> None:
    """WeChat's word on all that it took."""
    engine = write_engine(url)
    with Session(engine) as session:
        for place, people in enumerate(taken.values()):
            many = {"total": len(people), "sent": len(people)}
            word = MassReport(
                channel="wechat", platform_id=str(place), status="send success", reported_at=NOON, **many
            )
            mass.book(session, word)
        session.commit()
    engine.dispose()


def judge(url: str, taken: Taken, told: str) -> collections.Counter[str]:
    """Hold the outbox against what the platform has really taken; how many rows are in each state."""
    engine = write_engine(url)
    with Session(engine) as session:
        rows = session.exec(select(Delivery).where(Delivery.member_id >= 1000)).all()
        letter_of = dict(session.exec(select(MassBatch.key, MassBatch.letter_id)).all())
        seats = session.exec(select(MassSeat.batch_id)).all()
    engine.dispose()
    seen = collections.Counter((letter_of[key], one) for key, people in taken.items() for one in people)
    assert [one for one, times in seen.items() if times > 1] == [], told
    allowed = {"sent": {1}, "ambiguous": {0, 1}, "queued": {0}}
    address = {1000 + number: f"x{number}" for number in range(PEOPLE)}
    for row in rows:
        assert seen[row.letter_id, address[row.member_id]] in allowed[row.state], f"{told}: {row}"
        assert row.state != "queued" or (row.lane, row.channel) == (2, None), f"{told}: {row}"
    states = collections.Counter(row.state for row in rows)
    assert len(rows) == 2 * PEOPLE, told
    assert len(set(seats)) == len(taken) or len(seats) >= len(rows), told
    return states
