"""Questions as their authors type them: a question and its answers in one message, on lines or after slashes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from notices.carried import ANSWERS_MAX, ANSWERS_MIN, SURVEY_MAX
from notices.letter_words import TURNING, Fault, plain_fault
from notices.markup import parse

WORDS_MAX, ANSWER_MAX = 100, 30  # characters
_BETWEEN = re.compile(r"\s*[\n/／|｜]\s*")
_LETTERED = re.compile(r"^(?:[A-Da-d]|[1-4１-４])\s*[.、．:：)）]\s*")
_MARKED = re.compile(r"^[*＊√✓]\s*|\s*[*＊√✓]$")


class Asked(NamedTuple):
    """A question. right: the number of the marked answer, 0 when none is."""

    words: str
    answers: tuple[str, ...]
    right: int


def asked_question(text: str, typed: str) -> Asked | Fault:
    """The question in a message, or what is wrong with it. typed: as it came, not cleaned."""
    if TURNING.search(typed):
        return Fault("turning")
    if parse(text).links:  # before its slashes are taken for what stands between answers
        return Fault("no_markup")
    words, *rest = [part.strip() for part in _BETWEEN.split(text.strip()) if part.strip()] or [""]
    marked = [number for number, one in enumerate(rest, 1) if _MARKED.search(_LETTERED.sub("", one))]
    answers = tuple(_MARKED.sub("", _LETTERED.sub("", one)).strip() for one in rest)
    if not ANSWERS_MIN <= len(answers) <= ANSWERS_MAX:
        return Fault("answers_count", {"least": ANSWERS_MIN, "most": ANSWERS_MAX})
    if len(words) > WORDS_MAX or any(len(one) > ANSWER_MAX or not one for one in answers):
        return Fault("question_long", {"words": WORDS_MAX, "answer": ANSWER_MAX})
    if len({one.casefold() for one in answers}) < len(answers):
        return Fault("same_answer")
    if wrong := _first_fault((words, *answers)):
        return wrong
    return Asked(words, answers, marked[0]) if len(marked) == 1 else Asked(words, answers, 0)


def survey_lines(text: str, typed: str) -> tuple[str, ...] | Fault:
    """The questions of a survey, one a line, or what is wrong with them. typed: as it came, not cleaned."""
    if TURNING.search(typed):
        return Fault("turning")
    lines = tuple(line.strip() for line in text.splitlines() if line.strip())
    if len(lines) > SURVEY_MAX:
        return Fault("survey_count", {"count": len(lines), "most": SURVEY_MAX})
    return _first_fault(lines) or lines


def _first_fault(parts: Sequence[str]) -> Fault | None:
    faults = (plain_fault(one, typed=one, most=WORDS_MAX) for one in parts)
    return next((one for one in faults if one is not None), None)
