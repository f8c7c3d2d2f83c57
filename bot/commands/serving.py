"""Commands that serve: `run`, `demo`, and the menu of the official account."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from bot import event_loop
from bot.commands import terminal

if TYPE_CHECKING:
    from bot.settings import Settings

app = typer.Typer()

DEMO_DATABASE = "sqlite:///var/demo.db"


@app.command()
def run() -> None:
    """Serve every channel that is configured, until stopped."""
    from bot.web import serve

    settings = terminal.read_settings()
    terminal.migrated(settings)
    event_loop.run(serve(settings))


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
    event_loop.run(serve(settings))


@app.command()
def cluster(
    empty: bool = typer.Option(False, "--empty", help="with nobody in it, instead of the sample city"),
    port: int = typer.Option(0, help="of the first process; the others follow it. Default: HONGXIN_PORT"),
) -> None:
    """Try several processes on this machine: PostgreSQL, two for the web, two workers. Nothing of it is kept."""
    from bot import cluster as several
    from bot.demo import introduce, prepare
    from bot.private_postgresql import NoPostgreSQL, private_postgresql

    settings = terminal.read_settings(checked=False)
    if not empty:
        os.environ["HONGXIN_DEMO"] = "true"

    def tell(words: str) -> None:
        terminal.out.print(words, markup=False)

    with terminal.ended_by(NoPostgreSQL), private_postgresql() as server:
        settings = settings.model_copy(update={"database_url": server.url})
        members = several.processes(port or settings.port)
        with terminal.open_engine(settings) as engine, terminal.progress() as bar:
            if not empty:
                prepare(engine, datetime.now(UTC), bar)
                introduce(engine, settings, terminal.out)
        tell(f"database: {server.url}")
        for member in members:
            tell(f"{member.name}: http://{settings.host}:{member.port}")
        tell("Ctrl+C ends all of it")
        several.run(members, several.environment(server.url), tell)


@app.command()
def menu() -> None:
    """Create the menus of the WeChat official account."""
    settings = terminal.read_settings()
    if not settings.wechat_app_id:
        terminal.err.print("WeChat is not configured: README, section WeChat", markup=False)
        raise typer.Exit(2)
    terminal.migrated(settings)
    terminal.out.print(asyncio.run(_create_wechat_menu(settings)), markup=False)


async def _create_wechat_menu(settings: Settings) -> str:
    """Create the menus of the official account; what was done, in one sentence."""
    from bot.app import Service

    service = Service(settings)
    await service.open_channels()
    assert service.wechat is not None, "the caller has looked"
    await service.wechat.start()
    try:
        tagged = await service.wechat.create_menu()
    finally:
        await service.wechat.stop()
        await service.drawing.close()
        service.writer.close()
    return "menus created" if tagged else "menu created; no followers are tagged as secretaries yet"
