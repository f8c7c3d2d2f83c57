"""Records: a proposal and what became of it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlmodel import Session, select

from db import attendance, verify
from db.activities import Activity
from db.ledger import Entry
from db.proposals import Proposal
from notices import closing
from tests.cast import LIANGFENG, NOON, SUN
from tests.conftest import ZONE

PICTURE = {"kind": "image", "picture": "file-1"}


@pytest.fixture
def lines(look):
    """`await lines(ALICE, "PP4")`: (points, hundredths, day) of the member's lines under the rule."""

    async def asks(person: int, rule_id: str) -> list[tuple[int, int, date]]:
        def read(session: Session):
            rows = session.execute(
                select(Entry).where(Entry.member_id == person, Entry.rule_id == rule_id).order_by(Entry.id)
            ).scalars()
            return [(row.points, row.hundredths, row.day) for row in rows]

        return await look(read)

    return asks


async def proposal_id(look) -> int:
    return await look(lambda s: s.execute(select(Proposal.id).order_by(Proposal.id.desc())).scalars().first())


async def state(look) -> str:
    return await look(lambda s: s.execute(select(Proposal.state).order_by(Proposal.id.desc())).scalars().first())


OF_RECORDS = (
    "totals equal",
    "wallets equal",
    "one cause",
    "a line that undoes",
    "a confirmed record",
    "the ledger",
)


async def whole(look) -> list[str]:
    """What verify finds broken in the ledger and the records; the cast's own gaps are not asked for."""
    found = await look(lambda s: [one for one in verify.run(s) if one.broken])
    return [str(one) for one in found if one.title.startswith(OF_RECORDS)]


def over(
    look, members: dict[int, str], *, kinds: str = "volunteering", hours: float = 2, ago: timedelta | None = None
):
    """An activity of branch 10 that is over and closed, with these members in these modes."""

    def make(session: Session) -> int:
        starts = NOON - (ago or timedelta(days=3))
        one = Activity(
            code=f"9{int(starts.timestamp()) % 100000}",
            organization_id=LIANGFENG,
            scope="branch",
            kinds=kinds,
            title="清洁家园",
            place="社区",
            starts_at=starts,
            ends_at=starts + timedelta(hours=hours),
            check_in_opens_at=starts,
            check_in_closes_at=starts + timedelta(hours=hours),
        )
        session.add(one)
        session.flush()
        for member_id, mode in members.items():
            if mode == "leave":
                attendance.leave(
                    session, activity_id=one.id, member_id=member_id, state="excused", reason="病", at=starts
                )
            else:
                attendance.record(
                    session, activity_id=one.id, member_id=member_id, mode=mode, evidence="code", at=starts
                )
        closing.close(session, one, NOON - timedelta(hours=1), ZONE)
        return one.id

    return look(make)


async def lecture(say, who: str = "鲍勃") -> None:
    await say.all(
        SUN, "记实", "加分", "recording:new:PP4", who, "讲党课", "昨天", "在主题党日讲了一堂党课", "1", "1"
    )
