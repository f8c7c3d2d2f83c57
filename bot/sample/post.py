"""Three letters that the sample secretary wrote: delivered, read, and partly answered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple, TypeAlias

from bot.sample.calendar import Year
from bot.sample.city import Branch
from bot.sample.members import Person
from db.audiences import Audience
from db.letters import Letter, fingerprint

_LETTERS = (
    (
        23,
        "superior_spirit",
        "关于做好防汛值守的通知",
        "近期雨水较多，请各位党员留意楼道和车库积水，发现情况及时联系网格员。",
        True,
    ),
    (
        11,
        "member_focus",
        "向老党员学习",
        "我支部几位老党员坚持义务巡逻多年，请大家抽空到活动室看看他们的照片和故事。",
        True,
    ),
    (
        3,
        "superior_spirit",
        "本月主题党日预告",
        "本月主题党日安排在社区党员活动室，外地党员可以远程参加，请提前安排好时间。",
        False,
    ),
)
"""(days ago, topic, title, body, is it over?)"""


class Sent(NamedTuple):
    """One delivery, in the order of the columns in which it is written."""

    id: int
    key: str
    letter_id: int
    member_id: int
    lane: int
    state: str
    channel: str
    address: str
    not_before: datetime
    attempts: int
    finished_at: datetime
    counts_for: int


class Read(NamedTuple):
    """One receipt, in the order of the columns in which it is written."""

    letter_id: int
    member_id: int
    read_at: datetime
    acked_at: datetime | None
    help_at: datetime | None


class Addressed(NamedTuple):
    """For how many people of a branch a letter was, in the order of the columns in which it is written."""

    letter_id: int
    organization_id: int
    people: int


Post: TypeAlias = Letter | Addressed | Sent | Read


def letters(branch: Branch, people: list[Person], year: Year, random: Random) -> Iterator[Post]:
    """Each letter, followed by what became of it for everybody in the branch who has a chat."""
    author = people[0]
    bound = [person for person in people if person.bound and person is not author]
    node_id = branch.node.id
    ids = iter(range(1, 1 + len(_LETTERS) * len(bound)))
    for number, (days, topic_id, title, body, over) in enumerate(_LETTERS, start=1):
        sent_at = year.now - timedelta(days=days, hours=2)
        made = Letter(
            id=number,
            topic_id=topic_id,
            author_id=author.id,
            organization_id=branch.node.id,
            audience=Audience(node=branch.node.id).to_json(),
            title=title,
            body=body,
            ask="ack",
            answer_until=sent_at + timedelta(days=2 if over else 6),
            state="done",
            lane=1,
            recipients=len(bound),
            unbound=sum(1 for person in people if not person.bound),
            created_at=sent_at - timedelta(minutes=6),
            sent_at=sent_at,
            expires_at=sent_at + timedelta(days=30),
        )
        made.content_hash = fingerprint(made)
        yield made
        yield Addressed(number, node_id, sum(1 for person in people if person is not author))
        for person in bound:
            arrived = sent_at + timedelta(seconds=random.randint(1, 40))
            key, address = f"letter:{number}", f"member:{person.id}"
            yield Sent(next(ids), key, number, person.id, 1, "sent", "web", address, sent_at, 1, arrived, node_id)
            # The last letter waits for the sample member's answer.
            if random.random() < 0.75 and (over or person.sample is None):
                read = arrived + timedelta(minutes=random.randint(2, 900))
                acked = read + timedelta(minutes=1) if random.random() < 0.85 else None
                asks = acked is None and random.random() < 0.3
                yield Read(
                    number, person.id, min(read, year.now), acked and min(acked, year.now), read if asks else None
                )


def columns(letter: Letter) -> dict[str, Any]:
    """The letter's columns by name."""
    return letter.model_dump()
