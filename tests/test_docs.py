"""What the documents claim about the code is true: settings, identifiers, files, commands, sentences."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
from pydantic import SecretStr

from bot.__main__ import app
from bot.settings import SECRETS, Settings

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
CODE = "\n".join(
    path.read_text(encoding="utf-8")
    for room in ("bot", "handlers", "notices", "scoring", "db")
    for pattern in ("*.py", "*.toml", "*.csv")
    for path in sorted((ROOT / room).rglob(pattern))
)
TICKED = re.compile(r"`([^`]+)`")


def read(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def rows(text: str) -> list[list[str]]:
    """The cells of every row of every table, without heads."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    heads = {place - 1 for place, line in enumerate(lines) if line.startswith("|---")}
    cells = [line.strip("|").split("|") for place, line in enumerate(lines) if place not in heads]
    return [[cell.strip() for cell in row] for row in cells if not row[0].startswith("---")]


def test_the_table_of_settings_is_the_one_of_the_program():
    table = {
        row[0].strip("`"): (row[1].strip("`"), row[2]) for row in rows(read("running.md")) if "HONGXIN_" in row[0]
    }
    expected = {}
    for name, field in Settings.model_fields.items():
        default = field.default
        shown = "" if default is None or isinstance(default, SecretStr) else str(default)
        shown = shown.lower() if isinstance(default, bool) else shown
        expected[f"HONGXIN_{name.upper()}"] = (shown, "yes" if name in (*SECRETS, "database_url") else "")
    assert table == expected
    assert list(table) == list(expected), "the order is that of the program"


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_every_setting_that_a_readme_names_is_one(name):
    named = set(re.findall(r"HONGXIN_[A-Z_]*[A-Z]", (ROOT / name).read_text(encoding="utf-8")))
    known = {f"HONGXIN_{field.upper()}" for field in Settings.model_fields}
    known |= {f"{one}_FILE" for one in known}
    assert named
    assert named <= known


def test_every_identifier_of_the_glossary_stands_in_the_code():
    words = {word for row in rows(read("glossary.md")) if len(row) == 3 for word in TICKED.findall(row[1])}
    assert len(words) > 80
    assert [word for word in sorted(words) if not re.search(rf"\b{re.escape(word)}", CODE)] == []


def test_every_term_of_the_glossary_stands_once():
    terms = [row[0] for row in rows(read("glossary.md")) if len(row) == 3]
    assert len(terms) == len(set(terms))


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
def test_every_file_and_folder_that_a_document_names_exists(path):
    named = [word for word in TICKED.findall(path.read_text(encoding="utf-8")) if is_place(word)]
    assert [word for word in named if not (ROOT / word).exists()] == []


def is_place(word: str) -> bool:
    """Whether this is a path within the five rooms."""
    return re.fullmatch(r"(bot|handlers|notices|scoring|db)/[\w./-]*", word) is not None


@pytest.mark.parametrize("path", [*sorted(DOCS.glob("*.md")), ROOT / "README.md"], ids=lambda path: path.name)
def test_every_command_that_a_document_types_exists(path):
    known = set(typer.main.get_command(app).commands)
    typed = set(re.findall(r"python -m bot ([\w-]+)", path.read_text(encoding="utf-8")))
    assert typed <= known


@pytest.mark.parametrize(
    "path", [*sorted(DOCS.glob("*.md")), *sorted(ROOT.glob("README*.md"))], ids=lambda path: path.name
)
def test_every_option_that_a_document_types_exists(path):
    for typed in re.findall(r"python -m bot ([^#`\n]+)", path.read_text(encoding="utf-8")):
        command, words = typer.main.get_command(app), typed.split()
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        known = {name for one in command.params for name in one.opts}
        assert {word.strip("[]") for word in words if word.strip("[").startswith("--")} <= known, typed


def test_the_refusals_that_operators_look_up_are_those_of_the_program():
    table = read("running.md").partition("## When the database is refused")[2].partition("\n## ")[0]
    sentences = [row[0] for row in rows(table)]
    assert len(sentences) > 4
    flat = re.sub(r'"\s*\n\s*f?"', "", CODE)  # sentences that go over two lines
    assert [one for one in sentences if one not in flat] == []
