"""The words that people read are complete in both languages, all of them are used, and none is asked for in vain."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from handlers import COMMANDS
from notices.wording import FOLDER, LANGUAGES, texts

ROOT = Path(__file__).parents[1]
ROOMS = ("bot", "handlers", "notices", "scoring")
ZH, EN = texts("zh"), texts("en")
FILES = {name.partition(".")[0] for name in ZH}
LINES_MAX = 6
LINE_MAX = 101  # characters of one Chinese line, as many as the oath has: five lines of a phone
NOT_TEXTS = {
    "sample.filled",
    "activities.csv",
    "warnings.csv",
    "declarations.toml",
}  # a word of the audit log, files
SAYERS = {"say", "_say", "words"}  # what a wording is called where it speaks


def places(text: str) -> set[str]:
    """The names in {braces} of a text."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def filled(text: str) -> str:
    """The text with a short word in every place."""
    return text.format_map(dict.fromkeys(places(text), "12"))


def modules() -> Iterator[tuple[str, ast.Module]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def said_names(tree: ast.AST) -> Iterator[str | re.Pattern[str]]:
    """Every name of a text in the code: as it stands, or a pattern where a part of it is put in."""
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
            parts = [re.escape(str(one.value)) if isinstance(one, ast.Constant) else r"\w+" for one in node.values]
            if is_name(str(node.values[0].value)):
                yield re.compile("".join(parts))
        elif isinstance(node, ast.Constant) and id(node) not in inside and is_name(str(node.value)):
            yield str(node.value)


def is_name(text: str) -> bool:
    """Whether this is, or begins like, the name of a text: `check_in.done`."""
    file, dot, rest = text.partition(".")
    return bool(dot) and file in FILES and text not in NOT_TEXTS and re.fullmatch(r"[a-z0-9_]*", rest) is not None


def test_both_languages_have_the_same_texts():
    assert sorted(ZH) == sorted(EN)
    assert {path.name for path in (FOLDER / "zh").iterdir()} == {path.name for path in (FOLDER / "en").iterdir()}


def test_both_languages_put_the_same_things_into_a_text():
    assert {name: places(text) for name, text in ZH.items()} == {name: places(text) for name, text in EN.items()}


def test_no_text_is_empty():
    assert [name for language in LANGUAGES for name, text in texts(language).items() if not text.strip()] == []


def test_chinese_texts_are_short_and_calm():
    long = [name for name, text in ZH.items() if text.count("\n") >= LINES_MAX]
    wide = [name for name, text in ZH.items() if any(len(filled(line)) > LINE_MAX for line in text.split("\n"))]
    loud = [name for name, text in ZH.items() if re.search("[！!]{2}", text) or text.count("！") > 1]
    assert (long, wide, loud) == ([], [], [])


def test_every_name_in_the_code_is_a_text():
    missing = []
    for file, tree in modules():
        for name in said_names(tree):
            known = name in ZH if isinstance(name, str) else any(map(name.fullmatch, ZH))
            missing += [] if known else [f"{file}: {name if isinstance(name, str) else name.pattern}"]
    assert missing == []


def test_every_text_is_used():
    names = [name for _, tree in modules() for name in said_names(tree)]
    exact = {name for name in names if isinstance(name, str)}
    patterns = {name.pattern: name for name in names if isinstance(name, re.Pattern)}.values()
    assert [name for name in ZH if name not in exact and not any(one.fullmatch(name) for one in patterns)] == []


def lacking(tree: ast.AST) -> Iterator[str]:
    """Calls whose text has a place that no value is given for, where the name stands in the call."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        sayer = getattr(call.func, "attr", getattr(call.func, "id", ""))
        name = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
        given = {one.arg for one in call.keywords}
        if sayer in SAYERS and name in ZH and None not in given and places(ZH[name]) - given:
            yield f"line {call.lineno}: {name} lacks {', '.join(sorted(places(ZH[name]) - given))}"


def test_every_text_gets_all_that_it_puts_in():
    """A missing value would be an apology to somebody."""
    assert [f"{file} {one}" for file, tree in modules() for one in lacking(tree)] == []
    assert list(lacking(ast.parse('say("menu.greeting", name=1)'))) == ["line 1: menu.greeting lacks branch"]
    assert list(lacking(ast.parse('ctx.say("menu.greeting", **values); say("menu.menu")'))) == []


def test_the_search_for_names_finds_what_is_misspelt():
    tree = ast.parse('say("check_in.dnoe"); say(f"menu.{x}"); say("a.b"); x = "menu.toml"; say(f"{x}.menu")')
    found = [one if isinstance(one, str) else one.pattern for one in said_names(tree)]
    assert sorted(found) == ["check_in.dnoe", "menu.toml", r"menu\.\w+"]


def test_every_command_has_a_title_and_its_words_are_nobody_elses():
    assert [command.name for command in COMMANDS if f"menu.{command.name}" not in ZH] == []
    words = Counter(word.casefold() for command in COMMANDS for word in {*command.words, *command.slash})
    assert [word for word, count in words.items() if count > 1] == []
    names = Counter(command.name for command in COMMANDS)
    assert set(names.values()) == {1}


def test_no_command_claims_anothers_word_as_its_phrase():
    owner = {word.casefold(): command.name for command in COMMANDS for word in command.words}
    stolen = [
        (command.name, phrase)
        for command in COMMANDS
        for phrase in command.phrases
        if owner.get(phrase.casefold(), command.name) != command.name
    ]
    assert stolen == []


def test_every_command_can_be_said_in_chinese():
    assert [command.name for command in COMMANDS if all(word.isascii() for word in command.words)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_braces_of_every_text_are_in_order(language):
    for name, text in texts(language).items():
        assert filled(text), name
