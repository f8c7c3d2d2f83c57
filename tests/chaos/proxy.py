"""Between a process and its database: forwards everything, and sometimes cuts right behind a COMMIT."""

from __future__ import annotations

import contextlib
import random
import socket
import threading

SENT_TO = "127.0.0.1"


class CuttingProxy:
    """Listens on a port of this machine; `path` is the server's socket. A cut leaves the commit done and unheard.

    apart: how many commits lie between two cuts, at least and at most.
    """

    def __init__(self, path: str, dice: random.Random, apart: tuple[int, int]) -> None:
        self._path = path
        self._dice = dice
        self._apart = apart
        self._left = apart[0]
        self.cuts = 0
        self.cutting = True
        self._listening = socket.create_server((SENT_TO, 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take nobody in any more."""
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(self._path)
        except OSError:  # it restarts
            client.close()
            server.close()
            return
        threading.Thread(target=_pump, args=(server, client), daemon=True).start()
        self._forward(client, server)
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_WR)  # a server that reads on does what it was told
        client.close()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                cut = b"COMMIT" in data and self._due()
                if cut:  # nothing of the answer gets through
                    client.shutdown(socket.SHUT_RDWR)
                server.sendall(data)
                if cut:
                    return

    def _due(self) -> bool:
        self._left -= 1
        if self._left > 0 or not self.cutting:
            return False
        self._left = self._dice.randint(*self._apart)
        self.cuts += 1
        return True


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for one in (source, target):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)  # a close alone wakes nobody who reads from it
        one.close()
