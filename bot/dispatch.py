"""One message, one transaction, one reply: the way of every message from every channel."""

from __future__ import annotations

import logging
import re
import zlib
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from bot.writer import Writer
from db import accounts, inbound, pictures
from db.failpoints import reach
from handlers import COMMANDS, group_talk
from handlers.conversation import Beside, Button, Command, Context, Incoming, Message, Reply
from handlers.meaning import folded
from handlers.menu import MENU
from handlers.routing import is_secret, respond
from notices import mailbox, quotas
from notices.channel import BACK_NUMBER, HOME, HOME_NUMBER, message_from_json
from notices.wording import wording

log = logging.getLogger(__name__)
T = TypeVar("T")
LABEL_MAX = 12  # characters: nobody types more to pick a button
NAME_MIN = 2  # characters of a label's first words that are enough to pick it
NAME_ENDS = re.compile("[（(，,：:]")
CLOCK_SLACK = timedelta(minutes=2)  # a platform's clock may run ahead of ours by this much


@dataclass(frozen=True, slots=True)
class Answer:
    """What to give back. message None: nothing is said. first False: a redelivery, the stored reply again.

    taken: the platform has already taken this reply, so a channel that pushes replies need not push it again.
    picture_id: the row of a picture that came with the message and is still to be fetched from the platform.
    rebound: the chat has got or lost its member. toast: words for the one who pressed a button in a group, and for
    nobody else. refers: the group is to be told that personal matters are private, unless it just was.
    """

    inbound_id: int | None
    message: Message | None
    first: bool = True
    taken: bool = False
    member_id: int | None = None
    picture_id: int | None = None
    rebound: bool = False
    toast: str = ""
    refers: bool = False


class Dispatcher:
    """Takes messages in. `clock` gives the present instant, aware, in UTC.

    abroad: channels over which no full name and no list of members goes. on_picture: called when a message
    brought a picture whose bytes are still to be fetched. on_file: the same for a table. without_files: channels
    that carry none. site: where the web pages are. cards_pages: per channel where its people agree to be shown
    cards. on_rebound: told of a chat that has got or lost its member. read: reads beside the writer.
    """

    def __init__(
        self,
        writer: Writer,
        *,
        zone: ZoneInfo,
        clock: Callable[[], datetime] | None = None,
        commands: Sequence[Command] = COMMANDS,
        demo: bool = False,
        abroad: Collection[str] = (),
        without_files: Collection[str] = ("wechat",),
        site: str = "",
        cards_pages: Mapping[str, str] = MappingProxyType({}),
        on_picture: Callable[[], None] = lambda: None,
        on_file: Callable[[], None] = lambda: None,
        on_rebound: Callable[[str, str], None] = lambda _channel, _address: None,
        read: Callable[[Callable[[Session], Any]], Awaitable[Any]] | None = None,
    ) -> None:
        self._writer = writer
        self.zone = zone
        self.clock = clock or (lambda: datetime.now(UTC))
        self.demo = demo
        self._abroad = frozenset(abroad)
        self._without_files = frozenset(without_files)
        self._site = site
        self._cards_pages = cards_pages
        self._on_picture = on_picture
        self._on_file = on_file
        self._on_rebound = on_rebound
        self._read = read or writer.write
        self._commands = tuple(commands)

    async def answer(self, incoming: Incoming) -> Answer:
        """The reply to `incoming`, committed with everything that it did.

        A handler that fails loses what it did; its person gets an apology with an id that the log has, too.
        Raises only when not even the apology can be stored (then the platform delivers again).
        """
        incoming = replace(incoming, sent_at=self._plausible(incoming.sent_at))
        person = f"{incoming.channel}:{incoming.group or incoming.address}"
        answer = await self._answer(incoming, person)
        reach("inbox.after_commit")
        if answer.picture_id is not None:
            self._on_picture()
        if incoming.file is not None:
            self._on_file()
        if answer.rebound:
            self._on_rebound(incoming.channel, incoming.address)
        return answer

    async def _answer(self, incoming: Incoming, person: str) -> Answer:
        found: dict[str, Any] = {}
        try:
            while True:
                try:
                    return await self._write(lambda session: self._take_in(session, incoming, found), person)
                except Beside as asked:
                    found[asked.key] = await self._read(asked.work)
        except Exception:
            incident = _incident(incoming)
            log.exception("message %s failed (%s, %s)", incident, incoming.channel, incoming.kind)
            return await self._writer.write(
                lambda session: self._apologise(session, incoming, incident), person=person
            )

    async def _write(self, take_in: Callable[[Session], Answer], person: str) -> Answer:
        try:
            return await self._writer.write(take_in, person=person)
        except (inbound.Repeated, IntegrityError):  # another process was first, and its reply stands now
            return await self._writer.write(take_in, person=person)

    async def taken(self, answer: Answer) -> None:
        """Note that the platform has taken the reply, so that a restart does not send it again."""
        inbound_id = answer.inbound_id
        if inbound_id is not None and not answer.taken:
            now = self.clock()
            await self._writer.write(lambda session: inbound.taken(session, inbound_id, now))

    async def agree(self, answer: Answer, way: str) -> bool:
        """Whether the reply takes this way; False when another process answers the same message another way."""
        inbound_id = answer.inbound_id
        if inbound_id is None:
            return True
        return await self._writer.write(lambda session: inbound.agree(session, inbound_id, way))

    async def write(self, work: Callable[[Session], T]) -> T:
        """Run `work` in a transaction and commit it."""
        return await self._writer.write(work)

    def _plausible(self, sent_at: datetime) -> datetime:
        """When it was sent, as far as that can be true: never in our future."""
        now = self.clock()
        return now if sent_at > now + CLOCK_SLACK else sent_at.astimezone(UTC)

    def _take_in(self, session: Session, incoming: Incoming, found: Mapping[str, Any]) -> Answer:
        stored = inbound.known(session, incoming.channel, incoming.key)
        if stored:
            inbound_id, reply, taken = stored
            return Answer(inbound_id, message_from_json(reply) if reply else None, first=False, taken=taken)
        if incoming.group is not None:
            return self._heard(session, self._in_group(session, incoming))
        context = self._context(session, incoming)
        context.read_beside = found
        if incoming.unasked and not context.who.expect:
            return self._store(session, context, None)  # a place that the phone reported by itself
        if incoming.kind == "unfollow":
            quotas.heard(context.who, incoming.kind, context.now)
            accounts.remember(session, context.who, incoming.sent_at)
            accounts.disable(session, incoming.channel, incoming.address, "left")
            return self._store(session, context, None)
        before = context.who.member_id
        secret = is_secret(context, self._commands)  # asked before the answer, which changes what is waited for
        answer = self._settle(session, context, respond(context, self._commands), secret=secret)
        return replace(answer, rebound=True) if context.who.member_id != before else answer

    def _in_group(self, session: Session, incoming: Incoming) -> Context:
        """What is said in a group begins no dialogue and no chat: only who speaks is looked up."""
        who = accounts.speaker(session, incoming.channel, incoming.address, self._day(incoming))
        return Context(
            session, incoming, who, incoming.sent_at, self.zone, wording(who.language), names_allowed=False
        )

    def _heard(self, session: Session, context: Context) -> Answer:
        heard = group_talk.hear(context)
        if not heard.kept:
            return Answer(None, None)
        said = Message(heard.text, thread=context.incoming.thread) if heard.text else None
        stored = self._store(session, context, said)
        return replace(stored, toast=heard.toast, refers=heard.refers)

    def _apologise(self, session: Session, incoming: Incoming, incident: str) -> Answer:
        if incoming.group is not None:
            context = self._in_group(session, incoming)
            toast = context.say("groups.toast_failed") if incoming.kind == "button" else ""
            return replace(self._store(session, context, None), toast=toast)
        context = self._context(session, incoming)
        say = context.say
        secret = is_secret(context, self._commands)
        again = (Button(say("dispatch.again"), incoming.text, 1),) if incoming.text and not secret else ()
        failed = Reply(say("dispatch.failed", incident=incident), again)
        return self._settle(session, context, failed, secret=secret)

    def _day(self, incoming: Incoming) -> date:
        return incoming.sent_at.astimezone(self.zone).date()

    def _context(self, session: Session, incoming: Incoming) -> Context:
        who = accounts.speaker(session, incoming.channel, incoming.address, self._day(incoming))
        if who.chat_id is None:
            accounts.begin(session, who)
        picture_id = None
        if incoming.picture:
            picture_id = pictures.receive(
                session, incoming.channel, incoming.picture, who.member_id, incoming.sent_at
            )
        say = wording(who.language)
        names_allowed = incoming.channel not in self._abroad
        if who.name and not names_allowed:
            who.name = say("dispatch.pseudonym", first=who.name[0])
        return Context(
            session=session,
            incoming=incoming,
            who=who,
            now=incoming.sent_at,
            zone=self.zone,
            say=say,
            picture_id=picture_id,
            demo=self.demo,
            names_allowed=names_allowed,
            takes_files=incoming.channel not in self._without_files,
            site=self._site,
            cards_page=self._cards_pages.get(incoming.channel, ""),
        )

    def _settle(self, session: Session, context: Context, reply: Reply, *, secret: bool = False) -> Answer:
        """Complete the reply with the ways out and a waiting letter, and note what the chat waits for."""
        reach("handler.mid")
        who, incoming = context.who, context.incoming
        message = replace(_with_exits(reply, context), hides=secret)
        if who.mailbox and who.member_id is not None and reply.expect is None:  # no letter into a dialogue
            message = mailbox.handed_over(session, who, message, context.now)
        who.choices = choices_of(message)
        who.expect, who.back = reply.expect, reply.back
        if incoming.channel == "wechat":
            quotas.heard(who, incoming.kind, context.now)
        accounts.remember(session, who, incoming.sent_at)
        return self._store(session, context, message)

    @staticmethod
    def _store(session: Session, context: Context, message: Message | None) -> Answer:
        incoming = context.incoming
        inbound_id = inbound.take_in(
            session,
            channel=incoming.channel,
            key=incoming.key,
            address=incoming.group or incoming.address,
            received_at=incoming.sent_at,
            reply=message.to_json() if message else None,
        )
        reach("inbox.before_commit")
        return Answer(inbound_id, message, member_id=context.who.member_id, picture_id=context.picture_id)


def choices_of(message: Message) -> dict[str, str]:
    """What people may type to pick a next step: its number, the words on it, or the first of them.

    `水杯` picks `水杯（20 分，剩 6）`, unless another choice begins with the same words.
    """
    numbered = message.numbered()
    by_label = {folded(button.label): button.action for _, button in numbered if len(button.label) <= LABEL_MAX}
    names = [folded(NAME_ENDS.split(button.label, maxsplit=1)[0]) for _, button in numbered]
    by_name = {
        name: button.action
        for name, (_, button) in zip(names, numbered, strict=True)
        if NAME_MIN <= len(name) <= LABEL_MAX and names.count(name) == 1 and name not in MENU.words
    }
    return by_name | by_label | {str(number): button.action for number, button in numbered}


def _with_exits(reply: Reply, context: Context) -> Message:
    """The reply as a message that is never a dead end: `9` back and `0` home where they are not there yet."""
    message = reply.message()
    numbers = {button.number for button in message.buttons}
    actions = {button.action for button in message.buttons}
    exits: list[Button] = []
    if BACK_NUMBER not in numbers and reply.back != HOME and reply.back not in actions:
        exits.append(Button(context.say("dispatch.back"), reply.back, BACK_NUMBER))
    if HOME_NUMBER not in numbers and not reply.at_home:
        exits.append(Button(context.say("dispatch.home"), HOME, HOME_NUMBER))
    return replace(message, buttons=(*message.buttons, *exits)) if exits else message


def _incident(incoming: Incoming) -> str:
    """A short id that the person can read out and the log can be searched for."""
    return f"R-{zlib.crc32(f'{incoming.channel}:{incoming.key}'.encode()) & 0xFFFFFF:06X}"
