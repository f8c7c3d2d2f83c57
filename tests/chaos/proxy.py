"""Between a process and its database: forwards everything, and sometimes cuts right behind a COMMIT."""

from __future__ import annotations

import contextlib
import random
import socket
import threading

SENT_TO = "127.0.0.1"


class CuttingProxy:
    """Listens on a port of this machine; `path` is the server's socket. A cut leaves the commit done and unheard."""

    def __init__(self, path: str, dice: random.Random, chance: float) -> None:
        self._path = path
        self._dice = dice
        self.chance = chance
        self.cuts = 0
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
                cut = b"COMMIT" in data and self._dice.random() < self.chance
                if cut:  # nothing of the answer gets through
                    self.cuts += 1
                    client.shutdown(socket.SHUT_RDWR)
                server.sendall(data)
                if cut:
                    return


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for one in (source, target):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)  # a close alone wakes nobody who reads from it
        one.close()
