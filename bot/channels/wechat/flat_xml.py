"""The small XML documents of WeChat, read strictly: one root `xml` with plain fields under it, at most one list.

Knows nothing of what the fields mean. Own reader instead of `xmltodict`: it accepts a bare DOCTYPE, builds
what is nested and follows an encoding that the document names.
"""

from __future__ import annotations

from collections import Counter
from typing import NoReturn
from xml.parsers import expat

CHILDREN_MAX = 20_000  # more cannot stand in a body of 64 kB


class Malformed(Exception):
    """This is not such a document. Carries no part of it: the text may be anybody's."""


class _Reader:
    """Collects the fields under the root. What stands deeper is counted and thrown away."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str | None]] = []
        self._depth = 0
        self._plain = False
        self._text: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth == 1 and name != "xml":
            raise Malformed
        if self._depth == 2:
            self._plain = not attributes
            self._text = []
        if self._depth > 2:
            self._plain = False

    def text(self, data: str) -> None:
        if self._depth == 2:
            self._text.append(data)

    def end(self, name: str) -> None:
        if self._depth == 2:
            if len(self.found) >= CHILDREN_MAX:
                raise Malformed
            self.found.append((name, "".join(self._text) if self._plain else None))
        self._depth -= 1

    def refuse(self, *_args: object) -> NoReturn:
        raise Malformed


class _Entries(_Reader):
    """Collects what stands at a path below the root."""

    def __init__(self, path: tuple[str, ...]) -> None:
        super().__init__()
        self.entries: list[dict[str, str]] = []
        self._path = ["xml", *path]
        self._open: list[str] = []
        self._words: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if (not self._open and name != "xml") or len(self.entries) > CHILDREN_MAX:
            raise Malformed
        self._open.append(name)
        self._words = []
        if self._open == self._path:
            self.entries.append({})

    def text(self, data: str) -> None:
        self._words.append(data)

    def end(self, name: str) -> None:
        if len(self._open) == len(self._path) + 1 and self._open[:-1] == self._path:
            self.entries[-1][name] = "".join(self._words).strip()
        self._open.pop()


def children(document: bytes) -> list[tuple[str, str | None]]:
    """Name and text of every field under the root, in order; None for one with attributes or nested elements.

    Read as UTF-8 only, whatever the document says of itself. Raises Malformed for everything that is not
    well-formed, has another root, a DOCTYPE or a processing instruction.
    """
    reader = _Reader()
    _parse(document, reader)
    return reader.found


def entries(document: bytes, *path: str) -> list[dict[str, str]]:
    """The plain fields of every element at `path` below the root; a doubled field counts the last time.

    Raises Malformed as `children` does.
    """
    reader = _Entries(path)
    _parse(document, reader)
    return reader.entries


def _parse(document: bytes, reader: _Reader | _Entries) -> None:
    parser = expat.ParserCreate("UTF-8")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.CharacterDataHandler = reader.text
    parser.EndElementHandler = reader.end
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.EntityDeclHandler = reader.refuse
    parser.ProcessingInstructionHandler = reader.refuse
    try:
        # Decoded here, because a byte order mark would make the parser read UTF-16.
        parser.Parse(document.decode(), True)
    except (expat.ExpatError, ValueError):
        raise Malformed from None


def fields(document: bytes) -> dict[str, str]:
    """The plain fields that stand exactly once, by name, without the white space around them.

    A field that is doubled, nested or carries attributes is missing: nobody can say what it means.
    Raises Malformed as `children` does.
    """
    found = children(document)
    times = Counter(name for name, _ in found)
    return {name: text.strip() for name, text in found if text is not None and times[name] == 1}
