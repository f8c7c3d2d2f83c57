"""Commands about the rules: `rules` checks and lists them; below it `try` and `schema`."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from bot.commands import terminal

app = typer.Typer()
group = typer.Typer(invoke_without_command=True, no_args_is_help=False, help=__doc__)
app.add_typer(group, name="rules")


@group.callback()
def rules(
    ctx: typer.Context,
    folder: Annotated[Path | None, typer.Option(help="a folder of rule files instead of the shipped ones")] = None,
) -> None:
    """Check the rule files and list what is in force today, and what is still our own proposal."""
    if ctx.invoked_subcommand is not None:
        return
    from scoring.catalogue import RULES, RulesError, load
    from scoring.listing import lines

    with terminal.ended_by(RulesError, status=1):
        catalogue = load(folder or RULES)
    for line in lines(catalogue, date.today()):  # noqa: DTZ011 - the operator's own day
        terminal.out.print(line, markup=False)


@group.command(name="try")
def try_(
    file: Annotated[Path, typer.Argument(help="a changed rule file, under its own name")],
    year: Annotated[int, typer.Option(min=2000, max=9998, help="the stored year to try it on")],
    out: Annotated[Path | None, typer.Option(help="a folder for everything that moves, as CSV files")] = None,
) -> None:
    """Say who would move and by how much, and which stars and colours change. Changes nothing."""
    from bot.trial_report import lines, write
    from db import verify
    from db.city_columns import View
    from scoring.catalogue import RulesError, shipped
    from scoring.trial import run_trial
    from scoring.trial_rules import tried_rules

    settings = terminal.stored_settings()
    today = datetime.now(settings.zone).date()
    if year > today.year:
        terminal.err.print(f"{year} has not begun", markup=False)
        raise typer.Exit(2)
    with terminal.ended_by(RulesError, OSError, status=1):
        tried = tried_rules(file, year)
    view = View(min(today, date(year, 12, 31)), settings.zone)
    with terminal.ended_by_strangers(settings), verify.reading(settings.database_url) as session:
        trial = run_trial(session, view, shipped(), tried)
        for line in lines(session, trial):
            terminal.out.print(line, markup=False)
        if out is not None:
            with terminal.ended_by(OSError):
                for path in write(session, trial, out):
                    terminal.out.print(str(path), markup=False)


@group.command()
def schema(
    to: Annotated[Path, typer.Argument(help="the folder for the schemas")] = Path("var/schemas"),
) -> None:
    """Write a JSON Schema per rule file, so that an editor completes and checks while one types."""
    from scoring.catalogue import json_schemas

    with terminal.ended_by(OSError):
        to.mkdir(parents=True, exist_ok=True)
        for name, schema_ in sorted(json_schemas().items()):
            path = to / f"{name}.schema.json"
            path.write_text(json.dumps(schema_, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
            terminal.out.print(str(path), markup=False)
