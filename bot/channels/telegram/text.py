"""Lengths as Telegram counts them, and cuts that leave sentences and emoji whole."""

from __future__ import annotations

import re
import unicodedata

TEXT_MAX = 4096  # UTF-16 units of a message
CAPTION_MAX = 1024  # UTF-16 units under a photo

_ENDS = (  # where to cut, best first; everything up to the end of the match stays in the part before
    re.compile(r"\n\s*\n"),
    re.compile(r"\n"),
    re.compile(r"(?:[。！？!?…；;]+|\.(?=\s))[”’」』》）)\]\"']*"),
    re.compile(r"[，、,：: 　\t]"),
)
_JOINERS = "\u200d"  # zero width joiner: builds one emoji of two


def units(text: str) -> int:
    """UTF-16 units of `text`: what Telegram counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def clean(text: str) -> str:
    """`text` without half surrogates, which no JSON can carry."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def cut(text: str, units_max: int) -> list[str]:
    """`text` in parts of at most `units_max` units; one part where it fits. White space at a cut is dropped."""
    parts: list[str] = []
    rest = text
    while units(rest) > units_max:
        at = _place(rest, _reach(rest, units_max))
        parts.append(rest[:at].rstrip())
        rest = rest[at:].lstrip()
    parts.append(rest)
    return [part for part in parts if part.strip()] or [text[:1]]


def _reach(text: str, units_max: int) -> int:
    """How many characters of `text` fit into `units_max` units."""
    used = 0
    for index, letter in enumerate(text):
        used += 2 if letter > "\uffff" else 1
        if used > units_max:
            return index
    return len(text)


def _place(text: str, reach: int) -> int:
    """Where to cut `text` so that at most `reach` characters come before. A part is at least a third full."""
    for end in _ENDS:
        for match in reversed(list(end.finditer(text, 0, reach))):
            if match.end() < reach // 3:
                break
            if not _joined(text, match.end()):
                return match.end()
    for at in range(reach, reach // 3, -1):
        if not _joined(text, at):
            return at
    return reach  # one endless cluster: somebody plays


def _joined(text: str, at: int) -> bool:
    """Do the characters before and after `at` make one visible sign?"""
    if not 0 < at < len(text):
        return False
    before, after = text[at - 1], text[at]
    if before in _JOINERS or after in _JOINERS or (before == "\r" and after == "\n"):
        return True
    if unicodedata.category(after) in ("Mn", "Me", "Mc") or "\U0001f3fb" <= after <= "\U0001f3ff":
        return True
    if "\U000e0020" <= after <= "\U000e007f":  # the letters of a flag such as Scotland's
        return True
    return _flag_letter(after) and _flag_letters_before(text, at) % 2 == 1


def _flag_letter(letter: str) -> bool:
    return "\U0001f1e6" <= letter <= "\U0001f1ff"


def _flag_letters_before(text: str, at: int) -> int:
    """How many flag letters stand right before `at`: two of them make one flag."""
    count = 0
    while count < at and _flag_letter(text[at - 1 - count]):
        count += 1
    return count
