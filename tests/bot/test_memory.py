"""Large arrays leave the process where glibc is asked to let them."""

from __future__ import annotations

import platform

from bot.memory import give_back_large


def test_where_there_is_glibc_it_takes_the_bound() -> None:
    assert give_back_large() == (platform.libc_ver()[0] == "glibc")
