"""What every command needs: the terminal, the settings, and the database that they name."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import psycopg
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DatabaseError

from bot import check as checks
from bot.settings import Settings
from db import migrate as migrations
from db.database_file import Refused
from db.engine import write_engine

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)
DRIVERS = (DatabaseError, sqlite3.DatabaseError, psycopg.DatabaseError)  # columns are read without SQLAlchemy


def read_settings(*, checked: bool = True) -> Settings:
    """The settings, or the end of the program with every problem that stops it."""
    settings, problems = checks.read_settings()
    if settings is not None:
        # What differs from the models in a column is told by `check`: a process that resumes shall send at once.
        problems = checks.problems(settings, thorough=False) if checked else checks.unusable(settings)
    tell_problems(problems)
    if settings is None or any(problem.stops for problem in problems):
        raise typer.Exit(2)
    return settings


def stored_settings() -> Settings:
    """The settings of a command that works on what is stored, or the end of the program when nothing is.

    Without it such a command would make an empty database and find everything in order there.
    """
    settings = read_settings(checked=False)
    try:
        there = migrations.is_there(settings.database_url)
    except Refused as refusal:
        refuse(str(refusal))
    if not there:
        err.print("there is no database yet: `run`, `sample` or `import` makes it", markup=False)
        err.print("if there should be one, see HONGXIN_DATABASE_URL", markup=False)
        raise typer.Exit(2)
    return settings


def tell_problems(problems: list[checks.Problem]) -> None:
    """Print each problem with its id and what to do about it."""
    for problem in problems:
        err.print(f"{problem.id} {problem.message} ({problem.hint})", markup=False)


def refuse(*reasons: str) -> NoReturn:
    """End the program with the reasons why the database cannot be used."""
    for reason in reasons:
        err.print(reason, markup=False)
    raise typer.Exit(3)


def migrated(settings: Settings) -> None:
    """Bring the database to the present schema, or end the program with the reason."""
    try:
        migrations.upgrade(settings.database_url)
    except Refused as refusal:
        refuse(str(refusal))


@contextmanager
def ended_by(*errors: type[Exception], status: int = 2) -> Iterator[None]:
    """Ends the program with one line when one of these comes: each of them carries its own sentence."""
    try:
        yield
    except errors as error:
        err.print(str(error), markup=False)
        raise typer.Exit(status) from None


@contextmanager
def ended_by_strangers(settings: Settings) -> Iterator[None]:
    """Ends the program with the reasons when the database cannot be read, or has other tables than ours."""
    try:
        yield
    except Refused as refusal:
        refuse(str(refusal))
    except DRIVERS:  # their own texts may hold values of people
        refuse(*(migrations.check(settings.database_url) or ["the database could not be read; try again"]))


@contextmanager
def open_engine(settings: Settings) -> Iterator[Engine]:
    """The write engine on a migrated database, closed at the end."""
    migrated(settings)
    engine = write_engine(settings.database_url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on the terminal for long work: `tell(what, done, of)`."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    with Progress(*columns, TimeRemainingColumn(), console=err, transient=True) as bar:
        tasks: dict[str, object] = {}

        def tell(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=of)
            bar.update(tasks[what], completed=done, total=of)  # type: ignore[arg-type]

        yield tell
