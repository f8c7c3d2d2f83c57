"""What the database says, read beside the running service; and the few things of the day that nobody says."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import create_engine, text, update
from sqlalchemy.pool import NullPool
from sqlmodel import col

from db.activities import PresencePrompt
from db.engine import database_url, write_engine
from notices.channel import Message, message_from_json
from tests.day.waiting import until

_LONG_NUMBER = re.compile(r"\d{8,}[\d.:T+-]*")

FACTS = {
    "points": "SELECT member_id, rule_id, cause, points, in_index, in_wallet FROM entry",
    "wallets": "SELECT member_id, balance, debt FROM wallet",
    "totals": "SELECT member_id, rule_id, points, hundredths FROM total",
    "attendance": "SELECT activity_id, member_id, mode, state, round FROM attendance",
    "redemptions": "SELECT member_id, reward_id, points, state, keeper_id FROM redemption",
    "stock": "SELECT id, stock, received FROM reward",
    "wishes": "SELECT wisher_id, title, area, value_yuan, state, reviewed_by FROM wish",
    "claims": "SELECT wish_id, member_id, state, picture_id IS NOT NULL FROM wish_claim",
    "letters": "SELECT author_id, body, state IN ('sending', 'done'), recipients, unbound FROM letter",
    "outbox": "SELECT key, member_id, part FROM delivery",
    "receipts": "SELECT letter_id, member_id, acked_at IS NOT NULL FROM receipt",
    "topics": "SELECT member_id, topic_id, wanted FROM subscription",
    "chats": "SELECT member_id, bound_at IS NOT NULL FROM chat WHERE member_id IS NOT NULL",
    "codes": "SELECT member_id, used_at IS NOT NULL FROM bind_code",
    "presence": "SELECT number, asked_at IS NOT NULL, answered_at IS NOT NULL FROM presence_prompt",
    "audit": "SELECT actor_id, action, subject FROM audit_event",
}
"""Every effect that the day has, in words that do not depend on the moment."""


class Truth:
    """Reads (and, for what the day needs, writes) the database at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = create_engine(database_url(url), poolclass=NullPool)

    def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        """The rows of one query."""
        with self._engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement), values)]

    def replies(self, channel: str, address: str) -> dict[str, Message]:
        """Every reply stored for a chat, by the message's key, in the order of their making."""
        statement = "SELECT key, reply FROM inbound WHERE channel = :channel AND address = :address ORDER BY id"
        found = self.rows(statement, channel=channel, address=address)
        return {key: message_from_json(_json(reply)) for key, reply in found if _json(reply)}

    def under_way(self) -> int:
        """What the service is still about to do by itself: letters to be sent, pictures to be fetched."""
        letters = (
            "SELECT count(*) FROM delivery WHERE state IN ('claimed', 'sending', 'retry')"
            " OR (state = 'queued' AND (channel IS NULL OR channel != 'mailbox'))"
        )
        pictures = "SELECT count(*) FROM picture WHERE content IS NULL AND failed IS NULL"
        return int(self.rows(letters)[0][0] + self.rows(pictures)[0][0])

    async def settled(self) -> None:
        """Wait until nothing is under way."""
        await until(lambda: not self.under_way(), "the outbox is empty")

    def doubts(self) -> int:
        """Letters of which nobody knows whether they arrived: the service died while it sent them."""
        return int(self.rows("SELECT count(*) FROM delivery WHERE state = 'ambiguous'")[0][0])

    def ended_doubts(self) -> int:
        """Letters that were in doubt until somebody answered; the script answers whether or not they came."""
        return int(self.rows("SELECT count(*) FROM delivery WHERE reason = 'answered'")[0][0])

    def facts(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every effect so far."""
        return {name: sorted(map(_plain, self.rows(query)), key=repr) for name, query in FACTS.items()}

    async def presence_is_asked(self) -> None:
        """The first of the random moments comes now: Mo is asked whether he is still there."""
        now = datetime.now(UTC) - timedelta(seconds=1)
        engine = write_engine(self.url)
        with engine.begin() as connection:
            connection.execute(update(PresencePrompt).where(col(PresencePrompt.number) == 1).values(ask_at=now))
        engine.dispose()

    async def presence_was_asked(self) -> None:
        """Wait until the service has asked."""
        asked = "SELECT count(*) FROM delivery WHERE key LIKE 'presence:%'"
        await until(lambda: self.rows(asked)[0][0] > 0, "presence is asked")
        await self.settled()


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row without the moments in its keys, the same from both databases."""
    return tuple(
        int(value)
        if isinstance(value, bool)
        else _LONG_NUMBER.sub("…", value)
        if isinstance(value, str)
        else value
        for value in row
    )


def _json(value: Any) -> Any:
    """A JSON column: SQLite gives its text, PostgreSQL what it says."""
    return json.loads(value) if isinstance(value, str) else value
