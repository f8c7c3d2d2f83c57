"""Pictures for the chat: charts, QR codes and stored ones, drawn in one worker process of their own.

Drawing a chart holds the interpreter for a tenth of a second. In a thread it would stop every conversation for
that long; in a process of its own it does not.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import multiprocessing
import os
import signal
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import quickjs

    from notices.channel import Picture

HERE = Path(__file__).parent
FONT = HERE / "font" / "NotoSansCJKsc-Regular-subset.otf"
FONT_FAMILY = "Noto Sans CJK SC"
ECHARTS = HERE / "echarts" / "echarts.min.js"

CHART_SIDE = 1080  # pixels, where a chart says nothing else
CHART_SIDE_MAX = 4096
SCRIPT_S_MAX = 5  # an option that keeps the script busy longer is refused
SCRIPT_BYTES_MAX = 256 * 2**20
GONE_S_MAX = 5  # a killed process is gone within milliseconds; a stuck machine must not hang the shutdown
QR_SCALE, QR_BORDER = 16, 4  # a border of four modules is what readers rely on

LoadStored = Callable[[int], Awaitable[tuple[str, bytes]]]
"""A stored picture: its media type and its bytes. Raises LookupError when there is none."""


class DrawingError(Exception):
    """The picture cannot be drawn; the text goes out without it. Trying again would change nothing."""


class Drawing:
    """Draws pictures as PNG. The worker starts with the first one and is replaced when it dies."""

    def __init__(
        self, load_stored: LoadStored, *, timeout_s: float = 20.0, cache_bytes_max: int = 16 * 2**20
    ) -> None:
        self._load_stored = load_stored
        self._timeout_s = timeout_s
        self._cache_bytes_max = cache_bytes_max
        self._cached: OrderedDict[str, bytes] = OrderedDict()
        self._cached_bytes = 0
        self._pool: ProcessPoolExecutor | None = None
        self._worker: BaseProcess | None = None
        self._turn = asyncio.Lock()  # one picture at a time: a second would only wait inside the pool

    async def png(self, picture: Picture) -> bytes:
        """The picture's bytes: PNG for a chart or a QR code, the stored format for a stored one.

        Raises DrawingError when it cannot be drawn, and LookupError for a stored one that is not there.
        """
        if picture.kind == "stored":
            return (await self._load_stored(int(picture.data["id"])))[1]
        order = json.dumps([picture.kind, picture.data], ensure_ascii=False, sort_keys=True)
        key = hashlib.sha256(order.encode()).hexdigest()
        async with self._turn:
            found = self._cached.get(key)
            if found is not None:
                self._cached.move_to_end(key)
                return found
            drawn = await self._draw(order)
            self._keep(key, drawn)
            return drawn

    async def close(self) -> None:
        """End the worker and wait until it is gone. A later picture starts a new one."""
        async with self._turn:
            worker = self._worker
            self._drop_worker()
            if worker is not None:
                await asyncio.to_thread(worker.join, GONE_S_MAX)

    def _keep(self, key: str, drawn: bytes) -> None:
        self._cached[key] = drawn
        self._cached_bytes += len(drawn)
        while self._cached_bytes > self._cache_bytes_max:
            _, oldest = self._cached.popitem(last=False)
            self._cached_bytes -= len(oldest)

    async def _draw(self, order: str) -> bytes:
        # A worker that died between two pictures is noticed only by the next one, so that one tries twice.
        for last in (False, True):
            try:
                return await asyncio.wait_for(self._in_worker(order), self._timeout_s)
            except BrokenProcessPool:
                self._drop_worker()
                if last:
                    raise DrawingError("the drawing process died twice over this picture") from None
            except TimeoutError:
                self._drop_worker()
                raise DrawingError(f"not drawn within {self._timeout_s} s") from None
            except asyncio.CancelledError:
                self._drop_worker()  # nobody waits for it, and the next picture should not wait behind it
                raise
        raise AssertionError("the second try returns or raises")

    async def _in_worker(self, order: str) -> bytes:
        if self._pool is None:
            self._start_worker()
        drawn, trouble = await asyncio.get_running_loop().run_in_executor(self._pool, draw, order)
        if trouble:
            raise DrawingError(trouble)
        return drawn

    def _start_worker(self) -> None:
        before = {child.pid for child in multiprocessing.active_children()}
        # spawn: a fork would copy the locks of this process's threads in whatever state they are.
        self._pool = ProcessPoolExecutor(
            max_workers=1, mp_context=multiprocessing.get_context("spawn"), initializer=_settle
        )
        self._pool.submit(os.getpid)  # the first order starts the process, so that it is known here
        started = [child for child in multiprocessing.active_children() if child.pid not in before]
        self._worker = started[0] if started else None

    def _drop_worker(self) -> None:
        pool, worker = self._pool, self._worker
        self._pool = self._worker = None
        if worker is not None:
            worker.kill()  # in the middle of a drawing it cannot be asked; it holds nothing worth keeping
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)


# ---- in the worker -------------------------------------------------------------------------------------


def _settle() -> None:
    """Ctrl-C is the parent's business; and when the parent dies, however it dies, so does the worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)


def draw(order: str) -> tuple[bytes, str]:
    """The PNG of an order `[kind, data]`, or empty bytes and what is wrong with it."""
    import quickjs

    kind, data = json.loads(order)
    try:
        if kind == "qr":
            return _qr(data["text"]), ""
        return _chart(data["option"], data.get("width", CHART_SIDE), data.get("height", CHART_SIDE)), ""
    except (KeyError, TypeError, ValueError, quickjs.JSException) as error:
        reason = str(error).partition("\n")[0]  # the rest is the script's own stack
        return b"", f"{kind}: {type(error).__name__}: {reason[:200]}"


def _qr(text: str) -> bytes:
    import segno

    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        out, kind="png", scale=QR_SCALE, border=QR_BORDER, dark="#000", light="#fff"
    )
    return out.getvalue()


def _chart(option: Any, width: int, height: int) -> bytes:
    import resvg_py

    if not (0 < width <= CHART_SIDE_MAX and 0 < height <= CHART_SIDE_MAX):
        raise ValueError(f"a chart is at most {CHART_SIDE_MAX} pixels wide and high")
    # QuickJS cannot hand over a string that was put together from many; JSON.stringify makes it one.
    context = _script()
    svg = json.loads(context.eval(f"draw({json.dumps(option)}, {int(width)}, {int(height)})"))
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg,
            skip_system_fonts=True,  # the same picture on every machine
            font_files=[str(FONT)],
            font_family=FONT_FAMILY,
            sans_serif_family=FONT_FAMILY,
        )
    )


DRAW = """
function draw(option, width, height) {
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width: width, height: height });
  chart.setOption(option);
  const svg = chart.renderToSVGString();
  chart.dispose();
  return JSON.stringify(svg);
}
"""


@cache
def _script() -> quickjs.Context:
    import quickjs

    context = quickjs.Context()
    context.set_memory_limit(SCRIPT_BYTES_MAX)
    context.set_time_limit(SCRIPT_S_MAX)
    # ECharts looks for these even when it draws without a browser.
    context.eval(
        "var self = globalThis; var window = undefined; function setTimeout() {} function clearTimeout() {}"
    )
    context.eval(ECHARTS.read_text(encoding="utf-8"))
    context.eval(DRAW)
    return context
