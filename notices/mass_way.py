"""Whether a letter may go to somebody by mass letter, and what it says there. Asked by the planner."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import mass
from db.addressees import Addressee, Reach
from db.letters import Letter, Topic
from db.sending import LANES, Claimed
from notices.channel import Channels, MassChannel, Message
from notices.letter_words import is_personal
from notices.letters import key_of, letter_message
from notices.mass_rules import mass_rules
from notices.parting import cut
from notices.wording import wording

CITY_LANE = LANES[-1]


class MassWay:
    """The mass letters of one planning. people: everybody whom it is about, for one look at their counts."""

    def __init__(
        self, session: Session, people: Mapping[int, Addressee], channels: Channels, now: datetime, zone: ZoneInfo
    ) -> None:
        self._session = session
        self._people = people
        self._channels = channels
        self._now = now
        self._zone = zone
        self._messages: dict[tuple[int, str, str], Message | None] = {}
        self._taken: dict[str, Mapping[str, int]] = {}

    def is_open(self, row: Claimed, letter: Letter | None, topic: Topic | None, reach: Reach) -> bool:
        """Whether this row may be gathered for a batch in this chat."""
        rules = mass_rules(reach.channel)
        if rules is None or letter is None or topic is None or not goes_to_many(row, letter):
            return False
        if self.message(letter, topic, reach.channel, reach.language) is None:
            return False
        return self._counts(reach.channel).get(reach.address, 0) < rules.a_month

    def message(self, letter: Letter, topic: Topic, channel: str, language: str) -> Message | None:
        """What a batch in this language says; None when it cannot go by mass letter."""
        key = (letter.id or 0, channel, language)
        if key not in self._messages:
            self._messages[key] = mass_message(letter, topic, self._channels, channel, language, self._zone)
        return self._messages[key]

    def _counts(self, channel: str) -> Mapping[str, int]:
        if channel not in self._taken:
            rules = mass_rules(channel)
            assert rules is not None
            chats = (reach for one in self._people.values() for reach in one.chats)
            among = {reach.address for reach in chats if reach.channel == channel}
            self._taken[channel] = mass.taken(self._session, channel, rules.month(self._now), among)
        return self._taken[channel]


def goes_to_many(row: Claimed, letter: Letter) -> bool:
    """Whether a row may wait for others: it is a letter to the city itself, whole, the same for everybody.

    A reminder of it is not: what is allowed in a month is too little for that.
    """
    of_city = letter.lane == CITY_LANE and not letter.urgent and not is_personal(letter)
    return of_city and row.part == 1 and row.content is None and row.key == key_of(letter)


def mass_message(
    letter: Letter, topic: Topic, channels: Channels, channel: str, language: str, zone: ZoneInfo
) -> Message | None:
    """The letter in one text, or None: the channel has no mass letters, it has a picture, or it is too long."""
    found = channels.get(channel)
    if not isinstance(found, MassChannel):
        return None
    whole = letter_message(letter, topic, wording(language), zone)
    parts = cut(whole, found, marked=found.name in channels.marked, worded=found.name in channels.worded)
    return parts[0] if len(parts) == 1 and whole.picture is None else None
