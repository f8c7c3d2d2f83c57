"""A message as words for a WeChat chat: cut to what fits, and rendered as the passive reply.

Rendering is our own: wechatpy puts a person's text between CDATA marks as it is, so that `]]>` in it ends them.
"""

from __future__ import annotations

import re
import secrets

from bot.channels.wechat.sealing import Key, signature
from notices.channel import Message

TEXT_MAX = 2048  # bytes of UTF-8 in one text, passive reply and customer message alike
GAP = "\u3000"  # a full-width space between two next steps
STEP_LONG = 12  # characters; a longer step gets a line of its own, a phone shows about 18 in one

# XML 1.0 has no place for these, not even escaped. Surrogates cannot be encoded at all.
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
_BREAKS = ("\n", "。！？!?；;…", "，、,：: \u3000")  # best first


def clean(text: str) -> str:
    """`text` without the characters that XML cannot hold. Line feed and tab stay."""
    return _FORBIDDEN.sub("", text)


def words(message: Message, location_hint: str = "") -> str:
    """Everything of `message` that WeChat shows as text: its words, then the numbered next steps.

    location_hint stands between them when the message asks for a location, for which WeChat has no button.
    """
    lines = [message.plain()]
    if message.ask_location and location_hint:
        lines.append(location_hint)
    short: list[str] = []
    for label in [*message.labels(), ""]:
        if label and len(label) <= STEP_LONG:
            short.append(label)
            continue
        if short:
            lines.append(GAP.join(short))
            short = []
        if label:
            lines.append(label)
    return clean("\n".join(lines))


def parts(text: str, bytes_max: int = TEXT_MAX) -> list[str]:
    """`text` in pieces of at most `bytes_max` bytes, cut at the end of a line, else of a sentence, else anywhere.

    One piece where it fits, also for the empty text. Nothing but white space at the cuts is lost.
    """
    pieces: list[str] = []
    rest = clean(text)
    while len(rest.encode()) > bytes_max:
        head = rest.encode()[:bytes_max].decode(errors="ignore")
        cut = _cut(head)
        pieces.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    if rest or not pieces:
        pieces.append(rest)
    return [piece for piece in pieces if piece] or [""]


def _cut(head: str) -> int:
    """Where to end the piece: after the best break in the second half of `head`, else at its end."""
    for signs in _BREAKS:
        cut = max(head.rfind(sign) for sign in signs) + 1
        if cut > len(head) // 2:
            return cut
    return len(head)


def passive_reply(text: str, *, to: str, account: str, created_at_s: int) -> bytes:
    """The XML that answers a message with `text`."""
    return (
        f"<xml><ToUserName>{_cdata(to)}</ToUserName><FromUserName>{_cdata(account)}</FromUserName>"
        f"<CreateTime>{created_at_s}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content>{_cdata(text)}</Content></xml>"
    ).encode()


def envelope(document: bytes, *, key: Key, token: str, timestamp_s: int) -> bytes:
    """`document` sealed and signed, as the body of our answer."""
    sealed, timestamp, nonce = key.seal(document), str(timestamp_s), secrets.token_hex(8)
    signed = signature(token, timestamp, nonce, sealed)
    return (
        f"<xml><Encrypt><![CDATA[{sealed}]]></Encrypt><MsgSignature><![CDATA[{signed}]]></MsgSignature>"
        f"<TimeStamp>{timestamp}</TimeStamp><Nonce><![CDATA[{nonce}]]></Nonce></xml>"
    ).encode()


def _cdata(text: str) -> str:
    """`text` as character data that ends only where we end it."""
    return "<![CDATA[" + clean(text).replace("]]>", "]]]]><![CDATA[>") + "]]>"
