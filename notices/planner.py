"""The way to each member, picked at the moment of sending: which chat, or later, or not at all."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import addressees, gathering, sending
from db.addressees import Addressee, Reach
from db.letters import Letter, Topic
from db.mass import way
from db.sending import Claimed
from notices import quiet, quotas
from notices.card_way import CardWay, is_knock, write_knock
from notices.channel import Channels, Message, message_from_json
from notices.decisions import Decision, End, Gather, Hold, Parcel, Wait
from notices.group_way import decide_for_group, group_of
from notices.letter_stops import stop_without_right
from notices.letter_words import Reader, is_personal, known_abroad
from notices.letters import row_message
from notices.mass_way import MassWay
from notices.outbox import meant_for
from notices.parting import cut
from notices.time_zones import zone_of
from notices.wording import wording

ORDER = ("wechat", "telegram", "web")  # after the member's own preference
WINDOWED = frozenset({"wechat"})  # channels on which a person must have written to us first; see quotas.toml


@dataclass(frozen=True, slots=True)
class Facts:
    """All that decides about one delivery. letter, topic: None for a note. refused: ways that said no for good.

    reader: name and branch, only where the letter has places for them.
    """

    row: Claimed
    member: Addressee
    letter: Letter | None
    topic: Topic | None
    refused: Collection[tuple[str, str]]
    reader: tuple[str, str] | None = None
    mass: MassWay | None = None  # None: nothing goes by mass letter
    cards: CardWay | None = None  # None: nothing is said on cards
    # What others of the batch get, too.
    made: dict[tuple[str, str, str], list[Message]] = field(default_factory=dict)


def plan(
    session: Session, rows: Sequence[Claimed], *, channels: Channels, now: datetime, zone: ZoneInfo
) -> list[Parcel]:
    """What of the claimed rows is to be sent, in their order; the others are put back, ended or in a mailbox."""
    parcels: list[Parcel] = []
    for row, decision in decided(session, rows, channels=channels, now=now, zone=zone):
        if isinstance(decision, Parcel):
            parcels.append(decision)
        elif isinstance(decision, Gather):
            gathering.gather(session, row, channel=decision.channel, address=decision.address, now=now)
        else:
            put_aside(session, row, decision, now)
    return parcels


def decided(
    session: Session, rows: Sequence[Claimed], *, channels: Channels, now: datetime, zone: ZoneInfo
) -> Iterator[tuple[Claimed, Decision]]:
    """What to do with each of the claimed rows, in their order; each decision counts for the next ones."""
    people = addressees.addressees(session, {row.member_id for row in rows})
    found = addressees.letters(session, {row.letter_id for row in rows if row.letter_id is not None})
    for sent_out, _ in found.values():
        stop_without_right(session, sent_out, now, zone)
    readers: dict[int, tuple[str, str]] = {}
    if any(is_personal(letter) for letter, _ in found.values()):
        readers = addressees.names(session, people, now.astimezone(zone).date())
    refused = _by_delivery(addressees.refused_ways(session, (row.id for row in rows if row.attempts)))
    mass, on_cards = MassWay(session, people, channels, now, zone), CardWay(session, people, channels, now)
    made: dict[tuple[str, str, str], list[Message]] = {}
    for row in rows:
        ways: Collection[tuple[str, str]] = refused.get(row.id, ())
        if (group_id := group_of(row.content)) is not None:
            yield row, decide_for_group(session, row, group_id, ways, channels=channels, now=now, zone=zone)
            continue
        letter, topic = found.get(row.letter_id or 0) or (None, None)
        reader = readers.get(row.member_id)
        facts = Facts(row, people[row.member_id], letter, topic, ways, reader, mass, on_cards, made)
        decision = decide(facts, channels=channels, now=now, zone=zone)
        if isinstance(decision, Parcel) and decision.cost:  # the next row must see what this one takes
            _reach(facts.member, decision.channel, decision.address).window_sent += decision.cost
        yield row, decision


def put_aside(session: Session, row: Claimed, decision: Hold | End | Wait, now: datetime) -> None:
    """Write that a claimed row is not sent now."""
    if isinstance(decision, Hold):
        sending.hold(session, row, until=decision.until)
    elif isinstance(decision, End):
        sending.end(session, row, state=decision.state, reason=decision.reason, now=now)
    else:
        sending.to_mailbox(session, row, reason=decision.reason)
        if decision.knock is not None:
            write_knock(session, row, decision.knock, now)


def decide(facts: Facts, *, channels: Channels, now: datetime, zone: ZoneInfo) -> Decision:
    """What to do with one delivery at `now`."""
    row, member = facts.row, facts.member
    if row.expires_at is not None and row.expires_at <= now:
        return End("expired", "too_late")
    if not_wanted := refusal(facts.letter, facts.topic, member, part=row.part, today=now.astimezone(zone).date()):
        return not_wanted
    if not row.urgent:
        night = quiet.until(now, zone_of(member.timezone, zone), member.quiet_from_minute, member.quiet_to_minute)
        if night is not None:
            return Hold(night)
    if facts.cards is not None and is_knock(row):
        return facts.cards.knocking(row, member, facts.refused)
    for reach in _usable(facts, channels):
        if (single := _single(facts, reach, channels, now, zone)) is not None:
            return single
        if facts.cards is not None and (card := facts.cards.whole(row, reach, facts.refused)) is not None:
            return card
        if _goes_to_many(facts, reach):
            return Gather(reach.channel, reach.address)
    if row.part > 1 and not _ways(facts, channels):
        return End("failed", row.reason or "broken_off")  # its beginning is in a chat that is closed now
    knock = facts.cards.knock(row, member, facts.letter, zone) if facts.cards is not None else None
    return Wait(_why_waiting(facts, channels), knock)


def refusal(letter: Letter | None, topic: Topic | None, member: Addressee, *, part: int, today: Any) -> End | None:
    """Why this member is not to get it (any more); None when nothing speaks against it."""
    if letter is not None and letter.state == "stopped":
        return End("cancelled", "stopped")
    if member.status != "active":
        return End("suppressed", member.status)
    if letter is None or topic is None or topic.mandatory or letter.corrects is not None or part > 1:
        return None
    if member.letters_paused_until is not None and today < member.letters_paused_until:
        return End("suppressed", "paused")
    return End("suppressed", "unsubscribed") if topic.id in member.left_topics else None


def _single(facts: Facts, reach: Reach, channels: Channels, now: datetime, zone: ZoneInfo) -> Parcel | None:
    """The message to this chat alone; None when it has refused it, or its window leaves no room."""
    if (reach.channel, reach.address) in facts.refused:
        return None
    left = quotas.left_for(reach, now) if reach.channel in WINDOWED else 0
    if reach.channel in WINDOWED and not left:
        return None
    parcel = _parcel(facts, reach, channels, zone)
    return parcel if not parcel.cost or left >= parcel.cost + len(parcel.rest) else None


def _goes_to_many(facts: Facts, reach: Reach) -> bool:
    """Whether it may go to this chat together with others."""
    if facts.mass is None or (way(reach.channel), reach.address) in facts.refused:
        return False
    return facts.mass.is_open(facts.row, facts.letter, facts.topic, reach)


def _ways(facts: Facts, channels: Channels) -> list[Reach]:
    """Chats that may be tried with a message of its own."""
    return [reach for reach in _usable(facts, channels) if (reach.channel, reach.address) not in facts.refused]


def _usable(facts: Facts, channels: Channels) -> list[Reach]:
    """Chats that are open at all, the best first. Parts of one text all go to the chat that got the first."""
    row, member = facts.row, facts.member
    usable = [
        reach
        for reach in member.chats
        if reach.disabled is None
        and channels.get(reach.channel) is not None
        and meant_for(row.content, reach.channel, reach.address)
        and (row.part == 1 or (reach.channel, reach.address) == (row.channel, row.address))
    ]
    places = {name: place for place, name in enumerate(ORDER)}
    return sorted(
        usable,  # stable: of two chats on one channel the one heard from last
        key=lambda reach: (reach.channel != member.preferred_channel, places.get(reach.channel, len(ORDER))),
    )


def _why_waiting(facts: Facts, channels: Channels) -> str:
    """The reason that a secretary reads: the last refusal, an unreachable chat, or just a closed window."""
    if not facts.member.chats:
        return "no_chat"
    if _ways(facts, channels):
        return "window_closed"
    if facts.refused and facts.row.reason:
        return facts.row.reason
    return next((reach.disabled for reach in facts.member.chats if reach.disabled), "no_way")


def _parcel(facts: Facts, reach: Reach, channels: Channels, zone: ZoneInfo) -> Parcel:
    row = facts.row
    if row.part > 1:
        content = row.content or {}
        messages = [message_from_json(part) for part in (content, *content.get("then", ()))]
    elif row.content is None and facts.reader is None:  # the same words for everybody are made and cut once
        same = (row.key, reach.channel, reach.language)
        if same not in facts.made:
            facts.made[same] = _messages(facts, reach, channels, zone)
        messages = facts.made[same]
    else:
        messages = _messages(facts, reach, channels, zone)
    message, *rest = messages
    cost = 1 + (message.picture is not None) if reach.channel in WINDOWED else 0
    return Parcel(row, reach.channel, reach.address, message, cost, tuple(rest))


def _messages(facts: Facts, reach: Reach, channels: Channels, zone: ZoneInfo) -> list[Message]:
    """What the row says, in the parts that the channel can carry."""
    channel = channels.get(reach.channel)
    assert channel is not None
    row, say = facts.row, wording(reach.language)
    if row.content is not None:
        message = message_from_json(row.content)
    else:
        assert facts.letter is not None
        assert facts.topic is not None
        reader = known_abroad(facts.reader, say) if reach.channel in channels.abroad else facts.reader
        message = row_message(
            row.key, facts.letter, facts.topic, say, zone, Reader(*reader) if reader is not None else None
        )
    name = channel.name
    return cut(message, channel, marked=name in channels.marked, worded=name in channels.worded)


def _by_delivery(refused: Collection[tuple[int, str, str]]) -> dict[int, set[tuple[str, str]]]:
    found: dict[int, set[tuple[str, str]]] = {}
    for delivery_id, channel, address in refused:
        found.setdefault(delivery_id, set()).add((channel, address))
    return found


def _reach(member: Addressee, channel: str, address: str) -> Reach:
    return next(reach for reach in member.chats if (reach.channel, reach.address) == (channel, address))
