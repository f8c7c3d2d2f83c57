"""What the process holds: large arrays leave it as soon as they are freed."""

from __future__ import annotations

import ctypes

LARGE = 1 << 20  # bytes
_MMAP_THRESHOLD = -3  # glibc's M_MMAP_THRESHOLD


def give_back_large() -> bool:
    """Give memory of a megabyte and more back to the system when it is freed; False where there is no glibc.

    Left alone, glibc raises this bound to the largest array it has seen, keeps later ones among small objects, and
    the process grows for hours.
    """
    try:
        return bool(ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, LARGE))
    except (AttributeError, OSError, TypeError):
        return False
