"""Where the processes that are to be killed are born: `python -m tests.chaos.birthplace URL`.

Reads orders, one JSON object a line, and forks a child for each of them, which sends until nothing is left. Writes
`[run, "begun", pid]` and, when the child has ended, `[run, "ended", status]`. Forking saves the imports, which take
longer than the sending; one rehearsal before, on a filled database at URL, saves the first times of everything else.
"""

from __future__ import annotations

import asyncio
import faulthandler
import gc
import json
import os
import select
import signal
import sys
import time

from db.failpoints import disarm
from tests.chaos import mass_sender, sender
from tests.chaos.orders import Order


def tell(*words: object) -> None:
    """Answer the test."""
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def serve() -> None:
    """Fork for every order, and tell of every end."""
    woken, waking = os.pipe()
    os.set_blocking(waking, False)
    signal.set_wakeup_fd(waking)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    children: dict[int, str] = {}
    unread = b""
    while True:
        ready, _, _ = select.select([0, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            while children:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    break
                tell(children.pop(pid), "ended", status)
        if 0 in ready:
            got = os.read(0, 65536)
            if not got:
                return
            *lines, unread = (unread + got).split(b"\n")
            for order in (Order(**json.loads(line)) for line in lines):
                pid = os.fork()
                if not pid:
                    live(order)
                children[pid] = order.run
                tell(order.run, "begun", pid)


def live(order: Order) -> None:
    """Be the child."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    faulthandler.register(signal.SIGUSR1)  # a test that waits in vain asks where it stands
    os.environ["HONGXIN_FAILPOINT"] = order.failpoint
    asyncio.run(mass_sender.send_all(order) if order.what == "mass" else sender.send_all(order))
    os._exit(0)


def main() -> None:
    """Rehearse, then serve."""
    asyncio.run(sender.send_all(Order("rehearsal", sys.argv[1], "", time.time())))
    disarm()  # the children are armed otherwise
    gc.collect()
    gc.disable()  # a child that looks for garbage copies the memory that it shares
    serve()


if __name__ == "__main__":
    main()
