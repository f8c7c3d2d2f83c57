"""Figures for a monitoring system at /metrics: what the writer did, and what waits in the outbox."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlmodel import Session

from bot.writer import Writer
from db import deliveries


def router(writer: Writer, read: Callable[[Callable[[Session], Any]], Awaitable[Any]]) -> APIRouter:
    """The route of /metrics. read: runs a work that only reads."""
    registry = CollectorRegistry()
    works = Gauge("hongxin_works_total", "Works run in the writer since the start", registry=registry)
    commits = Gauge("hongxin_commits_total", "Commits since the start", registry=registry)
    waiting = Gauge("hongxin_deliveries", "Rows of the outbox", ["state"], registry=registry)
    routes = APIRouter()

    @routes.get("/metrics")
    async def metrics() -> Response:
        """The figures in Prometheus' text form."""
        works.set(writer.works)
        commits.set(writer.commits)
        for state, count in (await read(deliveries.count_by_state)).items():
            waiting.labels(state).set(count)
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return routes
