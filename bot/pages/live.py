"""Charts that live in the page: the option that a PNG is drawn from, drawn by the browser with the same ECharts.

The script keeps to the size of the text and the width of the screen. Where it cannot run the PNG stays.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from bot.drawing import ECHARTS
from notices.channel import Picture

STATIC = Path(__file__).parent / "static"
KEPT_S = 365 * 24 * 3600  # the address holds the hash of what it gives: it never gives anything else
LIVE = ("radar", "yAxis")  # what an option has that gains by living: a radar, or bars; a meter does not


def _digest() -> bytes:
    return hashlib.sha256(ECHARTS.read_bytes()).digest()


DIGEST = _digest()
SOURCE = f"/echarts-{DIGEST.hex()[:16]}.js"
INTEGRITY = f"sha256-{base64.b64encode(DIGEST).decode()}"
"""What a browser checks ECharts against; in a page's policy it allows this one file and no other."""

SCRIPT = (
    (STATIC / "live.js")
    .read_text(encoding="utf-8")
    .replace("ECHARTS_SOURCE", SOURCE)
    .replace("ECHARTS_INTEGRITY", INTEGRITY)
)


def router() -> APIRouter:
    """The address of ECharts. It is fetched by pages with a live chart only, once per release of it."""
    routes = APIRouter()

    @routes.get(SOURCE)
    def echarts(request: Request) -> Response:
        """The script, compressed for whoever takes that."""
        headers = {
            "Cache-Control": f"public, max-age={KEPT_S}, immutable",
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
        }
        content = ECHARTS.read_bytes()
        if "gzip" in request.headers.get("accept-encoding", ""):
            content, headers["Content-Encoding"] = _compressed(), "gzip"
        return Response(content, media_type="text/javascript", headers=headers)

    return routes


@cache
def _compressed() -> bytes:
    return gzip.compress(ECHARTS.read_bytes(), mtime=0)  # a third of its size; done once


def lives(picture: Picture | None) -> bool:
    """Whether the page can show this picture as a live chart."""
    return picture is not None and picture.kind == "chart" and any(name in picture.data["option"] for name in LIVE)


def embedded(data: dict[str, Any]) -> str:
    """A chart's data as an element of a page, for the script; browsers run nothing of it."""
    told = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return f'<script type="application/json" class="hx-option">{told}</script>'
