"""A message in parts that a channel can carry: `（1/3）`, cut at sentence ends, the buttons on the last one.

Each part is a row of the outbox of its own, written when the part before has arrived: a long letter that breaks
off goes on with the part that failed. A picture that the words do not fit below is a part by itself, before them.
"""

from __future__ import annotations

from dataclasses import replace

from notices.channel import CaptionChannel, Channel, Message
from notices.markup import Marked, joined, pieces

MARK = "（{place}/{of}）\n"
WIDEST_MARK = MARK.format(place=99, of=99)
WIDEST_GAP = "\u3000"  # between two next steps in words, and as many bytes as any channel puts there


def cut(message: Message, channel: Channel, *, marked: bool = False, worded: bool = False) -> list[Message]:
    """The message in parts with their places. marked, worded: what `Channels` says of this channel."""
    if not marked:
        message = replace(message, text=message.plain(), marks=())
    if message.picture and isinstance(channel, CaptionChannel) and not channel.fits_below(message.text):
        alone, words = Message("", picture=message.picture), replace(message, picture=None)
        return [alone, *cut(words, channel, marked=True, worded=worded)]
    below = "".join(WIDEST_GAP + label for label in message.labels()) if worded else ""
    if len(channel.parts(message.text + below)) == 1:
        return [message]
    texts: list[str] = []
    reserved = WIDEST_MARK + below
    rest = message.text
    while rest:
        piece = channel.parts(reserved + rest)[0][len(reserved) :]
        if not piece or not rest.startswith(piece):  # the channel alters the text: its own cuts, without marks
            return _parts(message, [Marked(part) for part in channel.parts(message.text)])
        texts.append(piece)
        rest = rest[len(piece) :].lstrip()
    found = pieces(message.text, message.marks, texts)
    places = (MARK.format(place=place, of=len(found)) for place in range(1, len(found) + 1))
    return _parts(message, [joined(both, "") for both in zip(places, found, strict=True)])


def _parts(message: Message, found: list[Marked]) -> list[Message]:
    *before, last = found
    return [
        *(Message(part.text, marks=part.marks) for part in before),
        replace(message, text=last.text, marks=last.marks),
    ]
