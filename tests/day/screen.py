"""What a screen shows, in one form for every channel: words, then next steps, one a line, without what varies."""

from __future__ import annotations

import re
from dataclasses import dataclass

GAP = "\u3000"  # WeChat writes short next steps in one line with this between them
PICTURE = "[picture]"
_VARIES = (
    (re.compile(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}\b"), "XXXX-XXXX"),  # pick-up codes, bind codes
    (re.compile(r"\b\d{1,2}:\d{2}\b"), "00:00"),
    (re.compile(r"(?:微信|Telegram|网页) (\d+)"), r"〈channel〉 \1"),  # a letter's way, in the secretary's preview
)


@dataclass(frozen=True)
class Screen:
    """One message. On WeChat the next steps are lines of the text and `labels` is empty."""

    text: str
    labels: tuple[str, ...] = ()
    picture: bool = False

    @property
    def words(self) -> str:
        """Everything that can be read, as it stands there."""
        return "\n".join([self.text.replace(GAP, "\n"), *self.labels])

    @property
    def same(self) -> str:
        """What has to be equal on every channel and in every run."""
        words = self.words
        for varying, instead in _VARIES:
            words = varying.sub(instead, words)
        return f"{words}\n{PICTURE}" if self.picture else words
