"""The two small XML documents of WeChat, read strictly: one root `xml` with plain fields under it.

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


def children(document: bytes) -> list[tuple[str, str | None]]:
    """Name and text of every field under the root, in order; None for one with attributes or nested elements.

    Read as UTF-8 only, whatever the document says of itself. Raises Malformed for everything that is not
    well-formed, has another root, a DOCTYPE or a processing instruction.
    """
    reader = _Reader()
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
    return reader.found


def fields(document: bytes) -> dict[str, str]:
    """The plain fields that stand exactly once, by name, without the white space around them.

    A field that is doubled, nested or carries attributes is missing: nobody can say what it means.
    Raises Malformed as `children` does.
    """
    found = children(document)
    times = Counter(name for name, _ in found)
    return {name: text.strip() for name, text in found if text is not None and times[name] == 1}
