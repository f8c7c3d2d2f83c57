"""One line of the chat as elements of a page."""

from __future__ import annotations

import re
from datetime import datetime
from itertools import pairwise
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from nicegui import ui

from bot.channels.web.lines import Line
from bot.pages.elements import box, text
from bot.pages.live import lives
from notices.channel import BACK_NUMBER, HOME_NUMBER, Message, Picture
from notices.markup import Mark, safe_url
from notices.wording import Wording

_ADDRESS = re.compile(
    r"(?:https?://[^\s/]+)?(/web/(?:sheet|form)/[A-Za-z0-9_-]{22}|/letters/\d{1,9}(?:\?as=\d{1,11})?)"
)
_CODE = re.compile(r"(\b[0-9A-Z•]{4}-[0-9A-Z•]{4}\b)")
WAYS_OUT = (HOME_NUMBER, BACK_NUMBER)
SPOKEN_BY = {"person": "web.me", "service": "web.service", "letter": "web.letter"}


class Bubble:
    """A line on the page. What it offers fades when a newer line offers something."""

    def __init__(self, line: Line, say: Wording, now: datetime, zone: ZoneInfo) -> None:
        self.speaker = line.speaker
        self._choices: ui.element | None = None
        with box("article", f"hx-line hx-{line.speaker}") as self.element:
            charted = line.message.picture is not None and line.message.picture.kind == "chart"
            with box("div", "hx-bubble hx-wide" if charted else "hx-bubble"):
                text("p", say(SPOKEN_BY[line.speaker]), "hx-tag" if line.speaker == "letter" else "hx-unseen")
                if line.message.text:
                    _words(line.message)
                if line.message.picture and line.picture_url:
                    _picture(line, line.picture_url, line.message.picture, say)
                at = line.at.astimezone(zone)
                text(
                    "time", _clock(at, now.astimezone(zone)), "hx-time", datetime=at.isoformat(timespec="minutes")
                )
            if line.message.buttons or line.message.ask_location:
                self._choices = _choices(line, say)

    @property
    def offers(self) -> bool:
        """Whether it has next steps."""
        return self._choices is not None

    def fade(self, newer: str) -> None:
        """A newer line counts from 1 again. A reply ends the steps of the reply before it; all others stay
        to be pressed, without their numbers. newer: the newer line's speaker.
        """
        if self._choices is not None:
            self._choices.classes("hx-gone" if self.speaker == newer == "service" else "hx-unnumbered")


def _words(message: Message) -> None:
    """The text with its marks. Each run is an element of its own, whose words no browser reads as tags."""
    words, marks = message.text, message.marks
    edges = sorted({0, len(words), *(place for mark in marks for place in (mark.start, mark.end))})
    with box("p", "hx-text", dir="auto"):
        for start, end in pairwise(edges):
            over = [mark for mark in marks if mark.start <= start and end <= mark.end]
            if over:
                _marked(words[start:end], over)
            else:
                _unmarked(words[start:end])
            for mark in over:
                if mark.kind == "link" and mark.end == end and words[mark.start : mark.end] != mark.url:
                    text("span", f"（{urlsplit(mark.url).hostname}）", "hx-host")  # seen before it is followed


def _marked(words: str, over: list[Mark]) -> None:
    """Words with marks over them. Links stand only in letters, and were checked when they were written."""
    kinds = {mark.kind for mark in over}
    classes = " ".join(f"hx-{kind}" for kind in sorted(kinds))
    url = next((mark.url for mark in over if mark.kind == "link" and safe_url(mark.url)), None)
    if url is not None:
        text("a", words, classes, href=url, target="_blank", rel="noopener noreferrer nofollow")
    else:
        text("strong" if "bold" in kinds else "em", words, classes)


def _unmarked(words: str) -> None:
    """Words; a pick-up or bind code in them stays on one line, so that it can be read out.

    Of bare addresses only our own downloads and reports are links, by their path: nothing typed leads elsewhere.
    """
    for number, words_or_path in enumerate(_ADDRESS.split(words)):
        if number % 2:
            more = {} if words_or_path.startswith("/letters/") else {"download": ""}
            text("a", words_or_path, "hx-download", href=words_or_path, **more)
            continue
        for part in _CODE.split(words_or_path):
            if part:
                text("span", part, "hx-code" if _CODE.fullmatch(part) else "")


def _picture(line: Line, url: str, picture: Picture, say: Wording) -> None:
    """The picture, which leads to itself in full size; one that can live, to the live chart."""
    label, live = say("web.open_picture") + picture.alt, lives(picture)
    more = {"data_live": str(line.id)} if live else {}
    with box(
        "a", f"hx-picture hx-{picture.kind}", href=url, target="_blank", rel="noopener", aria_label=label, **more
    ):
        box("img", alt=picture.alt, src=url, data_unseen=say("web.picture_unseen"))
        if live:
            text("span", say("web.live_open"), "hx-larger", aria_hidden="true")


def _clock(at: datetime, now: datetime) -> str:
    if at.date() == now.date():
        return at.strftime("%H:%M")
    return at.strftime("%m-%d %H:%M" if at.year == now.year else "%Y-%m-%d %H:%M")


def _choices(line: Line, say: Wording) -> ui.element:
    message = line.message
    numbered = message.numbered()
    past = [button.label for number, button in numbered if number not in WAYS_OUT]
    with box("div", "hx-choices") as choices:
        if message.ask_location:
            text("button", say("web.send_location"), "hx-choice hx-locate", type="button")
        for place, (number, button) in enumerate(numbered):
            way_out = " hx-exit" if number in WAYS_OUT else ""
            press = f"{line.id}:{place}"
            with box("button", f"hx-choice{way_out}", type="button", data_press=press):
                text("span", str(number), "hx-number")
                text("span", button.label, dir="auto")
        text("p", "　".join(past), "hx-was")
    return choices


def pressed(message: Message, place: int) -> tuple[str, str] | None:
    """(action, label) of the button at `place` as it is shown; None when there is none."""
    numbered = message.numbered()
    if not 0 <= place < len(numbered):
        return None
    return numbered[place][1].action, message.labels()[place]
