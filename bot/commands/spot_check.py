"""The draw of a month, for everybody who wants to draw again: `spot-check`."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlmodel import Session

from bot.commands import terminal
from db import spot_checks
from scoring import spot_check as draws
from scoring.declaring import deadlines, month_of, read_period

app = typer.Typer()


@app.command(name="spot-check")
def spot_check(
    period: Annotated[
        str, typer.Option(help="a period, such as 2026-03: the draw of the month with which it ends")
    ],
    candidates: Annotated[bool, typer.Option("--candidates", help="list every id that stood in the draw")] = False,
) -> None:
    """Print seed, hash, candidates and drawn ids of a month; exit status 1 when drawing again gives others."""
    try:
        month = month_of(read_period(period).last)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    settings = terminal.stored_settings()
    with terminal.open_engine(settings) as engine, Session(engine) as session:
        row = spot_checks.of_month(session, month.text)
        ids = spot_checks.candidates(session, month.text)
        drawn = set(spot_checks.drawn_under(session, month.text, ["/"]))
    if row is None:
        terminal.refuse(f"the seed of {month.text} is not fixed yet")
    lines = [f"month: {row.month}", f"hash: {row.commitment}"]
    if row.drawn_at is None:
        terminal.out.print("\n".join([*lines, "not drawn yet: the seed is told with the draw"]), markup=False)
        return
    again = draws.draw(row.seed, ids, deadlines(month.last).spot_check_share)
    same = set(again) == drawn and draws.commitment(row.seed) == row.commitment and row.candidates == len(ids)
    lines += [f"seed: {row.seed}", f"candidates: {row.candidates}", f"drawn: {' '.join(map(str, again))}"]
    lines += [f"all: {' '.join(map(str, ids))}"] if candidates else []
    lines.append("drawn again: the same" if same else "DRAWN AGAIN: NOT THE SAME")
    terminal.out.print("\n".join(lines), markup=False)
    raise typer.Exit(0 if same else 1)
