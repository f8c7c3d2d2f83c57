"""A real server process, a real headless Chromium, and a page that fails its test when it misbehaves."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "tests" / "pictures"
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>/usr/share/fonts</dir><dir>{ours}</dir><cachedir>{cache}</cachedir></fontconfig>
"""


def chromium() -> str:
    """Where the browser is. Without one the tests are skipped, but not where CI=true."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for path in map(shutil.which, names) if path), None)
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no Chromium: CI has to install it")
        pytest.skip("no Chromium here: the tests of the chat page are skipped")
    return found


class Server:
    """The service as a process that can be killed and started again on the same address and database."""

    def __init__(self, folder: Path, *, demo: bool) -> None:
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._database = folder / "hongxin.db"
        self._mode = "demo" if demo else "real"
        self._process: subprocess.Popen[str] | None = None
        self._http = httpx.Client(base_url=self.url, headers={"connection": "close"})  # it may die in between

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "tests.browser.served", str(self._database), str(self.port), self._mode]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "serving\n"

    def kill(self) -> None:
        """End it the hard way."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()

    def stop(self) -> None:
        """Ask it to end, and wait."""
        self._http.close()
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()

    def freeze(self) -> None:
        """Let it take connections but do nothing."""
        assert self._process is not None
        self._process.send_signal(19)  # SIGSTOP

    def letter(self, address: str, text: str, key: str, **more: Any) -> None:
        """Send a letter to a chat, as the outbox does."""
        told = {"address": address, "text": text, "key": key, **more}
        self._http.post("/test/letter", json=told).raise_for_status()

    def say(self, as_: str, text: str) -> dict[str, Any]:
        """Say something through the other door."""
        reply: dict[str, Any] = self._http.post("/web/say", json={"as": as_, "text": text}).json()
        return reply


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The demo."""
    chromium()
    made = Server(tmp_path_factory.mktemp("demo"), demo=True)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def real_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The service as members meet it."""
    chromium()
    made = Server(tmp_path_factory.mktemp("real"), demo=False)
    made.start()
    yield made
    made.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """One browser with a new profile. It can draw Chinese on a machine without Chinese fonts, too."""
    folder = tmp_path_factory.mktemp("fonts")
    configuration = folder / "fonts.conf"
    configuration.write_text(FONTS.format(ours=ROOT / "bot" / "font", cache=folder), encoding="utf-8")
    environment = {**os.environ, "FONTCONFIG_FILE": str(configuration)}
    async with async_playwright() as playwright:
        made = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS, env=environment)  # type: ignore[arg-type]
        yield made
        await made.close()


class Person:
    """Somebody before a page: opens it, reads it, and is strict about what goes on behind it."""

    def __init__(self, page: Page, context: BrowserContext, url: str) -> None:
        self.page, self.context, self.url = page, context, url
        self.foreign: list[str] = []
        self.complaints: list[str] = []
        page.on("console", lambda message: self._complain(message.type, message.text))
        page.on("pageerror", lambda error: self._complain("error", str(error)))
        page.on("request", lambda request: self._note(request.url))

    def _complain(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)

    def _note(self, url: str) -> None:
        if not url.startswith((self.url, "data:", "blob:")):
            self.foreign.append(url)

    async def open(self, path: str = "/?as=member") -> None:
        """Open a page and wait until it speaks with the server."""
        await self.page.goto(self.url + path)
        await self.ready()

    async def ready(self) -> None:
        """Wait until the page has drawn its lines and listens."""
        await self.page.locator(".hx-ready .hx-line").first.wait_for()

    async def lines(self) -> list[str]:
        """What every bubble says, the oldest first."""
        texts: list[str] = await self.page.locator(".hx-text").all_text_contents()
        return texts

    async def say(self, text: str) -> str:
        """Type it, press Enter, and give the answer."""
        count = await self.page.locator(".hx-service").count()
        await self.page.fill(".hx-input", text)
        await self.page.press(".hx-input", "Enter")
        return await self.answer(count)

    async def press(self, label: str) -> str:
        """Press the newest button with this label, and give the answer."""
        count = await self.page.locator(".hx-service").count()
        await self.page.locator(".hx-choice:visible", has_text=label).last.click()
        return await self.answer(count)

    async def answer(self, count: int) -> str:
        """The answer after `count` answers."""
        bubble = self.page.locator(".hx-service").nth(count)
        await bubble.wait_for()
        await self.page.wait_for_function("!document.documentElement.classList.contains('hx-waiting')")
        return (await bubble.locator(".hx-text").text_content()) or ""

    async def computed(self, selector: str, name: str) -> str:
        """A computed style of the last element that matches."""
        script = "(element, name) => getComputedStyle(element).getPropertyValue(name)"
        return str(await self.page.locator(selector).last.evaluate(script, name))

    async def picture(self, name: str) -> None:
        """Keep a picture of the page for people to look at."""
        PICTURES.mkdir(exist_ok=True)
        await self.page.screenshot(path=PICTURES / f"{name}.png")


Visit = Callable[..., Any]


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Browser) -> AsyncIterator[Visit]:
    """`await visit(server, viewport, rough=False)` gives a person with a browser profile of their own.

    At the end no page may have asked another host or complained; rough: the server was killed, so it may complain.
    """
    people: list[tuple[Person, bool]] = []

    async def visit(server: Server, viewport: dict[str, int] = PHONE, *, rough: bool = False) -> Person:
        context = await browser.new_context(viewport=viewport, locale="zh-CN")  # type: ignore[arg-type]
        context.set_default_timeout(30_000)
        person = Person(await context.new_page(), context, server.url)
        people.append((person, rough))
        return person

    yield visit
    for person, rough in people:
        await person.context.close()
        assert person.foreign == [], "a page asked another host"
        assert rough or person.complaints == [], "a page complained"
