"""Faults on order: what the stand-in answers instead of what it should."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import Any, Literal

Ending = Literal["answer", "hang", "half", "cut"]


@dataclass(frozen=True)
class Fault:
    """What one request meets instead of a plain answer. `accept`: the server does what was asked all the same."""

    ending: Ending
    status: int = 200
    body: bytes = b""
    accept: bool = False
    location: str = ""  # where a redirect leads


class FaultOrders:
    """Each order holds for the next `times` requests of a method, in the order in which they were given."""

    def __init__(self) -> None:
        self._faults: dict[str, deque[Fault]] = defaultdict(deque)

    def refuse(self, method: str, status: int, description: str, *, times: int = 1, **parameters: Any) -> None:
        """An error of the Bot API with its JSON body."""
        body: dict[str, Any] = {"ok": False, "error_code": status, "description": description}
        if parameters:
            body["parameters"] = parameters
        self.fault(method, Fault("answer", status, json.dumps(body).encode()), times=times)

    def flood(self, method: str, retry_after: int, *, times: int = 1) -> None:
        """429: too many requests. Whatever the bot sends within the pause is noted in `hasty`."""
        words = f"Too Many Requests: retry after {retry_after}"
        self.refuse(method, 429, words, times=times, retry_after=retry_after)

    def garble(self, method: str, body: bytes, *, status: int = 200, accept: bool = True) -> None:
        """An answer that the Bot API would not give."""
        self.fault(method, Fault("answer", status, body, accept))

    def hang(self, method: str, *, accept: bool = True, times: int = 1) -> None:
        """No answer ever comes."""
        self.fault(method, Fault("hang", accept=accept), times=times)

    def half(self, method: str, *, accept: bool = True, times: int = 1) -> None:
        """The answer breaks off in its middle."""
        self.fault(method, Fault("half", accept=accept), times=times)

    def cut(self, method: str, *, accept: bool = False, times: int = 1) -> None:
        """The connection closes without an answer."""
        self.fault(method, Fault("cut", accept=accept), times=times)

    def fault(self, method: str, fault: Fault, *, times: int = 1) -> None:
        """Any fault."""
        self._faults[method].extend([fault] * times)

    def next_fault(self, method: str) -> Fault | None:
        """What the request that has just come meets; None for a plain answer."""
        return self._faults[method].popleft() if self._faults[method] else None
