"""The event loop that the service runs on."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
COLLECT_AFTER = (20_000, 20, 20)  # objects; a request under way has a hundred, and Python looks after each 700


def run(main: Coroutine[Any, Any, T]) -> T:
    """What `main` returns, run on uvloop where there is one (not on Windows): it sends with less CPU."""
    keep_what_is_loaded()
    with asyncio.Runner(loop_factory=_factory()) as runner:
        return runner.run(main)


def keep_what_is_loaded() -> None:
    """Take what is there by now, modules above all, out of the search for garbage: it lives as long as we do.

    Looked through again and again while messages come and go, it was a fifth of the CPU of each of them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def _factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        from uvloop import new_event_loop
    except ImportError:
        return asyncio.new_event_loop
    return new_event_loop
