"""The command line as an operator types it."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from bot.__main__ import app

ROOT = Path(__file__).parents[2]
CANARY = "c4naryS3cretC4naryS3cretC4naryS3cretC4nary"


def run(*words: str, typed: str | None = None):
    """One command in this process: `exit_code`, `stdout`, `stderr`."""
    result = CliRunner().invoke(app, words, input=typed, prog_name="python -m bot")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result


def started(*words: str) -> subprocess.CompletedProcess[str]:
    """The same through `python -m bot` in a process of its own."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "bot", *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def code_in(words: str) -> str:
    found = re.search(r"绑定 (\d{4})-(\d{4})", words)
    assert found, words
    return "".join(found.groups())


def rows(path: Path, question: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute(question).fetchall()


def alter(path: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


MEMBERS = "编号,姓名,支部编号,转入日期\nN1,郑新,B10,2021-05-01\n"
