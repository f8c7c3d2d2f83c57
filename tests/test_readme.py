"""What the two READMEs claim is so: commands, settings, targets, files and figures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from bot.__main__ import app
from bot.settings import Settings

ROOT = Path(__file__).parent.parent
READMES = ("README.md", "README.zh-CN.md")


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", READMES)
def test_it_begins_with_the_two_commands(name):
    code = [line.split("#")[0].strip() for line in text(name).splitlines() if line.startswith("    ")]
    assert code[:2] == ["make demo", "make test"]


@pytest.mark.parametrize("name", READMES)
def test_every_command_that_it_names_exists(name):
    known = set(typer.main.get_command(app).commands)
    named = set(re.findall(r"python -m bot ([a-z]+)", text(name)))
    assert named
    assert named <= known


@pytest.mark.parametrize("name", READMES)
def test_every_make_target_that_it_names_exists(name):
    makefile = text("Makefile")
    for target in set(re.findall(r"(?:^ {4}|`)(?:HONGXIN_PORT=9000 )?make ([a-z./]+)", text(name), re.MULTILINE)):
        assert re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE), target


@pytest.mark.parametrize("name", READMES)
def test_the_table_of_settings_is_complete_and_names_nothing_else(name):
    table = [line for line in text(name).splitlines() if line.startswith("| `HONGXIN_")]
    named: set[str] = set()
    for line in table:
        first, *others = re.findall(r"`(_?[A-Z][A-Z_]*)`", line.split("|")[1])
        named.add(first)
        prefix = "_".join(first.split("_")[:2])  # HONGXIN_TELEGRAM
        named |= {f"{prefix}{other}" if other.startswith("_") else other for other in others}
    assert named == {f"HONGXIN_{field.upper()}" for field in Settings.model_fields}


@pytest.mark.parametrize("name", READMES)
def test_the_defaults_in_the_table_are_the_real_ones(name):
    settings = Settings(_env_file=None)
    for field in ("database_url", "timezone", "city_name", "log_level"):
        (line,) = [one for one in text(name).splitlines() if one.startswith(f"| `HONGXIN_{field.upper()}`")]
        assert f"`{getattr(settings, field)}`" in line.split("|")[3]


@pytest.mark.parametrize("name", READMES)
def test_every_file_that_it_names_is_there(name):
    links = re.findall(r"\]\(((?!http)[^)]+)\)", text(name))
    files = re.findall(r"`((?:docs|scoring|notices|bot|handlers|\.ci)/[\w./-]*)`", text(name))
    for path in (*links, *files):
        assert (ROOT / path).exists(), path


def test_both_readmes_say_the_same_commands():
    def commands(name):
        return [line.split("#")[0].strip() for line in text(name).splitlines() if line.startswith("    ")]

    assert commands("README.md") == commands("README.zh-CN.md")


@pytest.mark.parametrize("name", READMES)
async def test_the_words_that_it_suggests_are_understood(say, name):
    from tests.cast import ALICE

    words = re.search(r"`签到`、?.*?`English`", text(name).replace(", ", "、").replace(" or ", ""), re.DOTALL)
    assert words
    for word in re.findall(r"`([^`]+)`", words.group()):
        message = await say(ALICE, word)
        assert "没我看明白" not in message.text
        assert "请直接回复数字" not in message.text
