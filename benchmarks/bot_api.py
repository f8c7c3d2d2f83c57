"""A Bot API to measure against: TLS on loopback, in a process of its own, every call answered after 60 ms.

It counts by itself what arrived and when, so that nobody measures what he only believes to have sent.

    python -m benchmarks.bot_api CERTIFICATE KEY     prints its port
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import contextlib
import ipaddress
import json
import ssl
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ANSWER_S = 0.06
BOT = {"id": 4242, "is_bot": True, "first_name": "Hongxin", "username": "HongxinTestBot"}
TOKEN = "70003:token-of-the-benchmark-0123456789abcd"


class Arrivals:
    """What has arrived. seen: times that each chat got each text. Times are seconds of the epoch."""

    def __init__(self) -> None:
        self.count = 0
        self.times: list[float] = []
        self.seen: collections.Counter[tuple[str, int]] = collections.Counter()
        self.by_text: dict[str, float] = {}  # the first line of a text -> when it first arrived

    def note(self, body: bytes) -> None:
        """One sendMessage."""
        now = time.time()
        is_json = body.startswith(b"{")
        arguments = orjson.loads(body) if is_json else dict(urllib.parse.parse_qsl(body.decode()))
        text = str(arguments.get("text", ""))
        self.count += 1
        self.times.append(now)
        self.seen[str(arguments["chat_id"]), hash(text)] += 1
        self.by_text.setdefault(text.partition("\n")[0], now)

    def told(self) -> dict[str, Any]:
        """For the process that measures."""
        repeated = sum(1 for times in self.seen.values() if times > 1)
        ends = {"first": self.times[0], "last": self.times[-1]} if self.times else {}
        return {
            "count": self.count,
            "repeated": repeated,
            "by_text": self.by_text,
            "most_in_1s": self.most(),
            **ends,
        }

    def most(self) -> int:
        """The most that arrived within any second."""
        most, begins = 0, 0
        for place, at in enumerate(self.times):
            while self.times[begins] <= at - 1:
                begins += 1
            most = max(most, place - begins + 1)
        return most


class Connection(asyncio.Protocol):
    """One client. It asks, waits for the answer, and asks again."""

    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals = arrivals
        self._buffer = b""
        self._transport: Any = None  # uvloop's is no asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            _, found, length = head.partition(b"content-length:")
            whole = end + 4 + (int(length.split(b"\r\n")[0]) if found else 0)
            if len(self._buffer) < whole:
                return
            body, self._buffer = self._buffer[end + 4 : whole], self._buffer[whole:]
            self._answer(head.split(b" ", 2)[1], body)

    def _answer(self, path: bytes, body: bytes) -> None:
        if path == b"/arrivals":
            return self._write(self._arrivals.told())
        if path == b"/forget":
            self._arrivals.__init__()  # type: ignore[misc]
            return self._write({})
        result: Any = BOT if path.endswith(b"/getme") else True
        if path.endswith(b"/sendmessage"):
            self._arrivals.note(body)
            result = message(self._arrivals.count)
        asyncio.get_running_loop().call_later(ANSWER_S, self._write, {"ok": True, "result": result})
        return None

    def _write(self, answer: Any) -> None:
        body = orjson.dumps(answer)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        if not self._transport.is_closing():
            self._transport.write(head.encode() + body)


def message(number: int) -> dict[str, Any]:
    """A message as large as the ones that Telegram answers with."""
    chat = {"id": 7000, "first_name": "Somebody", "type": "private"}
    return {"message_id": number, "from": BOT, "chat": chat, "date": 1_781_496_000, "text": "字" * 120}


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "benchmark")])
    now = datetime.now(UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(here, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form, no = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, form, no))
    return paths


@dataclass
class StandIn:
    """The server as the measuring process sees it. trusted: environment with which clients believe its TLS."""

    url: str
    trusted: dict[str, str]

    def arrivals(self) -> dict[str, Any]:
        """What has arrived since `forget`."""
        return self._ask("/arrivals")

    def forget(self) -> None:
        """Begin to count anew."""
        self._ask("/forget")

    def _ask(self, path: str) -> dict[str, Any]:
        tls = ssl.create_default_context(cafile=self.trusted["SSL_CERT_FILE"])
        with urllib.request.urlopen(self.url + path, context=tls) as answer:
            found: dict[str, Any] = json.load(answer)
            return found


@contextlib.contextmanager
def stand_in(folder: Path) -> Iterator[StandIn]:
    """The server in a process of its own, as long as the context."""
    paths = certificate(folder)
    command = [sys.executable, "-m", "benchmarks.bot_api", *map(str, paths)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield StandIn(f"https://127.0.0.1:{int(process.stdout.readline())}", {"SSL_CERT_FILE": str(paths[0])})
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


async def serve(certificate_file: str, key_file: str) -> None:
    """Serve until killed."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate_file, key_file)
    arrivals = Arrivals()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(arrivals), "127.0.0.1", 0, ssl=tls, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    """The server's own process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("certificate")
    parser.add_argument("key")
    given = parser.parse_args()
    uvloop.run(serve(given.certificate, given.key))


if __name__ == "__main__":
    main()
