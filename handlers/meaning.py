"""From what a person typed to a command: cleaning, exact words, and matching by meaning."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz

from handlers.conversation import Command

ACT = 75  # a match at least this good is acted upon
SURE = 95  # one that does something at once is acted upon only when all of the text says so
OFFER = 55  # one at least this good is offered as a choice
SHORT = 40  # characters: texts up to this come again and are worth keeping
BEFORE_NUMBER = "#"  # at the end of an opening: only where a number follows
TEXT_MAX = 20_000  # characters that are looked at; the longest letter is far below

_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NUMERAL = re.compile("[0-9一二两三四五六七八九十半]")
_ACTION = re.compile(r"[a-z_]+(:[^\s:]*)*")
_SPOKEN = (*"零一二三四五六七八九十", *(f"十{ones}" for ones in "一二三四五六七八九"))
_COURTESY = (
    "好的?|嗯|是的?|行|谢|多谢|感谢|辛苦|您|你|大家|各位|书记|领导|老师|同志|组织|我|本人|已经?|了|啦|哈|ok|yes"
    r"|thanks?|thank you|[\s,.;:!?~、。…]|\U0001f44c|\U0001f44d|\U0001f64f|\ufe0f"
)
"""What stands around a word without changing it. No two of them make a third: matching must stay linear."""
_ENDING = " \t\n.。,，!！?？、;；~～"


def clean(text: str) -> str:
    """`text` as a person sees it: no control, zero-width or direction-changing characters, one form of each."""
    text = unicodedata.normalize("NFC", text[:TEXT_MAX])
    return _CONTROL.sub("", _INVISIBLE.sub("", text)).strip()


def folded(text: str) -> str:
    """`text` for comparing: full-width as half-width, lower case, no closing punctuation."""
    return _folded_word(text) if len(text) <= SHORT else _folded_word.__wrapped__(text)


@lru_cache(maxsize=4096)  # the words on buttons come again and again; letters would only fill the memory
def _folded_word(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip(_ENDING).lower()


def typed_number(text: str) -> str | None:
    """The number that was typed or dictated (`1`, `１`, `1.`, `一`), without leading zeros; None for others."""
    word = folded(text)
    if word in _SPOKEN:
        return str(_SPOKEN.index(word))
    return str(int(word)) if word.isascii() and word.isdigit() and len(word) <= 9 else None


def looks_like_code(text: str) -> bool:
    """Whether this is a bare bind code: eight digits, perhaps in two groups."""
    return bool(re.fullmatch(r"[0-9]{4}[-  ]?[0-9]{4}", folded(text)))


def action(text: str, commands: dict[str, Command]) -> tuple[Command, tuple[str, ...]] | None:
    """The command and arguments of a button's action; None when it is none of ours."""
    if len(text) > 200 or not _ACTION.fullmatch(text):
        return None
    name, *args = text.split(":")
    command = commands.get(name)
    return (command, tuple(args)) if command else None


def said(text: str, commands: Sequence[Command]) -> tuple[Command, tuple[str, ...]] | None:
    """The command that was said in its own words, with what follows as arguments; None for anything else.

    `签到 8841`, `签到8841` and `/checkin 8841` are the same; `/start@our_bot CODE` loses the name.
    """
    first, *rest = text.split(maxsplit=1)[:2] or [""]
    word, whole = folded(first), folded(text)
    tail = tuple(rest[0].split()) if rest else ()
    if word.startswith("/"):
        word = word.split("@")[0]
        return next(((c, tail) for c in commands if word in c.slash), None)
    for command in commands:
        if whole in command.steps:
            return command, tuple(command.steps[whole].split(":"))
    for command in commands:
        for known in command.words:
            known = known.lower()
            if word == known or (" " in known and whole == known):
                return command, tail if word == known else ()
    return _run_together(word, tail, commands) or _said_politely(whole, commands)


def _said_politely(whole: str, commands: Sequence[Command]) -> tuple[Command, tuple[str, ...]] | None:
    """A word that counts with courtesies around it: `好的，收到，谢谢书记`; not `没收到`, not `收到了吗`."""
    if len(whole) > SHORT:
        return None
    for command in commands:
        if command.politely and _polite(command.words).fullmatch(whole):
            return command, ()
    return None


@lru_cache
def _polite(words: tuple[str, ...]) -> re.Pattern[str]:
    known = "|".join(re.escape(word.lower()) for word in words)
    return re.compile(f"(?:{_COURTESY})*(?:{known})(?:{_COURTESY}|{known})*")


def opened(text: str, commands: Sequence[Command]) -> tuple[Command, tuple[str, ...]] | None:
    """The command with an opening that the text begins with, its step, and the rest of the text behind it."""
    whole = folded(text)
    for command in commands:
        for opening, step in command.openings.items():
            begins = opening.removesuffix(BEFORE_NUMBER)
            rest = whole.removeprefix(begins).strip(" :：,，")
            if whole.startswith(begins) and rest and (begins == opening or _NUMERAL.match(rest)):
                return command, (*step.split(":"), *rest.split())
    return None


def _run_together(
    word: str, tail: tuple[str, ...], commands: Sequence[Command]
) -> tuple[Command, tuple[str, ...]] | None:
    """A Chinese word with a number right behind it."""
    parted = re.fullmatch(r"(\D+?)[:：]?([0-9][0-9\-]*)", word)
    if not parted:
        return None
    name, number = parted.groups()
    for command in commands:
        if name in command.words:
            return command, (number, *tail)
    return None


@dataclass(frozen=True, slots=True)
class Match:
    """How well a text fits a command, or with `args` one of its steps: 0..100."""

    command: Command
    score: float
    args: tuple[str, ...] = ()
    phrase: str = ""  # of the step

    @property
    def action(self) -> str:
        """What a button for it does."""
        return ":".join((self.command.name, *self.args))


def matches(text: str, commands: Sequence[Command]) -> list[Match]:
    """Commands that the text may mean, the best first; by characters and, for slips of the tongue, by sound."""
    spoken = folded(text)[:60]
    if not spoken:
        return []
    sound = _sound(spoken)
    found = [_best(command, spoken, sound) for command in commands if command.words or command.phrases]
    return sorted((match for match in found if match.score >= OFFER), key=lambda match: -match.score)


def _best(command: Command, spoken: str, sound: str) -> Match:
    """The command by its own words or, where they fit better, one of its steps."""
    score = max(_likeness(spoken, sound, phrase) for phrase in (*command.words, *command.phrases))
    best = Match(command, score)
    for phrase, args in command.steps.items():
        likeness = _likeness(spoken, sound, phrase)
        if likeness > best.score:
            best = Match(command, likeness, tuple(args.split(":")), phrase)
    return best


def _likeness(spoken: str, sound: str, phrase: str) -> float:
    phrase = phrase.lower()
    by_characters = fuzz.ratio(spoken, phrase)
    # A short phrase inside a long sentence means something only when it is a real word.
    # The more of the sentence it is, the surer: `签到了吗` asks, though `签到` is in it, too.
    within = len(phrase) >= 2 and len(spoken) <= 4 * len(phrase) and _holds(spoken, phrase)
    inside = 80 + 14 * len(phrase) / len(spoken) if within else 0.0
    by_sound = fuzz.ratio(sound, _sound(phrase)) - 5 if len(spoken) >= 2 else 0.0
    return max(by_characters, inside, by_sound)


def _holds(spoken: str, phrase: str) -> bool:
    """Whether the phrase stands in what was said; English only as whole words (`me` is not in `name`)."""
    if not phrase.isascii():
        return phrase in spoken
    return re.search(rf"(?<![a-z]){re.escape(phrase)}(?![a-z])", spoken) is not None


@lru_cache(maxsize=4096)  # phrases, and what people often type
def _sound_of_phrase(text: str) -> str:
    return _pinyin(text)


def _pinyin(text: str) -> str:
    from pypinyin import lazy_pinyin  # a quarter of a second, which a process that resumes has no time for

    return "".join(lazy_pinyin(text))


def _sound(text: str) -> str:
    return _sound_of_phrase(text) if len(text) <= 20 else _pinyin(text)
