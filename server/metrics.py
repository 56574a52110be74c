"""This module owns what the process measures about itself and how Prometheus reads it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from server.errors import route_of

LAG_PERIOD_SECONDS = 0.5


class Metrics:
    """The metrics of one application; other modules register theirs on `registry`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "tongke_http_requests", "Requests answered", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "tongke_http_request_seconds", "Seconds until a response was ready", ["route"], registry=self.registry
        )
        self.loop_lag = Gauge(
            "tongke_loop_lag_seconds", "How late the event loop ran its last timer", registry=self.registry
        )

    @web.middleware
    async def measure(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Count and time each request by its route's pattern."""
        begin = time.perf_counter()
        response = await handler(request)
        route = route_of(request)
        self.requests.labels(request.method, route, str(response.status)).inc()
        self.seconds.labels(route).observe(time.perf_counter() - begin)
        return response

    async def show(self, _request: web.Request) -> web.Response:
        """`GET /metrics`, in Prometheus's text format."""
        return web.Response(body=generate_latest(self.registry), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    async def watch_loop(self, _app: web.Application) -> AsyncIterator[None]:
        """Measure the event loop's lag while the application runs."""
        task = asyncio.create_task(self._watch(), name="loop lag")
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            due = time.perf_counter() + LAG_PERIOD_SECONDS
            await asyncio.sleep(LAG_PERIOD_SECONDS)
            self.loop_lag.set(max(0.0, time.perf_counter() - due))
