"""The words that people read: one TOML file per conversation and language, looked up by name."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "wording"
LANGUAGES = ("zh", "en")


class Wording:
    """The words of one language. `say("check_in.done", points=2)` reads `done` in `check_in.toml`."""

    def __init__(self, language: str, texts: dict[str, str]) -> None:
        self.language = language
        self._texts = texts

    def __call__(self, name: str, /, **values: Any) -> str:
        """The text with its places filled. Raises KeyError for a name or a value that is missing."""
        text = self._texts[name]
        return text.format_map(values) if "{" in text else text

    def has(self, name: str) -> bool:
        """Whether there is a text of this name."""
        return name in self._texts


@cache
def wording(language: str) -> Wording:
    """The words of `language`; Chinese for a language that we do not speak."""
    return Wording(language, texts(language if language in LANGUAGES else "zh"))


def texts(language: str) -> dict[str, str]:
    """Every text of a language by its full name."""
    found: dict[str, str] = {}
    for path in sorted((FOLDER / language).glob("*.toml")):
        for name, text in tomllib.loads(path.read_text(encoding="utf-8")).items():
            found[f"{path.stem}.{name}"] = text
    return found


def two_places(hundredths: int) -> str:
    """Hundredths of a point as people write them: 7150 -> 71.50."""
    sign = "-" if hundredths < 0 else ""
    whole, rest = divmod(abs(hundredths), 100)
    return f"{sign}{whole}.{rest:02d}"
