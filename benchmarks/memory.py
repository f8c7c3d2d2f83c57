"""What a measured process held."""

from __future__ import annotations

import resource
from pathlib import Path


def memory_mb() -> int:
    """The most that this process ever held. Linux counts what the process held that began it into `ru_maxrss`."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) >> 10 for line in lines if line.startswith("VmHWM:"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
