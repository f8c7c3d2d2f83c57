"""All wiring: from settings to a running service, and down again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Session

from bot.channels.telegram import Telegram, open_telegram
from bot.channels.web.chat import WebChat
from bot.channels.web.following import follow
from bot.channels.web.send import WebChannel
from bot.channels.wechat import WeChat
from bot.channels.wechat.agree_page import agree_address
from bot.channels.wechat.cards import read_cards
from bot.dispatch import Dispatcher
from bot.drawing import Drawing
from bot.incoming_pictures import IncomingPictures
from bot.open_replies import send_open_replies
from bot.sample import keep_open
from bot.sender import Sender
from bot.settings import Settings
from bot.sheets.incoming import IncomingSheets
from bot.ticker import Jobs
from bot.writer import Writer
from db import accounts, pictures
from db.engine import is_file_url, read_engine, report_engine, write_engine
from handlers import COMMANDS
from notices.channel import Channels

if TYPE_CHECKING:
    from bot.job_queue import QueuedJobs

log = logging.getLogger(__name__)
T = TypeVar("T")
ABROAD = "telegram"  # a channel over which no full name goes unless the settings say so
WECHAT_RETRIES_FOR = timedelta(seconds=20)  # within this WeChat itself brings an unanswered message again
KEEP_OPEN_EVERY_S = 3600
IDLE_S = 12.0  # a transaction that stands still for longer has lost its process, and must not hold up another one


class Service:
    """Everything that runs, on a database that is migrated. `clock` gives the present instant in UTC."""

    def __init__(self, settings: Settings, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.settings = settings
        self.clock = clock
        engine = write_engine(settings.database_url, workers=settings.writers, idle_s=IDLE_S)
        self.writer = Writer(engine, workers=1 if is_file_url(settings.database_url) else settings.writers)
        self.drawing = Drawing(self._stored_picture)
        abroad = () if settings.telegram_full_names else (ABROAD,)
        self.dispatcher = Dispatcher(
            self.writer,
            zone=settings.zone,
            clock=clock,
            demo=settings.demo,
            abroad=abroad,
            site=settings.public_url,
            cards_pages={
                "wechat": agree_address(
                    settings.public_url, read_cards(settings.wechat_cards if settings.wechat_app_id else "")
                )
            },
            on_picture=self._picture_arrived,
            on_file=self._file_arrived,
            on_rebound=self._rebound,
            read=self.report,
        )
        self.web = WebChat(self.dispatcher, self.drawing.png)
        self.channels = Channels()
        self.telegram: Telegram | None = None
        self.wechat: WeChat | None = None
        self.pictures: IncomingPictures | None = None
        self.sheets: IncomingSheets | None = None
        self.reading = read_engine(settings.database_url)
        self._reports = report_engine(settings.database_url)
        self.sender = Sender(settings.database_url, self.dispatcher.write, self.channels, clock, settings.zone)
        self.jobs = self._open_jobs()
        self._tasks: set[asyncio.Task[object]] = set()

    async def open_channels(self) -> None:
        """Wire every channel that is configured; nothing comes in or goes out yet."""
        settings = self.settings
        self.channels.by_name["web"] = WebChannel(self.web)
        self.channels.keyed.add("web")
        self.channels.marked |= {"web", "telegram"}
        self.channels.worded.add("wechat")
        if settings.telegram_token:
            self.telegram = await open_telegram(
                token=secret(settings.telegram_token),
                api_url=settings.telegram_api_url,
                mode=settings.telegram_mode,
                secret=secret(settings.telegram_secret) or None,
                public_url=settings.public_url,
                dispatcher=self.dispatcher,
                draw=self.drawing.png,
                commands=COMMANDS,
                full_names=settings.telegram_full_names,
                paid_per_s=settings.telegram_paid_per_s,
            )
            self.channels.by_name["telegram"] = self.telegram.channel
            account = secret(settings.telegram_token).partition(":")[0]
            self.sender.knows("telegram", account, self.telegram.channel.pacer)
            self.channels.abroad |= {"telegram"} if self.telegram.channel.masks_names else set()
        if settings.wechat_app_id:
            self.wechat = open_wechat(settings, self.dispatcher, self.drawing)
            for channel in self.wechat.channels():
                self.channels.by_name[channel.name] = channel
                self.sender.knows(channel.name, settings.wechat_app_id)
        fetchers = {"telegram": self.telegram, "wechat": self.wechat}
        self.pictures = IncomingPictures(
            self.dispatcher.write, {name: one.fetch for name, one in fetchers.items() if one is not None}
        )
        self.sheets = IncomingSheets(
            self.dispatcher.write,
            self.report,
            {"telegram": self.telegram.fetch_file} if self.telegram else {},
            clock=self.clock,
            zone=settings.zone,
            site=settings.public_url,
        )

    async def start(self) -> None:
        """Begin: what an earlier run left open first, then the channels, the outbox and the jobs."""
        assert self.pictures is not None and self.sheets is not None, "open_channels comes first"  # noqa: PT018
        self.pictures.start()
        self.sheets.start()
        if self.wechat:
            await self.wechat.start()
        if self.sender.alone:
            self._open_alone(self.clock())
        elif self.settings.role != "worker":
            if self.telegram and self.telegram.router is not None:
                await self.telegram.start()
            self._background(follow(self.web, self.read))
        if self.settings.role != "web":
            await self._work(self.pictures, self.sheets)

    async def _work(self, pictures: IncomingPictures, sheets: IncomingSheets) -> None:
        """Send, and run the jobs."""
        polls = self.telegram if self.telegram is not None and self.telegram.router is None else None
        pushing = [one.channel for one in (self.telegram, self.wechat) if one is not None]
        self.sender.start(polls=polls, replies=pushing, errands=(pictures.arrived, sheets.arrived))
        if self.telegram:
            self._background(self.telegram.show_counts(self.dispatcher.write, self.sender.engine.tenure.owning))
        if self.settings.demo:
            self._background(self._keep_open())
        await self.jobs.start()

    async def stop(self) -> None:
        """End in the opposite order: nothing new comes in, what is under way is finished, then the database."""
        if self.settings.role != "web":
            await self.jobs.stop()
        if self.telegram:
            await self.telegram.halt()
        await self.sender.stop()
        if self.telegram:
            await self.telegram.stop()
        if self.wechat:
            await self.wechat.stop()
        if self.pictures:
            await self.pictures.stop()
        if self.sheets:
            await self.sheets.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(self.sender.close(), self.drawing.close(), self.reading.dispose())
        self._reports.dispose()
        await asyncio.to_thread(self.writer.close)

    def _open_jobs(self) -> Jobs | QueuedJobs:
        clock, settings, write = self.clock, self.settings, self.dispatcher.write
        if self.sender.alone:
            return Jobs(write, clock, settings.zone, read=self.report)
        from bot.job_queue import QueuedJobs  # it costs a start on a file more than it is worth

        return QueuedJobs(settings.database_url, write, clock, settings.zone, read=self.report)

    def _open_alone(self, began: datetime) -> None:
        """No other process: what an earlier run left open is nobody's."""
        if self.wechat:
            self._background(self._open_wechat_replies(began))
        if self.telegram:
            self._background(self._open_telegram(self.telegram, began))

    async def _open_telegram(self, telegram: Telegram, began: datetime) -> None:
        """Open replies first: once messages come in, a redelivery could bring the same reply a second time."""
        await send_open_replies(self.dispatcher.write, telegram.channel, began)
        await telegram.start()

    def _rebound(self, channel: str, address: str) -> None:
        """A chat has got or lost its member: Telegram's list of commands follows."""
        if channel == "telegram" and self.telegram is not None:
            self._background(self._show_commands(self.telegram, address))

    async def _show_commands(self, telegram: Telegram, address: str) -> None:
        today = self.clock().astimezone(self.settings.zone).date()
        roles = await self.dispatcher.write(
            lambda session: accounts.roles_at(session, telegram.channel.name, address, today)
        )
        await telegram.set_chat_commands(address, roles)

    async def _keep_open(self) -> None:
        """In the demo one activity of each kind is always open for check-in."""
        while True:
            now = self.clock()
            try:
                await self.dispatcher.write(partial(keep_open, now=now))
            except LookupError:
                log.warning("HONGXIN_DEMO is on, but this database holds no sample city")
                return
            await asyncio.sleep(KEEP_OPEN_EVERY_S)

    async def _open_wechat_replies(self, began: datetime) -> None:
        await asyncio.sleep(WECHAT_RETRIES_FOR.total_seconds())
        assert self.wechat is not None
        await send_open_replies(self.dispatcher.write, self.wechat.channel, began)

    def _background(self, work: object) -> None:
        task: asyncio.Task[object] = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.critical("a background task ended", exc_info=task.exception())

    def _picture_arrived(self) -> None:
        if self.pictures:
            self.pictures.arrived()

    def _file_arrived(self) -> None:
        if self.sheets:
            self.sheets.arrived()

    async def read(self, work: Callable[[Session], T]) -> T:
        """Run a short `work` that only reads, beside the writer; one of prepared statements needs `report`."""
        async with AsyncSession(self.reading, sync_session_class=Session) as session:
            return await session.run_sync(work)  # type: ignore[arg-type]

    async def report(self, work: Callable[[Session], T]) -> T:
        """Run a `work` that only reads in a thread of its own: a long one, or one of prepared statements.

        Those go to the driver itself, and the driver under `read` is one that has to be waited for.
        """

        def run() -> T:
            with Session(self._reports) as session:
                return work(session)

        return await asyncio.to_thread(run)

    async def _stored_picture(self, picture_id: int) -> tuple[str, bytes]:
        found = await self.read(lambda session: pictures.stored(session, picture_id))
        if found is None:
            raise LookupError(f"picture {picture_id}")
        return found


def secret(value: SecretStr | None) -> str:
    """The text of a secret setting, empty when it is not set."""
    return value.get_secret_value() if value is not None else ""


def open_wechat(settings: Settings, dispatcher: Dispatcher, drawing: Drawing) -> WeChat:
    """The official account of the settings, not started."""
    return WeChat(
        settings.wechat_app_id,
        secret(settings.wechat_app_secret),
        secret(settings.wechat_token),
        secret(settings.wechat_aes_key),
        secret(settings.wechat_previous_aes_key) or None,
        settings.wechat_api_url,
        dispatcher,
        drawing.png,
        cards=read_cards(settings.wechat_cards),
        zone=settings.zone,
        site=settings.public_url,
    )
