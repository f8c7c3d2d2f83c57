"""Simple Markdown, read once: plain words beside the places that are bold, italic or a link. Knows no channel.

Whatever is no markup stays as it was typed, so nothing that a person writes can break a message.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

Kind = Literal["bold", "italic", "link"]
Why = Literal["unpaired", "link_open", "link_bad", "link_differs"]

URL_MAX = 500  # characters; longer ones are hardly meant for people
DEPTH_MAX = 8  # bold in italic in bold: whoever goes deeper plays
PLACE = re.compile(r"\{([^{}\n]{1,12})\}")

_HEADING = re.compile(r"#{1,6}\s+")
_BULLET = re.compile(r"(\s*)[-*+]\s+(?=\S)")
_LINK = re.compile(r"\[([^\[\]\n]+)\]\(([^()\s]*)\)")
_LINK_OPEN = re.compile(r"\[[^\[\]\n]+\]\(")
_BARE = re.compile(r"https?://[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+", re.IGNORECASE)
_BARE_ENDS = ".,;:!?)'*_"
_ESCAPED = "\\*_[](){}#-+"
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]+", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z0-9]")


class Mark(NamedTuple):
    """What is special about the characters from `start` to before `end`. url: only of a link."""

    start: int
    end: int
    kind: Kind
    url: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """Markup that its author certainly meant otherwise. line: counted from 1; shown: the place itself, short."""

    why: Why
    line: int
    shown: str


@dataclass(frozen=True, slots=True)
class Marked:
    """Words without markup, and their marks in the order in which they begin."""

    text: str
    marks: tuple[Mark, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def links(self) -> list[str]:
        """Where its links lead."""
        return [mark.url for mark in self.marks if mark.kind == "link"]


@lru_cache(maxsize=64)  # a letter is read again for every recipient
def parse(source: str) -> Marked:
    """The words and marks of `source`: **bold**, *italic*, _italic_, `- ` lists, `# ` headings, [words](https://..)."""
    reader = _Reader()
    for number, line in enumerate(source.split("\n"), 1):
        if number > 1:
            reader.put("\n")
        reader.line(line, number)
    marks = sorted(reader.marks, key=lambda mark: (mark.start, -mark.end))
    return Marked("".join(reader.out), tuple(marks), tuple(reader.problems))


def joined(parts: Iterable[str | Marked], between: str = "\n") -> Marked:
    """All parts as one, with `between` between them."""
    words: list[str] = []
    marks: list[Mark] = []
    at = 0
    for part in parts:
        one = Marked(part) if isinstance(part, str) else part
        at += len(between) if words else 0
        words.append(one.text)
        marks += [Mark(begin + at, end + at, kind, url) for begin, end, kind, url in one.marks]
        at += len(one.text)
    return Marked(between.join(words), tuple(marks))


def piece(text: str, marks: Sequence[Mark], start: int, end: int) -> Marked:
    """The characters from `start` to before `end`, with what of the marks lies in them."""
    inside = (
        Mark(max(begin, start) - start, min(until, end) - start, kind, url) for begin, until, kind, url in marks
    )
    return Marked(text[start:end], tuple(mark for mark in inside if mark.start < mark.end))


def pieces(text: str, marks: Sequence[Mark], parts: Sequence[str]) -> list[Marked]:
    """Each of `parts` with its marks. They are cut from `text` in order; one that is not found has no marks."""
    found: list[Marked] = []
    at = 0
    for part in parts:
        start = text.find(part, at)
        if start < 0:
            found.append(Marked(part))
            continue
        at = start + len(part)
        found.append(piece(text, marks, start, at))
    return found


def plain(text: str, marks: Sequence[Mark]) -> str:
    """The words for where no link can be shown: its address stands in brackets behind its words."""
    for mark in sorted((mark for mark in marks if mark.kind == "link"), key=lambda mark: -mark.end):
        if text[mark.start : mark.end] != mark.url:
            text = f"{text[: mark.end]}（{mark.url}）{text[mark.end :]}"
    return text


def places(text: str) -> list[str]:
    """The names in {braces} in `text`."""
    return PLACE.findall(text)


def filled(marked: Marked, values: Mapping[str, str]) -> Marked:
    """The words with each {name} of `values` put in. What is put in is never read as markup."""
    found = [one for one in PLACE.finditer(marked.text) if one[1] in values]
    if not found:
        return marked
    words: list[str] = []
    moves: list[tuple[int, int, int]] = []  # where a place stood, and how far what follows it has moved
    at = moved = 0
    for one in found:
        words += [marked.text[at : one.start()], values[one[1]]]
        at = one.end()
        moved += len(values[one[1]]) - len(one[0])
        moves.append((one.start(), one.end(), moved))
    words.append(marked.text[at:])
    marks = (Mark(_moved(begin, moves), _moved(end, moves), kind, url) for begin, end, kind, url in marked.marks)
    return Marked("".join(words), tuple(mark for mark in marks if mark.start < mark.end))


def _moved(at: int, moves: Sequence[tuple[int, int, int]]) -> int:
    """Where the character at `at` stands now; one inside a place that was filled: behind what was put in."""
    moved = 0
    for start, end, by in moves:
        if at <= start:
            break
        at, moved = max(at, end), by
    return at + moved


def safe_url(url: str) -> bool:
    """Whether a link may lead there: the web, a real name, nothing that hides the name from its reader."""
    if len(url) > URL_MAX or not url.isascii() or not url.isprintable() or re.search(r"[\s<>\"\\^`{|}]", url):
        return False
    try:
        parts = urlsplit(url)
        named = bool(_HOST.fullmatch(parts.hostname or "")) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    return parts.scheme.lower() in ("http", "https") and named and "@" not in parts.netloc


class _Reader:
    """Collects words and marks."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.length = 0
        self.marks: list[Mark] = []
        self.problems: list[Problem] = []
        self._number = 0

    def put(self, words: str) -> None:
        self.out.append(words)
        self.length += len(words)

    def line(self, line: str, number: int) -> None:
        self._number = number
        start = self.length
        if heading := _HEADING.match(line):
            self._inline(line[heading.end() :].rstrip().rstrip("#").rstrip(), 1)
            self._mark(start, "bold")
            return
        if bullet := _BULLET.match(line):
            self.put(f"{bullet[1]}• ")
            line = line[bullet.end() :]
        self._inline(line, 0)

    def _mark(self, start: int, kind: Kind, url: str = "") -> None:
        if start < self.length:
            self.marks.append(Mark(start, self.length, kind, url))

    def _problem(self, why: Why, shown: str) -> None:
        self.problems.append(Problem(why, self._number, shown[:20]))

    def _inline(self, text: str, depth: int) -> None:
        at = 0
        while at < len(text):
            at = self._next(text, at, depth)

    def _next(self, text: str, at: int, depth: int) -> int:
        """Take what begins at `at`; where the rest begins."""
        sign = text[at]
        if sign == "\\" and at + 1 < len(text) and text[at + 1] in _ESCAPED:
            self.put(text[at + 1])
            return at + 2
        if sign in "*_":
            return self._emphasis(text, at, depth)
        if sign == "[":
            return self._link(text, at)
        if sign in "hH" and (bare := _BARE.match(text, at)):
            url = bare[0].rstrip(_BARE_ENDS)
            if safe_url(url):
                self._put_link(url, url)
                return at + len(url)
        self.put(sign)
        return at + 1

    def _emphasis(self, text: str, at: int, depth: int) -> int:
        sign = text[at]
        mark = sign * 2 if text.startswith(sign * 2, at) else sign
        begin = at + len(mark)
        end = _closing(text, mark, begin)
        if end is None or depth >= DEPTH_MAX or not _may_open(text, at, mark):
            if mark == "**" and text[begin : begin + 1].strip():
                self._problem("unpaired", text[at:])
            self.put(mark)
            return begin
        start = self.length
        self._inline(text[begin:end], depth + 1)
        self._mark(start, "bold" if len(mark) == 2 else "italic")
        return end + len(mark)

    def _link(self, text: str, at: int) -> int:
        found = _LINK.match(text, at)
        if found is None:
            if _LINK_OPEN.match(text, at):
                self._problem("link_open", text[at:])
            self.put("[")
            return at + 1
        words, url = found[1].strip(), found[2]
        host = (urlsplit(url).hostname or "") if safe_url(url) else None
        named = _HOST.search(words)
        if host is None or not words:
            self._problem("link_bad", url or found[0])
            self.put(found[0])
        elif named and named[0].lower() != host:
            self._problem("link_differs", words)
            self.put(found[0])
        else:
            self._put_link(words, url)
        return found.end()

    def _put_link(self, words: str, url: str) -> None:
        start = self.length
        self.put(words)
        self._mark(start, "link", url)


def _may_open(text: str, at: int, mark: str) -> bool:
    """`_` inside a word is no markup: `file_name`."""
    return mark[0] != "_" or at == 0 or not _WORD.match(text[at - 1])


def _closing(text: str, mark: str, begin: int) -> int | None:
    """Where the mark that was opened before `begin` closes; None when it does not, or holds nothing."""
    if not text[begin : begin + 1].strip():
        return None
    at = text.find(mark, begin + 1)
    while at >= 0:
        run = len(text) - at - len(text[at:].lstrip(mark[0]))  # signs in a row
        after = text[at + len(mark) : at + len(mark) + 1]
        ends = text[at - 1].strip() and text[at - 1] != "\\" and not (mark[0] == "_" and _WORD.match(after))
        if ends and (len(mark) == 2 or run != 2):
            return at + max(0, run - len(mark)) if len(mark) == 2 and run == 3 else at
        at = text.find(mark, at + max(run, 1))
    return None
