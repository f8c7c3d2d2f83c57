"""Commands of the person who runs the server: `verify`, `rebuild`, `backup`, `restore`, `check`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlmodel import Session

from bot import backup as backups
from bot import check as checks
from bot.commands import terminal
from db import verify

app = typer.Typer()


@app.command(name="verify")
def verify_() -> None:
    """Prove the invariants of the database: totals, wallets, stock, memberships, outbox, audit chain."""
    settings = terminal.stored_settings()
    failed = False
    # Nothing is migrated here: a start would put lost triggers back, and nobody would hear of them.
    with terminal.ended_by_strangers(settings), verify.reading(settings.database_url) as session:
        for finding in verify.run(session):
            failed = failed or bool(finding.broken)
            terminal.out.print(str(finding), markup=False)
    raise typer.Exit(1 if failed else 0)


@app.command()
def rebuild() -> None:
    """Write totals, wallets and indices anew from the raw lines. The service must be stopped."""
    from db.rebuild import rebuild as from_lines
    from scoring.update import prepare, store

    settings = terminal.stored_settings()
    now = datetime.now(UTC)
    with terminal.open_engine(settings) as engine, Session(engine) as session, terminal.progress() as tell:
        found = from_lines(session, tell)
        today = now.astimezone(settings.zone).date()
        indices = prepare(session, today, zone=settings.zone, lines=True)
        store(session, indices)
        session.commit()
    terminal.out.print(f"{found}; indices of {indices.branches} branches ({indices.rows} corrected)", markup=False)


@app.command()
def backup(
    to: Annotated[Path, typer.Argument(help="the copy, or a folder for dated copies")] = Path("backups"),
) -> None:
    """Copy the database while the service runs, and prove that the copy can be read."""
    settings = terminal.stored_settings()
    with terminal.ended_by(backups.NotPossible, OSError):
        made = backups.make(settings.database_url, to, datetime.now(UTC))
    terminal.out.print(f"{made} (verified)", markup=False)


@app.command()
def restore(source: Annotated[Path, typer.Argument(help="a copy that `backup` made")]) -> None:
    """Put a copy in the place of the database. The service must be stopped; the old file is kept aside."""
    settings = terminal.read_settings(checked=False)
    with terminal.ended_by(backups.NotPossible, OSError):
        kept = backups.restore(settings.database_url, source, datetime.now(UTC))
    terminal.out.print(f"restored; the former database is {kept}" if kept else "restored", markup=False)


@app.command()
def check() -> None:
    """Say what is missing or wrong in the settings; exit status 1 when the service would not start."""
    settings, problems = checks.read_settings()
    if settings is not None:
        problems = checks.problems(settings)
    terminal.tell_problems(problems)
    if any(problem.stops for problem in problems):
        raise typer.Exit(1)
    terminal.out.print("ready to start" if not problems else "ready to start, with warnings")
