"""Answers of a platform: read whole, and never more of them than we want to hold."""

from __future__ import annotations

import gzip

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.channels.wire import body_of

MOST = 1000


def answer(body: bytes, how: str) -> web.StreamResponse:
    if how == "pieces":  # says no length

        async def pieces():
            for at in range(0, len(body), 300):
                yield body[at : at + 300]

        return web.Response(body=pieces())
    if how == "packed":  # its length is that of the packed bytes
        return web.Response(body=gzip.compress(body), headers={"Content-Encoding": "gzip"})
    return web.Response(body=body)


@pytest.mark.parametrize("how", ["whole", "pieces", "packed"])
@pytest.mark.parametrize(("size", "comes"), [(0, True), (MOST, True), (MOST + 1, False)])
async def test_an_answer_is_read_up_to_its_limit(how: str, size: int, comes: bool) -> None:
    body = b"x" * size

    async def handle(_: web.Request) -> web.StreamResponse:
        return answer(body, how)

    app = web.Application()
    app.router.add_get("/", handle)
    async with (
        TestServer(app) as server,
        aiohttp.ClientSession() as session,
        session.get(server.make_url("/")) as response,
    ):
        assert await body_of(response, MOST) == (body if comes else None)
