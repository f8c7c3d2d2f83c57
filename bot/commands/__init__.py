"""The command line: one file per kind of command, each with a Typer of its own."""
