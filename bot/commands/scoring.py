"""Commands about the rules and the indices: `rules`."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from bot.commands import terminal

app = typer.Typer()


@app.command()
def rules(folder: Annotated[Path | None, typer.Argument(help="a folder of rule files")] = None) -> None:
    """Check the rule files and list what is in force today, and what is still our own proposal."""
    from scoring.catalogue import RULES, RulesError, load
    from scoring.listing import lines

    with terminal.ended_by(RulesError, status=1):
        catalogue = load(folder or RULES)
    for line in lines(catalogue, date.today()):  # noqa: DTZ011 - the operator's own day
        terminal.out.print(line, markup=False)
