"""What may be said on a card: what fits one as a whole, or that something waits. Asked by the planner.

A card never takes the place of what does not fit it. Then the row waits in its member's mailbox as ever, and a row
of its own, a knock, says on a card that it waits: once a day for each kind of thing, and only while it does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import cards, consents, deliveries
from db.addressees import Addressee, Reach
from db.letters import Letter
from db.sending import Claimed
from notices.card_rules import KNOCK, Way, kind_of, rules
from notices.channel import CardChannel, Channels, Message, message_from_json
from notices.decisions import Decision, End, Knock, Parcel
from notices.letters import name_of
from notices.outbox import meant_for
from notices.wording import wording

PLATFORM = ZoneInfo("Asia/Shanghai")  # whose days count
KNOCK_FOR = timedelta(days=1)
NO_CARD = End("suppressed", "no_card")


class CardWay:
    """The cards of one planning. people: everybody whom it is about, for one look at their consents."""

    def __init__(
        self, session: Session, people: Mapping[int, Addressee], channels: Channels, now: datetime
    ) -> None:
        self._session = session
        self._people = people
        self._channels = [one for one in channels.by_name.values() if isinstance(one, CardChannel)]
        self._now = now
        self._open: dict[str, dict[tuple[str, str], int]] = {}
        self._taken: dict[str, int] = {}
        self._names: dict[int, str] = {}

    def whole(self, row: Claimed, reach: Reach, refused: Collection[tuple[str, str]]) -> Parcel | None:
        """The row on a card in this chat; None when it does not fit one as a whole, or none is to be had."""
        if not self._channels or row.content is None or row.part > 1:
            return None
        message = message_from_json(row.content)
        if message.buttons or message.picture or message.ask_location or "then" in row.content:
            return None
        for channel, way, template in self._cards(row.key, message, reach, refused):
            self._take(channel.name, way, reach.address, template)
            return Parcel(row, channel.name, reach.address, message, cost=0, template=template)
        return None

    def knock(self, row: Claimed, member: Addressee, letter: Letter | None, zone: ZoneInfo) -> Knock | None:
        """What to say on a card about a row that waits; None when no card is to be had for it."""
        for reach in self._chats(row, member) if row.part == 1 else ():
            kind = kind_of(row.key)
            key = f"{KNOCK}{kind}:{self._now.astimezone(zone).date().isoformat()}"
            text = wording(reach.language)(f"cards.{kind}") if letter is None else self._name(letter)
            if next(self._cards(key, Message(text), reach, ()), None) is not None:
                return Knock(key, Message(text))
        return None

    def knocking(self, row: Claimed, member: Addressee, refused: Collection[tuple[str, str]]) -> Decision:
        """What to do with a knock."""
        if deliveries.oldest_in_mailbox(self._session, member.id, self._now) is None:
            return End("suppressed", "handed_over")
        found = (self.whole(row, reach, refused) for reach in self._chats(row, member))
        return next((parcel for parcel in found if parcel is not None), NO_CARD)

    def _name(self, letter: Letter) -> str:
        """What the letter is called, read once: many wait for the same."""
        if letter.id not in self._names:
            self._names[letter.id or 0] = name_of(letter)
        return self._names[letter.id or 0]

    def _chats(self, row: Claimed, member: Addressee) -> Iterator[Reach]:
        beside = {one.beside for one in self._channels}
        for reach in member.chats:
            here = reach.channel in beside and not reach.disabled
            if here and meant_for(row.content, reach.channel, reach.address):
                yield reach

    def _cards(
        self, key: str, message: Message, reach: Reach, refused: Collection[tuple[str, str]]
    ) -> Iterator[tuple[CardChannel, Way, str]]:
        """(channel, way, template) of every card that takes the message in this chat, and is to be had."""
        for channel in self._channels:
            way = rules().ways[channel.name.partition(":")[2]]
            if channel.beside != reach.channel or (channel.name, reach.address) in refused:
                continue
            for template in channel.templates(key, message):
                if self._left(channel.name, way, reach, template) > 0:
                    yield channel, way, template

    def _left(self, name: str, way: Way, reach: Reach, template: str) -> int:
        if way.consented:
            if reach.channel not in self._open:
                chats = (one for member in self._people.values() for one in member.chats)
                among = {one.address for one in chats if one.channel == reach.channel}
                self._open[reach.channel] = consents.counts(self._session, reach.channel, among)
            return self._open[reach.channel].get((reach.address, template), 0)
        if name not in self._taken:
            self._taken[name] = cards.taken(self._session, name, self._now.astimezone(PLATFORM).date())
        return way.a_day - self._taken[name] if way.a_day else 1

    def _take(self, name: str, way: Way, address: str, template: str) -> None:
        """The next row must see what this one takes."""
        if way.consented:
            self._open[name.partition(":")[0]][address, template] -= 1
        else:
            self._taken[name] += 1


def is_knock(row: Claimed) -> bool:
    """Whether a row only says that something waits."""
    return row.key.startswith(KNOCK)


def write_knock(session: Session, row: Claimed, knock: Knock, now: datetime) -> bool:
    """Write the knock about a row that waits; False when its member has had one of this kind today."""
    ends = now + KNOCK_FOR
    return deliveries.enqueue(
        session,
        key=knock.key,
        member_id=row.member_id,
        content=knock.message.to_json(),
        lane=row.lane,
        urgent=row.urgent,
        not_before=now,
        expires_at=min(ends, row.expires_at) if row.expires_at is not None else ends,
    )


def take(session: Session, parcel: Parcel, now: datetime) -> bool:
    """Take the consent or the place in the day that a card costs, with the intent; False when none is left.

    True for everything that is no card.
    """
    if not parcel.template:
        return True
    chat_channel, _, name = parcel.channel.partition(":")
    way = rules().ways[name]
    if way.consented:
        return consents.spend(
            session,
            channel=chat_channel,
            address=parcel.address,
            template=parcel.template,
            delivery_id=parcel.row.id,
        )
    return not way.a_day or cards.take(session, parcel.channel, now.astimezone(PLATFORM).date(), way.a_day)


def give_back(session: Session, parcel: Parcel, reason: str, now: datetime) -> None:
    """The card certainly was not shown: its consent is open again, unless the platform knows of none."""
    if not parcel.template:
        return
    consents.give_back(session, [parcel.row.id])
    if reason == "no_consent":
        consents.withdraw(session, parcel.channel.partition(":")[0], parcel.address, parcel.template, now)
