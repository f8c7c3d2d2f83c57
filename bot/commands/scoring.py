"""Commands that hold the arithmetic against anything else: `score`, `export`."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from bot.commands import terminal

app = typer.Typer()


@app.command()
def score(
    data: Annotated[Path, typer.Option(help="the folder with the seven CSV files")],
    as_of: Annotated[str, typer.Option(help="the day, YYYY-MM-DD: later facts do not exist")],
    out: Annotated[Path, typer.Option(help="the folder for the four result files")],
) -> None:
    """Compute every index of a folder of CSV files, without a database: docs/scoring.md."""
    from scoring.catalogue import shipped
    from scoring.folder import score_folder
    from scoring.folder_reading import read_folder
    from scoring.folder_rows import Refusal
    from scoring.folder_writing import write_scores

    on = _day(as_of)
    with terminal.ended_by(Refusal, OSError):
        scores = score_folder(shipped(), read_folder(data, shipped(), on))
        counts = write_scores(scores, out)
    for name, count in counts.items():
        terminal.out.print(f"{out / name}: {count} rows", markup=False)


@app.command()
def export(
    scoring: Annotated[Path, typer.Option(help="the folder for the seven CSV files that `score` reads")],
    as_of: Annotated[str | None, typer.Option(help="the day, YYYY-MM-DD; today without it")] = None,
) -> None:
    """Write the facts behind the indices of the running service, so that `score` can check its figures."""
    from bot.scoring_export import export as write

    settings = terminal.stored_settings()
    on = _day(as_of) if as_of is not None else datetime.now(settings.zone).date()
    with terminal.ended_by(OSError), terminal.ended_by_strangers(settings):
        counts = write(settings.database_url, scoring, as_of=on, zone=settings.zone)
    for name, count in counts.items():
        terminal.out.print(f"{scoring / name}: {count} rows", markup=False)


def _day(text: str) -> date:
    """The day of an option, or the end of the program."""
    from scoring.folder_rows import day

    with terminal.ended_by(ValueError):
        return day(text)
