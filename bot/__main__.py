"""The command line: `python -m bot COMMAND`. `python -m bot --help` lists them."""

from __future__ import annotations

import sys

import typer

from bot.commands import city, letters, replaying, rules, scoring, serving, sheets, spot_check, upkeep

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
for part in (serving, city, rules, scoring, replaying, sheets, letters, spot_check, upkeep):
    app.registered_commands += part.app.registered_commands
    app.registered_groups += part.app.registered_groups

if __name__ == "__main__":
    sys.exit(app())
