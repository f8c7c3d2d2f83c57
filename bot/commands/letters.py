"""`letters`: the reports of letters on the command line, figures without names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import select
from sqlmodel import Session, col

from bot.commands import terminal
from db.letters import Letter
from db.verify import reading
from notices.letter_reports import Report, figures_json, report
from notices.letters import name_of
from notices.wording import wording

app = typer.Typer()
LISTED = 30


@app.command()
def letters(
    letter_id: Annotated[
        int | None, typer.Argument(metavar="[ID]", help="one letter; none: the last ones")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False,
    csv: Annotated[Path | None, typer.Option("--csv", help="write the letter's tables to FILE")] = None,
) -> None:
    """Say how letters do: sent, read, not reached and why. Nothing is changed, and nobody is named."""
    settings = terminal.stored_settings()
    with terminal.ended_by_strangers(settings), reading(settings.database_url) as session:
        if letter_id is None:
            _list(session, as_json=as_json)
            return
        letter = session.get(Letter, letter_id)
        if letter is None or letter.sent_at is None:
            terminal.err.print(f"there is no letter {letter_id} that was sent", markup=False)
            raise typer.Exit(1)
        found = report(session, letter, wording("en"))
        if csv is not None:
            _write(session, letter, found, csv)
        elif as_json:
            terminal.out.print(json.dumps(figures_json(found), ensure_ascii=False), markup=False)
        else:
            _show(found)


def _list(session: Session, *, as_json: bool) -> None:
    statement = select(Letter).where(col(Letter.sent_at).is_not(None)).order_by(col(Letter.id).desc())
    found = session.execute(statement.limit(LISTED)).scalars().all()
    rows = [
        {"letter_id": one.id, "state": one.state, "recipients": one.recipients, "name": name_of(one)}
        for one in found
    ]
    if as_json:
        terminal.out.print(json.dumps(rows, ensure_ascii=False), markup=False)
        return
    for row in rows:
        terminal.out.print("{letter_id}\t{state}\t{recipients}\t{name}".format(**row), markup=False)


def _show(found: Report) -> None:
    values = figures_json(found)
    for name, value in values.items():
        shown = ", ".join(f"{one} {count}" for one, count in value.items()) if isinstance(value, dict) else value
        terminal.out.print(f"{name}: {'-' if shown in (None, '') else shown}", markup=False)


def _write(session: Session, letter: Letter, found: Report, file: Path) -> None:
    from bot import letter_tables

    with terminal.ended_by(OSError):
        file.write_bytes(
            letter_tables.as_csv(letter_tables.sheets(session, letter, found, wording("zh"), named_on=None))
        )
    terminal.out.print(f"{file}: {found.branches} branches", markup=False)
