"""The command line: `python -m bot COMMAND`. `python -m bot --help` lists them."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DatabaseError
from sqlmodel import Session

from bot import backup as backups
from bot import check as checks
from bot.settings import Settings
from db import migrate, verify
from db.database_file import Refused
from db.engine import write_engine

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

DEMO_DATABASE = "sqlite:///var/demo.db"


def _settings(*, checked: bool = True) -> Settings:
    """The settings, or the end of the program with every problem that stops it."""
    settings, problems = checks.read_settings()
    if settings is not None:
        problems = checks.problems(settings) if checked else checks.unusable(settings)
    _tell(problems)
    if settings is None or any(problem.stops for problem in problems):
        raise typer.Exit(2)
    return settings


def _tell(problems: list[checks.Problem]) -> None:
    for problem in problems:
        err.print(f"{problem.id} {problem.message} ({problem.hint})", markup=False)


def _refuse(*reasons: str) -> NoReturn:
    """End with the reasons why the database cannot be used."""
    for reason in reasons:
        err.print(reason, markup=False)
    raise typer.Exit(3)


def _migrate(settings: Settings) -> None:
    try:
        migrate.upgrade(settings.database_url)
    except Refused as refusal:
        _refuse(str(refusal))


@contextmanager
def _ended_by(*errors: type[Exception], status: int = 2) -> Iterator[None]:
    """Ends the program with one line when one of these comes: each of them carries its own sentence."""
    try:
        yield
    except errors as error:
        err.print(str(error), markup=False)
        raise typer.Exit(status) from None


@contextmanager
def _engine(settings: Settings) -> Iterator[Engine]:
    """The write engine on a migrated database, closed at the end."""
    _migrate(settings)
    engine = write_engine(settings.database_url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on the terminal for long work: `tell(what, done, of)`."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    with Progress(*columns, TimeRemainingColumn(), console=err, transient=True) as bar:
        tasks: dict[str, object] = {}

        def tell(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=of)
            bar.update(tasks[what], completed=done, total=of)  # type: ignore[arg-type]

        yield tell


@app.command()
def run() -> None:
    """Serve every channel that is configured, until stopped."""
    from bot.web import serve

    settings = _settings()
    _migrate(settings)
    asyncio.run(serve(settings))


@app.command()
def demo() -> None:
    """Fill the sample city unless it is there, print its people, serve the chat page."""
    from bot.demo import introduce, prepare
    from bot.sample import NotEmpty
    from bot.web import serve

    settings = _settings(checked=False)
    if "database_url" not in settings.model_fields_set:
        settings = settings.model_copy(update={"database_url": DEMO_DATABASE})
    settings = settings.model_copy(update={"demo": True})
    with _ended_by(NotEmpty), _engine(settings) as engine, _progress() as tell:
        prepare(engine, datetime.now(UTC), tell)
        introduce(engine, settings, out)
    asyncio.run(serve(settings))


@app.command()
def sample(
    size: Annotated[int, typer.Option(min=1, max=11_465, help="branches")] = 60,
    seed: Annotated[int, typer.Option(help="the same seed gives the same city")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="print what was made as JSON")] = False,
) -> None:
    """Fill a sample city into HONGXIN_DATABASE_URL."""
    from bot.sample import NotEmpty, fill

    settings = _settings(checked=False)
    with _ended_by(NotEmpty), _engine(settings) as engine, _progress() as tell:
        made = fill(engine, size=size, seed=seed, now=datetime.now(UTC), progress=tell)
    if as_json:
        print(json.dumps(made.to_json(), ensure_ascii=False))  # noqa: T201 - for other programs, without any colour
    else:
        out.print(f"{made.branches} branches, {made.members} members", markup=False)


@app.command()
def invite(
    member: Annotated[str | None, typer.Argument(help="number of the member on the roll, or the id")] = None,
    branch: Annotated[str | None, typer.Option(help="a sheet of codes for a whole branch")] = None,
    to: Annotated[Path | None, typer.Option(help="where the sheet goes (.html)")] = None,
) -> None:
    """Print a one-time bind code for a member, or make a sheet with QR codes for a branch."""
    from bot import invitations

    settings = _settings(checked=False)
    if (member is None) == (branch is None):
        err.print("give either a member or --branch")
        raise typer.Exit(2)
    now = datetime.now(UTC)
    with (
        _ended_by(invitations.NotPossible, OSError),
        _engine(settings) as engine,
        Session(engine) as session,
    ):
        if member is not None:
            invitation = invitations.for_member(session, member, now)
            session.commit()
            out.print(invitation.text(settings), markup=False)
            return
        path = to or Path(f"invitations-{branch}.html")
        count = invitations.sheet(session, str(branch), now, path, settings)
        session.commit()
        out.print(f"{count} codes in {path}", markup=False)


@app.command()
def menu() -> None:
    """Create the menus of the WeChat official account."""
    from bot.app import create_wechat_menu

    settings = _settings()
    if not settings.wechat_app_id:
        err.print("WeChat is not configured: README, section WeChat", markup=False)
        raise typer.Exit(2)
    _migrate(settings)
    out.print(asyncio.run(create_wechat_menu(settings)), markup=False)


@app.command(name="import")
def import_(
    file: Annotated[Path, typer.Argument(help="xlsx, a csv of one kind, or a folder of them")],
    template: Annotated[bool, typer.Option(help="write an empty workbook to FILE instead")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="import without asking, if nothing is refused")] = False,
) -> None:
    """Read organisations, regions and members: a verdict per row, then all or nothing."""
    from bot.roll import Refusal, apply, plan, read, write_template

    if template:
        with _ended_by(Refusal, OSError):
            write_template(file)
        out.print(f"{file}: fill it in, then: python -m bot import {file}", markup=False)
        return
    settings = _settings(checked=False)
    today = datetime.now(settings.zone).date()
    with _ended_by(Refusal, OSError):
        roll = read(file)
    with _engine(settings) as engine, _progress() as tell:
        planned = plan(engine, roll, today=today)
        for line in planned.lines():
            out.print(line, markup=False)
        out.print(planned.summary(), markup=False)
        if planned.refused:
            raise typer.Exit(1)
        if not planned.changes or not (yes or typer.confirm("import?")):
            return
        apply(engine, planned, now=datetime.now(UTC), progress=tell)
        out.print("imported", markup=False)


@app.command()
def rules(folder: Annotated[Path | None, typer.Argument(help="a folder of rule files")] = None) -> None:
    """Check the rule files and list what is in force today, and what is still our own proposal."""
    from scoring.catalogue import RULES, RulesError, load
    from scoring.listing import lines

    with _ended_by(RulesError, status=1):
        catalogue = load(folder or RULES)
    for line in lines(catalogue, date.today()):  # noqa: DTZ011 - the operator's own day
        out.print(line, markup=False)


@app.command(name="verify")
def verify_() -> None:
    """Prove the invariants of the database: totals, wallets, stock, memberships, outbox, audit chain."""
    settings = _settings(checked=False)
    failed = False
    try:
        # Nothing is migrated here: a start would put lost triggers back, and nobody would hear of them.
        with verify.reading(settings.database_url) as session:
            for finding in verify.run(session):
                failed = failed or bool(finding.broken)
                out.print(str(finding), markup=False)
    except Refused as refusal:
        _refuse(str(refusal))
    except DatabaseError:
        _refuse("the tables are not those of this program", *migrate.check(settings.database_url))
    raise typer.Exit(1 if failed else 0)


@app.command()
def rebuild() -> None:
    """Write totals, wallets and indices anew from the raw lines of the ledger. The service must be stopped."""
    from db.rebuild import rebuild as from_lines
    from scoring.update import refresh_city

    settings = _settings(checked=False)
    now = datetime.now(UTC)
    with _engine(settings) as engine, Session(engine) as session, _progress() as tell:
        found = from_lines(session, tell)
        branches = refresh_city(session, now.astimezone(settings.zone).date(), now, zone=settings.zone)
        session.commit()
    out.print(f"{found}; indices of {branches} branches", markup=False)


@app.command()
def backup(
    to: Annotated[Path, typer.Argument(help="the copy, or a folder for dated copies")] = Path("backups"),
) -> None:
    """Copy the database while the service runs, and prove that the copy can be read."""
    settings = _settings(checked=False)
    with _ended_by(backups.NotPossible, OSError):
        made = backups.make(settings.database_url, to, datetime.now(UTC))
    out.print(f"{made} (verified)", markup=False)


@app.command()
def restore(source: Annotated[Path, typer.Argument(help="a copy that `backup` made")]) -> None:
    """Put a copy in the place of the database. The service must be stopped; the old file is kept aside."""
    settings = _settings(checked=False)
    with _ended_by(backups.NotPossible, OSError):
        kept = backups.restore(settings.database_url, source, datetime.now(UTC))
    out.print(f"restored; the former database is {kept}" if kept else "restored", markup=False)


@app.command()
def check() -> None:
    """Say what is missing or wrong in the settings; exit status 1 when the service would not start."""
    settings, problems = checks.read_settings()
    if settings is not None:
        problems = checks.problems(settings)
    _tell(problems)
    if any(problem.stops for problem in problems):
        raise typer.Exit(1)
    out.print("ready to start" if not problems else "ready to start, with warnings")


if __name__ == "__main__":
    sys.exit(app())
