"""The command that tells a past day as it was known then: `replay`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from bot.commands import terminal

app = typer.Typer()


@app.command()
def replay(
    as_of: Annotated[str, typer.Option(help="the day, YYYY-MM-DD: what was written down later does not exist")],
    organization: Annotated[str | None, typer.Option(help="the city's number of one branch")] = None,
    member: Annotated[str | None, typer.Option(help="the roll's number of one member")] = None,
    out: Annotated[Path | None, typer.Option(help="a folder for the four files; printed without it")] = None,
) -> None:
    """Tell all indices of a past day as they were known at its end, with the rules in force on it."""
    from bot.replaying import NotFound, tell
    from scoring.folder_rows import day as read_day

    settings = terminal.stored_settings()
    with terminal.ended_by(NotFound, ValueError, LookupError, OSError), terminal.ended_by_strangers(settings):
        on = read_day(as_of)
        if on > datetime.now(settings.zone).date():
            raise ValueError(f"{on} is still to come")
        counts = tell(settings.database_url, on, out, zone=settings.zone, member=member, organization=organization)
    if out is not None:
        for name, count in counts.items():
            terminal.out.print(f"{out / name}: {count} rows", markup=False)
