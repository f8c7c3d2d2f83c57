"""Commands that fill the city: `sample`, `import`, and `invite` for its people."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlmodel import Session

from bot.commands import terminal

app = typer.Typer()


@app.command()
def sample(
    size: Annotated[int, typer.Option(min=1, max=11_465, help="branches")] = 60,
    seed: Annotated[int, typer.Option(help="the same seed gives the same city")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="print what was made as JSON")] = False,
) -> None:
    """Fill a sample city into HONGXIN_DATABASE_URL."""
    from bot.sample import NotEmpty, fill

    settings = terminal.read_settings(checked=False)
    with terminal.ended_by(NotEmpty), terminal.open_engine(settings) as engine, terminal.progress() as tell:
        made = fill(engine, size=size, seed=seed, now=datetime.now(UTC), progress=tell)
    if as_json:
        print(json.dumps(made.to_json(), ensure_ascii=False))  # noqa: T201 - for other programs, without any colour
    else:
        terminal.out.print(f"{made.branches} branches, {made.members} members", markup=False)


@app.command()
def invite(
    member: Annotated[str | None, typer.Argument(help="number of the member on the roll, or the id")] = None,
    branch: Annotated[str | None, typer.Option(help="a sheet of codes for a whole branch")] = None,
    to: Annotated[Path | None, typer.Option(help="where the sheet goes (.html)")] = None,
) -> None:
    """Print a one-time bind code for a member, or make a sheet with QR codes for a branch."""
    from bot import invitations

    settings = terminal.stored_settings()
    if (member is None) == (branch is None):
        terminal.err.print("give either a member or --branch")
        raise typer.Exit(2)
    now = datetime.now(UTC)
    with (
        terminal.ended_by(invitations.NotPossible, OSError),
        terminal.open_engine(settings) as engine,
        Session(engine) as session,
    ):
        if member is not None:
            invitation = invitations.for_member(session, member, now)
            session.commit()
            terminal.out.print(invitation.text(settings), markup=False)
            return
        path = to or Path(f"invitations-{branch}.html")
        count = invitations.sheet(session, str(branch), now, path, settings)
        session.commit()
        terminal.out.print(f"{count} codes in {path}", markup=False)


@app.command(name="import")
def import_(
    file: Annotated[Path, typer.Argument(help="xlsx, a csv of one kind, or a folder of them")],
    template: Annotated[bool, typer.Option(help="write an empty workbook to FILE instead")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="import without asking, if nothing is refused")] = False,
) -> None:
    """Read organisations, regions and members: a verdict per row, then all or nothing."""
    from bot.roll import Refusal, apply, plan, read, write_template

    if template:
        with terminal.ended_by(Refusal, OSError):
            write_template(file)
        terminal.out.print(f"{file}: fill it in, then: python -m bot import {file}", markup=False)
        return
    settings = terminal.read_settings(checked=False)
    today = datetime.now(settings.zone).date()
    with terminal.ended_by(Refusal, OSError):
        roll = read(file)
    with terminal.open_engine(settings) as engine, terminal.progress() as tell:
        planned = plan(engine, roll, today=today)
        for line in planned.lines():
            terminal.out.print(line, markup=False)
        terminal.out.print(planned.summary(), markup=False)
        if planned.refused:
            raise typer.Exit(1)
        if not planned.changes or not (yes or typer.confirm("import?")):
            return
        apply(engine, planned, now=datetime.now(UTC), progress=tell)
        terminal.out.print("imported", markup=False)
