"""A city in which everybody has a chat, and the letters of the benchmark of sending."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Engine
from sqlmodel import Session

from benchmarks.big_city import write_rows
from db import schema
from db.accounts import Chat
from db.engine import write_engine
from db.letters import Letter, Topic
from db.members import Member, Membership
from db.organizations import Organization
from notices.addressing import write_part
from notices.outbox import CITY, queue_letter

MEMBERS, BRANCHES = 316_714, 11_465
ROOT = 1
CITY_LANE = 2
TOPIC = "superior_spirit"
TEXT = "今晚有大雨，请各网格留人值守，检查易涝点和独居老人的住处，有情况马上报告街道值班室。" * 3


def build(url: str, members: int, branches: int) -> None:
    """Write the city into an empty database; member n belongs to branch 2 + n % branches."""
    engine = write_engine(url)
    schema.create(engine)
    with Session(engine) as session:
        session.add(Topic(id=TOPIC, title="上级精神", title_en="From above"))
        session.commit()
    people = range(1, members + 1)
    tree = [(ROOT, "C", "全市", "city", None, None, "/1/", "")]
    tree += [(n, f"B{n}", f"第{n}支部", "branch", "soe", 1, f"/1/{n}/", "") for n in range(2, branches + 2)]
    write_rows(engine, Organization, "id code name level field parent_id path place", tree)
    write_rows(
        engine,
        Member,
        "id code name status mobile city mode probationary share_name",
        ((n, f"M{n}", "某某", "active", 0, "", "normal", 0, 0) for n in people),
    )
    write_rows(
        engine,
        Membership,
        "member_id organization_id from_day",
        ((n, 2 + n % branches, "2020-01-01") for n in people),
    )
    write_rows(
        engine,
        Chat,
        "channel address member_id language choices misses bind_failures window_sent",
        (("telegram", str(n), n, "zh", "{}", 0, 0, 0) for n in people),
    )
    _settle(engine)
    engine.dispose()


def _settle(engine: Engine) -> None:
    """What a running database has done long since: counted its rows, written its log back."""
    with Session(engine) as session:
        schema.count_on(session)
        session.execute(text("ANALYZE"))
        session.commit()
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.commit()
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def letter(node: int, title: str, lane: int) -> Letter:
    """A letter of the service itself to everybody under the node."""
    return Letter(
        topic_id=TOPIC,
        organization_id=node,
        audience={"node": node, "who": "all"},
        title=title,
        body=TEXT,
        lane=lane,
        urgent=True,  # the benchmark may run at night
        created_at=datetime.now(UTC),
    )


def queue(session: Session, node: int, title: str, lane: int) -> int:
    """Let such a letter begin now; its id. A large one gets its rows later."""
    made = letter(node, title, lane)
    queue_letter(session, made, datetime.now(UTC))
    assert made.id is not None
    return made.id


def queue_alone(url: str, node: int, title: str, lane: int, *, engine: Engine | None = None) -> None:
    """Queue such a letter with all its rows, in transactions of their own."""
    made, more = engine or write_engine(url), True
    with Session(made) as session:
        queue(session, node, title, lane)
        session.commit()
    while more and lane == CITY_LANE:  # a branch's letter has its rows at once
        with Session(made) as session:
            more = write_part(session, datetime.now(UTC), CITY)
            session.commit()
    if engine is None:
        made.dispose()


def heading(title: str) -> str:
    """The first line of such a letter as its readers see it."""
    return f"【红信·上级精神】{title}"


def branches(count: int) -> range:
    """Ids of so many branches."""
    return range(2, 2 + count)
