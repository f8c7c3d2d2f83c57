"""The bot that one would write first: PTB's Application, the SQLModel ORM over aiosqlite, a commit per message."""

from __future__ import annotations

import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import event
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, UniqueConstraint, select
from sqlmodel.ext.asyncio.session import AsyncSession
from telegram import Update
from telegram.ext import Application, ContextTypes, MessageHandler, filters

Crowd = Callable[[int, int, Callable[[int], Awaitable[None]]], Awaitable[dict[str, float]]]


class Plain(SQLModel, registry=registry()):
    """Tables of their own, apart from the service's."""


class PlainChat(Plain, table=True):
    """Who sits behind a chat."""

    address: int = Field(primary_key=True)
    member_id: int


class PlainAttendance(Plain, table=True):
    """One row per member and activity."""

    activity_id: int = Field(primary_key=True)
    member_id: int = Field(primary_key=True)


class PlainEntry(Plain, table=True):
    """A ledger line."""

    __table_args__ = (UniqueConstraint("member_id", "cause"),)
    id: int | None = Field(default=None, primary_key=True)
    member_id: int
    cause: str
    points: int


class PlainBalance(Plain, table=True):
    """What a member has."""

    member_id: int = Field(primary_key=True)
    points: int = 0


class PlainSeen(Plain, table=True):
    """Updates that were handled."""

    update_id: int = Field(primary_key=True)
    reply: str


def _durable(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


async def run(
    folder: Path, members: int, clients: int, update: Callable[[int], bytes], crowd: Crowd
) -> dict[str, float]:
    """Handle one check-in of every member."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{folder / 'plain.db'}", pool_size=1, max_overflow=0)
    event.listen(engine.sync_engine, "connect", _durable)
    event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    async with engine.begin() as connection:
        await connection.run_sync(Plain.metadata.create_all)
    async with AsyncSession(engine) as session:
        for number in range(members):
            session.add(PlainChat(address=1_000_000 + number, member_id=number))
        await session.commit()

    async def check_in(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        assert update.effective_chat
        async with AsyncSession(engine) as session:
            if await session.get(PlainSeen, update.update_id):
                return
            chat = await session.get(PlainChat, update.effective_chat.id)
            assert chat
            session.add(PlainAttendance(activity_id=1, member_id=chat.member_id))
            session.add(PlainEntry(member_id=chat.member_id, cause="activity:1", points=2))
            statement = select(PlainBalance).where(PlainBalance.member_id == chat.member_id)
            balance = (await session.exec(statement)).one_or_none() or PlainBalance(member_id=chat.member_id)
            balance.points += 2
            session.add(balance)
            session.add(PlainSeen(update_id=update.update_id, reply=f"签到成功，积分余额 {balance.points}"))
            await session.commit()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        application = Application.builder().token("1:x").updater(None).build()
    application.add_handler(MessageHandler(filters.TEXT, check_in))
    application._initialized = True  # process_update asks for it, and initialize() would call Telegram

    async def one(number: int) -> None:
        parsed = Update.de_json(orjson.loads(update(number)), application.bot)
        assert parsed
        await application.process_update(parsed)

    try:
        return await crowd(members, clients, one)
    finally:
        await engine.dispose()
