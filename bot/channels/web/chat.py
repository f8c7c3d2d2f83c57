"""The web chats: takes what a person says, keeps every line, and wakes the open pages.

A line is stored with its message's key, so saying the same thing again (a page that was reloaded while the answer
was on its way) neither does nor shows anything twice. Pages are always drawn from the stored lines.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeAlias, TypeVar
from zoneinfo import ZoneInfo

from sqlmodel import Session

from bot.channels.web.lines import NAME, Line, Said, holder, line_of, note, speaker, token
from bot.channels.web.strangers import Strangers
from bot.dispatch import Answer, Dispatcher
from bot.incoming_pictures import media_type
from db import audit, pictures, sheets, web
from db.accounts import Speaker
from handlers.conversation import Incoming
from notices import letters
from notices.channel import Message, Picture, message_from_json

TEXT_MAX = 100_000  # characters that one message may have; a conversation says itself what is too long for it
KEY_MAX = 64  # characters of a client's own key
PICTURE_BYTES_MAX = 5 * 2**20
TABLE_BYTES_MAX = 5 * 2**20
HISTORY_COUNT = 40  # lines that a page shows at first

Draw: TypeAlias = Callable[[Picture], Awaitable[bytes]]
T = TypeVar("T")


class BadPicture(ValueError):
    """These bytes are no picture that we show, or too many: `too_large`. `why` names the words for it."""

    def __init__(self, *, too_large: bool) -> None:
        super().__init__("too large" if too_large else "not a picture")
        self.too_large = too_large
        self.why = "picture_large" if too_large else "picture_bad"


class WebChat:
    """All web chats of this process. `draw` gives a picture's bytes."""

    def __init__(self, dispatcher: Dispatcher, draw: Draw) -> None:
        self._dispatcher = dispatcher
        self._draw = draw
        self._watchers: dict[str, list[Callable[[], None]]] = defaultdict(list)
        self._tickets: dict[str, str] = {}
        self.strangers = Strangers()

    @property
    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        return self._dispatcher.clock()

    @property
    def zone(self) -> ZoneInfo:
        """The city's time zone."""
        return self._dispatcher.zone

    def ticket(self, address: str) -> str:
        """What lets the open page of this chat send a table, until `end_ticket`."""
        made = token()
        self._tickets[made] = address
        return made

    def end_ticket(self, ticket: str) -> None:
        """The page is closed."""
        self._tickets.pop(ticket, None)

    def address_of_ticket(self, ticket: str) -> str | None:
        """Whose chat the page with this ticket shows; None when it is closed, or there never was one."""
        return self._tickets.get(ticket)

    async def write(self, work: Callable[[Session], T]) -> T:
        """Run `work` in a transaction and commit it."""
        return await self._dispatcher.write(work)

    async def say(self, address: str, said: Said) -> Answer:
        """The answer, committed, with both lines kept and shown on every open page of this chat.

        Raises BadPicture before anything happens.
        """
        incoming = self._incoming(address, said)
        if said.image is not None:
            await self._keep_picture(incoming, said.image)
        if said.file is not None:
            await self._keep_file(incoming, said.file)
        answer = await self._dispatcher.answer(incoming)
        if said.file is not None and incoming.file is not None:
            reference = incoming.file  # whoever wanted the file has it by now
            await self.write(lambda session: sheets.drop_file(session, NAME, reference))
        await self.write(lambda session: note(session, incoming, said, answer, self.now))
        self.wake(address)
        return answer

    async def push(self, address: str, message: Message, *, key: str) -> str:
        """Add what the service says by itself; the line's id. The same key adds nothing twice."""
        now = self.now

        def add(session: Session) -> int:
            return web.add(
                session,
                address=address,
                key=key,
                speaker="letter",
                member_id=holder(session, address),
                message=message.to_json(),
                at=now,
                picture_token=token(),
            )

        line_id = await self.write(add)
        self.wake(address)
        return str(line_id)

    async def history(
        self, address: str, *, before_id: int | None = None, count: int = HISTORY_COUNT
    ) -> list[Line]:
        """The last `count` lines (older than `before_id`) that its present holder may see, the oldest first."""

        def read(session: Session) -> list[Line]:
            rows = web.recent(session, address, holder(session, address), count=count, before_id=before_id)
            now = self.now
            for row in rows:
                if row.speaker == "letter" and row.member_id is not None:
                    letters.shown(session, row.member_id, row.key, now)
            return [line_of(row) for row in rows]

        return await self.write(read)

    async def who(self, address: str) -> Speaker:
        """Whose chat this is now, and in which language."""
        day = self.now.astimezone(self.zone).date()
        return await self.write(lambda session: speaker(session, address, day))

    async def lines_of(self, address: str, key: str) -> list[Line]:
        """The lines of one message: the person's and the reply's."""
        return await self.write(lambda session: [line_of(row) for row in web.of_message(session, address, key)])

    async def label(self, address: str, action: str) -> str:
        """How the button with this action was written when it was last shown here; the action where it was not."""
        for line in reversed(await self.history(address)):
            for label, (_, button) in zip(line.message.labels(), line.message.numbered(), strict=True):
                if button.action == action:
                    return label
        return action

    async def line(self, address: str, line_id: int) -> Line | None:
        """One line that this chat's present holder may see; None for any other and for none at all."""

        def find(session: Session) -> Line | None:
            row = web.line(session, address, holder(session, address), line_id)
            return line_of(row) if row is not None else None

        return await self.write(find)

    async def letters_for(self, address: str, key: str, *, first: bool) -> Sequence[Line]:
        """The letters that the request `key` carries; see `db.web.tell`."""

        def tell(session: Session) -> list[Line]:
            rows = web.tell(session, address, holder(session, address), key, first=first)
            return [line_of(row) for row in rows]

        return await self.write(tell)

    async def picture(self, token: str) -> bytes:
        """The bytes behind a picture's address. Raises LookupError, and what drawing raises."""
        stored = await self.write(lambda session: web.with_picture(session, token))
        found = message_from_json(stored).picture if stored else None
        if found is None:
            raise LookupError(token)
        return await self._draw(found)

    def watch(self, address: str, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` whenever this chat has a new line; the result ends that."""
        self._watchers[address].append(wake)

        def end() -> None:
            waking = self._watchers.get(address, [])
            if wake in waking:
                waking.remove(wake)
            if not waking:
                self._watchers.pop(address, None)

        return end

    def watched(self) -> list[str]:
        """The chats that open pages of this process show."""
        return list(self._watchers)

    def wake(self, address: str) -> None:
        """This chat has a new line: its open pages look."""
        for wake in tuple(self._watchers.get(address, ())):
            wake()

    def _incoming(self, address: str, said: Said) -> Incoming:
        # Keys are unique within a channel: without the address one person could fetch another's stored reply.
        key = f"{address}|{said.key}"
        reference = hashlib.sha256(key.encode()).hexdigest()
        return Incoming(
            NAME,
            address,
            key,
            self.now,
            kind=said.kind,
            text=said.text,
            point=said.point,
            picture=reference if said.image is not None else None,
            file=reference if said.file is not None else None,
            file_name=said.file_name,
        )

    async def _keep_file(self, incoming: Incoming, content: bytes) -> None:
        """Hold a table for the message that brings it; a stranger's is not kept. Raises BadPicture: too large."""
        if len(content) > TABLE_BYTES_MAX:
            raise BadPicture(too_large=True)
        reference = incoming.file
        assert reference is not None, "a message with a file has a reference"

        def keep(session: Session) -> None:
            if holder(session, incoming.address) is not None:
                sheets.keep_file(session, NAME, reference, content, incoming.sent_at)

        await self.write(keep)

    async def note_refused(self, address: str, size_bytes: int) -> None:
        """Write down that a member's picture was too large. Nothing else of it is kept; of strangers, nothing."""

        def note_it(session: Session) -> None:
            member_id = holder(session, address)
            if member_id is not None:
                subject = f"member:{member_id}"
                audit.record(
                    session,
                    at=self.now,
                    actor_id=member_id,
                    action="picture.refused",
                    subject=subject,
                    size_bytes=size_bytes,
                )

        await self.write(note_it)

    async def _keep_picture(self, incoming: Incoming, image: bytes) -> None:
        """Store the bytes before the message, so that the row is never without them."""
        if len(image) > PICTURE_BYTES_MAX:
            await self.note_refused(incoming.address, len(image))
            raise BadPicture(too_large=True)
        kind = media_type(image)
        if kind is None:
            raise BadPicture(too_large=False)
        digest, reference = hashlib.sha256(image).hexdigest(), incoming.picture
        assert reference is not None, "a message with an image has a reference"

        def keep(session: Session) -> None:
            member_id = holder(session, incoming.address)
            row = pictures.receive(session, NAME, reference, member_id, incoming.sent_at)
            pictures.keep(session, row, kind, image, digest)

        await self.write(keep)
