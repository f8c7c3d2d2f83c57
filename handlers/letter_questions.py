"""Questions as their authors type them: a question and its answers in one message, on lines or after slashes."""

from __future__ import annotations

import re
from typing import NamedTuple

from notices.carried import ANSWERS_MAX, ANSWERS_MIN, SURVEY_MAX
from notices.letter_words import TURNING

WORDS_MAX, ANSWER_MAX = 100, 30  # characters
_BETWEEN = re.compile(r"\s*[\n/／|｜]\s*")
_LETTERED = re.compile(r"^(?:[A-Da-d]|[1-4１-４])\s*[.、．:：)）]\s*")
_MARKED = re.compile(r"^[*＊√✓]\s*|\s*[*＊√✓]$")


class Asked(NamedTuple):
    """A question. right: the number of the marked answer, 0 when none is."""

    words: str
    answers: tuple[str, ...]
    right: int


def asked_question(text: str, typed: str) -> Asked | str:
    """The question in a message; else the name of what is wrong with it, in `extras`. typed: as it came."""
    if TURNING.search(typed):
        return "turning"
    words, *rest = [part.strip() for part in _BETWEEN.split(text.strip()) if part.strip()] or [""]
    marked = [number for number, one in enumerate(rest, 1) if _MARKED.search(_LETTERED.sub("", one))]
    answers = tuple(_MARKED.sub("", _LETTERED.sub("", one)).strip() for one in rest)
    if not ANSWERS_MIN <= len(answers) <= ANSWERS_MAX:
        return "answers_count"
    if len(words) > WORDS_MAX or any(len(one) > ANSWER_MAX or not one for one in answers):
        return "too_long"
    if len({one.casefold() for one in answers}) < len(answers):
        return "same_answer"
    return Asked(words, answers, marked[0]) if len(marked) == 1 else Asked(words, answers, 0)


def survey_lines(text: str, typed: str) -> tuple[str, ...]:
    """The questions of a survey, one a line; none when there are too many or they are too long."""
    lines = tuple(line.strip() for line in text.splitlines() if line.strip())
    if TURNING.search(typed) or len(lines) > SURVEY_MAX or any(len(line) > WORDS_MAX for line in lines):
        return ()
    return lines
