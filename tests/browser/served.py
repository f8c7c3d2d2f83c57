"""The chat page as a process of its own, so that a test can kill it: `python -m tests.browser.served FILE PORT MODE`.

MODE is `demo` or `real`. POST /test/letter sends a letter to a chat, as the outbox would.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import uvicorn
from fastapi import FastAPI, Request
from sqlmodel import Session

from bot.channels.web import WebChannel, WebChat, picture_router, say_router, upload_router
from bot.dispatch import Dispatcher
from bot.drawing import Drawing
from bot.pages import board, live
from bot.pages import chat as chat_page
from bot.pages import letters as letter_page
from bot.writer import Writer
from db import schema
from db.engine import report_engine, write_engine
from db.pictures import Picture
from notices.channel import Button, Message
from notices.channel import Picture as Shown
from tests import boards, cast, sent_letters

PEOPLE = {"member": cast.ALICE, "secretary": cast.SUN, "mobile": cast.MO, "reviewer": cast.RUI, "keeper": cast.KE}


def application(database: Path, *, demo: bool) -> FastAPI:
    """The page, the endpoint of the demo, and a way to send letters, on the cast's city at its noon."""
    new = not database.exists()
    engine = write_engine(f"sqlite:///{database}")
    if new:
        schema.create(engine)
        with Session(engine) as session:
            cast.populate(session)
            boards.fill(session)
            boards.own_result(session)
            session.commit()
    writer = Writer(engine)
    dispatcher = Dispatcher(writer, zone=ZoneInfo("Asia/Shanghai"), clock=lambda: cast.NOON, demo=demo)

    async def load(picture_id: int) -> tuple[str, bytes]:
        row = await writer.write(lambda session: session.get(Picture, picture_id))
        assert row is not None
        assert row.content is not None
        return row.media_type or "", row.content

    drawing = Drawing(load, timeout_s=100.0)  # a busy machine draws slowly
    chat = WebChat(dispatcher, drawing.png)
    channel = WebChannel(chat)
    app = FastAPI()

    @app.post("/test/letter")
    async def letter(request: Request) -> str:
        told = await request.json()
        picture = Shown("qr", {"text": told["qr"]}, told["alt"]) if "qr" in told else None
        message = Message(told["text"], tuple(Button(*button) for button in told.get("buttons", ())), picture)
        return await channel.send(told["address"], message, key=told["key"])

    app.include_router(picture_router(chat))
    app.include_router(live.router())
    app.include_router(
        board.router(writer.write, drawing.png, clock=lambda: cast.NOON, zone=dispatcher.zone, title="港城")
    )
    app.include_router(upload_router(chat))
    if demo:
        app.include_router(say_router(chat, PEOPLE))
    reports = report_engine(f"sqlite:///{database}")

    async def read(work: Callable[[Session], Any]) -> Any:
        """As the service reads for this page: in a thread of its own, by a session that cannot write."""

        def run() -> Any:
            with Session(reports) as session:
                return work(session)

        return await asyncio.to_thread(run)

    letter_page.attach(app, chat, PEOPLE, read=read, demo=demo)

    @app.post("/test/queue")
    async def queue(request: Request) -> int:
        """Queue a letter of branch 10's secretary and end its rows as told: the states in the order of members."""
        told = await request.json()
        return await writer.write(lambda session: sent_letters.queue(session, told))

    @app.post("/test/end")
    async def end(request: Request) -> int:
        """Let the rows of a letter end in other states."""
        told = await request.json()
        return len(await writer.write(lambda s: sent_letters.end(s, told["letter_id"], told["states"])))

    @app.post("/test/bind")
    async def bind(request: Request) -> None:
        """Give every browser that has no member to this one."""
        told = await request.json()
        await writer.write(lambda session: sent_letters.bind_browsers(session, told["member_id"]))

    chat_page.attach(app, chat, PEOPLE, secret="a secret of the tests", demo=demo)
    return app


class Announced(uvicorn.Server):
    """Says on its standard output that it takes connections now."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve."""
        await super().startup(sockets=sockets)
        print("serving", flush=True)  # noqa: T201 - for the test that waits


def main(file: str, port: str, mode: str) -> None:
    """Serve until killed."""
    app = application(Path(file), demo=mode == "demo")
    Announced(
        uvicorn.Config(app, host="127.0.0.1", port=int(port), log_level="warning", timeout_graceful_shutdown=1)
    ).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
