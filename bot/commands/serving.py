"""Commands that serve: `run`, `demo`, and the menu of the official account."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import typer

from bot.commands import terminal

app = typer.Typer()

DEMO_DATABASE = "sqlite:///var/demo.db"


@app.command()
def run() -> None:
    """Serve every channel that is configured, until stopped."""
    from bot.web import serve

    settings = terminal.read_settings()
    terminal.migrated(settings)
    asyncio.run(serve(settings))


@app.command()
def demo() -> None:
    """Fill the sample city unless it is there, print its people, serve the chat page."""
    from bot.demo import introduce, prepare
    from bot.sample import NotEmpty
    from bot.web import serve

    settings = terminal.read_settings(checked=False)
    if "database_url" not in settings.model_fields_set:
        settings = settings.model_copy(update={"database_url": DEMO_DATABASE})
    settings = settings.model_copy(update={"demo": True})
    with terminal.ended_by(NotEmpty), terminal.open_engine(settings) as engine, terminal.progress() as tell:
        prepare(engine, datetime.now(UTC), tell)
        introduce(engine, settings, terminal.out)
    asyncio.run(serve(settings))


@app.command()
def menu() -> None:
    """Create the menus of the WeChat official account."""
    from bot.app import create_wechat_menu

    settings = terminal.read_settings()
    if not settings.wechat_app_id:
        terminal.err.print("WeChat is not configured: README, section WeChat", markup=False)
        raise typer.Exit(2)
    terminal.migrated(settings)
    terminal.out.print(asyncio.run(create_wechat_menu(settings)), markup=False)
