"""What the tests of sending share: a channel that does as it is told, an engine on the test's clock, a letter."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlmodel import Session, select

from db.accounts import Chat
from db.deliveries import Delivery
from db.letters import Letter
from notices.channel import Message, SendError
from notices.delivery import Engine
from notices.outbox import queue_letter, tell
from tests.cast import LIANGFENG, NOON, SUN


class FakeChannel:
    """Keeps what it was given. `answers`: what it raises, one for each call, as long as there are some."""

    def __init__(self, name: str = "web", *answers: SendError | None, text_max: int = 5000) -> None:
        self.name = name
        self.sent: list[tuple[str, Message]] = []
        self.calls = 0
        self.answers = list(answers)
        self.text_max = text_max

    def parts(self, text: str) -> list[str]:
        return [text[at : at + self.text_max] for at in range(0, len(text), self.text_max)] or [""]

    async def send(self, address: str, message: Message, *, key: str) -> str:
        self.calls += 1
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        self.sent.append((address, message))
        return f"id{self.calls}"

    @property
    def texts(self) -> list[str]:
        return [message.text for _, message in self.sent]


def engine(writer: Any, clock: Any, *channels: FakeChannel, **more: Any) -> Engine:
    """An engine whose sleep moves the test's clock."""
    from notices.channel import Channels

    async def sleep(seconds: float) -> None:
        clock.now += timedelta(seconds=seconds)

    by_name = Channels({channel.name: channel for channel in channels})
    more = {"seconds": lambda: clock.now.timestamp(), **more}
    return Engine(write=writer.write, channels=by_name, clock=clock, sleep=sleep, **more)


def letter(**more: Any) -> Letter:
    """A letter of branch 10's secretary to the whole branch, not queued yet."""
    values: dict[str, Any] = {
        "topic_id": "superior_spirit",
        "author_id": SUN,
        "organization_id": LIANGFENG,
        "audience": {"node": LIANGFENG, "who": "all"},
        "title": "关于做好防汛值守的通知",
        "body": "今晚有大雨，请各网格留人值守。",
        "lane": 1,
        "created_at": NOON,
    }
    return Letter(**{**values, **more})


def queued(session: Session, **more: Any) -> int:
    """Queue such a letter; its id."""
    made = letter(**more)
    queue_letter(session, made, NOON)
    assert made.id is not None
    return made.id


def note(
    session: Session, member_id: int, text: str = "有人认领了您的心愿。", key: str = "n1", **more: Any
) -> bool:
    """Tell a member something."""
    return tell(session, member_id=member_id, key=key, message=Message(text), now=NOON, **more)


def rows(session: Session) -> list[Delivery]:
    """Every delivery, the oldest first."""
    session.expire_all()
    return list(session.exec(select(Delivery).order_by(Delivery.id)))  # type: ignore[arg-type]


def states(session: Session) -> dict[int, str]:
    """State by member."""
    return {row.member_id: row.state for row in rows(session)}


def bind(session: Session, member_id: int, channel: str, **more: Any) -> Chat:
    """A second chat for a member, heard from later than the web chat."""
    chat = Chat(
        channel=channel, address=f"{channel}:{member_id}", member_id=member_id, choices={}, heard_at=NOON, **more
    )
    session.add(chat)
    session.flush()
    return chat


async def drained(sender, clock=None, rounds=20):
    for _ in range(rounds):
        if not await sender.drain_once():
            return


async def claimed(sender):
    """It has the lease, and one handful in its hand."""
    await sender.recover()
    await sender._hand.claim(alone=True)
