"""What every channel can show, and the one error it may raise. The channels in `bot/channels/` fulfil this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from notices.markup import Mark, plain

HOME = "menu"
"""The action behind `0` everywhere."""

HOME_NUMBER, BACK_NUMBER = 0, 9
"""What `0` and `9` mean is the same in every message, as on a telephone menu."""

Verdict = Literal["permanent", "retry", "ambiguous"]


@dataclass(frozen=True, slots=True)
class Button:
    """One next step.

    `action` is what dispatch understands: a command's name and its arguments joined by colons,
    at most 64 bytes so that it fits a Telegram button (`check_in:17`). `number` is what a person
    types to pick it; buttons without one are counted 1, 2, 3... in their order, leaving out 9 (back) and 0 (home).
    """

    label: str
    action: str
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture beside the text. `alt` says in words what it shows, for those who cannot see it.

    kind `qr`: `data["text"]` is drawn as a QR code. kind `chart`: `data["option"]` is an ECharts option.
    kind `stored`: `data["id"]` is a row of `db.pictures`.
    """

    kind: Literal["qr", "chart", "stored"]
    data: Mapping[str, Any]
    alt: str


@dataclass(frozen=True, slots=True)
class Message:
    """What a person sees: words first, then at most one picture, then the next steps."""

    text: str
    buttons: tuple[Button, ...] = ()
    picture: Picture | None = None
    ask_location: bool = False
    hides: bool = False  # what the person said to get this is secret: no channel keeps it
    marks: tuple[Mark, ...] = ()  # what of `text` is bold, italic or a link
    thread: int | None = None  # the forum's topic in which it is said; 0: the general one, None: nobody has said

    def numbered(self) -> list[tuple[int, Button]]:
        """Buttons with the numbers that pick them, in the order in which they are shown."""
        taken = {button.number for button in self.buttons if button.number is not None} | {BACK_NUMBER}
        count = 0
        shown: list[tuple[int, Button]] = []
        for button in self.buttons:
            number = button.number
            if number is None:
                count += 1
                while count in taken:
                    count += 1
                number = count
            shown.append((number, button))
        return shown

    def labels(self) -> list[str]:
        """Each next step as it is written on every channel: `1 签到`."""
        return [f"{number} {button.label}" for number, button in self.numbered()]

    def to_json(self) -> dict[str, Any]:
        """The stored form; `from_json` reads it back."""
        stored: dict[str, Any] = {"text": self.text}
        if self.buttons:
            stored["buttons"] = [[b.label, b.action, b.number] for b in self.buttons]
        if self.picture:
            picture = self.picture
            stored["picture"] = {"kind": picture.kind, "data": dict(picture.data), "alt": picture.alt}
        if self.ask_location:
            stored["ask_location"] = True
        if self.hides:
            stored["hides"] = True
        if self.thread is not None:
            stored["thread"] = self.thread
        if self.marks:
            stored["marks"] = [[mark.start, mark.end, mark.kind, mark.url] for mark in self.marks]
        return stored

    def plain(self) -> str:
        """The words for where no link can be shown."""
        return plain(self.text, self.marks)


def message_from_json(stored: Mapping[str, Any]) -> Message:
    """The message that `Message.to_json` stored."""
    picture = stored.get("picture")
    return Message(
        text=stored["text"],
        buttons=tuple(Button(label, action, number) for label, action, number in stored.get("buttons", ())),
        picture=Picture(picture["kind"], picture["data"], picture["alt"]) if picture else None,
        ask_location=bool(stored.get("ask_location")),
        hides=bool(stored.get("hides")),
        marks=tuple(Mark(*mark) for mark in stored.get("marks", ())),
        thread=stored.get("thread"),
    )


@dataclass
class SendError(Exception):
    """A message that did not certainly arrive; carries what to do next.

    permanent: the platform refused for good. With `disables`, this address is unreachable until its
    person writes again (only refusals that a channel lists by name may say so).
    retry: certainly not sent; `retry_after_s` when the platform named a pause.
    ambiguous: nobody knows whether it arrived; never sent again without the channel's own key.
    `reason` is short, stable and free of secrets: it is stored and shown (`blocked`, `429`, `read_timeout`).
    """

    verdict: Verdict
    reason: str
    retry_after_s: float | None = None
    disables: bool = False
    moved_to: str | None = None  # the new address, when a Telegram group became a supergroup

    def __str__(self) -> str:
        return f"{self.verdict}: {self.reason}"


class Channel(Protocol):
    """One way to reach people. A folder in `bot/channels/` implements it."""

    name: str

    def parts(self, text: str) -> Sequence[str]:
        """`text` cut to the channel's own limit, at sentence ends; one part where it fits."""
        ...

    async def send(self, address: str, message: Message, *, key: str) -> str:
        """Deliver `message`; return the platform's message id (may be empty).

        Returns only when the platform has said yes. `key` is the same for every try of one delivery, for
        platforms that can refuse a repetition. Raises SendError.
        """
        ...


@runtime_checkable
class CaptionChannel(Channel, Protocol):
    """A channel on which words stand below a picture in the same message, as long as they are few."""

    def fits_below(self, text: str) -> bool:
        """Whether so many words do."""
        ...


@runtime_checkable
class PaidChannel(Channel, Protocol):
    """A channel that can also send against a fee, past the limit of what is free of charge."""

    async def send_paid(self, address: str, message: Message, *, key: str) -> str:
        """As `send`, against the fee."""
        ...


@runtime_checkable
class MassChannel(Channel, Protocol):
    """A channel that can also hand one text to many people with one request."""

    async def send_mass(self, addresses: Sequence[str], message: Message, *, key: str) -> str:
        """Hand `message` over; return the platform's id of the whole, by which it reports later.

        That is accepted, not arrived. A second call with the same key reaches nobody twice. Raises SendError.
        """
        ...


@runtime_checkable
class CardChannel(Channel, Protocol):
    """A way to show short cards of fixed fields in the chats of another channel; it is named `THAT:WAY`."""

    beside: str  # that channel

    def templates(self, key: str, message: Message) -> Sequence[str]:
        """Ids of the templates that take the whole of `message`, for a row with this key; the best first."""
        ...


MassState = Literal["sent", "sending", "failed", "unknown"]


@runtime_checkable
class MassAnswering(Protocol):
    """A channel that can be asked what became of a mass letter."""

    async def mass_state(self, platform_id: str) -> MassState:
        """Where the mass letter with the platform's id is. Raises SendError."""
        ...


@dataclass
class Channels:
    """The channels that are switched on, by name.

    keyed: those that do nothing at a second try with the same key, so that a doubtful one is simply made again.
    marked: those that show bold, italics and links. worded: those that have no buttons and write the next steps
    below the words. abroad: those over which no full name goes.
    """

    by_name: dict[str, Channel] = field(default_factory=dict)
    keyed: set[str] = field(default_factory=set)
    marked: set[str] = field(default_factory=set)
    worded: set[str] = field(default_factory=set)
    abroad: set[str] = field(default_factory=set)

    def get(self, name: str) -> Channel | None:
        """The channel, or None when it is not switched on."""
        return self.by_name.get(name)
