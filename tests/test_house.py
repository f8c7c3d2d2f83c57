"""The house stands as it was planned: rooms, arrows, sizes, docstrings. Every check here is seen to fail, too."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("bot", "handlers", "notices", "scoring", "db")
FOLDERS = {*ROOMS, "tests", "benchmarks", "docs", ".ci"}
FILES = {
    *("pyproject.toml", "requirements.lock", "requirements-dev.lock"),
    *("Makefile", "README.md", "README.zh-CN.md", "CHANGELOG.md", "LICENSE", ".gitignore"),
}
VAGUE = {"utils", "util", "helpers", "helper", "base"}  # names that say nothing draw everything in
FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 40  # without its docstring: nobody shall save words there
# Written so that this file does not find itself.
STRANGE = re.compile(r"/wor[k]/|/tm[p]/|\.\./share[d]|py[p]i[./]|pythonhoste[d]|npmj[s]\.|file:///op[t]")


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    """Every file that belongs to the repository, by its path within."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is no clone: which files belong to it cannot be known")
    return [
        path
        for name in listed.stdout.split("\0")
        if name and (path := Path(name)).parts and (ROOT / path).is_file()
    ]


def sources() -> Iterator[tuple[str, str]]:
    """(path, text) of every module of the five rooms, but for the written migrations."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if path.parent.name != "versions":
                yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def strangers(paths: list[Path]) -> set[str]:
    return {path.parts[0] for path in paths} - FOLDERS - FILES


def vague(paths: list[Path]) -> list[str]:
    return [path.as_posix() for path in paths if path.stem.lower() in VAGUE]


def too_long(name: str, text: str) -> Iterator[str]:
    """The file itself, and functions in it."""
    if text.count("\n") > FILE_LINES_MAX:
        yield f"{name}: {text.count(chr(10))} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = _length(node) - (_length(node.body[0]) if ast.get_docstring(node) else 0)
            if lines > FUNCTION_LINES_MAX:
                yield f"{name}: {node.name} has {lines} lines"


def _length(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def undocumented(name: str, text: str) -> Iterator[str]:
    """Public functions, classes and methods without a docstring, and the module itself."""
    tree = ast.parse(text)
    if not ast.get_docstring(tree) and text.strip():
        yield name
    nodes: list[ast.stmt] = list(tree.body)
    for node in nodes:  # grows while it is walked: methods stand behind their classes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith(
            "_"
        ):
            if not ast.get_docstring(node):
                yield f"{name}: {node.name}"
            if isinstance(node, ast.ClassDef):
                nodes.extend(node.body)


def strange_words(text: str) -> list[str]:
    return [
        f"line {number}: {line.strip()[:80]}"
        for number, line in enumerate(text.splitlines(), 1)
        if STRANGE.search(line)
    ]


def test_the_top_level_holds_only_what_the_plan_names(tracked):
    assert strangers(tracked) == set()
    assert strangers([Path("tools/x.py"), Path("setup.cfg"), Path("bot/x.py")]) == {"tools", "setup.cfg"}


def test_no_file_has_a_name_that_says_nothing(tracked):
    assert vague(tracked) == []
    assert vague([Path("bot/utils.py"), Path("db/Base.py"), Path("db/based.py")]) == ["bot/utils.py", "db/Base.py"]


def test_files_and_functions_stay_short():
    assert [one for name, text in sources() for one in too_long(name, text)] == []


def test_the_limits_of_length_are_exact():
    body = "    x = 1\n"
    assert list(too_long("m", "def f():\n" + body * 39)) == []
    assert list(too_long("m", "def f():\n" + body * 40)) == ["m: f has 41 lines"]
    assert list(too_long("m", 'def f():\n    """One.\n\n    Two.\n    """\n' + body * 39)) == []
    assert list(too_long("m", "x = 1\n" * 300)) == []
    assert list(too_long("m", "x = 1\n" * 301)) == ["m: 301 lines"]


def test_everything_public_says_what_it_is_for():
    assert [one for name, text in sources() for one in undocumented(name, text)] == []
    text = '"""M."""\n\nclass A:\n    def f(self): ...\n    def _g(self): ...\n\ndef h(): ...\n'
    assert list(undocumented("m", text)) == ["m: A", "m: h", "m: f"]
    assert list(undocumented("m", "x = 1\n")) == ["m"]


def test_no_file_names_the_place_where_it_was_written(tracked):
    found: list[str] = []
    for path in tracked:
        raw = (ROOT / path).read_bytes()
        if b"\0" not in raw[:8000]:
            found += [f"{path}: {line}" for line in strange_words(raw.decode("utf-8"))]
    assert found == []
    assert strange_words("a\nsee " + "../" + "shared/x\n") == ["line 2: see ../" + "shared/x"]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    words = [str(program), "--config", "pyproject.toml", "--no-cache"]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def test_the_arrows_between_the_rooms_hold():
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout
    assert "3 kept, 0 broken" in done.stdout


def test_the_linter_of_arrows_can_fail(tmp_path):
    """A copy with one import against each contract."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=lambda _, names: [n for n in names if not modular(n)])
    wrong = {
        "db/ledger.py": "import scoring.pioneer",
        "handlers/check_in.py": "import telegram",
        "scoring/stars.py": "import sqlmodel",
    }
    for name, line in wrong.items():
        path = tmp_path / name
        path.write_text(f"{path.read_text(encoding='utf-8')}\n{line}\n", encoding="utf-8")
    done = lint(tmp_path)
    assert done.returncode == 1
    assert "0 kept, 3 broken" in done.stdout
    assert "db.ledger -> scoring.pioneer" in done.stdout
    assert "handlers.check_in -> telegram" in done.stdout
    assert "scoring.stars -> sqlmodel" in done.stdout


def modular(name: str) -> bool:
    """A module, or a folder that may hold some."""
    return name.endswith(".py") or ("." not in name and name != "__pycache__")
