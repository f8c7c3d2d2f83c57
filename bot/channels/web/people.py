"""Who speaks on the web in the demo: a sample person by role, any member by number, or a stranger by any name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlmodel import Session

from bot.channels.web.lines import NAME
from db import accounts
from db.accounts import Chat
from db.members import Member

People: TypeAlias = Mapping[str, int]
"""The sample people: role (`member`, `secretary`, `mobile`, `reviewer`, `keeper`) -> member id."""

NAME_MAX = 64  # characters of a stranger's name
MEMBER_DIGITS_MAX = 11


class UnknownMember(LookupError):
    """There is no member with this number."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One of the sample people, as the demo strip shows them."""

    role: str
    member_id: int
    name: str


def address_of(session: Session, as_: int | str, people: People, now: datetime) -> str:
    """The chat of `as_`. A member's is made, and bound to the member, when it is used for the first time.

    Raises UnknownMember for a number that no member has.
    """
    member_id = people.get(as_) if isinstance(as_, str) else as_
    if member_id is None and isinstance(as_, str):
        if not (as_.isascii() and as_.isdigit() and len(as_) <= MEMBER_DIGITS_MAX):
            return f"guest:{as_}"
        member_id = int(as_)
    if member_id is None or session.get(Member, member_id) is None:
        raise UnknownMember(as_)
    address = f"member:{member_id}"
    if accounts.chat_at(session, NAME, address) is None:
        session.add(Chat(channel=NAME, address=address, member_id=member_id, bound_at=now, choices={}))
        session.flush()
    return address


def samples(session: Session, people: People) -> list[Sample]:
    """The sample people who exist, with their names."""
    found = []
    for role, member_id in people.items():
        member = session.get(Member, member_id)
        if member is not None:
            found.append(Sample(role, member_id, member.name))
    return found
