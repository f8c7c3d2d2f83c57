"""What a channel hands in and what a conversation gives back. Knows no channel by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import members
from db.accounts import Speaker
from db.organizations import Organization
from notices.channel import HOME, Button, Message, Picture
from notices.markup import Mark
from notices.wording import Wording

T = TypeVar("T")
__all__ = ["HOME", "Beside", "Button", "Command", "Context", "Incoming", "Message", "Picture", "Reply"]

GroupKind = Literal["group_joined", "group_left", "group_silent", "group_moved"]
"""What became of the service in a group: added or heard again, removed, not allowed to write, at a new address."""

Kind = Literal[
    "text", "button", "scan", "follow", "unfollow", "location", "image", "file", "voice", "other", GroupKind
]


@dataclass(frozen=True, slots=True)
class Incoming:
    """One thing that a person did, in the same form from every channel.

    text: what was typed or said; for a button its action; for a scan, a follow by QR code or a deep link
    the code in it; for `group_moved` the new address, for `group_joined` `new` or nothing. picture, file: the
    platform's own reference to a picture or a table that was sent. group: where it was said, None for a person's
    own chat; else `address` is the chat of who spoke, empty for somebody unknown. on: our message there that was
    pressed or replied to. thread: the topic of a forum in which it was said, 0: the general one, or no forum.
    """

    channel: str
    address: str  # the chat at the platform: who
    key: str  # the platform's message key: the same for every redelivery, unique within the channel
    sent_at: datetime  # aware; when the person sent it, as the platform says
    kind: Kind = "text"
    text: str = ""
    point: tuple[float, float] | None = None  # latitude, longitude
    picture: str | None = None
    file: str | None = None
    file_name: str = ""
    unasked: bool = False  # reported by the phone, not by its owner: answered only when it is waited for
    group: str | None = None
    on: str = ""
    thread: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one Incoming, and what the chat then waits for.

    expect: the action that takes the next free text, picture or location (it is appended as the last argument);
    None ends the dialogue. back: the action behind `9`. Dispatch adds `9` and `0` to the buttons.
    """

    text: str
    buttons: tuple[Button, ...] = ()
    picture: Picture | None = None
    ask_location: bool = False
    expect: str | None = None
    back: str = HOME
    at_home: bool = False  # this is the menu: no way home is shown
    marks: tuple[Mark, ...] = ()  # what of `text` is bold, italic or a link

    def message(self) -> Message:
        """The part that a person sees."""
        return Message(self.text, self.buttons, self.picture, self.ask_location, marks=self.marks)


class Beside(Exception):
    """A handler needs what takes long to read. Dispatch reads it beside the writer, and runs the handler again.

    Nothing that the handler did before it asked stands. key: under which it finds it in `Context.read_beside`.
    """

    def __init__(self, key: str, work: Callable[[Session], Any]) -> None:
        super().__init__(key)
        self.key = key
        self.work = work


@dataclass(slots=True)
class Context:
    """Everything that a handler may use. `session` is inside the one transaction of this message.

    `who` is the person and the chat. `now` is the instant of the message (aware UTC), `today` its day on the
    city's calendar. `args` are the words after the command, or the button's arguments.
    """

    session: Session
    incoming: Incoming
    who: Speaker
    now: datetime
    zone: ZoneInfo
    say: Wording
    args: tuple[str, ...] = ()
    picture_id: int | None = None  # the row of the picture that came with this message
    demo: bool = False
    names_allowed: bool = True  # False on a channel abroad: no full names, no member lists
    takes_files: bool = True  # False on a channel over which no table can be sent
    site: str = ""  # where the web pages are, as people open them; empty: not known
    cards_page: str = ""  # where people of this channel agree to be shown cards; empty: there are none
    read_beside: Mapping[str, Any] | None = None  # what was read for this message; None: nothing is read beside

    def long_read(self, key: str, work: Callable[[Session], T]) -> T:
        """What `work` reads, from a moment before this transaction, so that nobody waits while it is read.

        key: its name within this message. `work` gets a session of its own and sees nothing of this message.
        """
        if self.read_beside is None:
            return work(self.session)
        if key not in self.read_beside:
            raise Beside(key, work)
        found: T = self.read_beside[key]
        return found

    def called(self, name: str) -> str:
        """A person's name where names may be said, else how one speaks of somebody over such a channel."""
        return name if self.names_allowed else self.say("dispatch.pseudonym", first=name[:1])

    @property
    def today(self) -> date:
        """The day of the message on the city's calendar."""
        return self.now.astimezone(self.zone).date()

    @property
    def me(self) -> int:
        """The member who speaks. Only for commands that are not open to strangers."""
        assert self.who.member_id is not None, "dispatch lets no stranger into a members' command"
        return self.who.member_id

    @property
    def branch_id(self) -> int | None:
        """The branch that the member belongs to today; None for a member without one."""
        return self.who.branch_id

    def branch(self) -> Organization | None:
        """The branch that the member belongs to today."""
        return self.session.get(Organization, self.who.branch_id) if self.who.branch_id else None

    def roles(self) -> Sequence[tuple[str, Organization]]:
        """The roles that the member holds today, each with its node; empty for a stranger."""
        if self.who.member_id is None:
            return ()
        return members.roles_of(self.session, self.who.member_id, self.today)

    def node(self, role: str) -> Organization | None:
        """The node on which the member holds `role` today (the highest one), or None."""
        nodes = [node for held, node in self.roles() if held == role]
        return min(nodes, key=lambda node: len(node.path), default=None)

    def arg(self, place: int = 0) -> str:
        """The argument at `place`, or an empty text."""
        return self.args[place] if len(self.args) > place else ""

    def arg_id(self, place: int = 0) -> int | None:
        """The argument at `place` as an id, or None when it is not a plain number (a forged or mistyped one)."""
        word = self.arg(place)
        number = int(word) if word.isascii() and word.isdigit() and len(word) < 12 else None
        return number if number is not None and number < 2**31 else None  # PostgreSQL refuses more for an id


@dataclass(frozen=True, slots=True)
class Command:
    """One conversation. `name` is permanent: buttons that people still hold refer to it.

    words: what people type, Chinese first; the first one is shown. `run` may read and write the database;
    it never sends, commits or waits. roles: who may use it, empty for every member; a person needs one of them.
    steps: what people say for one step of the conversation, and that step's arguments as an action has them
    (`{"我的取货码": "mine"}`). acts: it does something at once, so a guess at what was meant is only offered.
    secret: steps to which nobody shall find what was said: no channel and no log keeps it.
    openings: how a sentence begins whose rest belongs to a step (`{"暂停到": "pause:say"}` for `暂停到3月1日`);
    with `#` at its end it counts only before a number (`暂停10天`, not `暂停发送`).
    instead: the action that its bare words stand for when somebody says them who may not use it.
    politely: its words count with courtesies around them, too (`好的，收到，谢谢书记`).
    """

    name: str
    words: tuple[str, ...]
    run: Callable[[Context], Reply]
    slash: tuple[str, ...] = ()
    roles: frozenset[str] = frozenset()
    strangers: bool = False  # may people without a binding use it?
    phrases: tuple[str, ...] = ()  # how people say it in their own words; matched by meaning
    in_menu: bool = True  # for every member; what comes with a role is listed in handlers/work.py
    only_mobile: bool = False  # in the menu of those alone who live in another city
    order: int = 50  # place in the menu
    steps: Mapping[str, str] = field(default_factory=dict)
    openings: Mapping[str, str] = field(default_factory=dict)
    acts: bool = False
    secret: frozenset[str] = frozenset()
    politely: bool = False
    instead: str = ""
