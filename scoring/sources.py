"""Where a rule comes from, in the reader's language."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("sources_zh.toml")


@cache
def chinese() -> dict[str, str]:
    """Source as the rule file writes it -> the same in Chinese."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def source_in(source: str, language: str) -> str:
    """The source of a rule in `zh` or `en`; one without a translation stays in English."""
    return source if language == "en" else chinese().get(source, source)
